"""The dictionary: every way to write an attribute, and what to say to the ways that are wrong."""

from __future__ import annotations

from difflib import get_close_matches
from random import Random

import pytest

from reconciler.core.dicom.dictionary import (
    Attribute,
    UnknownKeyError,
    by_key,
    by_spelling,
    by_tag,
    document_key,
    format_tag,
    hex_key,
    keyword_near,
    standard_tags,
)
from reconciler.core.dicom.edition import NEWER_THAN_2022B


def test_keyword_and_hex_in_either_case_are_one_attribute() -> None:
    expected = Attribute(0x00181318, "dBdt", "DS", "1", retired=False, name="dB/dt")
    assert by_key("dBdt") == by_tag(0x00181318) == by_key("00181318") == expected
    assert by_key("7fdd1090") == by_key("7FDD1090")


@pytest.mark.parametrize(
    ("key", "vr", "vm", "retired"),
    [
        ("PixelPaddingValue", "US or SS", "1", False),
        ("SoftwareVersions", "LO", "1-n", False),
        ("ImageOrientationPatient", "DS", "6", False),
        ("OtherPatientIDs", "LO", "1-n", True),
        ("LUTData", "US or OW", "1-n", False),
    ],
)
def test_vr_vm_and_retirement(key: str, vr: str, vm: str, retired: bool) -> None:
    attribute = by_key(key)
    assert (attribute.vr, attribute.vm, attribute.retired) == (vr, vm, retired)
    assert attribute.is_multi == (vm != "1")
    assert attribute.is_standard and not attribute.is_private


def test_private_and_unknown_attributes_are_un() -> None:
    for tag, private in ((0x001910F9, True), (0x00080003, False)):
        attribute = by_tag(tag)
        assert (attribute.vr, attribute.vm, attribute.keyword) == ("UN", "1", "")
        assert attribute.is_private is private
        assert not attribute.is_standard
        assert attribute.multiplicity == "1-n"


def test_a_repeating_group_has_its_keyword_once() -> None:
    assert by_key("OverlayRows").tag == 0x60000010
    second = by_tag(0x60020010)
    assert (second.keyword, second.vr, second.is_standard) == ("", "US", True)
    assert document_key(0x60000010) == "OverlayRows"
    assert document_key(0x60020010) == "60020010"


def test_item_delimiters_are_no_attributes() -> None:
    assert not by_tag(0xFFFEE000).is_standard
    with pytest.raises(UnknownKeyError):
        by_key("Item")


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("PatientsName", "Did you mean PatientName?"),
        ("Patient's Name", "Did you mean PatientName?"),
        ("patientname", "Did you mean PatientName?"),
        ("StudyDescripton", "Did you mean StudyDescription?"),
        ("ReferringPhysiciansName", "Did you mean ReferringPhysicianName?"),
        ("(0010,0010)", 'Write "00100010" or PatientName.'),
        ("0010,0010", 'Write "00100010" or PatientName.'),
        ("0x00100010", 'Write "00100010" or PatientName.'),
        ("(0019,10f9)", 'Write "001910F9".'),
    ],
)
def test_a_near_miss_gets_a_suggestion(key: str, hint: str) -> None:
    with pytest.raises(UnknownKeyError) as caught:
        by_key(key)
    assert caught.value.message == f"'{key}' is not a DICOM keyword"
    assert caught.value.hint == hint


def test_a_suggestion_is_the_one_of_a_search_through_all_that_begin_alike() -> None:
    """What is passed over unseen to be fast could not have been near enough."""
    keywords = [by_tag(tag).keyword for tag in standard_tags()]
    folded = frozenset(one.casefold() for one in keywords)
    random = Random(4)
    for _ in range(100):
        letters = list(random.choice(keywords))
        for _ in range(random.randint(1, 6)):
            at = random.randrange(1, len(letters) + 1)
            letters[at : at + random.randint(0, 1)] = random.choice(["", "e", "s"])
        key = "".join(letters)
        word = key.casefold()
        if word in folded:
            continue
        with pytest.raises(UnknownKeyError) as caught:
            by_key(key)
        near = [one for one in folded if one[0] == word[0] and abs(len(one) - len(word)) <= 3]
        if get_close_matches(word, near, n=1, cutoff=0.8):
            assert caught.value.hint.startswith("Did you mean "), key


