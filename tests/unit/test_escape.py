"""Text that cannot control the terminal."""

from __future__ import annotations

import json

import pytest

from reconciler.core.escape import escape


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
