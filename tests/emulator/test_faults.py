"""Faults, as a client meets them. Only the clock and the sleep are ours."""

from __future__ import annotations

import gzip
import http.client
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config

from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from reconciler.emulator.trouble.faults import KINDS, Faults, parse_fault, parse_faults
from reconciler.emulator.wire.protocol import medical_imaging
from tests.emulator.conftest import UPDATE_SECONDS, Clock, EmulatedStore, connect

NAME = {"Study": {"DICOM": {"StudyDescription": "X"}}}
OPERATIONS = (*medical_imaging().operations, "GetCallerIdentity")
UPDATE = "UpdateImageSetMetadata"


class Faulty(EmulatedStore):
    """A store whose faults can be set."""

    slept: list[float]

    def admin(self, method: str, path: str = "faults", body: Any = None) -> tuple[int, Any]:
        address = self.emulator.endpoint.removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=10)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, f"/_emulator/{path}", data if body is not None else None)
        answer = connection.getresponse()
        value = json.load(answer)
        connection.close()
        return answer.status, value

    def set(self, *faults: dict[str, Any], seed: int = 0) -> None:
        status, answer = self.admin("PUT", body={"seed": seed, "faults": list(faults)})
        assert status == 200, answer

    def triggered(self) -> list[int]:
        return [fault["triggered"] for fault in self.admin("GET")[1]["faults"]]


@pytest.fixture
def faulty(tmp_path: Path, clock: Clock) -> Iterator[Faulty]:
    slept: list[float] = []
    with Emulator(
        tmp_path, Options(update_seconds=UPDATE_SECONDS, now=clock, sleep=slept.append)
    ) as emulator:
        store = Faulty(emulator, connect(emulator.endpoint), clock)
        store.slept = slept
        yield store


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("throttle", (429, "ThrottlingException")),
        ("error500", (500, "InternalServerException")),
        ("expired-credentials", (403, "ExpiredTokenException")),
    ],
)
def test_an_error_has_no_effect(
    faulty: Faulty, document: Any, error_of: Any, kind: str, answer: Any
) -> None:
    image_set = faulty.load(document, primary=False)
    faulty.set({"kind": kind, "operation": UPDATE, "nth": 1})
    assert error_of(faulty.call, image_set, NAME, pin="1")[:2] == answer
    assert faulty.get(image_set)["versionId"] == "1"
    assert faulty.call(image_set, NAME, pin="1")["latestVersionId"] == "2"
    assert faulty.triggered() == [1]


@pytest.mark.parametrize(("kind", "version"), [("reset-before", "1"), ("reset-after", "2")])
def test_a_reset(faulty: Faulty, document: Any, kind: str, version: str) -> None:
    image_set = faulty.load(document, primary=False)
    faulty.set({"kind": kind, "operation": UPDATE, "imageSetId": image_set, "times": 1})
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        faulty.call(image_set, NAME, pin="1")
    assert faulty.get(image_set)["versionId"] == version


def test_a_reset_is_a_reset(faulty: Faulty) -> None:
    faulty.set({"kind": "reset-before"})
    address = faulty.emulator.endpoint.removeprefix("http://")
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request("GET", "/datastore")
    with pytest.raises(ConnectionResetError):
        connection.getresponse()
    connection.close()
    assert faulty.admin("DELETE")[0] == 200  # faults do not apply to its own paths


def test_latency(faulty: Faulty) -> None:
    faulty.set({"kind": "latency", "seconds": 2.5, "operation": "ListDatastores"})
    faulty.client.list_datastores()
    faulty.client.get_datastore(datastoreId=faulty.datastore_id)
    assert faulty.slept == [2.5]


def test_a_slow_lock(faulty: Faulty, document: Any, clock: Clock) -> None:
    image_set = faulty.load(document, primary=False)
    faulty.set({"kind": "slow-lock", "seconds": 100, "operation": UPDATE})
    faulty.call(image_set, NAME, pin="1")
    clock.advance(99)
    assert faulty.get(image_set)["imageSetState"] == "LOCKED"
    clock.advance(1)
    assert faulty.get(image_set)["imageSetWorkflowStatus"] == "UPDATED"


