"""Finds a page of image sets in the search index, in a time that does not grow with the data store.

SQLite has no statistics here, so each query states the one index that it uses: a unary `+` before a
column keeps it from using another (https://www.sqlite.org/optoverview.html, section 4).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

# A condition in SQL, and the values that are bound in it.
Condition: TypeAlias = tuple[str, Sequence[Any]]
# A time range with fewer rows is read as a whole and sorted. A wider one is read in the order of
# the sort until a page is full.
_FEW = 2_000
# In the order in which they are preferred: from those that few image sets share.
_TEXTS = ("study_uid", "accession_number", "study_id", "patient_id")
_SERIES = (
    "(s.image_set_id, s.version) IN (SELECT e.image_set_id, e.version FROM search_series e "
    "WHERE e.datastore_id = ? AND e.series_uid = ?)"
)


@dataclass(frozen=True, slots=True)
class Range:
    """A column of times or of sortable texts between two values, which are included."""

    column: str
    lower: Any
    upper: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a page must hold.

    `equal` has columns and their values. `is_changed` leaves out first versions. `after` is the
    sort value and the ID of the last image set of the page before.
    """

    datastore_id: str
    now: float
    sort: str
    is_descending: bool
    limit: int
    equal: tuple[tuple[str, Any], ...] = ()
    series: tuple[str, ...] = ()
    ranges: tuple[Range, ...] = ()
    is_changed: bool = False
    after: tuple[Any, str] | None = field(default=None, repr=False)


def page(connection: sqlite3.Connection, wanted: Wanted) -> list[sqlite3.Row]:
    """The rows of a page, each with its `sort_value` and `accessed_at`."""
    driver = _driver(connection, wanted)
    conditions = [*_conditions(wanted, driver)]
    order = "DESC" if wanted.is_descending else "ASC"
    where = " AND ".join(text for text, _ in conditions)
    # Every part of this text is a constant of this module, or a column that its caller names.
    statement = (
        f"SELECT s.*, s.{wanted.sort} AS sort_value, i.accessed_at FROM search_index s "  # noqa: S608
        "JOIN image_sets i ON i.datastore_id = s.datastore_id AND i.id = s.image_set_id "
        f"WHERE {where} "
        f"ORDER BY {_column(wanted.sort, driver)} {order}, s.image_set_id {order} LIMIT ?"
    )
    values = [value for _, bound in conditions for value in bound]
    return connection.execute(statement, [*values, wanted.limit]).fetchall()


def _driver(connection: sqlite3.Connection, wanted: Wanted) -> str:
    """The column whose index the query uses; "" for the series."""
    if wanted.series:
        return ""
    texts = {column for column, _ in wanted.equal}
    first = next((column for column in _TEXTS if column in texts), None)
    if first is not None:
        return first
    others = (one for one in wanted.ranges if one.column != wanted.sort)
    narrow = (one.column for one in others if _is_narrow(connection, wanted, one))
    return next(narrow, wanted.sort)


def _is_narrow(connection: sqlite3.Connection, wanted: Wanted, one: Range) -> bool:
    rows = connection.execute(
        "SELECT COUNT(*) FROM (SELECT 1 FROM search_index WHERE datastore_id = ? "  # noqa: S608
        f"AND {one.column} BETWEEN ? AND ? LIMIT {_FEW})",
        (wanted.datastore_id, one.lower, one.upper),
    )
    return int(rows.fetchone()[0]) < _FEW


def _column(name: str, driver: str) -> str:
    return f"s.{name}" if name == driver else f"+s.{name}"


def _conditions(wanted: Wanted, driver: str) -> Iterator[Condition]:
    yield "s.datastore_id = ?", [wanted.datastore_id]
    for column, value in wanted.equal:
        yield f"{_column(column, driver)} = ?", [value]
    for uid in wanted.series:
        yield _SERIES, [wanted.datastore_id, uid]
    for one in wanted.ranges:
        yield from _within(one, wanted, driver)
    if wanted.after is not None:
        sort, comparison = _column(wanted.sort, driver), "<" if wanted.is_descending else ">"
        yield f"({sort}, s.image_set_id) {comparison} (?, ?)", wanted.after
    if wanted.is_changed:
        yield "s.version > 1", []
    yield "s.visible_from <= ?", [wanted.now]
    yield "(s.visible_until IS NULL OR s.visible_until > ?)", [wanted.now]


def _within(one: Range, wanted: Wanted, driver: str) -> Iterator[Condition]:
    """Both bounds of a range. The page before replaces one of them: SQLite would start there."""
    column = _column(one.column, driver)
    is_begun = wanted.after is not None and one.column == wanted.sort
    if not is_begun or wanted.is_descending:
        yield f"{column} >= ?", [one.lower]
    if not is_begun or not wanted.is_descending:
        yield f"{column} <= ?", [one.upper]
