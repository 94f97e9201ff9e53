"""Escapes text so that it cannot control the terminal. It imports nothing, for a quick start."""

from __future__ import annotations


def escape(text: str) -> str:
    """Replace every unprintable character by an escape that YAML and JSON can read.

    A live value must not control the terminal of its reviewer. Control characters move the cursor,
    bidirectional characters reverse text, and unusual spaces make two values look equal.
    """
    if text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