def test_an_endless_lock(faulty: Faulty, document: Any, clock: Clock, error_of: Any) -> None:
    image_set = faulty.load(document, primary=False)
    faulty.set({"kind": "endless-lock"})
    faulty.call(image_set, NAME, pin="1")
    before = clock.seconds
    clock.advance(10 * 365 * 86_400)
    assert faulty.get(image_set)["imageSetState"] == "LOCKED"
    assert error_of(faulty.call, image_set, NAME, pin="2")[0] == 409
    clock.seconds = before


def test_an_update_that_fails(faulty: Faulty, document: Any) -> None:
    image_set = faulty.load(document, primary=False)
    before = faulty.metadata(image_set)
    faulty.set({"kind": "update-failed", "message": "Backend unavailable: try later.", "nth": 1})
    after = faulty.update(image_set, NAME)
    assert after["imageSetWorkflowStatus"] == "UPDATE_FAILED"
    assert after["message"] == "Backend unavailable: try later."
    assert (after["versionId"], faulty.metadata(image_set)) == ("2", before)
    assert faulty.updated(image_set, NAME)["Study"]["DICOM"]["StudyDescription"] == "X"


def test_a_failed_study_wide_update_leaves_the_siblings(
    faulty: Faulty, document: Any, sibling: Any
) -> None:
    one, other = faulty.load(document), faulty.load(sibling)
    faulty.set({"kind": "update-failed"})
    faulty.call(one, NAME, includeStudyImageSets=True)
    faulty.finish()
    assert faulty.get(one)["imageSetWorkflowStatus"] == "UPDATE_FAILED"
    assert faulty.get(other)["versionId"] == "1"


def test_a_search_that_is_behind(faulty: Faulty, document: Any, clock: Clock) -> None:
    image_set = faulty.load(document, primary=False)
    faulty.set({"kind": "stale-search", "seconds": 60})
    faulty.call(image_set, NAME, pin="1")

    def version() -> int:
        answer = faulty.client.search_image_sets(datastoreId=faulty.datastore_id)
        found: int = answer["imageSetsMetadataSummaries"][0]["version"]
        return found

    clock.advance(59)
    assert version() == 1
    clock.advance(1)
    assert version() == 2


def test_a_foreign_writer(faulty: Faulty, document: Any, error_of: Any) -> None:
    image_set = faulty.load(document, primary=False)
    faulty.set(
        {"kind": "foreign-write", "operation": UPDATE, "nth": 1,
         "attributes": {"Patient": {"DICOM": {"PatientName": "Else^Somebody"}}}}
    )  # fmt: skip
    refused = error_of(faulty.call, image_set, NAME, pin="1")
    assert refused[:2] == (404, "ResourceNotFoundException")
    assert "is not the latest" in refused[2]
    got = faulty.get(image_set)
    assert (got["versionId"], got["imageSetWorkflowStatus"]) == ("2", "UPDATED")
    assert faulty.metadata(image_set)["Patient"]["DICOM"]["PatientName"] == "Else^Somebody"


def test_a_foreign_writer_after_a_read_and_of_another_image_set(
    faulty: Faulty, document: Any, sibling: Any
) -> None:
    one, other = faulty.load(document), faulty.load(sibling)
    faulty.set(
        {"kind": "foreign-write", "operation": "GetImageSetMetadata", "moment": "after",
         "imageSetId": one, "target": other, "times": 1}
    )  # fmt: skip
    assert faulty.metadata(one)["Study"]["DICOM"]["StudyDescription"] == "CT HEAD"
    assert (faulty.get(one)["versionId"], faulty.get(other)["versionId"]) == ("1", "2")
    after = faulty.metadata(other)["Study"]["DICOM"]["StudyDescription"]
    assert after == "changed by another process"


