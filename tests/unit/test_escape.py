"""Text that can neither control a terminal nor command a runner."""

from __future__ import annotations

import json

import pytest

from reconciler.core.escape import escape, json_text, line


@pytest.mark.parametrize("text", ["", "CT CHEST", "Müller^Jürgen", "山田^太郎", "a\\b"])
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
