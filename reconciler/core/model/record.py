"""The entry of one image set in `records/`: versions and digests, never a DICOM value."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.core.model.observed import Properties

# The number of the comparison rules. Raise it when `dicom` compares or encodes in another way:
# entries with another number are then ignored.
RULES_VERSION = 1


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """The version in which an image set was last seen converged, and for which ask.

    `asked` contains paths only. `ask_digest` is over the resolved ask; in a record it is keyed, and
    empty if there was no key (`diff.paths.sealed`). Both are empty for a sibling that no manifest
    names. `updated_at` and `created_at` are epoch seconds of the service. `is_dated` is False for
    an old entry without `createdAt`.
    """

    datastore_id: str
    image_set_id: str
    version_id: str
    previous_version_id: str
    updated_at: float | None
    asked: tuple[str, ...]
    ask_digest: str = field(repr=False)
    rules_version: int = RULES_VERSION
    created_at: float | None = None
    is_dated: bool = True

    def is_of(self, properties: Properties) -> bool:
        """Whether this may be an entry of exactly this image set.

        Another data store with the same ID, such as a trial emulator, may have the same image set
        IDs. But its image sets have other creation times.
        """
        return not self.is_dated or same_moment(self.created_at, properties.created_at)

    def is_at(self, properties: Properties) -> bool:
        """Whether this is an entry of exactly this version: number, `updatedAt`, `createdAt`.

        AWS may omit `updatedAt` for the first version (decision 0002, U24), so two missing times
        are equal. An entry without `createdAt` needs an equal `updatedAt`.
        """
        if self.version_id != properties.version_id or not self.is_of(properties):
            return False
        if self.updated_at is None and properties.updated_at is None:
            return self.is_dated
        return same_moment(self.updated_at, properties.updated_at)


def same_moment(one: float | None, other: float | None) -> bool:
    """Whether two times are known and equal to the millisecond, the precision of records."""
    if one is None or other is None:
        return False
    return round(one * 1000) == round(other * 1000)