def test_a_foreign_writer_that_is_refused_does_nothing(faulty: Faulty, document: Any) -> None:
    image_set = faulty.load(document, primary=False)
    faulty.set({"kind": "foreign-write", "target": "f" * 32})
    assert faulty.get(image_set)["versionId"] == "1"


def test_several_faults_of_one_call(faulty: Faulty, document: Any) -> None:
    image_set = faulty.load(document, primary=False)
    faulty.set(
        {"kind": "reset-after", "operation": UPDATE},
        {"kind": "slow-lock", "seconds": 50},
        {"kind": "latency", "seconds": 1, "operation": UPDATE},
    )
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        faulty.call(image_set, NAME, pin="1")
    faulty.clock.advance(49)
    assert faulty.get(image_set)["imageSetState"] == "LOCKED"
    assert faulty.triggered() == [1, 1, 1]


def test_credentials_that_expire_for_sts_too(faulty: Faulty) -> None:
    sts = boto3.client(
        "sts",
        endpoint_url=faulty.emulator.endpoint,
        region_name="us-east-1",
        aws_access_key_id="emulator",
        aws_secret_access_key="emulator",
        config=Config(retries={"total_max_attempts": 1}),
    )
    answer = sts.get_caller_identity()
    assert (answer["Account"], answer["Arn"]) == (
        "000000000000",
        "arn:aws:iam::000000000000:user/emulator",
    )
    faulty.set({"kind": "expired-credentials"})
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        sts.get_caller_identity()
    assert caught.value.response["Error"]["Code"] == "ExpiredToken"
    with pytest.raises(botocore.exceptions.ClientError) as other:
        sts.get_session_token()
    assert other.value.response["Error"]["Code"] == "InvalidAction"


def test_the_admin_path(faulty: Faulty) -> None:
    assert faulty.admin("GET")[1] == {"seed": 0, "faults": []}
    fault = {"kind": "throttle", "operation": ["GetImageSet", UPDATE], "probability": 0.5}
    status, answer = faulty.admin("PUT", body={"seed": 3, "faults": [fault]})
    assert (status, answer) == (
        200,
        {"seed": 3, "faults": [{**fault, "matched": 0, "triggered": 0}]},
    )
    status, refused = faulty.admin("PUT", body={"faults": [{"kind": "nothing"}]})
    assert status == 400
    assert "faults[0]" in refused["message"]
    assert faulty.admin("GET")[1] == answer
    assert faulty.admin("DELETE")[1] == {"seed": 0, "faults": []}
    assert faulty.admin("PATCH")[0] == 404


def hits(seed: int, calls: int = 200) -> list[int]:
    text = json.dumps({"seed": seed, "faults": [{"kind": "throttle", "probability": 0.25}]})
    faults = Faults(parse_faults(text.encode(), OPERATIONS))
    return [n for n in range(calls) if faults.of_call("GetImageSet", None)]


def test_one_seed_one_run() -> None:
    assert hits(1) == hits(1)
    assert hits(1) != hits(2)
    assert 20 < len(hits(1)) < 80


def test_nth_counts_what_matches() -> None:
    text = b'{"faults": [{"kind": "throttle", "operation": "GetImageSet", "nth": [2, 4]}]}'
    faults = Faults(parse_faults(text, OPERATIONS))
    seen = []
    for _ in range(5):
        faults.of_call("SearchImageSets", None)
        seen.append(bool(faults.of_call("GetImageSet", "a" * 32)))
    assert seen == [False, True, False, True, False]


