"""The outline of an ordinary manifest: its lines without the texts that differ between manifests.

Left out are the ID of the image set, the reason, the values of attributes and the UIDs of series
and instances, where each is one text on the line of its key. Comments are no part of an outline.
Two ordinary manifests with the same outline are read as the same keys in the same places.
"""

from __future__ import annotations

from reconciler.core.dicom.dictionary import is_key
from reconciler.core.model.address import is_uid
from reconciler.core.model.form import ID, LEFT_OUT, REASON, UID, Outline
from reconciler.core.model.memo import Memo
from reconciler.edges.manifests.ordinary import BEGINS, LINE, is_plain_text

# A file with more is hardly one of many alike.
_MOST_BYTES = 100_000
# The most lines to know. They are those of all files, and those of a thousand files of their own.
_MOST_LINES = 10_000
_KEYS = frozenset({ID, REASON})


class _UnusualError(Exception):
    """A line that only the parser reads."""


class Outlines:
    """Makes outlines. Most lines of a manifest are those of others, too: it knows them."""

    def __init__(self) -> None:
        self._lines = Memo(_part, _MOST_LINES)

    def of(self, content: bytes) -> Outline | None:
        """Return the outline of a manifest; None if it is not ordinary."""
        if len(content) > _MOST_BYTES:
            return None
        try:
            text = content.decode()
            if not is_plain_text(text):
                return None
            lines = self._lines
            parts = [lines[line] for line in text.split("\n")]
        except (UnicodeDecodeError, _UnusualError):
            return None
        return Outline(
            tuple([part for part, _ in parts]), tuple([one for _, one in parts if one is not None])
        )


def _part(line: str) -> tuple[str, str | None]:
    """The part of a line in an outline, and the text that it leaves out. See `Outline`."""
    found = LINE.fullmatch(line)
    if line == BEGINS or (found and found["dash"]):
        return line, None
    if found is None:
        raise _UnusualError
    key, value = found["key"], found["value"]
    if key is None:
        return "", None  # a comment, or nothing
    if line.rstrip(" ") != line[: found.end("value" if value else "key") + (not value)]:
        return line, None  # a comment follows
    name = key.strip('"')
    if value is None:
        is_left_out = key[0] == '"' and is_uid(name)
        return (f"{LEFT_OUT}{found['indent']}{UID}", name) if is_left_out else (line, None)
    if value[0] == "[" or not (name in _KEYS or is_key(name)):
        return line, None
    quote = value[0] if value[0] in "\"'" else ""
    head = f"{LEFT_OUT}{line[: found.start('value')]}{quote}"
    return head, value[1:-1] if quote else value
