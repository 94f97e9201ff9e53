"""Labels for masked values: A, B, C … in plan order. Equal values have equal labels."""

from __future__ import annotations

from collections.abc import Hashable


class Letters:
    """The labels of one plan. They distinguish values and say nothing about them.

    A digest in their place would: a value is guessed from its digest in no time. Labels say nothing
    outside of their plan.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, str] = {}

    def of(self, value: Hashable) -> str:
        """The label of a value."""
        return self._known.setdefault(value, _letters(len(self._known)))


def _letters(number: int) -> str:
    """`A` … `Z`, `AA`, `AB` …"""
    found = ""
    while number >= 0:
        found = chr(ord("A") + number % 26) + found
        number = number // 26 - 1
    return found