def test_a_fault_on_the_command_line() -> None:
    found = parse_fault("slow-lock,operation=CopyImageSet,seconds=3,times=2", OPERATIONS)
    (fault,) = found.faults
    assert (fault.kind, fault.operations, fault.seconds, fault.times) == (
        "slow-lock", ("CopyImageSet",), 3.0, 2,
    )  # fmt: skip
    (fault,) = parse_fault("update-failed,message=no luck", OPERATIONS).faults
    assert fault.message == "no luck"
    id_of_digits = "1" * 32
    (fault,) = parse_fault(f"throttle,imageSetId={id_of_digits}", OPERATIONS).faults
    assert fault.image_set_id == id_of_digits


@pytest.mark.parametrize(
    "fault",
    [
        {}, {"kind": "boom"}, {"kind": "throttle", "colour": "red"}, [],
        {"kind": "throttle", "seconds": 1}, {"kind": "throttle", "operation": "GetImageSets"},
        {"kind": "slow-lock", "operation": "GetImageSet"}, {"kind": "throttle", "operation": []},
        {"kind": "throttle", "nth": 0}, {"kind": "throttle", "nth": []},
        {"kind": "throttle", "nth": [1, "2"]}, {"kind": "throttle", "probability": 1.5},
        {"kind": "throttle", "probability": True}, {"kind": "throttle", "times": 0},
        {"kind": "latency", "seconds": -1}, {"kind": "update-failed", "message": "a;b"},
        {"kind": "throttle", "imageSetId": "x"}, {"kind": "foreign-write", "attributes": {}},
        {"kind": "foreign-write", "moment": "now"}, {"kind": "foreign-write", "target": 1},
    ],
)  # fmt: skip
def test_what_is_no_fault(fault: Any) -> None:
    with pytest.raises(ValueError, match=r"faults\[1\]"):
        parse_faults(json.dumps({"faults": [{"kind": "throttle"}, fault]}).encode(), OPERATIONS)


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"fault": []}', b'{"faults": {}}',
                                  b'{"seed": 1.5}', b'{"seed": true}'])  # fmt: skip
def test_what_is_no_faults_file(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"line 1|object|list"):
        parse_faults(text, OPERATIONS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_given(kind: str) -> None:
    (fault,) = parse_fault(kind, OPERATIONS).faults
    assert fault.kind == kind


def test_a_refusal_of_one_image_set(faulty: Faulty, document: Any, error_of: Any) -> None:
    image_set, other = faulty.load(document), faulty.load(document, primary=False)
    faulty.set({"kind": "refused", "imageSetId": image_set, "code": "AccessDeniedException"})
    assert error_of(faulty.get, image_set)[:2] == (403, "AccessDeniedException")
    assert faulty.get(other)["versionId"] == "1"


def test_a_row_that_search_leaves_out(faulty: Faulty, document: Any) -> None:
    image_set, other = faulty.load(document), faulty.load(document, primary=False)
    faulty.set({"kind": "missing-row", "target": image_set})
    found = faulty.client.search_image_sets(datastoreId=faulty.datastore_id)
    assert [row["imageSetId"] for row in found["imageSetsMetadataSummaries"]] == [other]


def test_metadata_that_cannot_be_used(faulty: Faulty, document: Any) -> None:
    image_set = faulty.load(document)

    def answer(form: str) -> bytes:
        faulty.set({"kind": "bad-metadata", "form": form})
        blob = faulty.client.get_image_set_metadata(**faulty.of(image_set))["imageSetMetadataBlob"]
        return bytes(blob.read())

    assert answer("not-json").startswith(b"<html>")
    with pytest.raises(ValueError, match="delimiter"):
        json.loads(gzip.decompress(answer("cut-off")))
    assert json.loads(gzip.decompress(answer("wrong-shape")))["Study"] == []
    assert json.loads(gzip.decompress(answer("other-image-set")))["ImageSetID"] == "0" * 32
    assert gzip.decompress(answer("deep")).count(b'"ProcedureCodeSequence":[') == 200
    bomb = answer("gzip-bomb")
    assert len(bomb) < 2_000_000
    # Of its 1.6 GB the first part is enough here.
    assert zlib.decompressobj(31).decompress(bomb).startswith(b"{")
