"""Drift: whether an attribute was changed since the recorded version, its baseline."""

from __future__ import annotations

from functools import cached_property

from reconciler.core.dicom.canonical import canonical
from reconciler.core.dicom.content import (
    block_at,
    frame_ids,
    instances,
    key_vr,
    live_key,
    section,
    series,
)
from reconciler.core.diff.locate import Locator, Renames
from reconciler.core.model.address import Address, Level, instance_at, series_at
from reconciler.core.model.change import Change, Op
from reconciler.core.model.value import Document, Json


class Baseline:
    """Compares the recorded document with the live one to find changes outside this repository.

    `recorded` is None if the recorded version can no longer be read.
    """

    def __init__(self, live: Document, recorded: Document | None, alias: Renames) -> None:
        self._live = live
        self._recorded = recorded
        self._alias = alias

    def differs(self, change: Change) -> bool:
        """Whether this attribute, series or instance changed since it was recorded.

        Returns True if the recorded version cannot be read, because then it is unknown. Attributes
        of a series or instance that was added since have no baseline, so they have not drifted.
        """
        if self._recorded is None:
            return True
        places = self._locator.locate(change.address)
        match change.op:
            case Op.ADD | Op.UPDATE | Op.REMOVE:
                places = places or self._by_frames(change.address)
                now = _attribute(self._live, change.address, change)
                held = [_attribute(self._recorded, place, change) for place in places]
                return bool(held) and now not in held
            case Op.REMOVE_INSTANCE:
                shown = _frames(self._live, change.address)
                return all(_frames(self._recorded, place) != shown for place in places)
            case Op.REMOVE_SERIES:
                return not places  # it did not exist in the recorded version
            case Op.RESTORE_INSTANCE | Op.RESTORE_SERIES:
                return bool(places) and block_at(self._live, change.address) is None

    @cached_property
    def _locator(self) -> Locator:
        assert self._recorded is not None
        return Locator(self._recorded, self._alias)

    def _by_frames(self, address: Address) -> tuple[Address, ...]:
        """Find the recorded place of these images by their frames: the UID may have changed."""
        inside = _instances(self._live, address)
        found = {
            self._shown[frame]
            for place in inside
            for frame in _frames(self._live, place)
            if frame in self._shown
        }
        if address.level is Level.SERIES:
            found = {series_at(place.series) for place in found}
        return tuple(sorted(found))

    @cached_property
    def _shown(self) -> dict[str, Address]:
        """The recorded instance of each frame."""
        assert self._recorded is not None
        return {
            frame: instance_at(key, inner)
            for key, block in series(self._recorded).items()
            for inner, instance in instances(block).items()
            for frame in frame_ids(instance)
        }


def _instances(document: Document, address: Address) -> tuple[Address, ...]:
    if address.level is not Level.SERIES:
        return (address,)
    block = block_at(document, address) or {}
    return tuple(instance_at(address.series, key) for key in instances(block))


def _frames(document: Document, address: Address) -> tuple[str, ...]:
    return frame_ids(block_at(document, address) or {})


def _attribute(document: Document, address: Address, change: Change) -> tuple[str, Json] | None:
    """Return the VR and the canonical value of an attribute; None if the block lacks it."""
    block = block_at(document, address) or {}
    key = live_key(block, change.tag) if change.tag is not None else change.key
    held = section(block, "DICOM")
    if key is None or key not in held:
        return None
    vr = key_vr(block, key)
    return vr, canonical(vr, held[key])
