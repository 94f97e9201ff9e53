"""Changes that are the same edit at several places, brought together into one row with a count."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.core.model.address import Address, Level
from reconciler.core.model.change import Change, Op
from reconciler.render.values import short_uids

# Up to this many places are listed one by one; more become a count.
LISTED = 3

SYMBOL: dict[Op, str] = {
    Op.ADD: "+",
    Op.UPDATE: "~",
    Op.REMOVE: "-",
    Op.REMOVE_INSTANCE: "-",
    Op.REMOVE_SERIES: "-",
    Op.RESTORE_INSTANCE: "+",
    Op.RESTORE_SERIES: "+",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One edit and where it is made. `change` stands for all of them."""

    change: Change
    image_set_ids: tuple[str, ...]
    addresses: tuple[Address, ...]

    @property
    def symbol(self) -> str:
        """`+`, `~` or `-`, as in Terraform."""
        return SYMBOL[self.change.op]

    @property
    def name(self) -> str:
        """The attribute, or that all of an instance or a series is meant."""
        return self.change.key or "(whole)"


def rows(changes: Iterable[Change]) -> tuple[Row, ...]:
    """The changes in plan order, identical edits grouped; few places stay one row each."""
    groups: dict[object, list[Change]] = {}
    for change in changes:
        groups.setdefault(_edit(change), []).append(change)
    found: list[Row] = []
    for group in groups.values():
        addresses = tuple(dict.fromkeys(change.address for change in group))
        if len(addresses) > LISTED:
            found.append(Row(group[0], _ids(group), addresses))
        else:
            found += [_at(group, address) for address in addresses]
    return tuple(found)


def _edit(change: Change) -> object:
    return (
        change.op,
        change.key,
        change.address.level,
        repr(change.before.raw) if change.before else None,
        repr(change.after.raw) if change.after else None,
        change.vr,
        change.place,
        change.drifted,
        change.force_reasons,
    )


def _at(group: list[Change], address: Address) -> Row:
    here = [change for change in group if change.address == address]
    return Row(here[0], _ids(here), (address,))


def _ids(changes: list[Change]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(change.image_set_id for change in changes))


def where(row: Row, short: dict[str, str]) -> str:
    """`Patient`, `Series …99.1`, `50 instances`."""
    if len(row.addresses) > 1:
        noun = "instances" if row.change.address.level is Level.INSTANCE else "series"
        return f"{len(row.addresses):,} {noun}"
    address = row.change.address
    uid = address.instance or address.series
    if not uid or not row.change.key:
        return address.level.title
    return f"{address.level.title} {short.get(uid, uid)}"


def short_addresses(changes: Iterable[Change]) -> dict[str, str]:
    """Short forms of every UID that the changes use as an address."""
    by_level: dict[Level, set[str]] = {}
    for change in changes:
        uid = change.address.instance or change.address.series
        by_level.setdefault(change.address.level, set()).add(uid)
    return {uid: short for uids in by_level.values() for uid, short in short_uids(uids).items()}
