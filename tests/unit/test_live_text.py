"""No block, note or change of a plan holds live text, however odd the document is.

What stays in a change is its key and its address, since the request needs them: `review.labels`
replaces those. Messages are stored as they are, so they must be free of live text at the source.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.core.dicom.vr import is_vr
from reconciler.core.model.address import is_uid
from reconciler.core.plan.split import TooLarge
from tests.documents import document, instance, series
from tests.planning import A, Stage

NAME = "Zyxwood^Quillon"


def breaking(break_it: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """A document with one series and one instance, and something wrong with it."""
    made = document(series("1.2.1", [instance("1.2.1.1")]), image_set_id=A)
    break_it(made)
    return made


def inside(made: dict[str, Any]) -> dict[str, Any]:
    """The series block."""
    found: dict[str, Any] = made["Study"]["Series"]["1.2.1"]
    return found


def asked(*lines: str, level: str = "present") -> str:
    return f"imageSetId: {A}\nforce: true\n{level}:\n" + "".join(f"  {line}\n" for line in lines)


ON_SERIES = asked('Study: {Series: {"*": {DICOM: {SeriesDescription: x}}}}')
ON_INSTANCE = asked('Study: {Series: {"*": {Instances: {"*": {DICOM: {"00091001": "1"}}}}}}')


@pytest.mark.parametrize(
    ("break_it", "manifest"),
    [
        (lambda d: d["Study"]["Series"].update({NAME: 1}), ON_SERIES),
        (lambda d: inside(d)["Instances"].update({NAME: 1}), ON_INSTANCE),
        (lambda d: inside(d)["Instances"].update({NAME: {"DICOM": 1}}), ON_INSTANCE),
        (lambda d: d["Study"]["Series"].update({NAME: {}}), ON_SERIES),
        (
            lambda d: inside(d)["Instances"]["1.2.1.1"]["DICOMVRs"].update({"00091001": NAME}),
            ON_INSTANCE,
        ),
        (
            lambda d: inside(d).update(DICOMVRs={"SeriesDescription": NAME}),
            ON_SERIES,
        ),
    ],
)
def test_no_message_of_a_plan_holds_live_text(
    break_it: Callable[[dict[str, Any]], object], manifest: str
) -> None:
    stage = Stage()
    stage.put(breaking(break_it))
    action = stage.action(manifest)
    told = [text for block in action.blocks for text in (block.message, block.hint)]
    told += [note.message for note in action.notes]
    told += [reason for change in action.changes for reason in change.force_reasons]
    assert told
    assert [text for text in told if "Zyxwood" in text or "Quillon" in text] == []


def test_a_failed_version_is_noted_without_the_services_text() -> None:
    stage = Stage()
    stage.put(breaking(lambda d: None))
    stage.service.fail_update(f"{NAME} is not allowed")
    stage.service.update(stage.action(ON_SERIES).steps[0])
    note = stage.action(ON_SERIES).notes[0]
    assert "Zyxwood" not in repr(stage.service.get(A)) + note.message
    assert "version 2 is a failed version (UPDATE_FAILED)" in note.message
    assert f"get-image-set --datastore-id {stage.service.datastore_id}" in note.message


def test_an_exception_of_a_change_names_no_key() -> None:
    stage = Stage()
    stage.put(breaking(lambda d: None))
    (change,) = stage.action(ON_SERIES).changes
    assert "1.2.1" not in str(TooLarge(change))


@pytest.mark.parametrize("text", ["1.2.840.10008.1.1", "2.25.1", "0.1"])
def test_a_uid_is_an_address(text: str) -> None:
    assert is_uid(text)


@pytest.mark.parametrize(
    "text", ["", "1", "19700101", "1.2.", "3.1", "1.02", NAME, "1.2 ", "1.2\n", "1." + "2" * 63]
)
def test_anything_else_is_live_text(text: str) -> None:
    assert not is_uid(text)


def test_vrs() -> None:
    assert is_vr("PN")
    assert is_vr("US or SS")
    assert not is_vr("US or Doe")
