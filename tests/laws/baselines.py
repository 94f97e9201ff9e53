"""The baselines that records may have. It follows from the runs and the truth, never from records.

A run that was killed may have recorded what it saw, or not. So an attribute has a set of possible
baselines. After a run that ended well the set has one element.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from tests.laws.data_store import DataStore


class Blank(Enum):
    """A baseline that is no version."""

    NONE = "none"  # the attribute is in no record
    UNREADABLE = "unreadable"  # the record was made at another data store


@dataclass(frozen=True)
class At:
    """A version of an image set at one data store."""

    store: DataStore
    number: int


Baseline: TypeAlias = At | Blank
Attribute: TypeAlias = tuple[str, str]  # the image set and the attribute
Possible: TypeAlias = dict[Attribute, frozenset[Baseline]]
_UNKNOWN = frozenset({Blank.NONE})


class Baselines:
    """The possible baselines of every attribute, in the records that a run can see."""

    def __init__(self) -> None:
        self._possible: Possible = {}
        # What the files of attempts may give back to records that were lost.
        self._hints: dict[Attribute, set[Baseline]] = defaultdict(set)

    def of(self, name: str, key: str) -> frozenset[Baseline]:
        return self._possible.get((name, key), _UNKNOWN)

    def may_be(self, name: str, key: str, baselines: Iterable[Baseline]) -> None:
        """Some more are possible."""
        self._possible[name, key] = self.of(name, key).union(baselines)

    def is_now(self, name: str, key: str, at: At) -> None:
        """This baseline is recorded. A baseline never goes down, so a higher one stays possible."""
        higher = [
            one
            for one in self.of(name, key)
            if isinstance(one, At) and one.store is at.store and one.number > at.number
        ]
        self._possible[name, key] = frozenset({at, *higher})

    def meant(self, name: str, key: str, baselines: Iterable[Baseline]) -> None:
        """The attempt of a run may have announced these versions."""
        self._hints[name, key].update(baselines)

    def seen_at(self, store: DataStore, name: str) -> None:
        """A run looked at an image set: baselines of another data store become unreadable."""
        for (one, key), possible in list(self._possible.items()):
            if one == name and any(isinstance(at, At) and at.store is not store for at in possible):
                self.may_be(name, key, [Blank.UNREADABLE])

    def snapshot(self) -> Possible:
        return dict(self._possible)

    def restore(self, snapshot: Possible) -> None:
        """The records are those of an earlier moment, or none at all."""
        self._possible = dict(snapshot)
        for (name, key), hints in self._hints.items():
            self.may_be(name, key, hints)

    def lose_attempts(self) -> None:
        self._hints.clear()
