"""A data store of the state machine, and what is true of it: no code under test says so."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tests.laws.stage import IDS, Stage, Version


class DataStore:
    """A data store behind one endpoint.

    `expected` are the versions that plans meant to make. `missed` are image sets that search does
    not list, `overlooked` the versions that a study-wide call of ours made of these.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.expected: set[tuple[str, int]] = set()
        self.missed: set[str] = set()
        self.overlooked: set[tuple[str, int]] = set()
        self.seen_sent = self.seen_updates = 0

    def __repr__(self) -> str:
        return str(self.stage.datastore.endpoint)

    def latest(self, name: str) -> Version:
        return self.stage.history(name)[-1]

    def version(self, name: str, number: int) -> Version:
        history = self.stage.history(name)
        assert 0 < number <= len(history), "there is no such version"
        return history[number - 1]

    def before(self, name: str, version: Version) -> Version:
        return self.version(name, max(1, version.number - 1))

    def ours(self, name: str, above: int = 1) -> Iterator[tuple[Version, Version]]:
        """The versions that no other process made, each with the version before."""
        for before, made in pairwise(self.stage.history(name)):
            if made.number > above and not is_theirs(before, made):
                yield before, made

    def numbers(self) -> dict[str, int]:
        """The latest version of each image set."""
        return {name: self.latest(name).number for name in IDS}

    def changed_outside(self, name: str, key: str, number: int) -> bool:
        """Whether another process wrote the value that an attribute has in a version."""
        history = self.stage.history(name)[:number]
        for before, made in reversed(list(pairwise(history))):
            if before.held[key] != made.held[key]:
                return is_theirs(before, made)
        return False


def is_theirs(before: Version, made: Version) -> bool:
    """Whether another process made a version: each of their writes has a value of its own."""
    return bool(set(made.theirs.values()) - set(before.theirs.values()))
