"""Removals of what the live document does not have: gone, mistyped, or under another UID."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model.plan import Status
from reconciler.core.model.record import UNREADABLE
from tests.documents import document, instance, series
from tests.planning import A, Stage, messages

Edit = Callable[[dict[str, Any]], object]
NEVER = ", and no earlier version that was read has it"


def two() -> dict[str, Any]:
    """Series 1.2.1 and 1.2.2 of two instances each."""
    blocks = [
        series(uid, [instance(f"{uid}.1"), instance(f"{uid}.2")]) for uid in ("1.2.1", "1.2.2")
    ]
    return document(*blocks, image_set_id=A)


def staged(*edits: Edit, live: dict[str, Any] | None = None) -> Stage:
    """An image set that other processes edit, a version each."""
    stage = Stage()
    stage.put(live or two())
    for edit in edits:
        stage.service.foreign(A, edit)
    return stage


def absent(inside: str) -> str:
    return f"imageSetId: {A}\nabsent: {{Study: {{Series: {inside}}}}}\n"


def blocks(stage: Stage, inside: str) -> list[str]:
    found = stage.diff(absent(inside))
    assert found.status is (Status.BLOCKED if found.blocks else Status.CONVERGED)
    return messages(found)


def all_series(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["Study"]["Series"]
    return found


def no_edit(document: dict[str, Any]) -> None:
    document["Patient"]["DICOM"]["PatientComments"] = "x"


def drop(series_uid: str, uid: str = "") -> Edit:
    def edit(document: dict[str, Any]) -> None:
        del (all_series(document)[series_uid]["Instances"] if uid else all_series(document))[
            uid or series_uid
        ]

    return edit


def rename(series_uid: str, uid: str, new: str) -> Edit:
    def edit(document: dict[str, Any]) -> None:
        held = all_series(document)[series_uid]["Instances"]
        held[new] = held.pop(uid)
        held[new]["DICOM"]["SOPInstanceUID"] = new

    return edit


def rename_series(uid: str, new: str) -> Edit:
    def edit(document: dict[str, Any]) -> None:
        found = all_series(document)
        found[new] = found.pop(uid)
        found[new]["DICOM"]["SeriesInstanceUID"] = new

    return edit


INSTANCE = "{1.2.1: {Instances: [1.2.1.1]}}"
PLACE = "Study/Series/1.2.1/Instances/1.2.1.1"


# --- mistyped ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        (
            "{1.2.1: {Instances: [1.2.1.9]}}",
            f"the image set has no Study/Series/1.2.1/Instances/1.2.1.9{NEVER}",
        ),
        ("[1.2.9]", f"the image set has no Study/Series/1.2.9{NEVER}"),
        (
            "{1.2.2: {Instances: [1.2.1.1]}}",
            "the image set has no Study/Series/1.2.2/Instances/1.2.1.1: "
            "this UID is at Study/Series/1.2.1/Instances/1.2.1.1",
        ),
        (
            "[1.2.1.1]",
            "the image set has no Study/Series/1.2.1.1: "
            "this UID is at Study/Series/1.2.1/Instances/1.2.1.1",
        ),
    ],
)
@pytest.mark.parametrize("edits", [(), (no_edit, no_edit, no_edit)])
def test_a_mistyped_uid_is_blocked(edits: tuple[Edit, ...], inside: str, message: str) -> None:
    assert blocks(staged(*edits), inside) == [message]


def test_one_mistyped_uid_blocks_the_image_set_and_names_its_line() -> None:
    stage = staged(drop("1.2.1", "1.2.1.1"))
    found = stage.diff(absent("{1.2.1: {Instances: [1.2.1.1, 1.2.1.8]}, 1.2.7: {}}"))
    assert [block.path for block in found.blocks] == [
        "Study/Series/1.2.1/Instances/1.2.1.8",
        "Study/Series/1.2.7",
    ]


# --- under another UID ---------------------------------------------------------------------------


def test_an_instance_that_another_process_renamed_is_blocked() -> None:
    at = "Study/Series/1.2.1/Instances/1.2.1.5"
    message = f"the image set has no {PLACE} now: it is at {at}"
    assert blocks(staged(rename("1.2.1", "1.2.1.1", "1.2.1.5")), INSTANCE) == [message]
    later = staged(rename("1.2.1", "1.2.1.1", "1.2.1.5"), no_edit, no_edit)
    assert blocks(later, INSTANCE) == [message]


def test_a_series_that_another_process_renamed_is_blocked() -> None:
    stage = staged(rename_series("1.2.1", "1.2.7"))
    assert blocks(stage, "[1.2.1]") == [
        "the image set has no Study/Series/1.2.1 now: it is at Study/Series/1.2.7"
    ]
    assert blocks(stage, INSTANCE) == [
        f"the image set has no {PLACE} now: it is at Study/Series/1.2.7/Instances/1.2.1.1"
    ]


def test_a_series_whose_images_are_in_another_one_is_blocked() -> None:
    def merge(document: dict[str, Any]) -> None:
        gone = all_series(document).pop("1.2.1")
        all_series(document)["1.2.2"]["Instances"].update(gone["Instances"])

    (message,) = blocks(staged(merge), "[1.2.1]")
    assert message.endswith(
        "it is at Study/Series/1.2.2/Instances/1.2.1.1, Study/Series/1.2.2/Instances/1.2.1.2"
    )


def test_an_instance_without_frames_is_known_by_its_attributes() -> None:
    def report(document: dict[str, Any]) -> dict[str, Any]:
        del all_series(document)["1.2.1"]["Instances"]["1.2.1.1"]["ImageFrames"]
        return document

    stage = staged(rename("1.2.1", "1.2.1.1", "1.2.1.5"), live=report(two()))
    (message,) = blocks(stage, INSTANCE)
    assert message.endswith("it is at Study/Series/1.2.1/Instances/1.2.1.5")
    gone = staged(drop("1.2.1", "1.2.1.1"), live=report(two()))
    assert blocks(gone, INSTANCE) == []


# --- gone ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "edits",
    [
        (drop("1.2.1", "1.2.1.1"),),
        (drop("1.2.1", "1.2.1.1"), no_edit, no_edit),
        (drop("1.2.1"),),
        (drop("1.2.1"), no_edit, no_edit),
    ],
)
def test_a_removal_whose_record_was_lost_has_converged(edits: tuple[Edit, ...]) -> None:
    assert blocks(staged(*edits), INSTANCE) == []


def test_the_version_before_the_live_one_counts() -> None:
    def bring(document: dict[str, Any]) -> None:
        all_series(document)["1.2.1"]["Instances"]["1.2.1.3"] = instance("1.2.1.3")

    inside = "{1.2.1: {Instances: [1.2.1.3]}}"
    assert blocks(staged(no_edit, bring, drop("1.2.1", "1.2.1.3")), inside) == []
    (message,) = blocks(staged(no_edit, bring, drop("1.2.1", "1.2.1.3"), no_edit), inside)
    assert message.endswith(NEVER)


def test_another_instance_of_the_same_uid_does_not_count() -> None:
    """A series may hold a SOPInstanceUID that another series holds, too."""
    other = {**instance("1.2.1.1"), "ImageFrames": [{"ID": "f" * 32}]}
    blocks_of = [series("1.2.1", [instance("1.2.1.1"), instance("1.2.1.2")])]
    twice = document(*blocks_of, series("1.2.2", [other]), image_set_id=A)
    assert blocks(staged(drop("1.2.1", "1.2.1.1"), live=twice), INSTANCE) == []
    same = document(*blocks_of, series("1.2.2", [instance("1.2.1.1")]), image_set_id=A)
    assert blocks(staged(drop("1.2.1", "1.2.1.1"), live=same), INSTANCE) == []


# --- the record ----------------------------------------------------------------------------------


def test_a_recorded_removal_costs_no_document() -> None:
    stage = staged(no_edit, drop("1.2.1", "1.2.1.1"))
    stage.record(absent(INSTANCE))
    stage.service.foreign(A, no_edit)
    assert blocks(stage, INSTANCE) == []
    assert stage.service.counts()["GetImageSetMetadata"] == 1  # the live document


def test_a_removal_that_did_not_end_is_no_proof() -> None:
    """The baseline of a carried path is the planned version, which had the instance."""
    stage = staged()
    stage.record(absent(INSTANCE))
    stage.entries[A] = replace(stage.entries[A], ask_digest="")
    stage.service.foreign(A, rename("1.2.1", "1.2.1.1", "1.2.1.5"))
    assert len(blocks(stage, INSTANCE)) == 1
    stage.service.foreign(A, drop("1.2.1", "1.2.1.5"))
    assert blocks(stage, INSTANCE) == []


@pytest.mark.parametrize("recorded", [PLACE, f"{PLACE}/InstanceNumber"])
@pytest.mark.parametrize("readable", [True, False])
def test_the_record_proves_what_no_other_version_shows(recorded: str, *, readable: bool) -> None:
    def bring(document: dict[str, Any]) -> None:
        all_series(document)["1.2.1"]["Instances"]["1.2.1.1"] = instance("1.2.1.1")

    stage = staged(bring, live=document(series("1.2.1", [instance("1.2.1.2")]), image_set_id=A))
    stage.record(absent(INSTANCE))
    entry = replace(stage.entries.pop(A), ask_digest="", asked=((recorded, "2"),))
    for edit in (drop("1.2.1", "1.2.1.1"), no_edit, no_edit):
        stage.service.foreign(A, edit)
    (message,) = blocks(stage, INSTANCE)
    assert message.endswith(NEVER)
    stage.entries[A] = entry if readable else replace(entry, asked=((recorded, UNREADABLE),))
    assert (blocks(stage, INSTANCE) == []) is readable


def test_a_record_of_another_history_proves_nothing() -> None:
    stage = staged()
    stage.record(absent("{1.2.1: {Instances: [1.2.1.9]}}"))
    stage.entries[A] = replace(stage.entries[A], created_at=1.0)
    assert len(blocks(stage, "{1.2.1: {Instances: [1.2.1.9]}}")) == 1
