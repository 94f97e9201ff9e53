"""Finds the word of an error that `reconcile explain` explains best."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from reconciler.core.explain.find import known_words
from reconciler.core.explain.model import Kind

# `PatientSex (0010,0040)`, as diagnostics name an attribute.
_ATTRIBUTE = re.compile(r"\b([A-Z]\w+) \([0-9A-F]{4},[0-9A-F]{4}\)")
_NAME = re.compile(r"\b[A-Za-z]\w+\b")
_QUOTED = re.compile(r"`([^`]+)`")
_COMMAND = "reconcile explain"


def mentioned(texts: Iterable[str]) -> str:
    """Return the word to explain of some messages and hints, "" if they have none.

    A hazard or a rule goes before a status or an outcome, which counts in backticks only, and that
    goes before an attribute. A list of what is allowed is no mention. Nothing is returned if a
    text already names what to explain.
    """
    messages = list(texts)
    if any(_COMMAND in text for text in messages):
        return ""
    return next((word for find in (_names, _states, _attributes) for word in find(messages)), "")


def _names(texts: list[str]) -> Iterator[str]:
    for text in texts:
        found = [word for word in _NAME.findall(text) if word in _words()[0]]
        yield from found if len(set(found)) == 1 else ()


def _states(texts: list[str]) -> Iterator[str]:
    return (word for text in texts for word in _QUOTED.findall(text) if word in _words()[1])


def _attributes(texts: list[str]) -> Iterator[str]:
    return (word for text in texts for word in _ATTRIBUTE.findall(text))


@cache
def _words() -> tuple[frozenset[str], frozenset[str]]:
    """Names that are unlike words of a sentence, and the names of statuses and outcomes."""
    known = known_words()
    names = {*known[Kind.HAZARD], *known[Kind.RULE]} | set(filter(str.isupper, known[Kind.WORD]))
    return frozenset(names), frozenset({*known[Kind.STATUS], *known[Kind.OUTCOME]})
