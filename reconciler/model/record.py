"""What `records/` keeps of one image set: versions and digests, never a DICOM value."""

from __future__ import annotations

from dataclasses import dataclass, field

# The number of our comparison rules. Raise it when `dicom` starts to compare or to encode
# differently: every entry made under another number then counts as "nothing recorded".
RULES_VERSION = 1


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """The version in which an image set was last seen converged, and for which ask.

    `asked` holds paths only. `ask_digest` is over the resolved ask; in a record it is keyed, and
    empty where no key was there (`diff.paths.sealed`). `updated_at` is the service's, in epoch
    seconds. `asked` and `ask_digest` are empty for a sibling that no manifest names.
    """

    datastore_id: str
    image_set_id: str
    version_id: str
    previous_version_id: str
    updated_at: float | None
    asked: tuple[str, ...]
    ask_digest: str = field(repr=False)
    rules_version: int = RULES_VERSION
