"""Ranges of time, as people write them: `2026-01-01..`, `..2026-02-01`, a day or a minute."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

DOTS = ".."
FORMS = "Write 2026-01-31, 2026-01-01..2026-01-31, 2026-01-01.. or ..2026-01-31."
_MOMENT = re.compile(
    r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?Z?)?"
)
# A date with other signs or without zeros, and what stands around dates in other notations.
_ALMOST = re.compile(r"([0-9]{4})[-/. ]?([0-9]{1,2})[-/. ]?([0-9]{1,2})(?![0-9T])")
_LATEST = datetime.max.replace(tzinfo=UTC)
_AROUND = re.compile(r"[-.,:~ –—]*(?:to *)?")


@dataclass(frozen=True, slots=True, repr=False)
class TimeRange:
    """The moments from `start` until before `end`, in UTC. An open side is None."""

    start: datetime | None
    end: datetime | None

    def has(self, moment: datetime) -> bool:
        """Whether a moment is in the range."""
        is_late_enough = self.start is None or self.start <= moment
        return is_late_enough and (self.end is None or moment < self.end)


@dataclass(frozen=True, slots=True, repr=False)
class BadRange:
    """A text that is no range: the `part` from column `start` on, and why.

    `corrected` is the range that the text probably means, or "".
    """

    problem: str
    part: str
    start: int = 0
    corrected: str = ""


def time_range(text: str) -> TimeRange | BadRange:
    """Read a range. Both ends belong to it: a day ends at midnight, a minute after 60 seconds."""
    found = _read(text)
    return replace(found, corrected=_corrected(text)) if isinstance(found, BadRange) else found


def _read(text: str) -> TimeRange | BadRange:
    first, dots, last = text.partition(DOTS)
    if not first and not last:
        return BadRange("is not a date", text)
    begins = _moments(first) if first else None
    if first and begins is None:
        return BadRange(_problem(first), first)
    ends = _moments(last) if last else None
    if last and ends is None:
        return BadRange(_problem(last), last, len(first) + len(DOTS))
    if not dots:
        ends = begins
    if begins and ends and begins[0] >= ends[1]:
        return BadRange("ends before it begins", text)
    return TimeRange(begins and begins[0], ends and ends[1])


def _problem(part: str) -> str:
    return "is not a day of the calendar" if _MOMENT.fullmatch(part) else "is not a date"


def _moments(text: str) -> tuple[datetime, datetime] | None:
    """The first moment of a day, minute or second, and the first moment after it."""
    if not (written := _MOMENT.fullmatch(text)):
        return None
    year, _, month, day, hour, minute, second = written.groups()
    unit = timedelta(days=1)
    if hour:
        unit = timedelta(seconds=1) if second else timedelta(minutes=1)
    time = f"{hour or '00'}:{minute or '00'}:{second or '00'}+00:00"
    try:
        start = datetime.fromisoformat(f"{year}-{month}-{day}T{time}")
    except ValueError:
        return None
    return start, min(start, _LATEST - unit) + unit  # the last day of the calendar has no end


def _corrected(text: str) -> str:
    """The text in our form if it has one or two dates and nothing else, else ""."""
    days = [f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}" for found in _ALMOST.finditer(text)]
    gaps = [gap.strip() for gap in _ALMOST.sub("\0", text).split("\0")]
    if not all(_AROUND.fullmatch(gap) for gap in gaps):
        return ""
    if len(days) == 2:
        return next(filter(_is_range, map(DOTS.join, (days, days[::-1]))), "")
    fixed = DOTS.join(["", *days][not gaps[0] :] + [""] * bool(gaps[-1]))
    return fixed if len(days) == 1 and _is_range(fixed) else ""


def _is_range(text: str) -> bool:
    return isinstance(_read(text), TimeRange)
