"""What identifies, and what is shown in its place."""

from __future__ import annotations

import pytest
from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c

from reconciler.core.dicom.dictionary import by_key, by_tag
from reconciler.core.dicom.terms import is_defined
from reconciler.core.model.settings import Comment, Redact
from reconciler.core.model.value import Json
from reconciler.core.review.mask import (
    HARMLESS,
    Audience,
    View,
    Wish,
    identifies,
    masked,
    shape,
    view_for,
)

# The rows of PS3.15 Table E.1-1, edition 2026c, for which the Basic Profile has an action. A row of
# four numbers stands for repeating groups: group, element, and the bits of each that must be equal.
TABLE_E_1_1: list[tuple[int, ...]] = dicomfields_2026c.ALL_TAGS

# The VRs of text, and of bytes that may hold text (PS3.5 section 6.2).
TEXTS = frozenset({"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
BYTES = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})

NUMBERS = {"DS", "IS", "FD", "FL", "SL", "SS", "UL", "US", "US or SS"}


def matches(row: tuple[int, ...], tag: int) -> bool:
    group, element, group_bits, element_bits = row if len(row) == 4 else (*row, 0xFFFF, 0xFFFF)
    equal = (tag >> 16) ^ group, (tag & 0xFFFF) ^ element
    return not (equal[0] & group_bits or equal[1] & element_bits)


def test_nothing_is_shown_that_the_basic_confidentiality_profile_changes() -> None:
    """The table may only take away: an attribute that it does not list is masked all the same."""
    assert len(TABLE_E_1_1) > 600
    found = [tag for tag in HARMLESS if any(matches(row, tag) for row in TABLE_E_1_1)]
    assert [by_tag(tag).keyword for tag in found] == []


@pytest.mark.parametrize("row", TABLE_E_1_1)
def test_the_attributes_of_the_confidentiality_profile_identify(row: tuple[int, ...]) -> None:
    assert identifies(row[0] << 16 | row[1], "1")


def test_no_attribute_of_free_text_is_shown() -> None:
    """Whatever the value: names and numbers of patients are typed into any text."""
    vrs = {tag: by_tag(tag).vr.split(" or ") for tag in HARMLESS}
    assert [by_tag(tag).keyword for tag, all_of in vrs.items() if {*all_of} & (TEXTS | BYTES)] == []


@pytest.mark.parametrize("tag", [None, 0x00190010, 0x001910F9, 0x7FDD1090, 0x00080003, 0xFFFFFFFF])
def test_private_and_unknown_attributes_identify(tag: int | None) -> None:
    assert identifies(tag, "1")


HARMLESS_VALUES = [
    ("Modality", "CT"),
    ("BodyPartExamined", "CHEST "),
    ("SliceThickness", "1.25 "),
    ("Rows", 512),
    ("PixelPaddingValue", -2000),
    ("DiffusionBValue", 1000),
    ("ImageType", ["DERIVED", "SECONDARY", "", "PROJECTION IMAGE"]),
    ("PatientOrientation", ["L", "FP"]),
    ("PatientPosition", "HFS"),
    ("SpecificCharacterSet", ["", "ISO 2022 IR 87"]),
    ("SOPClassUID", "1.2.840.10008.5.1.4.1.1.2"),
    ("FrameIncrementPointer", ["00181063"]),
    ("WindowCenter", ["40 ", "-600"]),
    ("Laterality", None),
    ("Laterality", ""),
]


@pytest.mark.parametrize(("keyword", "value"), HARMLESS_VALUES)
def test_a_technical_value_that_fits_does_not_identify(keyword: str, value: Json) -> None:
    assert not identifies(by_key(keyword).tag, value)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("BodyPartExamined", "DOE JOHN 1970-01-01"),  # longer than a CS, and lower case
        ("BodyPartExamined", "DOE JOHN"),  # fits a CS, and is no body part
        ("BodyPartExamined", ["CHEST", "DOE"]),
        ("BodyPartExamined", ["CHEST", "HEAD"]),  # VM 1
        ("BodyPartExamined", "CHEST\\DOE"),
        ("BodyPartExamined", {"Name": "Doe"}),
        ("Modality", "DOE"),
        ("Laterality", "DOE"),
        ("ImageType", ["ORIGINAL", "PRIMARY", "DOE"]),
        ("ImageType", "ORIGINAL"),  # VM 2-n
        ("PatientOrientation", ["L", "LL"]),
        ("SliceThickness", "Doe"),
        ("SliceThickness", "1\\2"),
        ("SliceThickness", ["1", "2"]),
        ("SeriesNumber", "1.5"),
        ("SeriesNumber", "99999999999"),
        ("Rows", "512"),
        ("Rows", 70000),
        ("Rows", True),
        ("WindowCenter", ["40", "Doe"]),
        ("SOPClassUID", "1.2.19700101"),
        ("FrameIncrementPointer", ["19700101"]),
        ("SpecificCharacterSet", ["DOE"]),
    ],
)
def test_a_value_that_does_not_fit_its_attribute_identifies(keyword: str, value: Json) -> None:
    assert identifies(by_key(keyword).tag, value)


