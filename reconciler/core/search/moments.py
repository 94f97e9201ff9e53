"""Criteria of selectors alone: date and time of a study, isPrimary, and whole identifiers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reconciler.core.dicom.search_tags import MEMBERS
from reconciler.core.model.observed import Summary
from reconciler.core.model.search_filter import Span
from reconciler.core.search.criteria import OfText
from reconciler.core.search.ranges import TimeRange

# PS3.5 section 6.2; the forms with dots and colons are those of ACR-NEMA.
_DATE = re.compile(r"([0-9]{4})(\.?)([0-9]{2})\2([0-9]{2})")
_TIME = re.compile(r"([0-9]{2})(?::?([0-9]{2})(?::?([0-9]{2})(?:\.[0-9]*)?)?)?")
_PADDING = " \0"


@dataclass(frozen=True, slots=True, repr=False)
class OfStudyMoment:
    """Date and time of the study are in a range, in the local time that the study states."""

    range: TimeRange
    name: str = "StudyDateAndTime"

    @property
    def sent(self) -> Span:
        """The days of the range: the bounds of the filter are midnights (`edges.aws`)."""
        lower, upper = self.range.start, self.range.end
        return Span(
            f"{lower:%Y%m%d}".zfill(8) if lower else "00010101",
            f"{_next_midnight(upper):%Y%m%d}".zfill(8) if upper else "99991231",
        )

    @property
    def is_settled(self) -> bool:
        """AWS does not document whether BETWEEN includes its bounds."""
        return False

    def holds(self, row: Summary) -> bool:
        """Whether all of the time that the summary states is in the range.

        A study without a time of day may be of any moment of its day.
        """
        tags = dict(row.tags)
        stated = (
            tags.get(MEMBERS[name], "").strip(_PADDING) for name in ("StudyDate", "StudyTime")
        )
        moments = _moments(*stated)
        return moments is not None and self.range.has(moments[0]) and self.range.has(moments[1])


@dataclass(frozen=True, slots=True, repr=False)
class OfWhole(OfText):
    """An attribute has exactly this value.

    AWS does not document how EQUAL compares, and a selector decides what is changed. So what the
    service finds is compared here, too.
    """

    @property
    def is_settled(self) -> bool:
        """A summary states one series, so only the service knows those of the image set."""
        return self.name == "SeriesInstanceUID"


@dataclass(frozen=True, slots=True, repr=False)
class OfPrimary:
    """The image set is primary, or is not. What does not state it is neither."""

    wanted: bool
    name: str = "isPrimary"

    @property
    def sent(self) -> bool:
        return self.wanted

    @property
    def is_settled(self) -> bool:
        """The model does not require `isPrimary`: without it, nothing is selected."""
        return False

    def holds(self, row: Summary) -> bool:
        return row.is_primary is self.wanted


def _next_midnight(moment: datetime) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0)
    if midnight == moment or midnight.date() == datetime.max.date():
        return midnight
    return midnight + timedelta(days=1)


def _moments(day: str, time: str) -> tuple[datetime, datetime] | None:
    """The first and the last second that a date and a time stand for; None if they are invalid."""
    date, clock = _DATE.fullmatch(day), _TIME.fullmatch(time) if time else None
    if not date or (time and not clock):
        return None
    hour, minute, second = clock.groups() if clock else (None, None, None)
    try:
        first = datetime(int(date[1]), int(date[3]), int(date[4]), tzinfo=UTC)
        last = first.replace(
            hour=int(hour or 23), minute=int(minute or 59), second=min(59, int(second or 59))
        )
        first = first.replace(
            hour=int(hour or 0), minute=int(minute or 0), second=min(59, int(second or 0))
        )
    except ValueError:
        return None
    return first, last
