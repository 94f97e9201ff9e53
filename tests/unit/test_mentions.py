"""The word of an error to explain is a word that `reconcile explain` knows."""

from __future__ import annotations

import re

import pytest

from reconciler.cli.screen import _MAY_MENTION
from reconciler.core.explain import explain, known_words, mentioned
from reconciler.core.explain.model import Kind
from tests.docs.markdown import read

HOLE = re.compile(r"\{[^{}]*\}")
MESSAGES = read("tests/docs/messages.txt").splitlines()


@pytest.mark.parametrize(
    ("texts", "word"),
    [
        (
            ["OVERWRITES_DRIFT needs the version whose values may be overwritten"],
            "OVERWRITES_DRIFT",
        ),
        (["PatientSex (0010,0040): x", "Write `REMOVES_SERIES`."], "REMOVES_SERIES"),
        (["PatientSex (0010,0040): x", "StudyDate (0008,0020): y"], "PatientSex"),
        (["the image set is `busy`", "PatientSex (0010,0040): x"], "busy"),
        (["set `rules: {removeLast: allow}`"], "removeLast"),
        (["still LOCKED by another operation"], "LOCKED"),
        (["'X' is not a hazard", "Write one of: STUDY_WIDE, REMOVES_SERIES."], ""),
        (["STUDY_WIDE takes no version", "More: `reconcile explain STUDY_WIDE`."], ""),
        (["the update failed", "the plan is blocked"], ""),
        (["(0009,1001): the value is missing"], ""),
        ([], ""),
    ],
)
def test_the_word_to_explain(texts: list[str], word: str) -> None:
    assert mentioned(texts) == word


def test_every_word_of_every_message_is_known() -> None:
    """Also where a message has a hole for an attribute, a hazard or a status."""
    names = [word for words in known_words().values() for word in words]
    filled = [
        HOLE.sub(name, text)
        for text in MESSAGES
        for name in (*map(str, names[:20]), "PatientName (0010,0010)", "`blocked`")
    ]
    found = {word for text in (*MESSAGES, *filled) if (word := mentioned([text]))}
    assert {"OVERWRITES_DRIFT", "PatientName", "blocked", "removeLast"} <= found
    for word in found:
        assert explain(word)


def test_whatever_is_mentioned_passes_the_quick_search() -> None:
    words = known_words()
    states = [f"`{word}`" for kind in (Kind.STATUS, Kind.OUTCOME) for word in words[kind]]
    for text in (*words[Kind.HAZARD], *words[Kind.RULE], *states, "PatientName (0010,0010)"):
        assert mentioned([text]) and _MAY_MENTION.search(text)
    for text in MESSAGES:
        assert not mentioned([text]) or _MAY_MENTION.search(text)
