"""Finding the series and instances that an ask names, before and after a UID change.

A manifest that renames a series or an instance must plan to nothing afterwards, and every other
manifest that still names the old UID (or already the new one) must find it too: a rename is an
alias for all manifests of that image set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.dicom.content import (
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    Block,
    instances,
    series,
    uid_value,
)
from reconciler.model.address import WILDCARD, Address, Level, instance_at, series_at
from reconciler.model.ask import Claim, ClaimKind
from reconciler.model.value import Document


@dataclass(frozen=True, slots=True)
class Renames:
    """Old UID -> new UID, for series and for instances, as the manifests ask."""

    series: Mapping[str, str]
    instances: Mapping[str, str]


def renames(claims: Iterable[Claim]) -> Renames:
    """The UID changes asked of named series and instances."""
    found: dict[int, dict[str, str]] = {SERIES_INSTANCE_UID: {}, SOP_INSTANCE_UID: {}}
    for claim in claims:
        if claim.kind is not ClaimKind.PRESENT or claim.tag not in found or claim.value is None:
            continue
        old = claim.address.series if claim.tag == SERIES_INSTANCE_UID else claim.address.instance
        new = claim.value.raw
        if isinstance(new, str) and old not in ("", WILDCARD) and old != new:
            found[claim.tag][old] = new
    return Renames(found[SERIES_INSTANCE_UID], found[SOP_INSTANCE_UID])


def tangled(mapping: Mapping[str, str]) -> tuple[str, ...]:
    """UIDs that are both left and taken (a chain or a swap), or taken twice."""
    targets = list(mapping.values())
    twice = {target for target in targets if targets.count(target) > 1}
    return tuple(sorted((set(mapping) & set(targets)) | twice))


def _names(uid: str, mapping: Mapping[str, str]) -> set[str]:
    """The UIDs by which a manifest's UID may be found: itself, its new one, its old one."""
    names = {uid}
    if uid in mapping:
        names.add(mapping[uid])
    names.update(old for old, new in mapping.items() if new == uid)
    return names


def _matching(
    blocks: Mapping[str, Block], tag: int, uid: str, mapping: Mapping[str, str]
) -> list[str]:
    if uid == WILDCARD:
        return sorted(blocks)
    names = _names(uid, mapping)
    return sorted(
        key for key, block in blocks.items() if key in names or uid_value(block, tag, key) in names
    )


def locate(document: Document, address: Address, alias: Renames) -> tuple[Address, ...]:
    """The live addresses that an asked address stands for; empty where nothing matches.

    More than one for an address without `"*"` means that the old and the new UID are both there.
    """
    if address.level <= Level.STUDY:
        return (address,)
    keys = _matching(series(document), SERIES_INSTANCE_UID, address.series, alias.series)
    if address.level is Level.SERIES:
        return tuple(series_at(key) for key in keys)
    return tuple(
        instance_at(key, inner)
        for key in keys
        for inner in _matching(
            instances(series(document)[key]), SOP_INSTANCE_UID, address.instance, alias.instances
        )
    )
