"""Changes of one image set -> calls that fit the payload limit, in deterministic order.

UpdateImageSetMetadata takes 10 KB a call (devguide, endpoints and quotas; we count both blobs
after base64, healthimaging §10, U13). UID changes come last, inner ones first, so that every
other change still finds its block under the key that was read.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.dicom.content import SERIES_INSTANCE_UID, SOP_INSTANCE_UID, STUDY_INSTANCE_UID
from reconciler.dicom.updates import BLOB_BYTES, encode
from reconciler.model.change import Change

_LAST = {SOP_INSTANCE_UID: 1, SERIES_INSTANCE_UID: 2, STUDY_INSTANCE_UID: 3}


class TooLarge(Exception):
    """One change alone exceeds the limit."""

    def __init__(self, change: Change) -> None:
        super().__init__(change.path())
        self.change = change


def split(changes: Sequence[Change], payload_bytes: int) -> list[tuple[Change, ...]]:
    """The fewest calls that a greedy packing finds; raises TooLarge."""
    ordered = sorted(changes, key=lambda c: (_LAST.get(c.tag or 0, 0), c.address, c.tag or 0, c.op))
    if not ordered or _fits(ordered, payload_bytes):
        return [tuple(ordered)] if ordered else []
    calls: list[tuple[Change, ...]] = []
    current: list[Change] = []
    for change in ordered:
        if current and not _fits([*current, change], payload_bytes):
            calls.append(tuple(current))
            current = []
        if not current and not _fits([change], payload_bytes):
            raise TooLarge(change)
        current.append(change)
    return [*calls, tuple(current)]


def _fits(changes: Sequence[Change], payload_bytes: int) -> bool:
    blobs = encode(changes)
    return blobs.payload_bytes <= payload_bytes and blobs.largest_blob <= BLOB_BYTES
