"""The stages, in order; the only module that sees them all.

load -> validate -> resolve -> observe -> diff -> plan -> apply -> record
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from reconciler import apply as executor
from reconciler import git, record, schema
from reconciler.dicom.content import content_digest
from reconciler.errors import InputError, PlanFileError
from reconciler.load import load
from reconciler.model.ask import ImageSetAsk
from reconciler.model.outcome import Outcome, Result, Started
from reconciler.model.plan import Action, Basis, Member, Plan, Status
from reconciler.model.record import RULES_VERSION, Entry
from reconciler.model.settings import Datastore, RecordMode, Settings
from reconciler.observe import Counted, observe
from reconciler.plan import build, eta_seconds
from reconciler.plan.file import plan_digest
from reconciler.ports import Clock, PacedImageSets
from reconciler.resolve import resolve
from reconciler.validate import manifest_checker, validate
from reconciler.validate.schema import Checker


@dataclass(frozen=True, slots=True)
class Edges:
    """The outside: `ports` gives the paced image sets of a data store."""

    ports: Callable[[Datastore], PacedImageSets]
    clock: Clock


@dataclass(frozen=True, slots=True)
class Checked:
    """Asks without a contradiction. `complete` means that they are all that the manifests ask."""

    asks: tuple[ImageSetAsk, ...]
    files: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and the reads that it took by operation."""

    plan: Plan
    calls: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a plan. `held` are the actions that could not even be tried."""

    outcomes: tuple[Outcome, ...]
    held: tuple[Action, ...]
    recorded: tuple[Path, ...]
    commit: str


def check(settings: Settings, paths: Sequence[Path] = ()) -> Checked:
    """Read and check manifests, all of them unless told otherwise.

    Raises InputError with every problem of every file.
    """
    root = Path(settings.root)
    loaded = load(root, list(paths) or [root / settings.manifests])
    validated = validate(loaded.documents, settings, _checker())
    resolved = resolve(validated.asks)
    problems = (*loaded.problems, *validated.problems, *resolved.problems)
    if problems:
        raise InputError(problems)
    return Checked(resolved.asks, loaded.files, complete=not paths)


@cache
def _checker() -> Checker:
    return manifest_checker(schema.load("manifest"))


def plan(settings: Settings, checked: Checked, edges: Edges) -> Planned:
    """Read what is asked for and decide what would change. Writes nothing.

    Raises RecordError for a record that was edited, ServiceError where the service cannot be seen.
    """
    root = Path(settings.root)
    actions: list[Action] = []
    dropped: list[tuple[str, str]] = []
    calls: dict[str, int] = {}
    for datastore in settings.datastores:
        asks = [ask for ask in checked.asks if ask.datastore == datastore.name]
        entries = _entries(root, datastore)
        if checked.complete:
            dropped += _forgotten(datastore, entries, asks)
        if not asks:
            continue
        port = Counted(edges.ports(datastore))
        diffs, studies = observe(port, asks, entries, settings.rules)
        actions += build(datastore, diffs, studies, settings)
        for operation, count in port.calls.items():
            calls[operation] = calls.get(operation, 0) + count
    ordered = tuple(sorted(actions, key=lambda action: (action.datastore, action.image_set_id)))
    made = Plan(
        basis=Basis(git.head(root), RULES_VERSION),
        actions=ordered,
        dropped=tuple(sorted(dropped)),
        eta_seconds=eta_seconds(ordered, settings),
    )
    return Planned(made, dict(sorted(calls.items())))


def _entries(root: Path, datastore: Datastore) -> Mapping[str, Entry]:
    """The records of one data store; those of another that once had this name do not count."""
    return {
        image_set_id: entry
        for image_set_id, entry in record.read(root, datastore.name).items()
        if entry.datastore_id == datastore.datastore_id
    }


def _forgotten(
    datastore: Datastore, entries: Mapping[str, Entry], asks: Sequence[ImageSetAsk]
) -> list[tuple[str, str]]:
    """Records that no manifest asks for any more; a study's unasked siblings keep theirs."""
    asked = {ask.image_set_id for ask in asks}
    return [
        (datastore.name, image_set_id)
        for image_set_id, entry in entries.items()
        if image_set_id not in asked and entry.ask_digest
    ]


