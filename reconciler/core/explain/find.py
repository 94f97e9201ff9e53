"""Finds what a word means: among our own words, the DICOM dictionary and the registered UIDs."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache

from reconciler.core.dicom.dictionary import (
    by_spelling,
    by_tag,
    keyword_near,
    standard_tags,
)
from reconciler.core.dicom.uids import RegisteredUid, registered_uid
from reconciler.core.errors import ReconcilerError
from reconciler.core.explain.attributes import explain_attribute
from reconciler.core.explain.hazards import hazards
from reconciler.core.explain.keys import KEYS
from reconciler.core.explain.model import Explanation, Kind
from reconciler.core.explain.rules import rules
from reconciler.core.explain.samples import VRS
from reconciler.core.explain.service_words import SERVICE_WORDS
from reconciler.core.explain.states import OUTCOMES, STATUSES
from reconciler.core.explain.words import WORDS
from reconciler.core.model.address import is_uid
from reconciler.core.model.node import shown

_ALIKE = 0.75  # the minimum similarity in difflib of a suggestion
_SUGGESTIONS = 3
_SHELL = frozenset("* ")  # a shell would not take a word with these as one word
_LIST_HINT = "`reconcile explain` without a word lists what can be explained."


def explain(text: str) -> tuple[Explanation, ...]:
    """Return every meaning of a word. Raises ReconcilerError, with suggestions, if it has none.

    A consent is explained as its hazard (`OVERWRITES_DRIFT@5`), a line as its key (`force: true`).
    """
    word = text.strip().strip("`'\"")
    found = _ours(word) + _dicom(word)
    if found:
        return found
    name = word.partition("@")[0].partition(":")[0]
    found = _ours(name) + _dicom(name) if name != word else ()
    if found:
        return found
    if is_uid(word):
        raise ReconcilerError(
            "the DICOM standard does not register this UID",
            "It may be the UID of a study, a series, an instance or a vendor. "
            "Find a study with `reconcile search StudyInstanceUID=UID`.",
        )
    raise ReconcilerError(f"there is no explanation of {shown(word)}", _suggestion(word))


def known_words() -> dict[Kind, tuple[str, ...]]:
    """Return our own words by kind. DICOM has too many words to list."""
    found: dict[Kind, list[str]] = {}
    for one in _all():
        found.setdefault(one.kind, []).append(one.word)
    return {kind: tuple(words) for kind, words in found.items()}


def words_beginning(start: str) -> tuple[str, ...]:
    """Return the words that begin so. Keywords of DICOM need a beginning: there are thousands."""
    keywords = [by_tag(tag).keyword for tag in standard_tags()] if start else []
    ours = [one.word for one in _all() if not _SHELL.intersection(one.word)]
    words = dict.fromkeys([*ours, *keywords])
    return tuple(word for word in words if word.startswith(start))


@cache
def _all() -> tuple[Explanation, ...]:
    return (*hazards(), *STATUSES, *OUTCOMES, *rules(), *KEYS, *SERVICE_WORDS, *WORDS, *_vrs())


def _vrs() -> Iterator[Explanation]:
    source = ("DICOM PS3.5, section 6.2 (value representation)",)
    for vr, text in VRS.items():
        written = (("In manifests", text.written),)
        yield Explanation(Kind.VR, vr, text.name, facts=written, sources=source)


@cache
def _by_spelling() -> dict[str, tuple[Explanation, ...]]:
    """Map every word and alias, squeezed, to what it means."""
    found: dict[str, tuple[Explanation, ...]] = {}
    for one in _all():
        for spelling in dict.fromkeys(map(_squeezed, (one.word, *one.aliases))):
            found[spelling] = (*found.get(spelling, ()), one)
    return found


def _ours(word: str) -> tuple[Explanation, ...]:
    return _by_spelling().get(_squeezed(word), ()) if word else ()


def _dicom(word: str) -> tuple[Explanation, ...]:
    attribute, uid = by_spelling(word), registered_uid(word)
    found = (explain_attribute(attribute),) if attribute else ()
    return (*found, _explain_uid(uid)) if uid else found


def _explain_uid(row: RegisteredUid) -> Explanation:
    facts = [("UID", row.uid), ("Type", row.type)]
    if row.keyword:
        facts.append(("Keyword", row.keyword))
    retired = " (retired)" if row.retired else ""
    see = {"SOP Class": ("SOPClassUID",), "Transfer Syntax": ("TransferSyntaxUID",)}
    return Explanation(
        Kind.UID,
        row.uid,
        f"{row.name}{retired}",
        facts=tuple(facts),
        sources=("DICOM PS3.6, table A-1 (registry of UIDs)",),
        see=see.get(row.type, ()),
    )


def _suggestion(word: str) -> str:
    spellings = _by_spelling()
    alike = get_close_matches(_squeezed(word), spellings, n=_SUGGESTIONS, cutoff=_ALIKE)
    near = [one.word for spelling in alike for one in spellings[spelling]]
    keyword = keyword_near(word)
    names = list(dict.fromkeys([*near, *([keyword] if keyword else [])]))
    if not names:
        return f"Write a word of a plan, or a DICOM keyword or tag. {_LIST_HINT}"
    return f"Did you mean {_either(names)}? {_LIST_HINT}"


def _either(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _squeezed(word: str) -> str:
    """Return a word without case, blanks and signs; a word of signs only stays as it is."""
    return "".join(filter(str.isalnum, word.casefold())) or word
