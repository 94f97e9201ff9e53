"""What `records/` keeps of one image set: versions and digests, never a DICOM value."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.core.model.observed import Properties

# The number of our comparison rules. Raise it when `dicom` starts to compare or to encode
# differently: every entry made under another number then counts as "nothing recorded".
RULES_VERSION = 1


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """The version in which an image set was last seen converged, and for which ask.

    `asked` holds paths only. `ask_digest` is over the resolved ask; in a record it is keyed, and
    empty where no key was there (`diff.paths.sealed`). Both are empty for a sibling that no
    manifest names. `updated_at` and `created_at` are the service's, in epoch seconds. `is_dated` is
    false for an entry of the form before `created_at` was stored.
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
        """Whether this may be an entry of that very image set.

        Image set IDs come again in another data store of the same ID, such as a trial emulator,
        but then the image set was created at another time.
        """
        return not self.is_dated or same_moment(self.created_at, properties.created_at)

    def is_at(self, properties: Properties) -> bool:
        """Whether this is an entry of that very version: number, `updatedAt` and `createdAt`.

        AWS may leave `updatedAt` out of the first version (decision 0002, U24), so two that
        are absent are equal. An entry without `createdAt` has `updatedAt` alone to prove it.
        """
        if self.version_id != properties.version_id or not self.is_of(properties):
            return False
        if self.updated_at is None and properties.updated_at is None:
            return self.is_dated
        return same_moment(self.updated_at, properties.updated_at)


def same_moment(one: float | None, other: float | None) -> bool:
    """Whether two times are known and equal to the millisecond, which is what records keep."""
    if one is None or other is None:
        return False
    return round(one * 1000) == round(other * 1000)
