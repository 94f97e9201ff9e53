"""The files of accepted reviews, each named by its pull request and its digest. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from reconciler.core.model.reviewed import Reviewed
from reconciler.core.reviewed.transport import NoReview

_NAME = re.compile(r"pull-([1-9][0-9]{0,17})-([0-9a-f]{64})\.json")


@dataclass(frozen=True, slots=True)
class Kept:
    """An accepted review of a pull request, with the bytes of its file."""

    pull: int
    content: bytes
    reviewed: Reviewed

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"pull-{self.pull}-{_hex(self.content)}.json"

    @property
    def digest(self) -> str:
        """The digest of its file, for `apply --expect`."""
        return f"sha256:{_hex(self.content)}"


@dataclass(frozen=True, slots=True)
class Collected:
    """What holds now, sorted by name. `added` are the names of those that are newly accepted."""

    reviews: tuple[Kept, ...]
    added: tuple[str, ...]
    expired: tuple[Kept, ...]
    refused: tuple[NoReview, ...]


def pull_of(name: str, content: bytes) -> int:
    """The pull request of a kept file, 0 if its name is not that of its content."""
    found = _NAME.fullmatch(name)
    return int(found[1]) if found and found[2] == _hex(content) else 0


def _hex(content: bytes) -> str:
    return sha256(content).hexdigest()
