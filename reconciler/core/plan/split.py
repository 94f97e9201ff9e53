"""Split the changes of an image set into calls within the payload limit, in a fixed order.

UpdateImageSetMetadata takes 10 KB a call
(https://docs.aws.amazon.com/healthimaging/latest/devguide/endpoints-quotas.html). Both blobs
are counted after base64 (decision 0002, U13). UID changes come last, inner levels
first, so that every other change still finds its block under the UID that was read. AWS does not
document the order of updates and removals within a call, so a change of a UID is never in one call
with a removal below that UID.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from reconciler.core.dicom.content import SERIES_INSTANCE_UID, SOP_INSTANCE_UID, STUDY_INSTANCE_UID
from reconciler.core.dicom.creators import is_creator
from reconciler.core.dicom.updates import BLOB_BYTES, encode
from reconciler.core.model.address import Address, series_at
from reconciler.core.model.change import Change, Op

_REMOVALS = frozenset({Op.REMOVE, Op.REMOVE_INSTANCE, Op.REMOVE_SERIES})
_KEYS = frozenset({SOP_INSTANCE_UID, SERIES_INSTANCE_UID})  # documents are keyed by these
_LAST = {SOP_INSTANCE_UID: 1, SERIES_INSTANCE_UID: 2, STUDY_INSTANCE_UID: 3}


class TooLarge(Exception):
    """One change alone exceeds the limit."""

    def __init__(self, change: Change) -> None:
        super().__init__("one change alone exceeds the payload limit")
        self.change = change


def split(changes: Sequence[Change], payload_bytes: int) -> list[tuple[Change, ...]]:
    """Pack changes greedily into calls. Raises TooLarge."""
    left = sorted(changes, key=_order)
    calls: list[tuple[Change, ...]] = []
    while left:
        count = _fitting(left[: _parting(left)], payload_bytes)
        if not count:
            raise TooLarge(left[0])
        if count < len(left):
            count = _before_block(left, count) or count
        calls.append(tuple(left[:count]))
        left = left[count:]
    return calls


def _order(change: Change) -> tuple[int, Address, int, Op]:
    """Sort a private creator before its elements, and its removal behind theirs."""
    tag = change.tag or 0
    if change.op is Op.REMOVE and is_creator(tag):
        tag |= 0xFFFF
    return _LAST.get(change.tag or 0, 0), change.address, tag, change.op


def _before_block(changes: Sequence[Change], count: int) -> int:
    """Move the end of a call before a private creator that would be parted from its elements.

    0 means that the creator is in the first changes: what it has is then too much for one call.
    """
    after = changes[count]
    group = [
        number
        for number, change in enumerate(changes)
        if change.address == after.address and (change.tag or 0) >> 16 == (after.tag or 0) >> 16
    ]
    has_creator = any(is_creator(changes[number].tag or 0) for number in group)
    return group[0] if has_creator else count


def _parting(changes: Sequence[Change]) -> int:
    """How many changes come before the UID of a block is changed in which they remove."""
    touched: set[Address] = set()
    for count, change in enumerate(changes):
        if change.op in _REMOVALS:
            touched |= {change.address, series_at(change.address.series)}
        elif change.tag in _KEYS and change.address in touched:
            return count
    return len(changes)


def _fitting(changes: Sequence[Change], payload_bytes: int) -> int:
    """How many of the first changes fit into one call. More changes never make it smaller."""
    if _fits(changes, payload_bytes):
        return len(changes)
    most = 1
    while _fits(changes[:most], payload_bytes):
        most *= 2
    return bisect_left(
        range(1, most + 1), True, key=lambda count: not _fits(changes[:count], payload_bytes)
    )


def _fits(changes: Sequence[Change], payload_bytes: int) -> bool:
    blobs = encode(changes)
    return blobs.payload_bytes <= payload_bytes and blobs.largest_blob <= BLOB_BYTES
