"""Which selectors an image set belongs to, as its record states it.

An image set belongs to a selector until `select` or `where` of that name changes, also when the
search does not find it any more: a correction of the PatientID must not end its own selection. So
the record keeps a digest over both. It is keyed: a PatientID is soon guessed from a plain digest.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.model.key import Key, Use
from reconciler.core.model.record import SelectedBy


def keyed(datastore_id: str, name: str, own: str, key: Key) -> str:
    """The digest of a selector in the records of a data store; "" stays "".

    It is the same for every image set: the name of the selector shows as much.
    """
    return key.digest(Use.SELECTION, [datastore_id, name, own]) if own else ""


def sealed(datastore_id: str, selected_by: SelectedBy, key: Key) -> SelectedBy:
    """The selectors of an image set with keyed digests."""
    return tuple((name, keyed(datastore_id, name, own, key)) for name, own in selected_by)


def opened(datastore_id: str, held: SelectedBy, now: SelectedBy, key: Key | None) -> SelectedBy:
    """What a record states, with digests that can be compared with those of now; "" for others."""
    own = dict(now)
    return tuple(
        (name, own.get(name, "") if key and _is_of(datastore_id, name, one, own, key) else "")
        for name, one in held
    )


def _is_of(datastore_id: str, name: str, one: str, own: Mapping[str, str], key: Key) -> bool:
    return one == keyed(datastore_id, name, own.get(name, ""), key)


def merged(held: SelectedBy, seen: SelectedBy | None) -> SelectedBy:
    """What a record states after a run: what the run saw, or what it leaves as recorded."""
    if seen is None:
        return held
    before = dict(held)
    return tuple(
        (name, digest or before[name]) for name, digest in seen if digest or name in before
    )


def joined(low: SelectedBy, high: SelectedBy) -> SelectedBy:
    """What two records state. An image set leaves a selector only when its digest changes.

    So a selector that one side lacks either is new there, or has another digest by now.
    """
    known = {name: digest for name, digest in high if digest}
    return tuple(sorted({**dict(high), **dict(low), **known}.items()))


def without_key(held: SelectedBy) -> SelectedBy:
    """What a record states once its key is lost: the selectors, of whatever digest."""
    return tuple((name, "") for name, _ in held)


def is_stated(held: SelectedBy, now: SelectedBy) -> bool:
    """Whether an opened record states the selectors of an ask already."""
    before = dict(held)
    return before.keys() <= dict(now).keys() and all(
        not digest or before.get(name) == digest for name, digest in now
    )
