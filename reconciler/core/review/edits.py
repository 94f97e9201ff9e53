"""Group identical edits. Only this module defines which edits are identical."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from reconciler.core.model.address import PATIENT, Address
from reconciler.core.model.change import Change
from reconciler.core.model.value import Value, canonical_json
from reconciler.core.review.explain import since
from reconciler.core.review.model import Edit, ShownChange

# Up to this number, places are listed one by one; more are counted.
LISTED = 3

# A change and its shown form. The values compared are those of the change, unmasked.
Pair: TypeAlias = tuple[Change, ShownChange]


def edit_of(change: Change) -> Hashable:
    """The content of a change, without its address and without the lines that ask for it.

    Two changes are the same edit if these are equal. It holds values and is never kept.
    """
    content = replace(
        change,
        image_set_id="",
        address=PATIENT,
        place=None,
        manifests=(),
        before=None,
        after=None,
        baseline="",
        consent_versions=(),
        creator=None,
    )
    values = (change.before, change.after, change.creator)
    return content, change.address.level, *map(_compared, values)


def edits_of(pairs: Iterable[Pair]) -> tuple[Edit, ...]:
    """The edits in plan order, grouped by the line that asks. A few addresses stay separate."""
    groups: dict[Hashable, list[Pair]] = {}
    for change, shown in pairs:
        groups.setdefault((edit_of(change), change.place), []).append((change, shown))
    found: list[Edit] = []
    for group in groups.values():
        changes = [shown for _, shown in group]
        addresses = tuple(dict.fromkeys(change.address for change in changes))
        if len(addresses) > LISTED:
            found.append(_edit(changes, addresses))
            continue
        for address in addresses:
            here = [change for change in changes if change.address == address]
            found.append(_edit(here, (address,)))
    return tuple(found)


def _edit(changes: Sequence[ShownChange], addresses: tuple[Address, ...]) -> Edit:
    first = changes[0]
    return Edit(
        change=first,
        image_set_ids=tuple(dict.fromkeys(change.image_set_id for change in changes)),
        addresses=addresses,
        drift=since(first.baseline) if first.drifted else "",
    )


def _compared(value: Value | None) -> bytes | None:
    """Compare as JSON: lists have no hash, and Python treats 1, 1.0 and True as equal."""
    return None if value is None else canonical_json(value.raw)