@pytest.mark.parametrize("key", ["", "Zzz", "0010001", "001000100", "DICOM", "٠٠١٠٠٠١٠"])
def test_what_resembles_nothing_is_told_the_two_forms(key: str) -> None:
    with pytest.raises(UnknownKeyError) as caught:
        by_key(key)
    assert "eight hex digits" in caught.value.hint


@pytest.mark.parametrize("key", ["PatientName:Doe^Peter", "00100010:Doe^Peter"])
def test_a_value_that_got_into_the_key_is_not_told(key: str) -> None:
    with pytest.raises(UnknownKeyError) as caught:
        by_key(key)
    assert caught.value.message == f"'{key.partition(':')[0]}…' is not a DICOM keyword"
    assert caught.value.hint == "Write a colon and a space after the keyword."


@pytest.mark.parametrize("key", ["Doe^Peter", "PatientName=Doe"])
def test_no_key_is_told_beyond_where_a_value_seems_to_begin(key: str) -> None:
    with pytest.raises(UnknownKeyError) as caught:
        by_key(key)
    assert "Peter" not in caught.value.message
    assert "=Doe" not in caught.value.message


def test_a_very_long_key_is_cut_in_the_message() -> None:
    with pytest.raises(UnknownKeyError) as caught:
        by_key("x" * 100_000)
    assert len(caught.value.message) < 120


def test_an_unprintable_key_cannot_draw_on_the_terminal() -> None:
    with pytest.raises(UnknownKeyError) as caught:
        by_key("\x1b[2JPatient")
    assert caught.value.message == "'�[2JPatient' is not a DICOM keyword"


def test_document_key_is_the_2022b_keyword_else_hex() -> None:
    assert document_key(0x00100010) == "PatientName"
    assert document_key(0x00080019) == "PyramidUID"  # new in 2022b itself
    assert document_key(0x0008001C) == "0008001C"  # SyntheticData, 2023
    assert document_key(0x001910F9) == "001910F9"
    assert by_key("SyntheticData").is_newer


def test_the_table_of_newer_attributes_fits_the_installed_dictionary() -> None:
    """A pydicom with another edition changes these counts: then extend dicom/edition.py."""
    tags = set(standard_tags())
    assert tags >= NEWER_THAN_2022B
    assert len(NEWER_THAN_2022B) == 183
    assert len(tags - NEWER_THAN_2022B) == 4987
    assert len(tags) == len(standard_tags())


def test_every_keyword_leads_back_to_its_tag() -> None:
    for tag in standard_tags():
        attribute = by_tag(tag)
        assert by_key(attribute.keyword) is attribute
        assert by_key(hex_key(tag)) is attribute


def test_how_tags_are_written() -> None:
    assert format_tag(0x0010000D) == "(0010,000D)"
    assert hex_key(0x7FE00010) == "7FE00010"
    assert by_key("PatientName").label == "PatientName (0010,0010)"
    assert by_tag(0x001910F9).label == "(0019,10F9)"


@pytest.mark.parametrize(
    ("spelling", "tag"),
    [
        ("patientname", 0x00100010),
        ("Patient's Name", 0x00100010),
        ("(0010,0010)", 0x00100010),
        ("0010, 0010", 0x00100010),
        ("0x00100010", 0x00100010),
        ("(60xx,3000)", 0x60003000),
        ("001910f9", 0x001910F9),
    ],
)
def test_a_person_may_spell_a_tag_or_a_name_in_any_usual_way(spelling: str, tag: int) -> None:
    assert by_spelling(spelling) == by_tag(tag)


@pytest.mark.parametrize("text", ["", "(0010,001)", "0x", "nothing", "1.2.840.10008.1.2"])
def test_other_text_spells_no_attribute(text: str) -> None:
    assert by_spelling(text) is None


def test_the_keyword_that_a_misspelt_one_resembles() -> None:
    assert keyword_near("PatientNmae") == "PatientName"
    assert keyword_near("qqqqqqqq") is None
