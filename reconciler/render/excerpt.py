"""Render the line of a problem with a caret under its column, and the corrected line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from unicodedata import bidirectional

from reconciler.core.errors import Diagnostic
from reconciler.core.escape import FSI, PDI
from reconciler.core.lookalikes import reveal
from reconciler.core.source import Sources
from reconciler.render.values import RIGHT_TO_LEFT, isolated, width

# Text follows the gutter at once, so that no line of a file begins a line of output.
_GUTTER = "        | "
_TRY = "    try:  "
_NO_ISOLATES = str.maketrans("", "", FSI + PDI)
_TAB = "    "
_CUT = "…"
_LEAST = 20
# A character takes a seventh of a cell or more: at most six marks stand on a letter (`reveal`).
_PER_CELL = 8


def excerpt(problem: Diagnostic, sources: Sources, columns: int) -> Iterator[str]:
    """Yield the line of a problem, a caret and the corrected line; nothing where none is known.

    A line that is wider than the columns is cut on both sides of the caret.
    """
    place, right = problem.place, problem.replacement
    line = sources.line(place.file, place.line)
    if line is not None and line.strip():
        before, after = _shown_at(line, place.column, columns)
        yield f"{_GUTTER}{before}{after}"
        yield f"{_GUTTER}{' ' * width(before.translate(_NO_ISOLATES))}^"
    line = sources.line(right.place.file, right.place.line) if right else None
    if right and line is not None:
        yield f"{_TRY}{''.join(_shown_at(right.applied(line), right.place.column, columns))}"


def _shown_at(line: str, column: int, columns: int) -> tuple[str, str]:
    """What is shown of a line before and from a column on, without its indentation."""
    at = min(column - 1, len(line))
    indent = min(len(line) - len(line.lstrip(" ")), at)
    before, after = _around(line[indent:], at - indent, columns)
    return _isolated(before), _isolated(after)


def _around(line: str, at: int, columns: int) -> tuple[str, str]:
    """What is shown before and after a position."""
    room = max(_LEAST, columns - len(_GUTTER))
    most = _PER_CELL * room
    before, after = _shown(line[max(0, at - most) : at]), _shown(line[at : at + most])
    if width(before) + width(after) <= room:
        return before, after
    tail = _tail(before, max(room // 2, room - width(after)))
    return tail, _head(after, room - width(tail))


def _shown(text: str) -> str:
    return reveal(text.replace("\t", _TAB))


def _head(text: str, room: int) -> str:
    return text if width(text) <= room else f"{_fitting(text, room - 1)}{_CUT}"


def _tail(text: str, room: int) -> str:
    return text if width(text) <= room else f"{_CUT}{_fitting(text[::-1], room - 1)[::-1]}"


def _fitting(text: str, room: int) -> str:
    """The most characters from the start of a text that fit the room."""
    used = 0
    for count, character in enumerate(text):
        used += width(character)
        if used > room:
            return text[:count]
    return text


def _isolated(text: str) -> str:
    """The text with each run of right-to-left letters between isolates.

    A terminal that orders Hebrew and Arabic text then moves nothing across the caret.
    """
    if text.isascii():
        return text
    runs = groupby(text, key=lambda one: bidirectional(one) == "L")
    return "".join(_isolated_run("".join(run)) for _, run in runs)


def _isolated_run(run: str) -> str:
    """Isolate a run between its first and its last right-to-left letter."""
    letters = [at for at, one in enumerate(run) if bidirectional(one) in RIGHT_TO_LEFT]
    if not letters:
        return run
    start, end = letters[0], letters[-1] + 1
    return f"{run[:start]}{isolated(run[start:end])}{run[end:]}"
