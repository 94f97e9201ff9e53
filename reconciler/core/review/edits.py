"""The same edit at several places, brought together. Only here is said what "the same edit" is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from reconciler.core.model.address import PATIENT, Address
from reconciler.core.model.change import Change
from reconciler.core.model.value import Value, canonical_json
from reconciler.core.review.model import Edit, ShownChange

# Up to this many places are listed one by one; more become a count.
LISTED = 3

# A change, and what is shown of it: values are compared as they are, not as they are masked.
Pair: TypeAlias = tuple[Change, ShownChange]


def edit_of(change: Change) -> Hashable:
    """What a change does, without where it is made and which line asks for it.

    Two changes are the same edit where these are equal. It holds values and is never kept.
    """
    done = replace(change, image_set_id="", address=PATIENT, place=None, before=None, after=None)
    return done, change.address.level, _compared(change.before), _compared(change.after)


def edits_of(pairs: Iterable[Pair], since: Callable[[str], str]) -> tuple[Edit, ...]:
    """The edits in plan order, grouped by the line that asks; few addresses stay an edit each.

    `since` says of an image set since when it has drifted.
    """
    groups: dict[Hashable, list[Pair]] = {}
    for change, shown in pairs:
        groups.setdefault((edit_of(change), change.place), []).append((change, shown))
    found: list[Edit] = []
    for group in groups.values():
        changes = [shown for _, shown in group]
        addresses = tuple(dict.fromkeys(change.address for change in changes))
        if len(addresses) > LISTED:
            found.append(_edit(changes, addresses, since))
            continue
        for address in addresses:
            here = [change for change in changes if change.address == address]
            found.append(_edit(here, (address,), since))
    return tuple(found)


def _edit(
    changes: Sequence[ShownChange], addresses: tuple[Address, ...], since: Callable[[str], str]
) -> Edit:
    first = changes[0]
    return Edit(
        change=first,
        image_set_ids=tuple(dict.fromkeys(change.image_set_id for change in changes)),
        addresses=addresses,
        drift=since(first.image_set_id) if first.drifted else "",
    )


def _compared(value: Value | None) -> bytes | None:
    """Lists have no hash, and Python takes 1, 1.0 and True for equal: JSON does not."""
    return None if value is None else canonical_json(value.raw)
