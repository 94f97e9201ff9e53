"""The nine constraints of UpdateImageSetMetadata."""

from __future__ import annotations

import pytest

from reconciler.core.dicom.constraints import Rule, force_reasons, never, private_level, wrong_level
from reconciler.core.dicom.dictionary import by_key
from reconciler.core.model.address import Level
from reconciler.core.model.value import Json


def test_the_table_is_total() -> None:
    assert [rule.value for rule in Rule] == list(range(1, 10))
    assert len({rule.sentence for rule in Rule}) == 9
    assert str(Rule.SEQUENCE) == "constraint 4"


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
    assert "(constraint 2)" in (never(key) or "")


def test_ordinary_keys_may_change() -> None:
    assert never("PatientName") is None
    assert never("Rows") is None


def test_a_wrong_level_names_the_right_one() -> None:
    assert wrong_level(by_key("PatientName").tag, Level.STUDY) == (
        "PatientName (0010,0010) belongs to Patient, not Study (constraint 8)"
    )
    assert wrong_level(by_key("Rows").tag, Level.SERIES) == (
        "Rows (0028,0010) belongs to Instance, not Series (constraint 8)"
    )
    assert wrong_level(by_key("PatientName").tag, Level.PATIENT) is None
    assert wrong_level(0x001910F9, Level.STUDY) is None  # private_level has the better words


@pytest.mark.parametrize("level", Level)
def test_private_elements_belong_to_instances(level: Level) -> None:
    reason = private_level(0x001910F9, level)
    assert (reason is None) is (level is Level.INSTANCE)
    assert reason is None or "(constraint 1)" in reason
    assert private_level(by_key("PatientName").tag, level) is None


@pytest.mark.parametrize(
    ("key", "vr", "value", "expected"),
    [
        ("PatientName", None, "A^B", ()),
        ("PatientName", None, None, ()),
        ("001910F9", "DS", "97", ("private element (constraint 1)",)),
        ("StudyInstanceUID", None, "1.2", ("StudyInstanceUID (constraint 3)",)),
        ("SeriesInstanceUID", None, "1.2", ("SeriesInstanceUID (constraint 3)",)),
        ("SOPInstanceUID", None, "1.2", ("SOPInstanceUID (constraint 3)",)),
        ("StudyID", None, "1", ("StudyID (constraint 3)",)),
        ("ProcedureCodeSequence", None, [{}], ("sequence (constraint 4)",)),
        ("SoftwareVersions", None, ["1"], ("multi-valued attribute (constraint 5)",)),
        ("SoftwareVersions", None, None, ("multi-valued attribute (constraint 5)",)),
        ("StudyDate", None, "20240230", ("value does not fit DA (constraint 6)",)),
        ("00080003", "LO", "x", ("not in the DICOM standard (constraint 7)",)),
        ("SyntheticData", None, "NO", ("newer than DICOM 2022b (constraint 7)",)),
        (
            "001910F9",
            "DS",
            ["x", "1"],
            (
                "private element (constraint 1)",
                "multi-valued attribute (constraint 5)",
                "value does not fit DS (constraint 6)",
            ),
        ),
        (
            "StudyInstanceUID",
            None,
            "1.x",
            ("StudyInstanceUID (constraint 3)", "value does not fit UI (constraint 6)"),
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
        ("ProcedureCodeSequence", [{}], ("sequence (constraint 4)",), ()),
        ("SoftwareVersions", ["1"], ("multi-valued attribute (constraint 5)",), ()),
        ("001910F9", "x", *[("private element (constraint 1)",)] * 2),
        ("StudyID", "1", *[("StudyID (constraint 3)",)] * 2),
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
