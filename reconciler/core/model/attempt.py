"""The versions of one image set that an apply intends to create, saved before its first call."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Attempt:
    """The versions that an apply intends to create. After a kill, their content identifies them.

    `before` is the version before the first call. `versions` are the results of the calls in order:
    (versionId, digest of the content). `asked` and `ask_digest` are for the record. The digests are
    not keyed: they stay in a file that only its owner may read.
    """

    datastore_id: str
    image_set_id: str
    before: str
    versions: tuple[tuple[str, str], ...] = field(repr=False)
    asked: tuple[str, ...] = ()
    ask_digest: str = field(default="", repr=False)

    @property
    def last(self) -> tuple[str, str]:
        """The final version of the attempt, and its digest."""
        return self.versions[-1]
