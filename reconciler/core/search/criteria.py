"""What a search asks for. Every criterion can be checked on a summary, some also by the service."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from reconciler.core.dicom.canonical import canonical, same
from reconciler.core.dicom.dictionary import by_key
from reconciler.core.dicom.search_tags import MEMBERS
from reconciler.core.model.observed import Summary
from reconciler.core.model.search_filter import Span
from reconciler.core.search.ranges import TimeRange

# Attributes by which the service filters, the most selective first (botocore: SearchFilter). A
# StudyID is often just 1, but a date has many studies.
_SELECTIVE = (
    "SeriesInstanceUID",
    "StudyInstanceUID",
    "AccessionNumber",
    "PatientID",
    "StudyID",
    "StudyDate",
    "StudyDateAndTime",
    "createdAt",
    "updatedAt",
    "isPrimary",
)
NEVER_SENT = len(_SELECTIVE)
_LONGEST = 512  # of a text in a filter (botocore: SearchByAttributeValue)
_UID = re.compile("[0-9.]+")
# VRs that DICOM matches with `*` and `?` (PS3.4 section C.2.2.2.4).
_WITH_WILDCARDS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
_WILDCARDS = re.compile(r"\*+|\?")
# PS3.5 section 6.2; the form with dots is that of ACR-NEMA.
_DATE = re.compile(r"([0-9]{4})(\.?)([0-9]{2})\2([0-9]{2})")
_LAST_SECOND = 253_402_300_799  # of the year 9999


class Criterion(Protocol):
    """One condition of a search. `sent` is its filter for the service, None if it has none."""

    @property
    def name(self) -> str:
        """The attribute or the time that it is about."""
        ...

    @property
    def sent(self) -> str | bool | Span | None:
        """The value of a filter; None if only summaries can show whether it holds."""
        ...

    @property
    def is_settled(self) -> bool:
        """Whether the service decides it alone, if the filter is sent."""
        ...

    def holds(self, row: Summary) -> bool:
        """Whether a summary meets it."""
        ...


def rank(one: Criterion) -> int:
    """The place among the filters, 0 for the most selective; NEVER_SENT without a filter."""
    return NEVER_SENT if one.sent is None else _SELECTIVE.index(one.name)


@dataclass(frozen=True, slots=True, repr=False)
class OfText:
    """An attribute has a value. "" asks for summaries that state none."""

    name: str
    text: str

    @property
    def sent(self) -> str | None:
        is_uid = self.name.endswith("UID")
        fits = _UID.fullmatch(self.text) if is_uid else self.text and not self._pattern
        return self.text if self.name in _SELECTIVE and fits and self._is_short else None

    @property
    def is_settled(self) -> bool:
        """A summary states one series, but the service finds any series of the image set."""
        return True

    def holds(self, row: Summary) -> bool:
        value = dict(row.tags).get(MEMBERS[self.name], "")
        if self._pattern:
            return bool(self._pattern.fullmatch(str(canonical(self._vr, value) or "")))
        return same(self._vr, value, self.text)

    @property
    def _is_short(self) -> bool:
        return len(self.text) <= _LONGEST

    @property
    def _vr(self) -> str:
        return by_key(self.name).vr

    @property
    def _pattern(self) -> re.Pattern[str] | None:
        if self._vr not in _WITH_WILDCARDS or not _WILDCARDS.search(self.text):
            return None
        parts = map(re.escape, _WILDCARDS.split(self.text))
        signs = [".*" if sign[0] == "*" else "." for sign in _WILDCARDS.findall(self.text)]
        return re.compile("".join(map("".join, zip(parts, [*signs, ""], strict=True))), re.DOTALL)


@dataclass(frozen=True, slots=True, repr=False)
class OfDate:
    """The date of an attribute is in a range."""

    name: str
    range: TimeRange

    @property
    def sent(self) -> Span | None:
        if self.name not in _SELECTIVE:
            return None
        lower, upper = self.range.start, self.range.end
        return Span(
            f"{lower:%Y%m%d}".zfill(8) if lower else "00010101",
            f"{upper:%Y%m%d}".zfill(8) if upper else "99991231",
        )

    @property
    def is_settled(self) -> bool:
        """AWS does not document whether BETWEEN includes its bounds."""
        return False

    def holds(self, row: Summary) -> bool:
        written = _DATE.fullmatch(dict(row.tags).get(MEMBERS[self.name], "").strip(" \0"))
        if not written:
            return False
        try:
            day = datetime(int(written[1]), int(written[3]), int(written[4]), tzinfo=UTC)
        except ValueError:
            return False
        return self.range.has(day)


@dataclass(frozen=True, slots=True, repr=False)
class OfTime:
    """A time of the service is in a range: `createdAt` or `updatedAt`."""

    name: str
    range: TimeRange

    @property
    def sent(self) -> Span:
        """The bounds in whole seconds, and a second wider: a request has no fractions."""
        lower, upper = self.range.start, self.range.end
        return Span(
            max(0, round(lower.timestamp()) - 1) if lower else 0,
            min(round(upper.timestamp()) + 1, _LAST_SECOND) if upper else _LAST_SECOND,
        )

    @property
    def is_settled(self) -> bool:
        """AWS does not document whether BETWEEN includes its bounds."""
        return False

    def holds(self, row: Summary) -> bool:
        at = _TIMES[self.name](row)
        return at is not None and self.range.has(datetime.fromtimestamp(at, UTC))


_TIMES: dict[str, Callable[[Summary], float | None]] = {
    "createdAt": lambda row: row.created_at,
    "updatedAt": lambda row: row.updated_at,
}
