"""Two UIDs that must be equal: of an instance, and of its file meta information."""

from __future__ import annotations

from typing import Any

import pytest

from tests.documents import document, instance, series
from tests.planning import A, Stage

FIRST, SECOND = "1.2.1.1", "1.2.1.2"
UIDS = "after this change, SOPInstanceUID (0008,0018) and MediaStorageSOPInstanceUID (0002,0003)"
CLASSES = "after this change, SOPClassUID (0008,0016) and MediaStorageSOPClassUID (0002,0002)"
END = " differ. They identify the same object: change both"


def notes(attributes: str, **meta: Any) -> list[tuple[str, int]]:
    """The notes of a change of the first instance, each with its line."""
    stage = Stage()
    blocks = [instance(FIRST, **meta), instance(SECOND)]
    stage.put(document(series("1.2.1", blocks), image_set_id=A))
    found = stage.diff(
        f"imageSetId: {A}\nforce: true\nallow: [CHANGES_UID, CHANGES_OBJECT]\n"
        "present: {Study: {Series: {1.2.1: {Instances: {1.2.1.1: {DICOM: {\n"
        f"{attributes}}}}}}}}}}}}}}}\n"
    )
    return [(note.message, note.place.line if note.place else 0) for note in found.notes]


@pytest.mark.parametrize("key", ["MediaStorageSOPInstanceUID", "00020003"])
def test_a_rename_that_leaves_the_file_meta_information_behind_is_noted(key: str) -> None:
    assert notes("SOPInstanceUID: 1.2.9", **{key: FIRST}) == [(UIDS + END, 8)]
    assert notes("'00080018': 1.2.9", **{key: FIRST}) == [(UIDS + END, 8)]


def test_the_other_way_round_it_is_noted_too() -> None:
    held = {"MediaStorageSOPInstanceUID": FIRST}
    assert notes("MediaStorageSOPInstanceUID: 1.2.9", **held) == [(UIDS + END, 8)]


def test_the_sop_class_is_noted_too() -> None:
    held = {"MediaStorageSOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}
    assert notes("SOPClassUID: 1.2.840.10008.5.1.4.1.1.4", **held) == [(CLASSES + END, 8)]


@pytest.mark.parametrize(
    ("attributes", "held"),
    [
        ("SOPInstanceUID: 1.2.9", {}),
        ("SOPInstanceUID: 1.2.9", {"MediaStorageSOPInstanceUID": "1.2.9 "}),
        (
            "SOPInstanceUID: 1.2.9, MediaStorageSOPInstanceUID: 1.2.9",
            {"MediaStorageSOPInstanceUID": FIRST},
        ),
        ("SOPInstanceUID: 1.2.1.1", {"MediaStorageSOPInstanceUID": "1.2.8"}),  # no change
        ("InstanceNumber: 5", {"MediaStorageSOPInstanceUID": "1.2.8"}),
    ],
)
def test_nothing_is_noted_where_nothing_is_left_behind(
    attributes: str, held: dict[str, str]
) -> None:
    assert notes(attributes, **held) == []
