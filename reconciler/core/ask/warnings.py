"""Warns of values that DICOM allows but that a data steward hardly means.

Each rule is a function of an attribute, one text of its value and the day. A message names the
attribute and never the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import TypeAlias

from reconciler.core.dicom.dictionary import Attribute, by_tag
from reconciler.core.dicom.terms import is_defined, listed_terms
from reconciler.core.errors import Diagnostic
from reconciler.core.model.ask import Claim, ClaimKind, ImageSetAsk
from reconciler.core.model.value import Json

# A rule gives what is odd, and what to do; None where nothing is odd.
Found: TypeAlias = tuple[str, str] | None
Rule: TypeAlias = Callable[[Attribute, str, date], Found]

_QUOTES = re.compile("[\u2018-\u201f\u2039\u203a\u00ab\u00bb\u2032\u2033]")
_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
# Attributes whose dates usually lie ahead.
_LIES_AHEAD = re.compile("Scheduled|Expir|Expected|Planned|Intended|Next|Due")
_LISTED = 8
# Texts in which a typographic quotation mark is usual.
_PROSE = frozenset({"LT", "ST", "UT"})


def warnings(asks: Iterable[ImageSetAsk], today: date) -> tuple[Diagnostic, ...]:
    """The warnings about the values of all asks, sorted by place."""
    # A manifest of a thousand image sets makes the same claims on each of them.
    claims = {claim.place: claim for ask in asks for claim in ask.carried.claims}
    return tuple(sorted(one for claim in claims.values() for one in _warnings(claim, today)))


def _warnings(claim: Claim, today: date) -> Iterator[Diagnostic]:
    if claim.kind is not ClaimKind.PRESENT or claim.tag is None or claim.value is None:
        return
    attribute = by_tag(claim.tag)
    texts = dict.fromkeys(_texts(claim.value.raw))
    # Only the first two values of ImageType have terms (PS3.3 section C.7.6.1.1.2).
    for text in list(texts)[:2] if attribute.keyword == "ImageType" else texts:
        for rule in RULES.values():
            if found := rule(attribute, text, today):
                yield Diagnostic(claim.place, f"{attribute.label}: {found[0]}", found[1])


def _texts(raw: Json) -> Iterator[str]:
    """The texts of a value. Those inside of sequences belong to other attributes."""
    for one in raw if isinstance(raw, list) else [raw]:
        if isinstance(one, str) and one:
            yield one


def _undefined_term(attribute: Attribute, text: str, _: date) -> Found:
    if attribute.vr != "CS" or is_defined(attribute.keyword, text.strip(" ")) is not False:
        return None
    terms = listed_terms(attribute.keyword)
    shown = ", ".join(terms[:_LISTED]) + (" …" if len(terms) > _LISTED else "")
    return "the value is not a defined term of the standard", f"Defined are: {shown}."


def _comma_in_name(attribute: Attribute, text: str, _: date) -> Found:
    if attribute.vr != "PN" or "," not in text or "^" in text:
        return None
    return "a comma in a name separates no components", "Write `Family^Given`, not `Family, Given`."


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


RULES: Mapping[str, Rule] = {
    "undefined-term": _undefined_term,
    "comma-in-name": _comma_in_name,
    "typographic-quotes": _typographic_quotes,
    "future-date": _future_date,
}
