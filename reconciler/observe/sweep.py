"""A full scan: searches the whole data store, and compares each row with the records.

A search answers 50 image sets a call. So it is cheaper than a GetImageSet for each, unless the data
store has many more image sets than the records: then a window of time is left unfinished as soon as
it has taken as many calls as its image sets would.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from reconciler.core.model.observed import Summary
from reconciler.core.model.search_filter import Filters, Span
from reconciler.core.ports import ImageSets
from reconciler.core.scan import Brief, is_as_recorded, study_of, windows
from reconciler.observe.scan import whole

# So many windows are searched side by side: one cursor alone does not use the quota.
_WINDOWS = 10
# With fewer recorded image sets, a GetImageSet for each is not worth a search.
FEWEST = 50
# SearchImageSets takes a time before and after all image sets: 1970, and some day that is far off.
_FIRST, _DAY = 0, 86_400


@dataclass(frozen=True)
class Swept:
    """What a search of a whole data store shows of the recorded image sets.

    `as_recorded` has each image set that it lists as it is recorded, with its `isPrimary`.
    `differing` are listed otherwise. `studies` are those of rows that differ or have no record.
    With `is_whole`, every image set of the data store was listed. `began` is the time of the
    service at the first answer in whole epoch seconds, None if it states none.
    """

    as_recorded: Mapping[str, bool | None] = field(default_factory=dict)
    differing: frozenset[str] = frozenset()
    studies: frozenset[str] = frozenset()
    is_whole: bool = False
    began: int | None = None


def sweep(port: ImageSets, briefs: Mapping[str, Brief], now: int) -> Swept:
    """Search a data store for what differs from the records. `now` is our time in epoch seconds.

    Raises ServiceError if a search fails.
    """
    created = [one.created // 1000 for one in briefs.values() if one.created is not None]
    if len(created) < FEWEST:
        return Swept()
    parts = [
        _Window(_FIRST if begin is None else begin, now + _DAY if end is None else end)
        for begin, end in windows(created, _WINDOWS)
    ]
    for part in parts:
        part.expected = sum(part.begin <= one < part.end for one in created)
    studies = {one.study for one in briefs.values()} - {""}
    with ThreadPoolExecutor(len(parts)) as pool:
        list(pool.map(partial(_search, port, briefs, studies), parts))
    moments = [one.began for one in parts if one.began is not None]
    return Swept(
        {name: primary for one in parts for name, primary in one.as_recorded.items()},
        frozenset().union(*(one.differing for one in parts)),
        frozenset().union(*(one.studies for one in parts)),
        all(one.is_whole for one in parts),
        min(moments, default=None) if len(moments) == len(parts) else None,
    )


@dataclass
class _Window:
    """A window of `createdAt`, both ends included, and what was found in it."""

    begin: int
    end: int
    expected: int = 0
    as_recorded: dict[str, bool | None] = field(default_factory=dict)
    differing: set[str] = field(default_factory=set)
    studies: set[str] = field(default_factory=set)
    is_whole: bool = False
    began: int | None = None

    def take(self, row: Summary, brief: Brief | None, studies: set[str]) -> None:
        """Compare a row with what is recorded of its image set."""
        if brief is not None and is_as_recorded(row, brief):
            self.as_recorded[row.image_set_id] = row.is_primary
            return
        self.studies |= studies.intersection(study_of(row))
        if brief is not None:
            self.differing.add(row.image_set_id)
            self.studies |= {brief.study} - {""}


def _search(
    port: ImageSets, briefs: Mapping[str, Brief], studies: set[str], window: _Window
) -> None:
    filters: Filters = (("createdAt", Span(window.begin, window.end)),)
    for number, page in enumerate(port.pages(filters), start=1):
        if number == 1:
            window.began = whole(page.date)
        for row in page.rows:
            window.take(row, briefs.get(row.image_set_id), studies)
        if number > window.expected + 1:
            return
    window.is_whole = True
