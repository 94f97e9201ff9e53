"""A manifest as written in its file: nodes with places, scalars as verbatim text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TypeAlias

from reconciler.core.errors import Place, Replacement

# The most lists and mappings of a manifest that are inside each other.
MAX_DEPTH = 64
# The most keys and values of a file: some 5,000 manifests. Each takes 0.4 kB while it is checked.
MAX_NODES = 300_000
# The most characters of one text. An update takes about 10,000 bytes.
MAX_TEXT = 2**20
# What no text of a manifest may hold.
NO_TEXT = re.compile("[\x00\ud800-\udfff]")
# Embeddings, overrides and isolates (Unicode Standard Annex #9, section 2): they change the order
# in which the text around them is shown (https://trojansource.codes).
TURNS_TEXT = re.compile("[\u202a-\u202e\u2066-\u2069]")

# Words that need no quotes wherever they stand, and words that are no text.
_WORD = "[A-Za-z0-9](?:[A-Za-z0-9_.@/:^-]*[A-Za-z0-9_@/^-])?"
_PLAIN = re.compile(f"{_WORD}(?: {_WORD})*")
_NO_TEXT_WORDS = frozenset({"null", "true", "false"})
_NAME = re.compile(r"[^:=^\\]{0,64}")


def shown(key: str) -> str:
    """Return a key for a message, cut at 64 characters and where a value seems to begin.

    In `{PatientName:Doe^Peter}` the space after the colon is missing, so the key contains a value.
    """
    found = _NAME.match(key)
    start = found[0] if found else ""
    return f"'{start}'" if start == key else f"'{start}…'"


def written(text: str, plain: bool = True) -> str:
    """Return text as YAML on one line, in quotes if it needs them or is not `plain`."""
    # A JSON string is a double-quoted scalar (YAML 1.2, section 7.3.1).
    is_plain = plain and _PLAIN.fullmatch(text) and text.casefold() not in _NO_TEXT_WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)


@dataclass(frozen=True, slots=True, repr=False)
class Scalar:
    """Text exactly as written. `plain` means unquoted: only then is `null` or `~` a null.

    `length` counts the characters that it takes in its line, with quotes; 0 if it stands on several
    lines or in no file.
    """

    text: str
    place: Place
    plain: bool
    length: int = field(default=0, compare=False)

    @property
    def is_null(self) -> bool:
        """Whether YAML 1.2 reads this as null: a plain empty scalar, `~` or `null`."""
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")

    @property
    def is_verbatim(self) -> bool:
        """Whether it stands letter for letter in its file: on one line, without escapes."""
        # An escape is longer than what it stands for.
        return self.length == len(self.text) + (0 if self.plain else 2)

    def replaced_by(self, text: str, *, holds_value: bool = False) -> Replacement | None:
        """Return the replacement of this text by another, quoted as this or where it must be."""
        return self.rewritten(written(text, self.plain), holds_value=holds_value)

    def rewritten(self, yaml: str, *, holds_value: bool = False) -> Replacement | None:
        """Return the replacement of this text by YAML; None if it does not stand in one line."""
        return Replacement(self.place, self.length, yaml, holds_value) if self.length else None

    def __repr__(self) -> str:
        return f"Scalar(***, {self.place})"


@dataclass(frozen=True, slots=True)
class ListNode:
    """A YAML sequence."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class MappingNode:
    """A YAML mapping in file order; keys are unique scalars."""

    entries: tuple[tuple[Scalar, Node], ...]
    place: Place
    _by_key: dict[str, tuple[Scalar, Node]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def get(self, key: str) -> Node | None:
        """Return the node of a key, or None."""
        for name, node in self.entries:
            if name.text == key:
                return node
        return None

    def entry(self, key: str) -> tuple[Scalar, Node]:
        """Return an existing key and its node. Indexed: every key may have a problem."""
        if not self._by_key:
            self._by_key.update((name.text, (name, node)) for name, node in reversed(self.entries))
        return self._by_key[key]


Node: TypeAlias = Scalar | ListNode | MappingNode
