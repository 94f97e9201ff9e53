"""Records what a scan saw, so that the next plan looks at what has moved since then."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.key import Key
from reconciler.core.model.observed import Properties, Summary
from reconciler.core.model.outcome import Outcome
from reconciler.core.model.plan import Action, Plan
from reconciler.core.model.record import Entry
from reconciler.core.model.results import Checked, Planned
from reconciler.core.model.scan import Scan, ScanBasis
from reconciler.core.model.scope import Observation
from reconciler.core.model.settings import Datastore, Settings
from reconciler.core.plan import build
from reconciler.core.plan.unchanged import counted
from reconciler.core.ports import Files
from reconciler.core.survey import Base
from reconciler.core.survey.needs import Answer, MembersOf, Need, PropertiesOf
from reconciler.edges import records
from reconciler.edges.records import scans
from reconciler.pipeline.gate import basis_now
from reconciler.pipeline.held import Held
from reconciler.pipeline.known import key_of

# SearchImageSets takes times in whole seconds, and its index may lag: a search begins so much
# earlier than the last one, in seconds.
OVERLAP = 3_600
# With more image sets that are not settled, a scan saves little and its file is large.
_MOST_RESIDUE = 10_000
# An apply leaves a scan in which nothing changes but its time as it is, for so many seconds: each
# new time is a commit.
_KEPT = 86_400
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scanning:
    """What an apply needs to record a scan: the plan that it has just made, and its asks.

    With `is_always`, also a scan is recorded in which nothing has changed but its time.
    """

    checked: Checked
    planned: Planned
    is_always: bool = False


def record_scans(
    settings: Settings, scanning: Scanning, outcomes: Sequence[Outcome], files: Files
) -> list[Path]:
    """Write the scans of all data stores of a plan, after it was executed with these outcomes.

    Return the files that changed. Where that is not possible, scans that no longer hold are left:
    their basis shows it. Raises RecordError if a file cannot be written.
    """
    plan, root = scanning.planned.plan, Path(settings.root)
    key = key_of(root)
    if key is None or not _is_recordable(settings, scanning):
        return []
    names = {name for name, _ in plan.datastores} | {one.name for one in plan.basis.datastores}
    stores = [settings.datastore(name) for name in sorted(names)]
    bases = basis_now(settings, plan.basis.commit, stores)
    seen = {one.datastore_id: one for one in scanning.planned.observed}
    runs = [_Run(settings, one, scanning, outcomes, key) for one in stores] if bases else []
    return [
        scans.path(root, run.datastore_id)
        for run in runs
        if _is_written(run, seen.get(run.datastore_id), bases[run.datastore_id], files)
    ]


def _is_written(run: _Run, observed: Observation | None, basis: ScanBasis, files: Files) -> bool:
    """Write the scan of one data store, or remove it; return whether that changed the file."""
    root, scan = Path(run.settings.root), observed and _scan(run, observed, basis)
    if not scan:
        return scans.remove(root, run.datastore_id, files=files)
    before = scans.read(root, run.datastore_id, run.key)
    if not (run.scanning.is_always or _says_more(scan, before)):
        return False
    return scans.write(root, scan, run.key, files=files)


def _is_recordable(settings: Settings, scanning: Scanning) -> bool:
    """Whether a scan can state its inputs: all manifests of a commit, and records beside them.

    No manifest names an image set that is selected by a search. So a plan after a scan would not
    find what is asked of it.
    """
    is_apart = settings.record_mode is not None and settings.record_mode.is_apart
    plan = scanning.planned.plan
    if is_apart or plan.basis.paths or plan.unread or scanning.checked.selectors:
        return False
    return plan.basis.is_clean is True


def _says_more(scan: Scan, before: Scan | None) -> bool:
    if before is None or scan.since - before.since > _KEPT:
        return True
    return scan != replace(before, since=scan.since, full_since=scan.full_since)


@dataclass(frozen=True)
class _Run:
    """One data store of a plan that was executed."""

    settings: Settings
    datastore: Datastore
    scanning: Scanning
    outcomes: Sequence[Outcome]
    key: Key

    @property
    def datastore_id(self) -> str:
        return self.datastore.datastore_id

    @property
    def plan(self) -> Plan:
        return self.scanning.planned.plan

    @property
    def asks(self) -> dict[str, ImageSetAsk]:
        return {
            ask.image_set_id: ask
            for ask in self.scanning.checked.asks
            if ask.datastore == self.datastore.name
        }

    @property
    def actions(self) -> list[Action]:
        return [one for one in self.plan.actions if one.datastore == self.datastore.name]

    def is_good(self, action: Action) -> bool:
        """Whether the image sets of an action were seen with what is asked."""
        own = [one for one in self.outcomes if one.step in action.steps]
        return action.status.is_good or (
            bool(action.steps)
            and len(own) == len(action.steps)
            and all(one.result.is_good for one in own)
        )

    def entries(self, image_sets: Collection[str]) -> Mapping[str, Entry]:
        return records.read_some(Path(self.settings.root), self.datastore.datastore_id, image_sets)


def _scan(run: _Run, observed: Observation, basis: ScanBasis) -> Scan | None:
    """The scan of a data store; None if it would save nothing."""
    asks = run.asks
    acted = {
        one.image_set_id: action
        for action in run.actions
        for one in (*action.members, *action.siblings)
        if one.image_set_id in asks
    }
    good = {name for name, action in acted.items() if run.is_good(action)}
    settled = _settled(run, good, asks)
    residue = {name: str(action.status) for name, action in acted.items() if name not in settled}
    released = [
        one.image_set_id for one in run.plan.released if one.datastore == observed.datastore
    ]
    kept = {
        name for name, entry in run.entries(released).items() if entry.asked or entry.selected_by
    }
    unchanged = sum(
        one.image_sets for one in run.plan.unchanged if one.datastore == observed.datastore
    )
    witness = min(asks.keys() - residue.keys(), default=observed.witness)
    if observed.began is None or not witness or len(residue) > _MOST_RESIDUE:
        return None
    full = observed.full if observed.full is not None else observed.began
    return Scan(
        observed.datastore_id,
        basis,
        unchanged + len(settled),
        len(records.image_sets(Path(run.settings.root), observed.datastore_id)),
        observed.began - OVERLAP,
        full,
        witness,
        tuple(sorted(residue.items())),
        tuple(sorted(kept)),
    )


def _settled(run: _Run, good: Collection[str], asks: Mapping[str, ImageSetAsk]) -> set[str]:
    """Which image sets a plan would now only count, if each is as it was just seen and recorded.

    The decision is that of a plan: it runs on what the records state, and without a call.
    """
    entries = dict(run.entries(good))
    members = {name for one in entries.values() if one.study for name, _ in one.study.versions}
    entries |= run.entries(members - entries.keys())
    managed = tuple(asks[name] for name in sorted(good))
    held = Held(run.datastore, run.settings, managed, entries, run.key)
    base = Base(held.asks, held.known({}), run.settings.rules)
    given = _Recorded(entries, _primaries(run.actions)).given
    found = {name: one for name in held.asks if (one := base.diff(name, given)) is not None}
    seen = base.completed(found, given)
    listed, _ = counted(held.actions(seen, build))
    return (
        set(found)
        - seen.unknown
        - {one.image_set_id for action in listed for one in (*action.members, *action.siblings)}
    )


def _primaries(actions: Iterable[Action]) -> Mapping[str, bool | None]:
    return {
        one.image_set_id: one.is_primary
        for action in actions
        for one in (*action.members, *action.siblings)
    }


@dataclass(frozen=True, slots=True)
class _Recorded:
    """Answers needs from records, as the service answers if nothing has moved since."""

    entries: Mapping[str, Entry]
    primaries: Mapping[str, bool | None]

    def given(self, need: Need) -> Answer | None:
        match need:
            case PropertiesOf(name, ""):
                return self._properties(name)
            case MembersOf(uid):
                return tuple(map(self._summary, self._members(uid)))
            case _:
                return None

    def _members(self, uid: str) -> Sequence[str]:
        studies = (one.study for one in self.entries.values() if one.study is not None)
        return sorted(
            {name for one in studies if one.study_instance_uid == uid for name, _ in one.versions}
        )

    def _properties(self, name: str) -> Properties | None:
        entry = self.entries.get(name)
        if entry is None:
            return None
        return entry.properties(is_primary=self.primaries.get(name))

    def _summary(self, name: str) -> Summary:
        entry = self.entries.get(name)
        version = entry.version_id if entry is not None else ""
        return Summary(name, version, self.primaries.get(name), None)
