"""The texts of files as they were parsed: a problem is shown with its line."""

from __future__ import annotations

import re
from collections.abc import Mapping

# The line breaks by which YAML counts lines. It knows three more, which no manifest may hold.
_BREAK = re.compile("\r\n?|\n")
# The most characters of texts to keep: those of some 50,000 manifests. They take 1 to 4 bytes each.
MAX_KEPT = 2**25


def lines_of(text: str) -> list[str]:
    """Split a text into lines, as YAML counts them."""
    return _BREAK.split(text)


class Sources:
    """Texts of files, by the names that places use.

    They may contain DICOM values: `repr` omits them, and no message contains them.
    """

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        self._texts = dict(texts or {})
        self._left = MAX_KEPT - sum(map(len, self._texts.values()))
        self._lines: dict[str, list[str]] = {}

    def add(self, other: Sources) -> None:
        """Add the texts of other files, up to MAX_KEPT characters in all."""
        for name, text in other._texts.items():
            if len(text) <= self._left:
                self._texts[name] = text
                self._left -= len(text)

    def line(self, file: str, number: int) -> str | None:
        """Return a line, counted from 1; None if there is none, or the file is not kept."""
        if file in self._texts and file not in self._lines:
            self._lines[file] = lines_of(self._texts[file])
        lines = self._lines.get(file, [])
        return lines[number - 1] if 0 < number <= len(lines) else None

    def __repr__(self) -> str:
        return f"Sources({', '.join(self._texts)})"
