"""docs/emulator.md lists what the emulator has: switches, quotas, faults, and ways to reach it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.rules.behaviours import describe
from reconciler.emulator.rules.payload import _MOST_LEVELS
from reconciler.emulator.trouble.faults import KINDS, parse_fault, parse_faults
from reconciler.emulator.trouble.quotas import DOCUMENTED, parse_limits
from reconciler.emulator.wire.errors import ApiError
from reconciler.emulator.wire.exact_json import MOST_LEVELS
from reconciler.emulator.wire.protocol import Request, medical_imaging

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / "docs" / "emulator.md").read_text()
CLIENTS = REPOSITORY / "tests" / "clients"
OPERATIONS = medical_imaging().operations


def table(heading: str) -> list[list[str]]:
    """The cells of the table that has this as its first heading, without backticks."""
    _, _, rest = TEXT.partition(f"| {heading} |")
    rows = re.match(r"[^\n]*\n\|[-|]+\|\n((?:\|[^\n]*\n)*)", rest)
    assert rows, heading
    return [
        [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        for line in rows[1].splitlines()
    ]


def test_the_switches() -> None:
    assert table("Switch") == [
        [one.name, one.default, ", ".join(one.choices) or "a number", one.source.replace("`", "")]
        for one in describe()
    ]


def test_the_quotas() -> None:
    assert table("Operation") == [
        [name, f"{rate.per_second:g}", f"{rate.burst:g}"]
        for name, rate in sorted(DOCUMENTED.rates.items())
    ]


def test_the_faults() -> None:
    documented = {
        kind: set(filter(None, members.split(", "))) for kind, _, members in table("Kind")
    }
    assert documented == {kind: set(members) for kind, (_, members) in KINDS.items()}
    assert list(documented) == list(KINDS)


def test_the_members_of_all_faults() -> None:
    given: dict[str, Any] = {
        "operation": "GetImageSet",
        "imageSetId": "a" * 32,
        "nth": 1,
        "probability": 0.5,
        "times": 1,
    }
    assert [name for name, _ in table("Member")] == list(given)
    text = json.dumps({"faults": [{"kind": "throttle", **given}]})
    assert parse_faults(text.encode(), OPERATIONS)


def test_the_files_and_commands() -> None:
    quotas, counters = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert "GetImageSet" not in parse_limits(quotas.encode()).rates
    assert json.loads(counters)
    for fault in re.findall(r"--fault ([a-z][\w,.=-]+)", TEXT):
        assert parse_fault(fault, OPERATIONS).faults
    (body,) = re.findall(r"-d '(\{.*\})'", TEXT)
    assert parse_faults(body.encode(), OPERATIONS).faults


def test_the_boto3_example(store: Any) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code.replace("http://127.0.0.1:8080", store.emulator.endpoint), names)
    found = names["client"].search_image_sets(datastoreId=store.datastore_id)
    assert found["imageSetsMetadataSummaries"] == []


def test_the_versions_of_clients_that_drop_a_flag() -> None:
    """tests/emulator/test_javascript_client.py runs the one that is pinned."""
    pinned = json.loads((CLIENTS / "package.json").read_text())["dependencies"]
    versions = {client: flag for client, _, flag in table("Client")}
    assert pinned["@aws-sdk/client-medical-imaging"] in versions["JavaScript SDK, version 3"]


@pytest.mark.parametrize(
    "path", ["studies", "studies/1.2.3", "studies/1.2.3/series/1.2.4/metadata"]
)
def test_dicomweb_is_not_there(path: str) -> None:
    with pytest.raises(ApiError) as caught:
        medical_imaging().parse(Request("GET", f"/datastore/{'1' * 32}/{path}"))
    assert caught.value.code == "UnknownOperationException"


def test_json_beside_dicom_files_is_not_imported(store: Any, error_of: Any) -> None:
    mapping = {"studyInstanceUID": "1.2.3", "metadataFilePath": "study.json"}
    answer = error_of(
        store.client.start_dicom_import_job,
        datastoreId=store.datastore_id,
        dataAccessRoleArn="arn:aws:iam::000000000000:role/import",
        inputS3Uri="s3://bucket/",
        outputS3Uri="s3://results/",
        importConfiguration={
            "dicomJsonMetadataImportConfiguration": {"dicomMetadataMappings": [mapping]}
        },
    )
    assert answer == (
        400, "ValidationException",
        "This emulator imports DICOM P10 files only, no DICOM JSON metadata.",
    )  # fmt: skip


def test_the_bounds_of_documents() -> None:
    assert f"nested deeper than {MOST_LEVELS} levels, or {_MOST_LEVELS} levels in an update" in TEXT


@pytest.mark.parametrize(
    "switch",
    ["inject_host_prefix=False", "AWS_DISABLE_HOST_PREFIX_INJECTION=true",
     "disableHostPrefix: true"],
)  # fmt: skip
def test_the_host_prefix_switch_of_each_client(switch: str) -> None:
    assert switch in TEXT
