"""A dictionary that computes what it lacks, and that never grows beyond a limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memo(dict[K, V]):
    """The results of a function. It forgets all of them at `most`: what is common comes again.

    Unlike functools.lru_cache it belongs to its owner, and a known key takes no call of Python.
    """

    def __init__(self, function: Callable[[K], V], most: int) -> None:
        self._function = function
        self._most = most

    def __missing__(self, key: K) -> V:
        if len(self) >= self._most:
            self.clear()
        found = self[key] = self._function(key)
        return found