@pytest.mark.parametrize("tag", sorted(HARMLESS))
def test_a_name_is_masked_in_every_attribute(tag: int) -> None:
    """Whatever the VR: a name that fits it must not be a term of it."""
    lists: list[Json] = [["DOE", "JOHN"], [{"PatientName": "D"}]]
    for name in ("DOE", "Doe^John", "1.2.826.0.1", "RG9l", *lists):
        assert masked(tag, name, Redact.IDENTIFYING), (by_tag(tag).keyword, name)


def test_the_table_holds_numbers_and_listed_terms_only() -> None:
    attributes = [by_tag(tag) for tag in HARMLESS]
    others = [one for one in attributes if one.vr not in NUMBERS]
    assert all(is_defined(one.keyword, "DOE") is False for one in others)
    assert {one.vr for one in others} == {"CS", "UI", "AT"}
    assert all(one.is_standard and not one.is_private for one in attributes)


def test_the_only_uids_it_shows_name_kinds_of_things() -> None:
    shown = {by_tag(tag).keyword for tag in HARMLESS if by_tag(tag).vr == "UI"}
    assert shown == {
        "SOPClassUID",
        "SOPClassesInStudy",
        "MediaStorageSOPClassUID",
        "TransferSyntaxUID",
    }


def test_the_tags_and_keywords_of_the_table_belong_together() -> None:
    from reconciler.core.review import mask as redact

    words = " ".join(
        line for line in redact._HARMLESS.splitlines() if not line.startswith("#")
    ).split()
    pairs = list(zip(words[::2], words[1::2], strict=True))
    assert len(pairs) == len(HARMLESS)
    assert [pair for pair in pairs if by_key(pair[1]).tag != int(pair[0], 16)] == []


@pytest.mark.parametrize(
    ("redact", "name", "rows"),
    [(Redact.NONE, False, False), (Redact.IDENTIFYING, True, False), (Redact.ALL, True, True)],
)
def test_what_the_setting_masks(redact: Redact, name: bool, rows: bool) -> None:
    assert masked(by_key("PatientName").tag, "Doe", redact) is name
    assert masked(by_key("Rows").tag, 512, redact) is rows
    assert masked(None, "Doe", redact) is name


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "empty"),
        ("", "empty"),
        ([], "empty"),
        ("abc", "text(1-8)"),
        (5, "number"),
        (0, "number"),
        (0.5, "number"),
        (True, "boolean"),
        (["a", "b"], "list(2)"),
        ({"a": 1}, "item(1)"),
    ],
)
def test_shape(value: Json, expected: str) -> None:
    assert shape(value) == expected


@pytest.mark.parametrize(
    ("setting", "stored", "terminal", "mask"),
    [
        (Redact.NONE, Redact.NONE, Redact.NONE, Redact.IDENTIFYING),
        (Redact.IDENTIFYING, Redact.IDENTIFYING, Redact.NONE, Redact.IDENTIFYING),
        (Redact.ALL, Redact.ALL, Redact.ALL, Redact.ALL),
    ],
)
def test_what_is_masked_on_a_terminal_in_a_file_and_by_the_options(
    setting: Redact, stored: Redact, terminal: Redact, mask: Redact
) -> None:
    for audience, expected in ((Audience.STORED, stored), (Audience.TERMINAL, terminal)):
        assert view_for(audience, Wish(setting)) == View(expected)
        assert view_for(audience, Wish(setting, show=False)) == View(mask)
        assert view_for(audience, Wish(setting, show=True)) == View(Redact.NONE)


@pytest.mark.parametrize("setting", Redact)
@pytest.mark.parametrize("show", [None, False, True])
@pytest.mark.parametrize("comment", [None, *Comment])
@pytest.mark.parametrize("audience", [Audience.CI, Audience.PUBLIC_CI])
def test_a_job_masks_what_identifies_and_shows_what_the_manifest_states_where_it_may(
    audience: Audience, comment: Comment | None, show: bool | None, setting: Redact
) -> None:
    found = view_for(audience, Wish(setting, comment, show))
    assert found.redact is (Redact.ALL if setting is Redact.ALL else Redact.IDENTIFYING)
    is_clear = comment is Comment.CLEAR or (comment is None and audience is Audience.CI)
    assert found.shows_stated is (is_clear and show is None)
