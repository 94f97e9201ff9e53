"""Finds the series and instances that an ask names, before and after a UID change.

After a manifest has changed a UID, its plan must be empty. Other manifests may still name the old
UID, or already the new one, and must find the series or instance too. So a UID change is an alias
for all manifests of that image set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.core.dicom.content import (
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    Section,
    instances,
    series,
    uid_text,
    uid_value,
)
from reconciler.core.model.address import WILDCARD, Address, Level, instance_at, series_at
from reconciler.core.model.ask import Claim, ClaimKind
from reconciler.core.model.value import Document


class Aliases:
    """The UID changes of one kind that the manifests ask for: old UID -> new UID."""

    def __init__(self, new_of: Mapping[str, str]) -> None:
        self.new_of = new_of
        self._olds_of: dict[str, list[str]] = defaultdict(list)
        for old, new in new_of.items():
            self._olds_of[new].append(old)

    def names(self, uid: str) -> frozenset[str]:
        """Return all UIDs of a series or instance: the UID itself, its new UID, its old UIDs."""
        return frozenset((uid, self.new_of.get(uid, uid), *self._olds_of.get(uid, ())))

    def tangled(self) -> tuple[str, ...]:
        """Return UIDs that are old and new at once (a chain or a swap), or new UIDs of several."""
        twice = {new for new, olds in self._olds_of.items() if len(olds) > 1}
        return tuple(sorted(self.new_of.keys() & self._olds_of.keys() | twice))


@dataclass(frozen=True, slots=True)
class Renames:
    """The UID changes that the manifests ask for."""

    series: Aliases
    instances: Aliases


def renames(claims: Iterable[Claim]) -> Renames:
    """Collect the UID changes of named series and instances."""
    found: dict[int, dict[str, str]] = {SERIES_INSTANCE_UID: {}, SOP_INSTANCE_UID: {}}
    for claim in claims:
        if claim.kind is not ClaimKind.PRESENT or claim.tag not in found or claim.value is None:
            continue
        old = claim.address.series if claim.tag == SERIES_INSTANCE_UID else claim.address.instance
        new = uid_text(claim.value.raw)
        if new and old not in ("", WILDCARD) and old != new:
            found[claim.tag][old] = new
    return Renames(Aliases(found[SERIES_INSTANCE_UID]), Aliases(found[SOP_INSTANCE_UID]))


class _Index:
    """Sections by their key and by the UID that they contain."""

    def __init__(self, sections: Mapping[str, Section], tag: int) -> None:
        self._keys = sorted(sections)
        self._by_name: dict[str, set[str]] = defaultdict(set)
        for key, section in sections.items():
            self._by_name[key].add(key)
            self._by_name[uid_value(section, tag, key)].add(key)

    def matching(self, uid: str, aliases: Aliases) -> list[str]:
        """Return the keys that match a UID of a manifest, or `"*"`."""
        if uid == WILDCARD:
            return self._keys
        found = (self._by_name.get(name, ()) for name in aliases.names(uid))
        return sorted({key for keys in found for key in keys})


class Locator:
    """Finds addresses in one document by an index: an ask may name 2,000 instances."""

    def __init__(self, document: Document, alias: Renames) -> None:
        self._alias = alias
        self._sections = series(document)
        self._series = _Index(self._sections, SERIES_INSTANCE_UID)
        self._instances: dict[str, _Index] = {}

    def locate(self, address: Address) -> tuple[Address, ...]:
        """Return the live addresses that match an address of an ask; empty if nothing matches.

        Several matches for an address without `"*"` mean that the old and the new UID both exist.
        """
        if address.level <= Level.STUDY:
            return (address,)
        keys = self._series.matching(address.series, self._alias.series)
        if address.level is Level.SERIES:
            return tuple(series_at(key) for key in keys)
        return tuple(
            instance_at(key, inner)
            for key in keys
            for inner in self._inside(key).matching(address.instance, self._alias.instances)
        )

    def _inside(self, key: str) -> _Index:
        if key not in self._instances:
            self._instances[key] = _Index(instances(self._sections[key]), SOP_INSTANCE_UID)
        return self._instances[key]
