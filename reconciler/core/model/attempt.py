"""What an apply sets out to do with one image set, written down before its first call."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Attempt:
    """Versions that an apply means to make: by their content they are known again after a kill.

    `before` is the version that the image set had before, `versions` what each call makes of it:
    (versionId, digest of the content), in order. `asked` and `ask_digest` are for its record. Its
    digests are not keyed: they stay in its file, which only the owner may read.
    """

    datastore_id: str
    image_set_id: str
    before: str
    versions: tuple[tuple[str, str], ...] = field(repr=False)
    asked: tuple[str, ...] = ()
    ask_digest: str = field(default="", repr=False)

    @property
    def last(self) -> tuple[str, str]:
        """The version in which the attempt has succeeded, and its digest."""
        return self.versions[-1]
