"""Texts that look the same: the output shows how they differ."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.lookalikes import (
    difference,
    has_unseen,
    is_decomposed,
    mixes_scripts,
    reveal,
    reveal_both,
)
from reconciler.core.looks import look, units

FORM = "the Unicode form of letters (composed or decomposed)"
UNSEEN = "invisible characters or unusual spaces"
ALIKE = "characters that look alike, such as Latin and Cyrillic letters"


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


# Name: before, after, both as they are shown, and what differs.
PAIRS = {
    "accent": ("José", decomposed("José"), r"Jos\u00e9", r"Jose\u0301", FORM),
    "two accents": ("ệ", "e\u0302\u0323", r"\u1ec7", r"e\u0302\u0323", FORM),
    "Hangul": ("한", decomposed("한"), r"\ud55c", r"\u1112\u1161\u11ab", FORM),
    "ohm": ("50 Ω", "50 \u2126", r"50 \u03a9", r"50 \u2126", FORM),
    "Cyrillic word": ("CT", "СТ", "CT", r"\u0421\u0422", ALIKE),
    "Cyrillic letter": ("Garcia", "Gаrcia", "Garcia", r"G\u0430rcia", ALIKE),
    "Cyrillic i": ("PIS", "PІS", "PIS", r"P\u0406S", ALIKE),
    "Cyrillic accent": ("é", "е\u0301", r"\u00e9", r"\u0435\u0301", ALIKE),
    "Greek": ("TOMO", "ΤΟΜΟ", "TOMO", r"\u03a4\u039f\u039c\u039f", ALIKE),
    "Armenian": ("Son", "Տօո", "Son", r"\u054f\u0585\u0578", ALIKE),
    "phonetic": ("Garcia", "Gɑrciɑ", "Garcia", r"G\u0251rci\u0251", ALIKE),
    "full width": ("CT", "ＣＴ", "CT", r"\uff23\uff34", ALIKE),
    "mathematical": ("CT", "𝖢𝖳", "CT", r"\U0001d5a2\U0001d5b3", ALIKE),
    "Arabic yeh": ("علي", "علی", r"عل\u064a", r"عل\u06cc", ALIKE),
    "Arabic presentation form": ("ب", "ﺏ", r"\u0628", r"\ufe8f", ALIKE),
    "Kana": ("ロ", "口", r"\u30ed", r"\u53e3", ALIKE),
    "hyphen": ("A-B", "A‐B", "A-B", r"A\u2010B", ALIKE),
    "apostrophe": ("O'Brien", "O’Brien", "O'Brien", r"O\u2019Brien", ALIKE),
    "joiner": ("Doe", "D\u034foe", "Doe", r"D\u034foe", UNSEEN),
    "zero width": ("Doe", "Do\u200be", "Doe", r"Do\u200be", UNSEEN),
    "variation": ("A", "A\ufe0f", "A", r"A\ufe0f", UNSEEN),
    "ideographic variation": ("葛", "葛\U000e0100", r"\u845b", r"\u845b\U000e0100", UNSEEN),
    "no-break space": ("CT CHEST", "CT\u00a0CHEST", "CT CHEST", r"CT\u00a0CHEST", UNSEEN),
    "Braille": ("CT CHEST", "CT\u2800CHEST", "CT CHEST", r"CT\u2800CHEST", UNSEEN),
    "filler": ("CT CHEST", "CT\u3164CHEST", "CT CHEST", r"CT\u3164CHEST", UNSEEN),
    "also elsewhere": ("José^A", decomposed("José^B"), r"Jos\u00e9^A", r"Jose\u0301^B", ""),
    "in what differs": ("aé1b", "x" + decomposed("é") + "yb", r"a\u00e91b", r"xe\u0301yb", ""),
    "blank at the end": ("Doe", "Doe\u115f", "Doe", r"Doe\u115f", ""),
    "superscript": ("x2", "x²", "x2", "x²", ""),
    "other name": ("山口^太郎", "山口^ロビン", "山口^太郎", "山口^ロビン", ""),
    "other script": ("Muller", "Мюллер", "Muller", "Мюллер", ""),
    "name in other script": ("Мюл", "Mюл", r"\u041cюл", "Mюл", ALIKE),
    "accent added": ("Muller", "Müller", "Muller", "Müller", ""),
    "of ASCII": ("1O1", "101", "1O1", "101", ""),
    "equal": ("Müller", "Müller", "Müller", "Müller", ""),
}


@pytest.mark.parametrize("name", PAIRS)
def test_what_differs_is_shown(name: str) -> None:
    before, after, shown_before, shown_after, kind = PAIRS[name]
    assert reveal_both(before, after) == (shown_before, shown_after)
    assert reveal_both(after, before) == (shown_after, shown_before)
    assert (difference(before, after), difference(after, before)) == (kind, kind)


ALONE = {
    "Äneas 山田 قباني שרון 김희중": "Äneas 山田 قباني שרון 김희중",
    "Gаrcia": r"G\u0430rcia",
    "ACТ 3D-МРТ": r"AC\u0422 3D-МРТ",
    "СТ грудной клетки": "СТ грудной клетки",
    "Işık Nguyễn Łódź Ærø": "Işık Nguyễn Łódź Ærø",
    "TNFα, µg, 50 Ω": "TNFα, µg, 50 Ω",
    "Gɑrcia": r"G\u0251rcia",
    "𝖢T": r"\U0001d5a2T",
    "ＣＴ 胸部": "ＣＴ 胸部",
    '"\u0301a"': r'"\u0301a"',
    "a" + "\u0301" * 7: "a" + r"\u0301" * 7,
    r'"a\nстрока"': r'"a\nстрока"',
    "\ufe0f": r"\ufe0f",
}


@pytest.mark.parametrize("text", ALONE)
def test_a_value_alone(text: str) -> None:
    assert reveal(text) == ALONE[text]


def test_words_of_two_scripts() -> None:
    mixed = ("Gаrcia", "CТ", "Gɑrcia", "Ивaнов")
    not_mixed = ("Garcia", "Müller", "СТ", "CT СТ", "TNFα", "Β-Scan", "山田", "Иванов")
    assert [mixes_scripts(text) for text in mixed] == [True] * len(mixed)
    assert [text for text in not_mixed if mixes_scripts(text)] == []


def test_decomposed_text() -> None:
    assert is_decomposed(decomposed("José"))
    assert is_decomposed(decomposed("한"))
    # NFC would replace the second by another ideograph, and no composed ɛ̃ exists.
    assert [text for text in ("José", "\ufa19", "ɛ̃", "שָׁ", "abc") if is_decomposed(text)] == []


def test_unseen_characters() -> None:
    unseen = "\u00ad\u200b\ufeff\u3164\u2800\u034f\u00a0\u200e\ufe0f\u200d\u2009"
    seen = ("", "Müller", "山田\u3000太郎", "می\u200cخواهم", "葛\U000e0100", "a\tb\r\nc", "שרון")
    assert [text for text in unseen if not has_unseen(f"x {text}")] == []
    assert [text for text in seen if has_unseen(text)] == []


# Without 0, 1, I and |: of ASCII, what looks alike is not marked.
ALPHABET = st.sampled_from('aоo"^\u0301\u0308\u200b\u3164\u2800 éаМMю한\u1112\u1161口ロ\\n')
TEXTS = st.text(ALPHABET | st.characters(exclude_characters="01I|"))


@given(TEXTS, TEXTS)
@example("aа", "аa")
@example("Мю", "Mю")
@example("Мюx", "Mюx")
def test_different_texts_never_look_the_same(one: str, other: str) -> None:
    before, after = json.dumps(one, ensure_ascii=False), json.dumps(other, ensure_ascii=False)
    if before != after:
        shown_before, shown_after = reveal_both(before, after)
        assert list(map(look, units(shown_before))) != list(map(look, units(shown_after)))


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(ANY_TEXT, ANY_TEXT)
@example("\x1b\ua880[2J", "a")
@example("a\x1b\u0301", "\x9b\u0301")
@example("\x00" + "\u0301" * 8, "\n\ua880")
def test_nothing_that_is_shown_controls_a_terminal(one: str, other: str) -> None:
    """Marks stand on any character, also on one that begins a command."""
    for shown in (reveal(one), *reveal_both(one, other)):
        assert shown.isprintable()
