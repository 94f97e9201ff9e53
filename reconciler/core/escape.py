"""Escapes text so that it can neither control a terminal nor command a runner of workflows.

Standard output, standard error, reports and step summaries go through `line` or `json_text`. It
imports little, for a quick start.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# GitHub Actions takes a line that begins with `::` after blanks, and `##[` anywhere in a line, for
# a workflow command (docs.github.com: Workflow commands for GitHub Actions;
# github.com/actions/runner: ActionCommand.cs). `##vso[` is a logging command of Azure Pipelines.
_MARKED = re.compile(r"##(?=\w*\[)")
_COLONS = re.compile(r"\A(?P<start>(?: |\x1b\[[0-9;]*m)*):(?=:)")


# Characters that Python takes for printable, but that a terminal shows as a blank or not at all:
# the printable part of the property Default_Ignorable_Code_Point (Unicode, section 5.21), then the
# blank Braille pattern, the null notehead, and a filler.
_UNSEEN = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
    + "\u2800\U0001d159\U00016fe4"
)
# First strong isolate and its end (Unicode Standard Annex #9), for right-to-left text.
FSI, PDI = "\u2068", "\u2069"
_ISOLATE = re.compile(f"([{FSI}{PDI}])")


def escape(text: str) -> str:
    """Replace every character that cannot be seen by an escape that YAML and JSON can read.

    A live value must not control the terminal of its reviewer. Control characters move the cursor,
    bidirectional characters reverse text, and invisible characters and unusual spaces make two
    values look equal.
    """
    if text.isprintable() and (text.isascii() or _UNSEEN.isdisjoint(text)):
        return text
    return _replaced(text, escaped)


def _replaced(text: str, escape_of: Callable[[str], str]) -> str:
    """Replace what cannot be seen. A long text has few different characters."""
    hidden = [character for character in set(text) if not is_visible(character)]
    if not hidden:
        return text
    return text.translate({ord(character): escape_of(character) for character in hidden})


def is_visible(character: str) -> bool:
    """Whether a character shows on a terminal, or is the ordinary space."""
    return character.isprintable() and character not in _UNSEEN


def line(text: str, kept: re.Pattern[str] | None = None) -> str:
    """Return a text as one line of output.

    Of its control sequences, only those in `kept` stay. So do isolates, whose effect ends with the
    line: those of a value are escaped where it is shown.
    """
    parts = _ISOLATE.split(text) if not text.isascii() else [text]
    parts[::2] = [_around(kept, part) if kept else escape(part) for part in parts[::2]]
    clean = _unmarked("".join(parts))
    return _COLONS.sub(r"\g<start>\\u003a", clean) if "::" in clean else clean


def json_text(text: str) -> str:
    """Return the text of a JSON document with equal content, of visible characters and line ends.

    All characters that are replaced are inside of strings, because JSON allows no others elsewhere.
    `line` leaves each of its lines as it is: it would not write escapes of JSON.
    """
    return "\n".join(map(_json_line, text.split("\n")))


def _json_line(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        text = _replaced(text, _escaped_in_json)
    return _unmarked(text)


def _unmarked(text: str) -> str:
    return _MARKED.sub(r"\\u0023#", text) if "##" in text else text


def _around(kept: re.Pattern[str], text: str) -> str:
    """Escape a text except for the control sequences in `kept`."""
    parts, end = [], 0
    for found in kept.finditer(text):
        parts += [escape(text[end : found.start()]), found[0]]
        end = found.end()
    return "".join([*parts, escape(text[end:])])


def escaped(character: str) -> str:
    """Return the escape of one character."""
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _escaped_in_json(character: str) -> str:
    """JSON writes characters above U+FFFF as the two halves of UTF-16 (RFC 8259, section 7)."""
    code = ord(character)
    if code <= 0xFFFF:
        return escaped(character)
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
