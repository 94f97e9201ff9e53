"""Text that can neither control a terminal nor command a runner."""

from __future__ import annotations

import json

import pytest

from reconciler.core.escape import escape, json_text, line


@pytest.mark.parametrize("text", ["", "CT CHEST", "Müller^Jürgen", "山田^太郎", "a\\b", "김^희중"])
def test_printable_text_stays_as_it_is(text: str) -> None:
    assert escape(text) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\x1b[2Jb", "a\\u001b[2Jb"),
        ("a\nb\rc", "a\\u000ab\\u000dc"),
        ("abc\u202edef", "abc\\u202edef"),
        ("CT\u00a0CHEST", "CT\\u00a0CHEST"),
        ("\ud800", "\\ud800"),
    ],
    ids=["control", "line-ends", "bidirectional", "no-break-space", "surrogate"],
)
def test_each_unprintable_character_becomes_an_escape_of_json(text: str, escaped: str) -> None:
    assert escape(text) == escaped
    assert json.loads(f'"{escaped}"') == text


def test_an_unprintable_character_above_u_ffff_becomes_an_escape_of_yaml() -> None:
    assert escape("a\U000e0001b") == "a\\U000e0001b"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("::error::x", "\\u003a:error::x"),
        ("  ::set-output name=a::b", "  \\u003a:set-output name=a::b"),
        ("\u00a0\t::error::x", "\\u00a0\\u0009::error::x"),
        ("a ::error::x", "a ::error::x"),
        ("Study::x", "Study::x"),
        ("a ##[error]x", "a \\u0023#[error]x"),
        ("###[error]x ##vso[x]", "#\\u0023#[error]x \\u0023#vso[x]"),
        ("## heading", "## heading"),
        ("a\n::error::x", "a\\u000a::error::x"),
    ],
)
def test_no_line_is_a_workflow_command(text: str, printed: str) -> None:
    assert line(text) == printed


def test_the_text_of_a_document_keeps_its_lines_and_content() -> None:
    value = {"a\x9b": ["\u202eb", "##[error]", "\U000e0001", "\\##[", "\ud800", "山田"]}
    text = json_text(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(text) == value
    assert all(one.isprintable() for one in text.split("\n"))
    assert text.count("\n") == 9
    assert "山田" in text
    assert "##[" not in text


def test_a_document_stays_json_when_its_lines_are_printed() -> None:
    """The variant of an ideograph in a name is one of the characters above U+FFFF."""
    value = {"name": "辻\U000e0100", "more": ["\u034f", "\u2068", "::x", "\U0001d159"]}
    lines = json_text(json.dumps(value, ensure_ascii=False, indent=2)).split("\n")
    printed = list(map(line, lines))
    assert json.loads("\n".join(printed)) == value
    assert printed == lines


# The property Default_Ignorable_Code_Point of Unicode 15.0 (DerivedCoreProperties.txt).
IGNORABLE = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
BLANK = (0xA0, 0x2000, 0x2800, 0x3000, 0x1D159, 0x16FE4)


def test_no_character_is_shown_that_cannot_be_seen() -> None:
    unseen = [code for first, last in IGNORABLE for code in range(first, last + 1)]
    shown = [code for code in (*unseen, *BLANK) if escape(chr(code)) == chr(code)]
    assert [f"{code:04X}" for code in shown] == []


def test_isolates_of_a_line_stay_and_those_of_a_value_do_not() -> None:
    assert line("\u2068דוד\u2069 \u202e") == "\u2068דוד\u2069 \\u202e"
    assert escape("\u2068") == "\\u2068"
