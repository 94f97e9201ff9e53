"""Fit text to the columns of a terminal: measure, pad and cut it."""

from __future__ import annotations

import textwrap
import unicodedata
from collections import Counter

from rich.cells import cell_len

from reconciler.core.escape import FSI, PDI, escape

_CUT = "…"
RIGHT_TO_LEFT = frozenset(("R", "AL", "AN"))


def isolated(text: str) -> str:
    """The text, between isolates if it has characters of a right-to-left script.

    Without isolates, a terminal that orders Hebrew and Arabic text shows `"before" → "after"` as
    one run from right to left, so that the two values change places.
    """
    if text.isascii() or RIGHT_TO_LEFT.isdisjoint(map(unicodedata.bidirectional, text)):
        return text
    return f"{FSI}{text}{PDI}"


def width(text: str) -> int:
    """Columns the text takes on a terminal: Hanzi and Hangul take two."""
    return len(text) if text.isascii() else cell_len(text.strip(FSI + PDI))


def pad(text: str, columns: int) -> str:
    """The text, filled with blanks up to a number of columns."""
    return text + " " * max(0, columns - width(text))


def cut(text: str, room: int) -> str:
    """The text, without its middle if it is wider than the room."""
    if width(text) <= room:
        return text
    keep = max(4, _characters(text, room) - 1)
    return f"{text[: keep - keep // 3]}{_CUT}{text[len(text) - keep // 3 :]}"


def cut_pair(before: str, after: str, room: int) -> tuple[str, str]:
    """Cut two texts so that their first difference stays visible in both."""
    if width(before) <= room and width(after) <= room:
        return before, after
    same = _common_prefix(before, after)
    start = max(0, same - room // 3)
    if start < 2:
        return _head(before, room), _head(after, room)
    return _CUT + _head(before[start:], room - 1), _CUT + _head(after[start:], room - 1)


def _head(text: str, room: int) -> str:
    if width(text) <= room:
        return text
    return text[: max(1, _characters(text, room) - 1)] + _CUT


def _characters(text: str, room: int) -> int:
    """How many characters of the text fit the room."""
    if text.isascii():
        return room
    count = used = 0
    for character in text:
        used += cell_len(character)
        if used > room:
            break
        count += 1
    return count


def _common_prefix(first: str, second: str) -> int:
    for index, (left, right) in enumerate(zip(first, second, strict=False)):
        if left != right:
            return index
    return min(len(first), len(second))


def short_uid(uid: str) -> str:
    """Shorten a UID to its end, which distinguishes it from its neighbours."""
    return uid if len(uid) <= 20 else f"{_CUT}{uid[-14:]}"


def wrapped(text: str, room: int) -> list[str]:
    """The text wrapped at words to at least 40 columns; IDs, UIDs and places are never broken."""
    return textwrap.wrap(
        text,
        max(40, room),
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )


def short_path(path: str) -> str:
    """A path with its UIDs shortened, escaped for the terminal."""
    return "/".join(short_uid(escape(part)) for part in path.split("/"))


def short_uids(uids: set[str]) -> dict[str, str]:
    """Short forms that differ from each other. UIDs with equal short forms are left whole."""
    forms = {uid: short_uid(uid) for uid in uids}
    seen = Counter(forms.values())
    return {uid: uid if seen[form] > 1 else form for uid, form in forms.items()}
