"""Labels for masked values: A, B, C … in plan order. Equal values have equal labels."""

from __future__ import annotations

from collections.abc import Hashable

from reconciler.core.dicom.canonical import canonical
from reconciler.core.model.change import Change
from reconciler.core.model.value import Value


def compared(value: Value | None, vr: str) -> Hashable:
    """A value by its canonical form: what the plan takes for equal is one value here, too."""
    if value is None:
        return None
    form = canonical(vr, value.raw)
    if isinstance(form, str):
        return form
    # Python takes 1, 1.0 and True for equal. `canonical` has sorted all keys.
    return type(form), repr(form) if isinstance(form, (list, dict)) else form


class Letters:
    """The labels of one plan. They distinguish values and say nothing about them.

    A digest in their place would: a value is guessed from its digest in no time. Labels say nothing
    outside of their plan.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, str] = {}
        self._keys: set[str] = set()

    def give(self, change: Change) -> str:
        """A label for the live value that a change replaces or removes."""
        self._keys.add(change.key)
        value = compared(change.before, change.vr)
        return self._known.setdefault(value, _letters(len(self._known)))

    def of(self, change: Change) -> str:
        """The label that the live value has already, "" if it has none."""
        # To compare the values of every attribute takes as long as all other work of a review.
        if change.before is None or change.key not in self._keys:
            return ""
        return self._known.get(compared(change.before, change.vr), "")


def _letters(number: int) -> str:
    """`A` … `Z`, `AA`, `AB` …"""
    found = ""
    while number >= 0:
        found = chr(ord("A") + number % 26) + found
        number = number // 26 - 1
    return found
