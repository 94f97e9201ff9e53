"""Render the image sets that a search found, within the width of the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from reconciler.core.dicom.search_tags import MEMBERS
from reconciler.core.lookalikes import reveal
from reconciler.core.review.search import ShownImageSet
from reconciler.render.style import Look, Style
from reconciler.render.values import cut, isolated, pad, width, wrapped

# The columns where none are chosen. Of the others, the first gives way first if they do not fit.
USUAL = (
    "datastore",
    "imageSetId",
    "versionId",
    "isPrimary",
    "PatientID",
    "PatientName",
    "StudyDate",
    "StudyDescription",
    "Modality",
    "SeriesNumber",
)
_DISPENSABLE = (
    "SeriesNumber",
    "versionId",
    "isPrimary",
    "StudyDescription",
    "StudyDate",
    "PatientName",
    "Modality",
    "PatientID",
)
_GAP = 2
# The columns that a value gets at least, and at most, if it has that many.
_NARROWEST, _WIDEST = 10, 28
_PRIMARY = {True: "yes", False: "no", None: "unknown"}


def usual_lines(
    found: Sequence[ShownImageSet], look: Look, *, names_datastore: bool
) -> Iterator[str]:
    """One line for each image set: as many of the usual columns as fit. Long values are cut."""
    columns = {
        name: [_cell(row, name) for row in found]
        for name in USUAL
        if name != "datastore" or names_datastore
    }
    filled = {name: cells for name, cells in columns.items() if any(cells)}
    widths = _widths({name: _bounds(name, found, cells) for name, cells in filled.items()}, look)
    lines = {
        name: [isolated(cut(cell, room)) for cell in filled[name]] for name, room in widths.items()
    }
    return _table(lines, widths, look)


def chosen_lines(found: Sequence[ShownImageSet], look: Look, names: Sequence[str]) -> Iterator[str]:
    """The chosen fields of each image set, never cut: as a table, or as blocks if it is too wide.

    A single field is for programs: its values stand alone, as they are.
    """
    if len(names) == 1:
        return (_plain(row, names[0]) for row in found)
    columns = {name: [isolated(_cell(row, name)) for row in found] for name in names}
    widths = {name: max(map(width, (name, *cells))) for name, cells in columns.items()}
    if _total(widths.values()) <= look.width:
        return _table(columns, widths, look)
    return _blocks(columns, look)


def _table(
    columns: Mapping[str, Sequence[str]], widths: Mapping[str, int], look: Look
) -> Iterator[str]:
    gap = " " * _GAP
    if head := gap.join(pad(name, widths[name]) for name in columns).rstrip():
        yield look.paint(head, Style.STRONG)
    for cells in zip(*columns.values(), strict=True):
        yield gap.join(map(pad, cells, widths.values())).rstrip()


def _blocks(columns: Mapping[str, Sequence[str]], look: Look) -> Iterator[str]:
    room = max(map(len, columns)) + _GAP
    for number, cells in enumerate(zip(*columns.values(), strict=True)):
        if number:
            yield ""
        for name, cell in zip(columns, cells, strict=True):
            if room + width(cell) <= look.width:
                yield f"{pad(name, room)}{cell}".rstrip()
                continue
            yield name
            yield from (f"    {line}" for line in wrapped(cell, look.width - 4))


def _bounds(name: str, found: Iterable[ShownImageSet], cells: Iterable[str]) -> tuple[int, int]:
    """The columns that the values of a field need at least, and those that they can use."""
    longest = max(map(width, cells))
    if name not in MEMBERS:
        return (max(len(name), longest),) * 2  # never cut: IDs, versions, words
    masks = [width(_cell(row, name)) for row in found if MEMBERS[name] in row.masked]
    least = max(len(name), min(longest, _NARROWEST), *masks, 0)
    return least, max(least, min(longest, _WIDEST))


def _widths(bounds: Mapping[str, tuple[int, int]], look: Look) -> dict[str, int]:
    """The width of every column that fits; the first columns get what room is left."""
    widths = {name: least for name, (least, _) in bounds.items()}
    for name in _DISPENSABLE:
        if _total(widths.values()) > look.width:
            widths.pop(name, None)
    for name in widths:
        spare = max(0, look.width - _total(widths.values()))
        widths[name] = min(bounds[name][1], widths[name] + spare)
    return widths


def _total(widths: Iterable[int]) -> int:
    found = tuple(widths)
    return sum(found) + _GAP * max(0, len(found) - 1)


def _cell(row: ShownImageSet, name: str) -> str:
    return reveal(_plain(row, name))


def _plain(row: ShownImageSet, name: str) -> str:
    """The value of a field as text. Not escaped."""
    if name in MEMBERS:
        value = row.tags.get(MEMBERS[name])
        return value.plain if value else ""
    properties = {
        "datastore": row.datastore,
        "imageSetId": row.image_set_id,
        "versionId": row.version_id,
        "isPrimary": _PRIMARY[row.is_primary],
        "createdAt": _time(row.created_at),
        "updatedAt": _time(row.updated_at),
        "lastAccessedAt": _time(row.last_accessed_at),
        "storageTier": row.storage_tier,
    }
    return properties[name]


def _time(seconds: float | None) -> str:
    """`2026-01-31T14:05:06Z`: a form that `--created` and `--updated` take."""
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
