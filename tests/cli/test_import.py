"""`reconcile import`: what it prints loads back and plans to nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler import pipeline
from reconciler.cli import connect, workspace
from reconciler.cli.import_ import Depth, manifest
from reconciler.core.errors import ReconcilerError
from reconciler.core.model.address import Level
from reconciler.core.model.node import MappingNode, Scalar
from reconciler.core.model.plan import Status
from reconciler.core.model.settings import Settings
from reconciler.core.model.value import Document, Json
from reconciler.edges.manifests import parse
from reconciler.render.manifest import manifest_lines
from reconciler.render.nodes import quoted
from tests.cli.conftest import Command, expect

LEVELS = list(Level)


@pytest.mark.parametrize("depth", LEVELS)
def test_every_image_set_of_the_default_data_plans_to_nothing(
    workspace: Path, depth: Level
) -> None:
    found = replace(workspace_settings(workspace), manifests="imported")
    folder = workspace / "imported"
    folder.mkdir()
    with connect.edges(found) as edges:
        port = edges.ports(found.datastores[0])
        for summary in port.search():
            document = port.metadata(summary.image_set_id, "1")
            lines = manifest_lines("research", summary.image_set_id, "1", document, depth)
            if lines:
                (folder / f"{summary.image_set_id}.yaml").write_text("\n".join(lines))
        checked = pipeline.check(found)
        plan = pipeline.plan(found, checked, edges).plan
    assert len(checked.asks) > (40 if depth is Level.PATIENT else 50)
    assert {action.status for action in plan.actions} == {Status.CONVERGED}


def workspace_settings(folder: Path) -> Settings:
    """The settings of a workspace."""
    return workspace.settings(folder / "reconciler.yaml")


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_quoted_text_loads_back_to_itself(text: str) -> None:
    loaded = parse(f"value: {quoted(text)}\n", "manifest.yaml")
    assert loaded.problems == ()
    found = loaded.documents[0].get("value")
    assert isinstance(found, Scalar)
    assert found.text == text


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["PatientName", "PatientID", "PatientSize", "OtherPatientNames", "00101002", "00091001", "Odd"]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(st.dictionaries(KEYS, JSON_VALUES))
def test_whatever_a_document_holds_the_manifest_is_one(attributes: dict[str, object]) -> None:
    document = Document({"Patient": {"DICOM": attributes}})  # type: ignore[dict-item]
    lines = manifest_lines("research", "1" * 32, "1", document, Level.INSTANCE)
    loaded = parse("\n".join(lines) or "{}", "manifest.yaml")
    assert loaded.problems == ()
    assert len(loaded.documents) == 1
    assert isinstance(loaded.documents[0], MappingNode)


def test_what_cannot_be_asked_for_is_told() -> None:
    document = Document(
        {
            "Patient": {"DICOM": {"PatientName": "Doe\0", "StudyDate": "20260101", "Odd": "1"}},
            "Study": {"DICOM": {"StudyDate": "1997.04.24", "StudyID": "7"}},
        }
    )
    text = "\n".join(manifest_lines("research", "1" * 32, "3", document, Level.STUDY))
    expect("import-left-out.txt", text + "\n")
    assert "1997" not in text


def long(text: Json, count: int) -> dict[str, Json]:
    """A document with some instances that have a text."""
    instances: dict[str, Json] = {
        f"1.2.3.{number}": {"DICOM": {"TextValue": text}} for number in range(count)
    }
    return {"Study": {"Series": {"1.2": {"Instances": instances}}}}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"Study": {"Series": {"1.2": 1}}}, "documented structure at Study/Series/1.2"),
        ({"Patient": {}}, "has no attribute that a manifest can manage at level instance or above"),
        (long("x" * 2**20, 16), "the manifest would be larger than the limit of 16,777,216 bytes"),
    ],
)
def test_no_manifest_that_validate_refuses_is_printed(
    document: dict[str, Json], message: str
) -> None:
    with pytest.raises(ReconcilerError, match=message):
        manifest("research", "1" * 32, "1", Document(document), Depth.INSTANCE)


def test_import_prints_a_manifest(reconcile: Command, workspace: Path) -> None:
    ran = reconcile("import", "--image-set", "1417b070c05b2d26137e730281541afd")
    assert (ran.code, ran.err) == (0, "")
    expect("import.txt", ran.out)
