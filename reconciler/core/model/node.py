"""A manifest as it stands in the file: nodes with their place, scalars as verbatim text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from reconciler.core.errors import Place

_NAME = re.compile(r"[^:=^\\]{0,64}")


def shown(key: str) -> str:
    """A key as a message may show it: cut where it is long, and where a value seems to begin.

    In `{PatientName:Doe^Peter}` the blank after the colon is missing: the key holds the value.
    """
    found = _NAME.match(key)
    start = found[0] if found else ""
    return f"'{start}'" if start == key else f"'{start}…'"


@dataclass(frozen=True, slots=True, repr=False)
class Scalar:
    """Text exactly as written. `plain` means unquoted, so `null` and `~` can be told from text."""

    text: str
    place: Place
    plain: bool

    @property
    def is_null(self) -> bool:
        """Whether YAML 1.2 reads this as null: a plain empty scalar, `~` or `null`."""
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")

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
        """The node under a key, or None."""
        for name, node in self.entries:
            if name.text == key:
                return node
        return None

    def entry(self, key: str) -> tuple[Scalar, Node]:
        """A key that stands here, and its node. Problems ask, and there may be one of each key."""
        if not self._by_key:
            self._by_key.update((name.text, (name, node)) for name, node in reversed(self.entries))
        return self._by_key[key]


Node: TypeAlias = Scalar | ListNode | MappingNode