def apply(
    settings: Settings,
    plan: Plan,
    edges: Edges,
    *,
    mode: RecordMode,
    on_event: Callable[[Started | Outcome], None],
    stop: Callable[[], bool] = lambda: False,
    abandon: Callable[[], bool] = lambda: False,
) -> Applied:
    """Execute exactly this plan, recording every image set as it is seen converged.

    Once `stop` says so nothing new is sent; once `abandon` does, nothing is awaited either.
    Raises PlanFileError for a plan of other data stores than reconciler.yaml names.
    """
    root = Path(settings.root)
    ports = {
        name: edges.ports(_datastore(settings, name, plan))
        for name in sorted({action.datastore for action in plan.actions if action.steps})
    }
    recorder = _Recorder(root, plan)
    recorder.converged()
    outcomes = []
    for event in executor.apply(
        plan,
        ports,
        edges.clock,
        content_digest,
        lock_timeout=settings.lock_timeout_seconds,
        stop=stop,
        abandon=abandon,
    ):
        if isinstance(event, Outcome):
            outcomes.append(event)
            recorder.landed(event)
        on_event(event)
    commit = recorder.commit() if mode is RecordMode.COMMIT else ""
    return Applied(tuple(outcomes), held(plan), recorder.paths, commit)


def held(plan: Plan) -> tuple[Action, ...]:
    """The actions that the plan itself keeps from running."""
    stuck = (Status.BLOCKED, Status.DRIFTED, Status.BUSY)
    return tuple(action for action in plan.actions if not action.steps and action.status in stuck)


def _datastore(settings: Settings, name: str, plan: Plan) -> Datastore:
    ids = {action.datastore_id for action in plan.actions if action.datastore == name}
    try:
        datastore = settings.datastore(name)
    except KeyError:
        datastore = None
    if datastore is None or ids != {datastore.datastore_id}:
        raise PlanFileError(
            f"the plan is for a data store {name} that reconciler.yaml does not have",
            "Plan again in this repository, or apply where the plan was made.",
        )
    return datastore


class _Recorder:
    """Writes records as outcomes come in: a run that dies leaves what it saw behind."""

    def __init__(self, root: Path, plan: Plan) -> None:
        self._root = root
        self._plan = plan
        self._members = {
            (action.datastore_id, member.image_set_id): (action, member)
            for action in plan.actions
            for member in action.members
        }
        self._last = {
            (step.datastore_id, image_set_id): step
            for step in plan.steps
            for image_set_id, _ in step.expected
        }
        self._paths: set[Path] = set()
        self._moved: list[git.Moved] = []

    @property
    def paths(self) -> tuple[Path, ...]:
        """The record files that changed."""
        return tuple(sorted(self._paths))

    def converged(self) -> None:
        """What the plan found converged but not recorded, and what nobody asks for any more."""
        for datastore in sorted(
            {a.datastore for a in self._plan.actions} | {name for name, _ in self._plan.dropped}
        ):
            entries = [
                _entry(action, member, member.pin, member.previous_version_id, member.updated_at)
                for action in self._plan.actions
                if action.datastore == datastore and action.status is Status.CONVERGED
                for member in action.members
                if not member.recorded
            ]
            drop = [one for name, one in self._plan.dropped if name == datastore]
            self._write(datastore, entries, drop)

    def landed(self, outcome: Outcome) -> None:
        """The versions that a step produced, where no later step of the plan moves them again."""
        if outcome.result not in (Result.CONVERGED, Result.ALREADY_CONVERGED):
            return
        for datastore, entry in self._landed_entries(outcome):
            self._write(datastore, [entry], [])

    def _landed_entries(self, outcome: Outcome) -> Iterator[tuple[str, Entry]]:
        for landed in outcome.landed:
            key = (outcome.step.datastore_id, landed.image_set_id)
            if self._last[key] != outcome.step:
                continue
            action, member = self._members[key]
            # The version that was read, also where several calls lie between: that is where
            # somebody who wants the old content back must look.
            entry = _entry(action, member, landed.version_id, member.pin, landed.updated_at)
            yield action.datastore, entry

    def _write(self, datastore: str, entries: Sequence[Entry], drop: Sequence[str]) -> None:
        if not entries and not drop:
            return
        self._paths.update(record.write(self._root, datastore, entries, drop))
        self._moved += [
            git.Moved(datastore, entry.image_set_id, entry.previous_version_id, entry.version_id)
            for entry in entries
        ]

    def commit(self) -> str:
        """One commit of the records alone; "" where there is nothing new."""
        folders = [
            record.folder(self._root, name)
            for name in sorted({action.datastore for action in self._plan.actions})
            if record.folder(self._root, name).exists()
        ]
        if not folders:
            return ""
        text = git.message(
            self._moved,
            applied_commit=self._plan.basis.commit,
            plan_digest=plan_digest(self._plan),
        )
        return git.commit(self._root, folders, text)


def _entry(
    action: Action, member: Member, version: str, previous: str, updated_at: float | None
) -> Entry:
    return Entry(
        datastore_id=action.datastore_id,
        image_set_id=member.image_set_id,
        version_id=version,
        previous_version_id=previous,
        updated_at=updated_at,
        asked=member.asked,
        ask_digest=member.ask_digest,
    )
