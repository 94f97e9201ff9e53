"""Whatever a document holds: `validate` accepts what `import` prints, and its plan is empty."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.ask import manifest_checker, validate
from reconciler.core.ask.resolve import resolve
from reconciler.core.model.address import Level
from reconciler.core.model.plan import Status
from reconciler.core.model.value import Document
from reconciler.core.survey import Known, Surveyed
from reconciler.edges import schemas
from reconciler.edges.manifests import parse
from reconciler.observe.driver import Store, observe
from reconciler.render.manifest import manifest_lines
from tests.laws.made_up_documents import documents, nested
from tests.planning import A, Stage

_CHECKER = manifest_checker(schemas.load("manifest"))


def at_patient(dicom: dict[str, Any]) -> dict[str, Any]:
    """A document with these attributes of the patient, and one of the study."""
    return {"Patient": {"DICOM": dicom}, "Study": {"DICOM": {"StudyDescription": "x"}}}


def at_instance(uid: str = "1.2.3", **dicom: Any) -> dict[str, Any]:
    """A document with one instance."""
    return in_series({uid: {"DICOM": {"InstanceNumber": "1", **dicom}}})


def twice(*uids: str) -> dict[str, Any]:
    """A document with instances whose UIDs are equal without their padding."""
    return in_series({uid: {"DICOM": {"SOPInstanceUID": uid}} for uid in uids})


def in_series(instances: dict[str, Any]) -> dict[str, Any]:
    series = {"DICOM": {"Modality": "CT"}, "Instances": instances}
    return {"Patient": {"DICOM": {}}, "Study": {"DICOM": {}, "Series": {"1.2": series}}}


def imported(document: dict[str, Any], level: Level) -> str:
    lines = manifest_lines("research", A, "1", Document(document), level)
    text = "\n".join(lines)
    text.encode()  # it can be written to a file
    return text


def blocks_and_changes(document: dict[str, Any], text: str) -> list[str]:
    """What `validate` refuses, or else what `plan` would block or change."""
    stage = Stage()
    stage.put({"ImageSetID": A, **document})
    loaded = parse(text, "m.yaml")
    checked = validate(loaded.documents, stage.settings, _CHECKER)
    resolved = resolve(checked.asks)
    problems = (*loaded.problems, *checked.problems, *resolved.problems)
    if problems:
        return [problem.message for problem in problems]
    (seen,) = observe([Store(stage.service, resolved.asks, Known({}))], stage.settings.rules)
    assert isinstance(seen, Surveyed)
    (found,) = seen.diffs
    wrong = [block.message for block in found.blocks]
    wrong += [sourced.change.path() for sourced in found.changes]
    assert wrong or found.status is Status.CONVERGED
    return wrong


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (
            at_instance(AnatomicRegionSequence=nested(60)),
            "AnatomicRegionSequence is left out: it is",
        ),
        (at_patient({"PatientName": "A", "00100010": "A"}), "as PatientName and 00100010"),
        (at_patient({"PatientName": "A", "00100010": "B"}), "as PatientName and 00100010"),
        (at_instance(SOPInstanceUID="1..2"), "SOPInstanceUID is left out: its value does not"),
        (at_instance(SOPInstanceUID=None), "SOPInstanceUID is left out: it is empty"),
        (at_instance(SOPInstanceUID="1.2.9"), "SOPInstanceUID is left out: it is another UID"),
        (at_instance("*"), 'instance "*" is left out: in a manifest its key means'),
        (at_instance("DICOM"), 'instance "DICOM" is left out'),
        (at_instance(""), 'instance "" is left out'),
        (at_instance("x" * 1100), "is left out: its key is too long for a manifest"),
        (at_instance("a\0b"), "is left out: its key holds a NUL"),
        (at_instance("a\u202eb"), "its key holds a character that turns the direction"),
        (at_instance(ImageComments="a\u2066b"), "its value holds a character that turns"),
        (at_instance(ImageComments="<text(10)>"), "a manifest cannot express its value"),
        (at_instance("<text(10)>"), "is left out: it looks like a mask"),
        (twice("1.2.3.4", "1.2.3.4 "), "another series or instance has this key as its UID"),
        (at_instance(**{"00000002": "1.2"}), "00000002 is left out"),
    ],
)
def test_what_a_manifest_cannot_ask_for_is_a_comment_that_says_why(
    document: dict[str, Any], reason: str
) -> None:
    text = imported(document, Level.INSTANCE)
    comments = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    assert [line for line in comments if reason in line]
    assert blocks_and_changes(document, text) == []


@pytest.mark.parametrize("uid", ["1.2.3.4.", "1..2", "1." + "2" * 68, "UNKNOWN-001", "1.2.3.4 "])
def test_a_malformed_uid_is_a_key_of_the_manifest(uid: str) -> None:
    document = at_instance(uid, ImageComments="x")
    text = imported(document, Level.INSTANCE)
    assert f'"{uid}":' in text
    assert blocks_and_changes(document, text) == []


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents(A), st.sampled_from(Level))
def test_what_import_prints_is_valid_and_its_plan_is_empty(
    document: dict[str, Any], level: Level
) -> None:
    text = imported(document, level)
    if text:
        assert blocks_and_changes(document, text) == []
