"""Drift: whether an attribute was changed outside this repository since its baseline.

The record keeps one baseline for each path: the version in which the value was last known and
reviewed. The service keeps every version, so that value can be read and compared with the live
value. A path without a baseline has never been reviewed: its change is a first change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property

from reconciler.core.dicom.canonical import canonical
from reconciler.core.dicom.content import (
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    frame_ids,
    instances,
    key_vr,
    live_key,
    section_at,
    section_of,
    series,
    uid_value,
)
from reconciler.core.dicom.creators import creator_in
from reconciler.core.dicom.dictionary import document_key
from reconciler.core.diff.locate import Locator, Renames
from reconciler.core.diff.paths import REVERT_PATH, governing_paths, is_below, is_whole
from reconciler.core.model.address import (
    WILDCARD,
    Address,
    Level,
    instance_at,
    series_at,
    uid_of_part,
)
from reconciler.core.model.change import Change, Op
from reconciler.core.model.record import UNREADABLE, ranked
from reconciler.core.model.value import Document, Json


@dataclass(frozen=True, slots=True)
class Drift:
    """What the record says of one change; `baseline` is "" for a first change."""

    drifted: bool = False
    baseline: str = ""
    consent_versions: tuple[str, ...] = ()


class History:
    """The baselines of an image set, and its document of today beside those of earlier versions.

    `live_versions` are those that the live document is of: the latest, and the good version that
    stands for a failed one.
    """

    def __init__(
        self,
        live: Document,
        live_versions: Iterable[str],
        recorded: Mapping[str, str],
        alias: Renames,
    ) -> None:
        self._live = live
        self._live_versions = tuple(live_versions)
        self._recorded = recorded
        self._alias = alias
        self._earlier: dict[str, Earlier | None] = {}

    def beside(self, documents: Mapping[str, Document | None]) -> History:
        """The same, with more documents of earlier versions; None for an unreadable one."""
        more = copy(self)
        more._earlier = self._earlier | {
            version: Earlier(self._live, document, self._alias, self._recorded)
            if document is not None
            else None
            for version, document in documents.items()
        }
        return more

    def baseline(self, change: Change) -> str:
        """The version in which the value was last known and reviewed; "" for a first change.

        A named path decides before one with `"*"`. A converged revert is the baseline of every
        path of its version.
        """
        groups = (
            [self._recorded[path] for path in paths if path in self._recorded]
            for paths in governing_paths(change, self._alias)
        )
        found = next(filter(None, groups), [])
        # Under several names, the lowest: what it shows was reviewed, whichever name is right.
        decisive = [min(found, key=ranked)] if found else []
        if REVERT_PATH in self._recorded:
            decisive.append(self._recorded[REVERT_PATH])
        if decisive:
            return max(decisive, key=ranked)
        return UNREADABLE if (change.address.level, _name(change)) in self._lost else ""

    def needs(self, version: str) -> bool:
        """Whether the document of a version is neither the live one nor already here."""
        return version not in ("", UNREADABLE, *self._live_versions, *self._earlier)

    def judge(self, change: Change, consents: Iterable[str]) -> Drift:
        """Whether a change has drifted.

        `consents` are the versions for which a manifest permits to overwrite drift.
        """
        baseline = self.baseline(change)
        if not baseline:
            return Drift()
        seen = self._seen(change, baseline)
        if seen is not Comparison.CHANGED:
            return Drift(baseline="" if seen is Comparison.NEW else baseline)
        holding = {self._live_versions[0]} | {
            version
            for version in consents
            if ranked(baseline) < int(version) and self._seen(change, version) is Comparison.SAME
        }
        return Drift(True, baseline, tuple(sorted(holding, key=int)))

    def _seen(self, change: Change, version: str) -> Comparison:
        if version in self._live_versions:
            return Comparison.SAME
        earlier = self._earlier.get(version)
        return earlier.seen(change) if earlier is not None else Comparison.CHANGED

    @cached_property
    def _lost(self) -> frozenset[tuple[Level, str]]:
        """Attributes that are recorded below a UID that the live document does not have.

        Another process may have changed that UID: which value was reviewed is not known then.
        """
        found = set()
        wholes = [path for path in self._recorded if is_whole(path)]
        for path in self._recorded:
            parts = path.split("/")
            level = _LEVELS.get(len(parts))
            uids = set(map(uid_of_part, {parts[2], parts[-2]} - {"Series"})) if level else set()
            gone = not uids <= self._live_names
            if level and gone and not any(is_below(path, whole) for whole in wholes):
                found.add((level, parts[-1]))
        return frozenset(found)

    @cached_property
    def _live_names(self) -> frozenset[str]:
        """Every name by which a path may call a series or an instance that is there."""
        found = {WILDCARD}
        for key, section in series(self._live).items():
            for name in (key, uid_value(section, SERIES_INSTANCE_UID, key)):
                found |= self._alias.series.names(name)
            for inner, held in instances(section).items():
                for name in (inner, uid_value(held, SOP_INSTANCE_UID, inner)):
                    found |= self._alias.instances.names(name)
        return frozenset(found)


class Comparison(Enum):
    """How what a change changes stood in an earlier version."""

    SAME = auto()  # as it stands today
    CHANGED = auto()  # otherwise, or it is not known how
    NEW = auto()  # not at all: it has come since


class Earlier:
    """The document of an earlier version beside the live one: what has changed in between."""

    def __init__(
        self, live: Document, earlier: Document, alias: Renames, recorded: Iterable[str]
    ) -> None:
        self._live = live
        self._earlier = earlier
        self._alias = alias
        self._recorded = frozenset(recorded)

    def seen(self, change: Change) -> Comparison:
        """How this attribute, series or instance stood."""
        places = self._locator.locate(change.address)
        match change.op:
            case Op.ADD | Op.UPDATE | Op.REMOVE:
                return self._attribute(change, places or self._by_frames(change.address))
            case Op.REMOVE_INSTANCE:
                shown = _frames(self._live, change.address)
                same = any(_frames(self._earlier, place) == shown for place in places)
            case Op.REMOVE_SERIES:
                same = bool(places)
            case Op.RESTORE_INSTANCE | Op.RESTORE_SERIES:
                same = not places or section_at(self._live, change.address) is not None
        return Comparison.SAME if same else Comparison.CHANGED

    def _attribute(self, change: Change, places: Iterable[Address]) -> Comparison:
        held = [_attribute(self._earlier, place, change) for place in places]
        if not held:
            return Comparison.NEW if self._all_accounted_for else Comparison.CHANGED
        now = _attribute(self._live, change.address, change)
        return Comparison.SAME if now in held else Comparison.CHANGED

    @cached_property
    def _all_accounted_for(self) -> bool:
        """Whether every earlier instance is still known: by its UID, its frames, or our removal.

        Where one is not, an instance that seems to be new may be it, under a UID that another
        process has given it.
        """
        live = Locator(self._live, self._alias)
        frames = {
            frame
            for section in series(self._live).values()
            for instance in instances(section).values()
            for frame in frame_ids(instance)
        }
        return all(
            live.locate(instance_at(key, inner))
            or frames.intersection(frame_ids(instance))
            or self._removed(key, inner)
            for key, section in series(self._earlier).items()
            for inner, instance in instances(section).items()
        )

    def _removed(self, key: str, inner: str) -> bool:
        ours = {series_at(key).path(), instance_at(key, inner).path()}
        return not ours.isdisjoint(self._recorded)

    @cached_property
    def _locator(self) -> Locator:
        return Locator(self._earlier, self._alias)

    def _by_frames(self, address: Address) -> tuple[Address, ...]:
        """Where the images were that stand here now: another process may have changed the UID."""
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
        """Each earlier frame's instance."""
        return {
            frame: instance_at(key, inner)
            for key, section in series(self._earlier).items()
            for inner, instance in instances(section).items()
            for frame in frame_ids(instance)
        }


# The number of parts of the path of an attribute below a series or an instance.
_LEVELS = {4: Level.SERIES, 6: Level.INSTANCE}


def _name(change: Change) -> str:
    return document_key(change.tag) if change.tag is not None else change.key


def _instances(document: Document, address: Address) -> tuple[Address, ...]:
    if address.level is not Level.SERIES:
        return (address,)
    section = section_at(document, address) or {}
    return tuple(instance_at(address.series, key) for key in instances(section))


def _frames(document: Document, address: Address) -> tuple[str, ...]:
    return frame_ids(section_at(document, address) or {})


def _attribute(
    document: Document, address: Address, change: Change
) -> tuple[str, str, Json] | None:
    """Return VR, private creator and canonical value of an attribute; None if it is missing."""
    section = section_at(document, address) or {}
    key = live_key(section, change.tag) if change.tag is not None else change.key
    held = section_of(section, "DICOM")
    if key is None or key not in held:
        return None
    vr = key_vr(section, key)
    return vr, creator_in(held, change.tag or 0), canonical(vr, held[key])
