"""Searches for what has changed in a data store since a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reconciler.core.model.observed import Summary
from reconciler.core.model.search_filter import Filters, Span
from reconciler.core.ports import ImageSets

# AWS may leave `updatedAt` unset on a first version (decision 0002, U24), and takes one filter in a
# search (U26).
_TIMES = ("updatedAt", "createdAt")


@dataclass(frozen=True, slots=True)
class Listed:
    """What searches listed, and the service's time at the first answer, in whole epoch seconds.

    `began` is None if an answer states no time.
    """

    rows: tuple[Summary, ...]
    began: int | None


def listed_since(port: ImageSets, since: int, until: int) -> Listed:
    """Return the image sets that were created or changed between two times, both included."""
    rows: dict[str, Summary] = {}
    began: int | None = None
    is_first = True
    for name in _TIMES:
        filters: Filters = ((name, Span(since, until)),)
        for page in port.pages(filters):
            if is_first:
                began, is_first = whole(page.date), False
            rows.update((row.image_set_id, row) for row in page.rows)
    return Listed(tuple(rows.values()), began)


def time_of(port: ImageSets) -> int | None:
    """Return the service's time, in whole epoch seconds; None if it states none. One search."""
    return whole(next(iter(port.pages())).date)


def whole(moment: float | None) -> int | None:
    """A time without its fraction, None if there is none."""
    return None if moment is None else math.floor(moment)
