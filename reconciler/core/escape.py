"""Escapes text so that it can neither control a terminal nor command a runner of workflows.

Standard output, standard error, reports and step summaries go through `line` or `json_text`. It
imports only `re`, for a quick start.
"""

from __future__ import annotations

import re

# GitHub Actions takes a line that begins with `::` after blanks, and `##[` anywhere in a line, for
# a workflow command (docs.github.com: Workflow commands for GitHub Actions;
# github.com/actions/runner: ActionCommand.cs). `##vso[` is a logging command of Azure Pipelines.
_MARKED = re.compile(r"##(?=\w*\[)")
_COLONS = re.compile(r"\A(?P<start>(?: |\x1b\[[0-9;]*m)*):(?=:)")


def escape(text: str) -> str:
    """Replace every unprintable character by an escape that YAML and JSON can read.

    A live value must not control the terminal of its reviewer. Control characters move the cursor,
    bidirectional characters reverse text, and unusual spaces make two values look equal.
    """
    if text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def line(text: str, kept: re.Pattern[str] | None = None) -> str:
    """Return a text as one line of output. Of its control sequences, only those in `kept` stay."""
    clean = _unmarked(_around(kept, text) if kept else escape(text))
    return _COLONS.sub(r"\g<start>\\u003a", clean) if "::" in clean else clean


def json_text(text: str) -> str:
    """Return the text of a JSON document with equal content, of printable characters and line ends.

    All characters that are replaced are inside of strings, because JSON allows no others elsewhere.
    """
    return "\n".join(map(_json_line, text.split("\n")))


def _json_line(text: str) -> str:
    clean = text if text.isprintable() else "".join(map(_escaped_in_json, text))
    return _unmarked(clean)


def _unmarked(text: str) -> str:
    return _MARKED.sub(r"\\u0023#", text) if "##" in text else text


def _around(kept: re.Pattern[str], text: str) -> str:
    """Escape a text except for the control sequences in `kept`."""
    parts, end = [], 0
    for found in kept.finditer(text):
        parts += [escape(text[end : found.start()]), found[0]]
        end = found.end()
    return "".join([*parts, escape(text[end:])])


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _escaped_in_json(character: str) -> str:
    """JSON writes characters above U+FFFF as the two halves of UTF-16 (RFC 8259, section 7)."""
    code = ord(character)
    if character.isprintable() or code <= 0xFFFF:
        return _escaped(character)
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
