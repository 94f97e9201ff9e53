"""The nine constraints of UpdateImageSetMetadata."""

from __future__ import annotations

import pytest

from reconciler.core.dicom.constraints import force_reasons, never, private_level, wrong_level
from reconciler.core.dicom.dictionary import by_key
from reconciler.core.model.address import Level
from reconciler.core.model.value import Json


@pytest.mark.parametrize(
    "key",
    [
        "SchemaVersion",
        "DatastoreID",
        "ImageSetID",
        "PixelData",
        "7FE00010",
        "7fe00010",
        "Checksum",
        "Width",
        "Height",
        "MinPixelValue",
        "MaxPixelValue",
        "FrameSizeInBytes",
    ],
)
def test_what_the_service_generates_never_changes(key: str) -> None:
    assert never(key) == f"{key} can never be changed: HealthImaging generates it"


def test_ordinary_keys_may_change() -> None:
    assert never("PatientName") is None
    assert never("Rows") is None


def test_a_wrong_level_names_the_right_one() -> None:
    assert wrong_level(by_key("PatientName").tag, Level.STUDY) == (
        "HealthImaging keeps PatientName (0010,0010) at Patient level, not at Study"
    )
    assert wrong_level(by_key("Rows").tag, Level.SERIES) == (
        "HealthImaging keeps Rows (0028,0010) at Instance level, not at Series"
    )
    assert wrong_level(by_key("PatientName").tag, Level.PATIENT) is None
    assert wrong_level(0x001910F9, Level.STUDY) is None  # private_level has the better words


@pytest.mark.parametrize("level", Level)
def test_private_elements_belong_to_instances(level: Level) -> None:
    reason = private_level(0x001910F9, level)
    assert (reason is None) is (level is Level.INSTANCE)
    assert reason is None or "private" in reason
    assert private_level(by_key("PatientName").tag, level) is None


@pytest.mark.parametrize(
    ("key", "vr", "value", "expected"),
    [
        ("PatientName", None, "A^B", ()),
        ("PatientName", None, None, ()),
        ("001910F9", "DS", "97", ("private element",)),
        ("StudyInstanceUID", None, "1.2", ("identifier",)),
        ("SeriesInstanceUID", None, "1.2", ("identifier",)),
        ("SOPInstanceUID", None, "1.2", ("identifier",)),
        ("StudyID", None, "1", ("identifier",)),
        ("ProcedureCodeSequence", None, [{}], ("sequence",)),
        ("SoftwareVersions", None, ["1"], ("multi-valued attribute",)),
        ("SoftwareVersions", None, None, ("multi-valued attribute",)),
        ("StudyDate", None, "20240230", ("value does not fit DA",)),
        ("00080003", "LO", "x", ("not in the DICOM standard",)),
        ("SyntheticData", None, "NO", ("newer than DICOM 2022b",)),
        (
            "001910F9",
            "DS",
            ["x", "1"],
            (
                "private element",
                "multi-valued attribute",
                "value does not fit DS",
            ),
        ),
        (
            "StudyInstanceUID",
            None,
            "1.x",
            ("identifier", "value does not fit UI"),
        ),
    ],
)
def test_what_needs_force(key: str, vr: str | None, value: Json, expected: tuple[str, ...]) -> None:
    attribute = by_key(key)
    found = force_reasons(
        attribute, vr or attribute.vr, value, removal=False, removals_need_force=False
    )
    assert found == expected


@pytest.mark.parametrize(
    ("key", "value", "strict", "lenient"),
    [
        ("StudyDate", "20240230", (), ()),
        ("ProcedureCodeSequence", [{}], ("sequence",), ()),
        ("SoftwareVersions", ["1"], ("multi-valued attribute",), ()),
        ("001910F9", "x", *[("private element",)] * 2),
        ("StudyID", "1", *[("identifier",)] * 2),
        ("00080003", "x", (), ()),
    ],
)
def test_which_removals_need_force(
    key: str, value: Json, strict: tuple[str, ...], lenient: tuple[str, ...]
) -> None:
    attribute = by_key(key)
    for removals_need_force, expected in ((True, strict), (False, lenient)):
        assert expected == force_reasons(
            attribute,
            attribute.vr,
            value,
            removal=True,
            removals_need_force=removals_need_force,
        )


def test_no_reason_holds_the_value() -> None:
    attribute = by_key("StudyDate")
    found = force_reasons(attribute, "DA", "ZQJXK", removal=False, removals_need_force=True)
    assert found and "ZQJXK" not in repr(found)
