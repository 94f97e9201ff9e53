"""Notes changes of an instance whose UID is in several series, if they change only one of them.

Such documents exist. Without the note, a line of the plan that names the instance alone could mean
any of its series.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from reconciler.core.dicom.content import instances, series
from reconciler.core.model.address import Level, instance_at, shown_uid
from reconciler.core.model.change import Change, Note, Op
from reconciler.core.model.value import Document


def same_instance_notes(document: Document, changes: Sequence[Change]) -> Iterator[Note]:
    """Note each series with instances that change here, but not in other series that have them."""
    removed = {one.address.series for one in changes if one.op is Op.REMOVE_SERIES}
    of_instances = [one for one in changes if one.address.level is Level.INSTANCE]
    first = {one.address: one for one in reversed(of_instances)}
    alone: dict[str, list[Change]] = defaultdict(list)
    for uid, holders in _holders(document, {one.address.instance for one in of_instances}).items():
        addresses = {name: instance_at(name, uid) for name in holders if name not in removed}
        changed = [first[address] for address in addresses.values() if address in first]
        if len(changed) < len(addresses):
            for change in changed:
                alone[change.address.series].append(change)
    yield from (_note(some) for _, some in sorted(alone.items()))


def _holders(document: Document, uids: Set[str]) -> Mapping[str, Iterable[str]]:
    """The series that have each of these instances, by the keys of the document."""
    found: dict[str, list[str]] = {uid: [] for uid in sorted(uids)}
    for name, section in series(document).items():
        for uid in uids & instances(section).keys():
            found[uid].append(name)
    return found


def _note(changes: Sequence[Change]) -> Note:
    """One note for all instances of a series: there may be thousands."""
    first = changes[0]
    only = f"in series {shown_uid(first.address.series)}"
    if len(changes) == 1:
        uid = shown_uid(first.address.instance)
        text = f"instance {uid} is in several series; only the instance {only} changes"
    else:
        text = f"{len(changes):,} instances are in several series; only those {only} change"
    return Note(first.image_set_id, text, first.place)
