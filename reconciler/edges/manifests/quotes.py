"""Finds the quotes or the blank without which a line is not valid YAML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from reconciler.core.errors import Place, Replacement
from reconciler.core.model.node import written
from reconciler.core.source import lines_of

_LONGEST = 1_000
_HEAD = r"\ *(?:-\ +)*"
# `key: value # comment`
_VALUE = re.compile(
    rf"""{_HEAD}(?:[\w-]+|"[^"]*"|'[^']*'):\ +(?P<found>[^\s#].*?)(?:\s+\#.*|\s*)""", re.VERBOSE
)
_QUOTED_OR_MORE = tuple("\"'[{|>&!")
_NEEDS_QUOTES = re.compile(r"[@`%*]|.*:(?:\s|$)")
_ESCAPES = re.compile(r"[^\"]*(?P<found>\"(?P<text>[^\"]*\\[^\"]*)\")[^\"]*")
_NO_BLANK = re.compile(
    rf"""{_HEAD}(?P<found>(?P<key>\w+|"\w+"):(?P<value>[^\s:/"'\[{{].*?))(?:\s+\#.*|\s*)""",
    re.VERBOSE,
)
_STAR = re.compile(r".*?(?<=[{\s,])(?P<found>\*)\s*:(?:\s.*|)")


def repaired(text: str, place: Place, is_valid: Callable[[str, int], bool]) -> Replacement | None:
    """Return a replacement after which a text is valid YAML up to the line of an error, or None.

    `is_valid` says whether a text is valid YAML up to the end of a line.
    """
    lines = lines_of(text)
    for found in _repairs(lines, place):
        at = found.place.line - 1
        changed = [*lines[:at], found.applied(lines[at]), *lines[at + 1 :]]
        if is_valid("\n".join(changed), place.line):
            return found
    return None


def _repairs(lines: list[str], place: Place) -> Iterator[Replacement]:
    """Yield what may repair a line. The parser decides whether it does."""
    line = _line(lines, place.line)
    if found := _STAR.fullmatch(line):
        yield _instead(found, place, '"*"')
    if (found := _VALUE.fullmatch(line)) and _lacks_quotes(found["found"]):
        yield _instead(found, place, written(found["found"], plain=False))
    if found := _ESCAPES.fullmatch(line):
        doubled = found["text"].replace("'", "''")
        yield _instead(found, place, f"'{doubled}'")
    # YAML notices the next line: until then, `PatientName:Doe` may be a value.
    above = Place(place.file, place.line - 1)
    if found := _NO_BLANK.fullmatch(_line(lines, above.line)):
        yield _instead(found, above, f"{found['key']}: {written(found['value'])}")


def _line(lines: list[str], number: int) -> str:
    """A line, if it is short enough to search: hostile text takes its length squared."""
    line = lines[number - 1] if 0 < number <= len(lines) else ""
    return line if len(line) <= _LONGEST else ""


def _lacks_quotes(value: str) -> bool:
    """Whether a value begins with a sign of YAML, or has a colon and a space: `CT: chest`."""
    return not value.startswith(_QUOTED_OR_MORE) and bool(_NEEDS_QUOTES.match(value))


def _instead(found: re.Match[str], place: Place, text: str) -> Replacement:
    """The replacement of the group `found` of a line."""
    start, end = found.span("found")
    at = Place(place.file, place.line, start + 1)
    return Replacement(at, end - start, text, holds_value=True)
