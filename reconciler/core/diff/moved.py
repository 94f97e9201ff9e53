"""Finds out where the series and instances of an earlier version are in the live document.

An instance is the same if it has the same image frames: a change of its UID keeps them. Where one
of two has no frames, such as a report, an equal UID or equal attributes decide.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from reconciler.core.dicom.content import (
    MEDIA_STORAGE_SOP_INSTANCE_UID,
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    Section,
    canonical_attributes,
    digest,
    frame_ids,
    instances,
    section_at,
    series,
    uid_value,
)
from reconciler.core.dicom.dictionary import hex_key
from reconciler.core.diff.locate import Locator, Renames
from reconciler.core.model.address import Address, Level, instance_at, series_at
from reconciler.core.model.value import Document

# What a change of the UID of an instance changes in it.
_UIDS = frozenset(map(hex_key, (SOP_INSTANCE_UID, MEDIA_STORAGE_SOP_INSTANCE_UID)))


class PastVersion:
    """The document of an earlier version."""

    def __init__(self, document: Document, alias: Renames) -> None:
        self._document = document
        self._locator = Locator(document, alias)

    def locate(self, address: Address) -> tuple[Address, ...]:
        """Where an address was in it, by any of its names."""
        return self._locator.locate(address)

    def inside(self, where: Address) -> dict[str, Section]:
        """The instance at an address, or all instances of the series there."""
        section = section_at(self._document, where) or {}
        return instances(section) if where.level is Level.SERIES else {where.instance: section}


class Live:
    """The live document, searched by what an earlier version held."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def with_uid(self, address: Address) -> tuple[Address, ...]:
        """Every series and instance that has the innermost UID of an address."""
        uid = address.instance or address.series
        found = [
            series_at(key)
            for key, section in series(self._document).items()
            if uid in (key, uid_value(section, SERIES_INSTANCE_UID, key))
        ]
        found += [
            place
            for place, instance in self._instances.items()
            if uid in (place.instance, uid_value(instance, SOP_INSTANCE_UID, place.instance))
        ]
        return tuple(sorted(found))

    def now_at(self, earlier: PastVersion, where: Address) -> tuple[Address, ...]:
        """Where a series or an instance of an earlier version is now; empty if it is gone.

        What is at a place of its own in that version is something else, even with an equal UID.
        """
        found = {
            place
            for uid, instance in earlier.inside(where).items()
            for place in self._same(uid, instance)
            if not earlier.locate(self._by_value(place))
        }
        if where.level is Level.SERIES:
            whole = {series_at(place.series) for place in found}
            found = {one for one in whole if not earlier.locate(self._by_value(one))} or found
        return tuple(sorted(found))

    def _same(self, uid: str, earlier: Section) -> set[Address]:
        """The live instances that are this earlier one."""
        frames = frame_ids(earlier)
        found = {place for frame in frames for place in self._by_frame.get(frame, ())}
        alike = set(self._by_uid.get(uid_value(earlier, SOP_INSTANCE_UID, uid), ()))
        if not frames:
            alike |= self._frameless.get(_attributes(earlier), set())
        return found | {
            place for place in alike if not (frames and frame_ids(self._instances[place]))
        }

    def _by_value(self, place: Address) -> Address:
        outer = section_at(self._document, series_at(place.series)) or {}
        found = uid_value(outer, SERIES_INSTANCE_UID, place.series)
        if place.level is Level.SERIES:
            return series_at(found)
        return instance_at(
            found, uid_value(self._instances[place], SOP_INSTANCE_UID, place.instance)
        )

    @cached_property
    def _instances(self) -> dict[Address, Section]:
        return {
            instance_at(key, inner): instance
            for key, section in series(self._document).items()
            for inner, instance in instances(section).items()
        }

    @cached_property
    def _by_frame(self) -> dict[str, set[Address]]:
        found: dict[str, set[Address]] = defaultdict(set)
        for place, instance in self._instances.items():
            for frame in frame_ids(instance):
                found[frame].add(place)
        return found

    @cached_property
    def _by_uid(self) -> dict[str, set[Address]]:
        found: dict[str, set[Address]] = defaultdict(set)
        for place, instance in self._instances.items():
            found[uid_value(instance, SOP_INSTANCE_UID, place.instance)].add(place)
        return found

    @cached_property
    def _frameless(self) -> dict[str, set[Address]]:
        found: dict[str, set[Address]] = defaultdict(set)
        for place, instance in self._instances.items():
            if not frame_ids(instance):
                found[_attributes(instance)].add(place)
        return found


def _attributes(instance: Section) -> str:
    """A digest over the attributes, without those that a change of the UID changes."""
    held = canonical_attributes(instance)
    return digest({key: value for key, value in held.items() if key not in _UIDS})
