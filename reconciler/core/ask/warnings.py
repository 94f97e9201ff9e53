"""Warns of values that DICOM allows but that a data steward hardly means.

Each rule is a function of an attribute, one text of its value and the day. A message names the
attribute and never the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import TypeAlias

from reconciler.core.ask.findings import Findings
from reconciler.core.dicom.dictionary import Attribute, by_key, by_tag
from reconciler.core.dicom.terms import is_defined, listed_terms
from reconciler.core.errors import Diagnostic
from reconciler.core.lookalikes import has_unseen, is_decomposed, mixes_scripts
from reconciler.core.model.ask import ClaimKind, ImageSetAsk
from reconciler.core.model.form import Asked, asked_by, claims_of
from reconciler.core.model.value import Json

# A rule gives what is odd, and what to do; None where nothing is odd.
Found: TypeAlias = tuple[str, str] | None
Rule: TypeAlias = Callable[[Attribute, str, date], Found]

_QUOTES = re.compile("[\u2018-\u201f\u2039\u203a\u00ab\u00bb\u2032\u2033]")
_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
# Attributes whose dates usually lie ahead.
_LIES_AHEAD = re.compile("Scheduled|Expir|Expected|Planned|Intended|Next|Due")
_LISTED = 8
_COMMA = re.compile("[,，،]")
# Attributes whose list is not whole: scan options of CT are the vendor's own, and the list of
# orientations is that of bipeds.
_OPEN = frozenset({"PatientOrientation", "ScanOptions"})
# Texts in which a typographic quotation mark is usual.
_PROSE = frozenset({"LT", "ST", "UT"})


def warnings(asks: Iterable[ImageSetAsk], today: date) -> tuple[Diagnostic, ...]:
    """The warnings about the values of all asks, sorted by place."""
    odd = Findings(partial(_odd, today))
    return tuple(
        sorted(
            Diagnostic(claim.place, f"{attribute.label}: {found[0]}", found[1])
            for claim in claims_of(asks, lambda asked: bool(odd.of(asked)))
            for attribute, found in odd.of(asked_by(claim))
        )
    )


def _odd(today: date, asked: Asked) -> tuple[tuple[Attribute, tuple[str, str]], ...]:
    """What is odd about a value, with the attribute: it may be inside of a sequence."""
    if asked.kind is not ClaimKind.PRESENT or asked.tag is None or asked.raw is None:
        return ()
    return tuple(
        (attribute, found)
        for attribute, text in dict.fromkeys(_texts(by_tag(asked.tag), asked.raw))
        for rule in RULES.values()
        if (found := rule(attribute, text, today))
    )


def _texts(attribute: Attribute, raw: Json) -> Iterator[tuple[Attribute, str]]:
    """The texts of a value, each with its attribute, which may be inside of a sequence."""
    values = raw if isinstance(raw, list) else [raw]
    # Only the first two values of ImageType have terms (PS3.3 section C.7.6.1.1.2).
    for one in values[:2] if attribute.keyword == "ImageType" else values:
        if isinstance(one, str) and one:
            yield attribute, one
        elif isinstance(one, dict):
            for key, inner in one.items():
                yield from _texts(by_key(key), inner)


def _undefined_term(attribute: Attribute, text: str, _: date) -> Found:
    if attribute.vr != "CS" or attribute.keyword in _OPEN:
        return None
    if is_defined(attribute.keyword, text.strip(" ")) is not False:
        return None
    terms = listed_terms(attribute.keyword)
    shown = ", ".join(terms[:_LISTED]) + (" …" if len(terms) > _LISTED else "")
    return "the value is not a defined term of the standard", f"Defined are: {shown}."


def _comma_in_name(attribute: Attribute, text: str, _: date) -> Found:
    # A suffix may have a comma: "Ph.D., Chief Executive Officer" (PS3.5 section 6.2.1.1).
    families = (group.split("^")[0] for group in text.split("="))
    if attribute.vr != "PN" or not any(map(_COMMA.search, families)):
        return None
    return (
        "a comma in a family name separates no components",
        "Write `Family^Given`, not `Family, Given`.",
    )


def _typographic_quotes(attribute: Attribute, text: str, _: date) -> Found:
    if attribute.vr in _PROSE or not _QUOTES.search(text):
        return None
    hint = "Write ' or \" if a word processor replaced it. Other systems search for these."
    return "the value has typographic quotation marks", hint


def _future_date(attribute: Attribute, text: str, today: date) -> Found:
    day = _DAY.match(text) if attribute.vr in ("DA", "DT") else None
    if (
        day is None
        or _LIES_AHEAD.search(attribute.keyword)
        or "".join(day.groups()) <= f"{today:%Y%m%d}"
    ):
        return None
    return "the date is in the future", "Check the year."


def _unseen_character(_: Attribute, text: str, __: date) -> Found:
    if not has_unseen(text):
        return None
    hint = "Type the value anew. Text that was copied from documents and web pages often has them."
    return "the value has invisible characters or unusual spaces", hint


def _mixed_scripts(_: Attribute, text: str, __: date) -> Found:
    if not mixes_scripts(text):
        return None
    hint = "Type the word anew. Cyrillic and Greek letters often look like Latin letters."
    return "a word mixes Latin letters with letters that look like them", hint


def _decomposed_letter(_: Attribute, text: str, __: date) -> Found:
    if not is_decomposed(text):
        return None
    hint = "Type the letter anew. The names of files on macOS are often written so."
    return "a letter and its accent are two characters (Unicode NFD)", hint


RULES: Mapping[str, Rule] = {
    "undefined-term": _undefined_term,
    "comma-in-name": _comma_in_name,
    "typographic-quotes": _typographic_quotes,
    "future-date": _future_date,
    "unseen-character": _unseen_character,
    "mixed-scripts": _mixed_scripts,
    "decomposed-letter": _decomposed_letter,
}
