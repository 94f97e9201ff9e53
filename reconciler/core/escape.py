"""Text that cannot draw on the terminal. Imported by every command, so it imports nothing."""

from __future__ import annotations


def escape(text: str) -> str:
    """The text with everything unprintable as an escape that YAML and JSON read back.

    A live value must not be able to draw on the terminal of who reviews it: control characters
    move the cursor, bidirectional ones turn the text around, odd spaces make two values look alike.
    """
    if text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
