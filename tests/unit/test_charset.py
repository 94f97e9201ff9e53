"""Text that the character set of an instance cannot hold."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.dicom.charset import character_sets, lacks
from reconciler.core.dicom.terms import listed_terms
from reconciler.core.model.value import Json
from tests.documents import document, instance, series
from tests.planning import A, Stage

NAME = "Patient/PatientName gets characters that SpecificCharacterSet"
END = "cannot hold: an export as DICOM may replace them"


@pytest.mark.parametrize(
    ("terms", "held", "not_held"),
    [
        (None, "Mueller", "é山"),
        ("ISO_IR 6", "Mueller", "é山"),
        ("ISO_IR 100", "Jérôme Müller", "Ł山и"),
        (["ISO-IR 100 "], "Müller", "Ł"),
        ("ISO_IR 101", "Łódź", "ñ"),
        ("ISO_IR 144", "Иванов", "é"),
        ("ISO_IR 126", "Διονυσιος", "и"),
        ("ISO_IR 127", "قباني", "é"),
        ("ISO_IR 138", "שרון", "é"),
        ("ISO_IR 166", "นามสกุล", "é"),
        ("ISO_IR 203", "€ Š", "Ł"),
        ("ISO_IR 13", "ﾔﾏﾀﾞ", "山や"),
        (["", "ISO 2022 IR 87"], "山田^太郎 やまだ", "é"),
        (["ISO 2022 IR 13", "ISO 2022 IR 87", "ISO 2022 IR 159"], "ﾔﾏ 山田 丂", "김"),
        (["", "ISO 2022 IR 149"], "김희중", "똠é"),
        (["", "ISO 2022 IR 58"], "张小东 é", "김"),
        (["ISO 2022 IR 100", "ISO 2022 IR 144"], "é и", "Ł"),
        ("GBK", "王小東", "\U00020000"),
        ("GB18030", "王小东 é \U00020000", ""),
        ("ISO_IR 192", "é 山 \U00020000", ""),
        ("VENDOR 1", "é 山", ""),
    ],
)
def test_which_characters_a_character_set_holds(terms: Json, held: str, not_held: str) -> None:
    sets = character_sets(terms)
    assert not lacks(sets, "LO", held)
    assert [one for one in not_held if not lacks(sets, "LO", [held, one])] == []
    assert not lacks(sets, "UI", "山")


def test_every_term_of_the_standard_is_known() -> None:
    assert [
        term for term in listed_terms("SpecificCharacterSet") if lacks((term,), "LO", "ASCII")
    ] == []
    known = [
        term for term in listed_terms("SpecificCharacterSet") if lacks((term,), "LO", "\u0f40")
    ]
    everything = {"ISO_IR 192", "GB18030"}
    assert set(listed_terms("SpecificCharacterSet")) - set(known) == everything


def test_an_item_may_have_a_character_set_of_its_own() -> None:
    latin = character_sets("ISO_IR 100")
    assert lacks(latin, "SQ", [{"CodeMeaning": "山"}])
    assert not lacks(latin, "SQ", [{"CodeMeaning": "山", "SpecificCharacterSet": ["ISO_IR 192"]}])
    assert lacks(latin, "SQ", [{"AnatomicRegionSequence": [{"CodeMeaning": "山"}], "x": "山"}])
    assert not lacks(latin, "SQ", [{"CodeMeaning": "é", "CodeValue": ["é"], "x": "山"}])


def notes(attributes: str, *sets: Json, below: str = "") -> list[tuple[str, int]]:
    """The notes of a change of the patient, with the line of each."""
    stage = Stage()
    held: list[dict[str, Any]] = [{"SpecificCharacterSet": one} if one else {} for one in sets]
    blocks = [instance(f"1.2.1.{number}", **one) for number, one in enumerate(held)]
    stage.put(document(series("1.2.1", blocks), image_set_id=A))
    found: Any = stage.diff(
        f"imageSetId: {A}\nforce: true\nallow: [CHANGES_PATIENT_IDENTITY, CHANGES_OBJECT]\n"
        f"present:\n  Patient:\n    DICOM: {{{attributes}}}\n{below}"
    )
    return [(note.message, note.place.line if note.place else 0) for note in found.notes]


def test_kanji_in_objects_of_latin_1_are_noted() -> None:
    assert notes("PatientName: 山田^太郎", ["ISO_IR 100"]) == [(f"{NAME} (ISO_IR 100) {END}", 9)]
    assert notes("PatientName: Müller^J", ["ISO_IR 100"], ["ISO_IR 192"]) == []
    assert notes("PatientName: 山田^太郎", ["ISO_IR 192"]) == []


def test_each_character_set_of_the_instances_is_noted_once() -> None:
    found = notes("PatientName: 山田^太郎", ["ISO_IR 100"], ["ISO_IR 101"], ["ISO_IR 100"], None)
    assert [message for message, _ in found] == [
        f"{NAME} ({term}) {END}" for term in ("ISO_IR 100", "ISO_IR 101", "ISO_IR 6")
    ]


def test_the_character_set_is_that_after_the_changes() -> None:
    below = "  Study: {Series: {'*': {Instances: {'*': {DICOM: {SpecificCharacterSet: %s}}}}}}\n"
    name = "PatientName: 山田^太郎"
    assert notes(name, ["ISO_IR 100"], below=below % "ISO_IR 192") == []
    assert notes(name, ["ISO_IR 192"], below=below % "ISO_IR 100") == [
        (f"{NAME} (ISO_IR 100) {END}", 9)
    ]


def test_a_value_that_does_not_change_is_not_noted() -> None:
    assert notes("PatientComments: ASCII", ["ISO_IR 100"]) == []


def test_a_character_set_that_is_not_known_is_not_judged_and_not_shown() -> None:
    assert notes("PatientName: 山田^太郎", ["ISO_IR 100", "ISO_IR 6^DOE"]) == []


def test_a_change_of_an_instance_concerns_its_own_character_set() -> None:
    line = "  Study: {Series: {'*': {Instances: {1.2.1.0: {DICOM: {ImageComments: 山}}}}}}\n"
    for uid, noted in (("1.2.1.0", 1), ("1.2.1.1", 0)):
        below = line.replace("1.2.1.0", uid)
        found = notes("PatientComments: ASCII", ["ISO_IR 100"], ["ISO_IR 192"], below=below)
        assert len(found) == noted
