"""Reads what a person asks for: `Modality=OT`, `StudyDate=2026-01-01..`, a range of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from reconciler.core.dicom.dictionary import by_key, by_spelling, keyword_near
from reconciler.core.dicom.search_tags import MEMBERS
from reconciler.core.errors import ReconcilerError
from reconciler.core.model.node import NO_TEXT, shown
from reconciler.core.search.criteria import Criterion, OfDate, OfText, OfTime
from reconciler.core.search.fields import listed, near
from reconciler.core.search.ranges import FORMS, BadRange, time_range

_ALL = f"Image sets can be searched by:\n{listed(MEMBERS)}"
_LONGEST = 60  # characters of a range that a message repeats


def criteria(texts: Sequence[str]) -> tuple[Criterion, ...]:
    """Read texts of the form KEYWORD=VALUE. Raises ReconcilerError, which repeats no value."""
    found = tuple(_criterion(text, number) for number, text in enumerate(texts, 1))
    for name, count in Counter(one.name for one in found).items():
        if count > 1:
            hint = "Search for one value, and once more for the other."
            raise ReconcilerError(f"{name} is asked for {count} times", hint)
    return found


def time_criteria(created: str | None, updated: str | None) -> Iterable[Criterion]:
    """Read the ranges of `--created` and `--updated`. Raises ReconcilerError."""
    for option, name, text in (
        ("--created", "createdAt", created),
        ("--updated", "updatedAt", updated),
    ):
        if text is None:
            continue
        found = time_range(text)
        if isinstance(found, BadRange):
            raise _refused(option, text, found)
        yield OfTime(name, found)


def _criterion(text: str, number: int) -> Criterion:
    name, sign, value = text.partition("=")
    if not sign:
        raise ReconcilerError(
            f"argument {number} is not of the form KEYWORD=VALUE",
            f"Write for example Modality=CT. {_ALL}",
        )
    keyword = _keyword(name)
    if NO_TEXT.search(value):
        raise ReconcilerError(
            f"the value of {keyword} has bytes that are not UTF-8",
            "Use a terminal with the encoding UTF-8.",
        )
    if by_key(keyword).vr != "DA" or not value:
        return OfText(keyword, value)
    found = time_range(value)
    if isinstance(found, BadRange) or "T" in value:
        raise ReconcilerError(f"the value of {keyword} is neither a date nor a range", FORMS)
    return OfDate(keyword, found)


def _keyword(name: str) -> str:
    """The keyword of a searchable attribute that a person names. Raises ReconcilerError."""
    attribute = by_spelling(name)
    if attribute is not None and attribute.keyword in MEMBERS:
        return attribute.keyword
    if attribute is not None:
        label = attribute.keyword or "this attribute"
        raise ReconcilerError(
            f"image sets cannot be searched by {label}: SearchImageSets does not return it", _ALL
        )
    close = near(name, MEMBERS) or [one for one in [keyword_near(name)] if one in MEMBERS]
    meant = f"Did you mean {' or '.join(close)}? " if close else ""
    raise ReconcilerError(f"{shown(name)} is not a DICOM keyword", f"{meant}{_ALL}")


def _refused(option: str, text: str, bad: BadRange) -> ReconcilerError:
    """The error of a range that is an option: it may be repeated, as it is no DICOM value."""
    if not text or len(text) > _LONGEST or not text.isprintable():
        return ReconcilerError(f"{option} takes a date or a range", FORMS)
    marked = f"{text}\n{' ' * bad.start}{'^' * len(bad.part)}"
    fix = f"Write {option} {bad.corrected}" if bad.corrected else FORMS
    return ReconcilerError(f"{option}: {bad.part} {bad.problem}", f"{marked}\n{fix}")
