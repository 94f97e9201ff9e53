"""Plans a fleet after a scan: what has not moved is a count, and only the rest is looked at.

A search shows what has moved since the scan. That, what was not settled then, and what changed
manifests name is planned as ever, with every manifest that asks anything of the same image sets or
studies. So a contradiction is never missed, and the plan is the one that reading everything gives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.core.ask.ids import image_set_ids
from reconciler.core.errors import InputError, ReconcilerError, ServiceError
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.form import Asks
from reconciler.core.model.record import Entry
from reconciler.core.model.results import Checked, Planned
from reconciler.core.model.scan import Scan
from reconciler.core.model.scope import Observation, Observing, Refresh, Scope, StoreScope
from reconciler.core.model.settings import Datastore, Settings
from reconciler.core.ports import PacedImageSets
from reconciler.core.scan import brief_of, moved
from reconciler.edges import attempts, git, records
from reconciler.observe.scan import listed_since, time_of
from reconciler.observe.sweep import sweep
from reconciler.pipeline.base import base_commit
from reconciler.pipeline.check import check_contents
from reconciler.pipeline.edges import Edges
from reconciler.pipeline.gate import Gate, ShutError, files_at, is_clean, open_gate
from reconciler.pipeline.local_files import tracked_files
from reconciler.pipeline.plan import WiderError, counts, plan

# The service's clock and ours may differ by so much, in seconds.
_CLOCKS = 300
_DAY = 86_400
# A plan that still finds further members of studies after so many rounds reads everything.
_MOST_ROUNDS = 8
_SELECTS = "manifests select image sets by a search"


class Opening:
    """Manifests that are to be planned: as the gate lets them through, or all of them.

    `reading` checks all manifests. Where the gate is shut it is called at once, before anything
    connects; `why` is the reason. A plan that is not of the whole repository needs no gate.
    """

    def __init__(
        self,
        settings: Settings,
        reading: Callable[[], Checked],
        *,
        is_whole: bool = True,
        refresh: Refresh = Refresh.CHANGED,
    ) -> None:
        self._settings = settings
        self._reading = reading
        self._refresh = refresh
        self._gate: Gate | None = None
        self.checked: Checked | None = None
        self.why = ""
        try:
            if is_whole and refresh is not Refresh.DOCUMENTS:
                self._gate = open_gate(settings)
        except ShutError as shut:
            self.why = str(shut)
        if self._gate is None:
            self.checked = reading()

    def plan(
        self,
        edges: Edges,
        *,
        base: str | None = None,
        found: Sequence[Attempt] = (),
        is_dated: bool = False,
    ) -> tuple[Checked, Planned]:
        """Plan, by what has moved since the last scan if that is possible. Raises as `plan`."""
        if self._gate is not None:
            try:
                fleet = _Fleet.of(self._settings, self._gate, edges, self._refresh)
                return plan_fleet(fleet, edges, base=base, found=found)
            except ShutError as shut:
                self._gate, self.why = None, str(shut)
        if self.checked is None:
            self.checked = self._reading()
        how = Observing(is_dated=is_dated, refresh=self._refresh)
        planned = plan(self._settings, self.checked, edges, base=base, found=found, observing=how)
        observed = tuple(replace(one, why=self.why) for one in planned.observed)
        return self.checked, replace(planned, observed=observed)


def plan_fleet(
    fleet: _Fleet,
    edges: Edges,
    *,
    base: str | None = None,
    found: Sequence[Attempt] = (),
) -> tuple[Checked, Planned]:
    """Plan the part of a fleet that has moved or is to change.

    Raises ShutError with the reason if that cannot be done: then everything is to be read.
    """
    settings = fleet.settings
    commit = base_commit(settings, base)
    wanted = {name: set(one) for name, one in fleet.starting(found).items()}
    touched = fleet.gate.touched() | fleet.touched_at(commit)
    for some in wanted.values():
        some |= touched
    for _ in range(_MOST_ROUNDS):
        scope = fleet.scope(wanted)
        try:
            checked = fleet.checked(scope)
            planned = plan(
                settings, checked, edges, base=base, found=found, observing=Observing(scope)
            )
        except WiderError as wider:
            for name, more in wider.image_sets.items():
                wanted[name] |= more
        except (InputError, ServiceError) as error:
            # Reading everything finds every problem of every file, and of every data store.
            raise ShutError(_why(error)) from None
        else:
            calls = dict(sorted(fleet.calls().items()))
            return checked, replace(planned, calls=calls, observed=fleet.observed(scope))
    raise ShutError("studies have members beyond the last scan")


@dataclass(frozen=True)
class _Fleet:
    """A fleet, and what was searched for in its data stores."""

    settings: Settings
    gate: Gate
    ports: Mapping[str, PacedImageSets]
    before: Counter[str]
    listed: Mapping[str, _Listed]

    @classmethod
    def of(cls, settings: Settings, gate: Gate, edges: Edges, refresh: Refresh) -> _Fleet:
        """Search all data stores. Raises ShutError if one cannot be searched."""
        stores = [settings.datastore(name) for name in gate.scans]
        ports, errors = edges.connect(stores)
        if errors:
            raise ShutError("a data store cannot be connected to")
        now = int(edges.clock.utc())
        before = counts(ports.values())
        listed = {}
        for one in stores:
            scan = gate.scans[one.name]
            if scan.since > now + _CLOCKS:
                raise ShutError("the time of the last scan is in the future")
            try:
                gone = _witnessed(gate.root, one, scan, ports[one.name])
                search = _swept if refresh is Refresh.FULL else _listed
                found = search(gate.root, scan, ports[one.name], now)
                listed[one.name] = replace(found, image_sets=found.image_sets | gone)
            except ServiceError as error:
                raise ShutError(_why(error)) from None
        return cls(settings, gate, ports, before, listed)

    def starting(self, found: Sequence[Attempt]) -> Mapping[str, frozenset[str]]:
        """The image sets of each data store that are to be looked at, whatever manifests say."""
        root = self.gate.root
        left = (*attempts.read(root, tracked_files(root)), *found)
        wanted = {}
        for name, scan in self.gate.scans.items():
            identity = scan.datastore_id
            listed = self.listed[name]
            wanted[name] = frozenset().union(
                (image_set for image_set, _ in scan.residue),
                scan.released,
                listed.image_sets,
                records.of_studies(root, identity, listed.studies),
                (one.image_set_id for one in left if one.datastore_id == identity),
            )
        return wanted

    def touched_at(self, commit: str) -> frozenset[str]:
        """The image sets that manifests name which the base has otherwise than the scan."""
        if not commit:
            return frozenset()
        gate = self.gate
        paths = [gate.root / self.settings.file, gate.root / records.FOLDER]
        if any(git.differing(gate.root, commit, "HEAD", path) for path in paths):
            raise ShutError("the base has other settings or records")
        tree = git.tree_of(gate.root, gate.folder, commit)
        if tree == gate.tree_id:
            return frozenset()
        then, base = gate.held, files_at(gate, tree)
        differing = [name for name in {*then, *base} if then.get(name) != base.get(name)]
        blobs = [held[name] for held in (then, base) for name in differing if name in held]
        contents = git.contents_of(gate.root, blobs)
        if contents is None:
            raise ShutError("this clone does not have the manifests of the base")
        self._refuse_selectors({name: contents[base[name]] for name in differing if name in base})
        return frozenset().union(*map(image_set_ids, contents.values()))

    def _refuse_selectors(self, at_base: Mapping[str, bytes]) -> None:
        """Raise ShutError if manifests of the base select image sets, or may do so."""
        try:
            found = check_contents(self.settings, at_base)
        except InputError:
            raise ShutError("manifests of the base have problems") from None
        if found.selectors:
            raise ShutError(_SELECTS)

    def scope(self, wanted: Mapping[str, Iterable[str]]) -> Scope:
        """What to look at: the image sets, the members of their studies, and their manifests."""
        stores = {name: self._store(name, set(some)) for name, some in wanted.items()}
        named = frozenset().union(*(one.image_sets for one in stores.values()))
        return Scope(stores, self.gate.naming(named) | self.gate.changed_now())

    def _store(self, name: str, wanted: set[str]) -> StoreScope:
        scan = self.gate.scans[name]
        known = {image_set for image_set, _ in scan.residue} | set(scan.released)
        read: set[str] = set()
        entries: dict[str, Entry] = {}
        while new := {*wanted, *_members(entries.values())} - read:
            entries |= records.read_some(self.gate.root, scan.datastore_id, new)
            read |= new
            wanted |= {one for one in new if _is_settled(entries.get(one)) and one not in known}
        settled = sum(_is_settled(entry) and one not in known for one, entry in entries.items())
        if settled > scan.settled:
            raise ShutError("the records have more image sets than the last scan")
        if any(entry.unverified for entry in entries.values()):
            # What accepts it may be asked of another image set of the study.
            raise ShutError("an update was read back with other content")
        left = scan.settled - settled
        return StoreScope(frozenset(wanted), frozenset(read), left, scan.recorded)

    def checked(self, scope: Scope) -> Checked:
        """The asks of the manifests in scope, for the image sets in scope."""
        found = check_contents(self.settings, dict(self.gate.contents(sorted(scope.files))))
        if found.selectors:
            # No manifest names what they select, so what asks the same is not in scope.
            raise ShutError(_SELECTS)
        image_sets = {name: one.image_sets for name, one in scope.stores.items()}
        managed = Asks(
            [ask for ask in found.managed if ask.image_set_id in image_sets.get(ask.datastore, ())]
        )
        if any(ask.datastore not in image_sets for ask in found.managed):
            raise ShutError("manifests name a data store that was not scanned")
        names = self.gate.names
        clean = is_clean(self.settings, self.gate)
        return replace(found, managed=managed, files=len(names), read=names, is_clean=clean)

    def calls(self) -> Counter[str]:
        """The calls of this plan, by operation."""
        return counts(self.ports.values()) - self.before

    def observed(self, scope: Scope) -> tuple[Observation, ...]:
        """How the data stores were observed."""
        return tuple(
            Observation(
                name,
                self.gate.scans[name].datastore_id,
                one.settled,
                self.listed[name].began,
                self.listed[name].began
                if self.listed[name].is_full
                else self.gate.scans[name].full_since,
                self.listed[name].began,
                self.gate.scans[name].witness,
            )
            for name, one in sorted(scope.stores.items())
        )


@dataclass(frozen=True, slots=True)
class _Listed:
    """What searches list otherwise than it is recorded. `is_full` says that all was searched."""

    image_sets: frozenset[str]
    studies: frozenset[str]
    began: int | None
    is_full: bool = False


def _listed(root: Path, scan: Scan, port: PacedImageSets, now: int) -> _Listed:
    """Search for what was created or changed since the scan."""
    found = listed_since(port, scan.since, now + _DAY)
    ids = {row.image_set_id for row in found.rows}
    entries = records.read_some(root, scan.datastore_id, ids)
    briefs = {name: brief_of(entry) for name, entry in entries.items()}
    shown = moved(found.rows, briefs.get)
    return _Listed(shown.image_sets, shown.studies, found.began)


def _swept(root: Path, scan: Scan, port: PacedImageSets, now: int) -> _Listed:
    """Search the whole data store. What it does not list is looked at one by one."""
    briefs = records.briefs(root, scan.datastore_id)
    found = sweep(port, briefs, now)
    began = found.began if found.as_recorded else time_of(port)
    unsure = frozenset(briefs.keys() - found.as_recorded.keys())
    return _Listed(unsure, found.studies, began, is_full=True)


def _witnessed(root: Path, one: Datastore, scan: Scan, port: PacedImageSets) -> frozenset[str]:
    """Prove by one GetImageSet that this is the data store of the scan.

    Returns the image set that was asked for if it is no longer as recorded.
    """
    live = port.get(scan.witness)
    entry = records.read_some(root, one.datastore_id, {scan.witness}).get(scan.witness)
    if entry is None or not entry.is_of(live):
        raise ShutError("the data store is not that of the last scan")
    return frozenset() if entry.is_at(live) else frozenset({scan.witness})


def _members(entries: Iterable[Entry]) -> set[str]:
    return {name for one in entries if one.study is not None for name, _ in one.study.versions}


def _is_settled(entry: Entry | None) -> bool:
    """Whether an entry is that of an image set which was seen converged with all that is asked."""
    return entry is not None and bool(entry.ask_digest) and bool(entry.asked)


def _why(error: ReconcilerError) -> str:
    """Why a search or a plan of a part failed. The error itself may hold words of the service."""
    if isinstance(error, ServiceError):
        return f"the service did not answer {error.operation or 'a call'} as expected"
    return "changed manifests have problems"
