"""The stages, in order; the only module that sees them all.

load -> validate -> resolve -> observe -> diff -> plan -> apply -> record
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path, PurePath

from reconciler import apply as executor
from reconciler.apply.recover import ends
from reconciler.apply.step import StepRun
from reconciler.apply.unlike import unconfirmed
from reconciler.core import stale
from reconciler.core.ask import manifest_checker, validate
from reconciler.core.ask.resolve import resolve
from reconciler.core.ask.schema import Checker
from reconciler.core.dicom.content import content_digest
from reconciler.core.diff.paths import opened
from reconciler.core.errors import (
    InputError,
    PlanBugError,
    PlanFileError,
    ReconcilerError,
    ServiceError,
    StaleError,
    about_one,
)
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.bounds import Bounds
from reconciler.core.model.key import Key
from reconciler.core.model.outcome import Landed, Outcome, Result, Started
from reconciler.core.model.plan import Action, Basis, Plan, Status
from reconciler.core.model.record import RULES_VERSION, Entry
from reconciler.core.model.settings import Datastore, RecordMode, Settings
from reconciler.core.model.workflow_status import pauses
from reconciler.core.plan import build, eta_seconds, with_digests
from reconciler.core.plan.checker import contradictions, edited
from reconciler.core.plan.file import AGAIN
from reconciler.core.plan.guardrails import guarded
from reconciler.core.ports import Clock, Files, PacedImageSets
from reconciler.edges import attempts, git, records, schemas
from reconciler.edges import key as keys
from reconciler.edges.files import REAL
from reconciler.edges.manifests import load
from reconciler.observe.driver import Counted, Known, observe
from reconciler.record.recorder import Recorder

# How long an apply that plans by itself waits for image sets that are LOCKED.
BUSY_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Edges:
    """The outside: `ports` gives the paced image sets of a data store, once it is sure whose."""

    ports: Callable[[Datastore], PacedImageSets]
    clock: Clock
    files: Files = REAL


@dataclass(frozen=True, slots=True)
class Checked:
    """Asks without a contradiction. `complete` means that they are all that the manifests ask.

    Else `paths` are the manifests that were selected, relative to the root.
    """

    asks: tuple[ImageSetAsk, ...]
    files: int
    complete: bool
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and the reads that it took by operation."""

    plan: Plan
    calls: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a plan. `held` are the actions that could not even be tried.

    `plan_digest` is keyed, and "" where the repository has no key.
    `problems` is what kept us from recording it (RecordError, GitError): the outcomes hold all
    the same, and the next run records them. `recovered` is what runs that were killed had changed,
    beyond this plan.
    """

    outcomes: tuple[Outcome, ...]
    held: tuple[Action, ...]
    recorded: tuple[Path, ...]
    commit: str
    problems: tuple[ReconcilerError, ...] = field(default=())
    recovered: tuple[Landed, ...] = field(default=())
    plan_digest: str = ""


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
    selected = tuple(sorted({_relative(root, path) for path in paths}))
    return Checked(resolved.asks, loaded.files, not paths, selected)


def _relative(root: Path, path: Path) -> str:
    return PurePath(os.path.relpath(path.absolute(), root.absolute())).as_posix()


@cache
def _checker() -> Checker:
    return manifest_checker(schemas.load("manifest"))


def plan(settings: Settings, checked: Checked, edges: Edges) -> Planned:
    """Read what is asked for and decide what would change. Writes nothing.

    Raises RecordError for a record that was edited, ServiceError where the service cannot be seen.
    """
    root = Path(settings.root)
    actions: list[Action] = []
    dropped: list[tuple[str, str]] = []
    calls: dict[str, int] = {}
    left, key = attempts.read(root), _key(root)
    asked = {ask.datastore for ask in checked.asks}
    # All of them before the first read: each makes sure that it is the account that was meant.
    ports = {one.name: edges.ports(one) for one in settings.datastores if one.name in asked}
    for datastore in settings.datastores:
        asks = [ask for ask in checked.asks if ask.datastore == datastore.name]
        entries = _entries(root, datastore)
        if checked.complete:
            dropped += _forgotten(datastore, entries, asks)
        if not asks:
            continue
        port = Counted(ports[datastore.name])
        known = Known(opened(entries, asks, key), _attempted(left, datastore))
        diffs, studies = observe(port, asks, known, settings.rules)
        built = build(datastore, diffs, studies, settings)
        actions += guarded(built, settings.guardrails, entries)
        for operation, count in port.calls.items():
            calls[operation] = calls.get(operation, 0) + count
    ordered = tuple(sorted(actions, key=lambda action: (action.datastore, action.image_set_id)))
    made = Plan(
        basis=Basis(git.head(root), RULES_VERSION, checked.paths, settings.rules.stated),
        actions=with_digests(ordered, key),
        dropped=tuple(sorted(dropped)),
        eta_seconds=eta_seconds(ordered, settings),
    )
    return Planned(made, dict(sorted(calls.items())))


def plan_at_rest(
    settings: Settings,
    checked: Checked,
    edges: Edges,
    *,
    patience: float = BUSY_PATIENCE,
    on_wait: Callable[[int], None] = lambda busy: None,
) -> Planned:
    """As `plan`, but what is LOCKED is waited for, up to `patience` seconds, and planned then.

    A run that was killed may have left updates in flight: the same command again finishes them.
    `on_wait` hears how many image sets are waited for.
    """
    planned = plan(settings, checked, edges)
    busy = [
        (action.datastore, member.image_set_id)
        for action in planned.plan.actions
        if action.status is Status.BUSY
        for member in action.members
    ]
    if not busy:
        return planned
    on_wait(len(busy))
    deadline, pause = edges.clock.now() + patience, pauses()
    while edges.clock.now() < deadline:
        busy = [(name, one) for name, one in busy if _is_locked(settings, edges, name, one)]
        if not busy:
            break
        edges.clock.sleep(next(pause))
    return plan(settings, checked, edges)


def _is_locked(settings: Settings, edges: Edges, datastore: str, image_set_id: str) -> bool:
    try:
        return edges.ports(settings.datastore(datastore)).get(image_set_id).state == "LOCKED"
    except ServiceError as error:
        if not about_one(error):
            raise
        return False


def _attempted(left: Sequence[Attempt], datastore: Datastore) -> Mapping[str, Sequence[Attempt]]:
    """What killed runs have left of one data store, by image set."""
    found: dict[str, list[Attempt]] = defaultdict(list)
    for one in left:
        if one.datastore_id == datastore.datastore_id:
            found[one.image_set_id].append(one)
    return found


def _entries(root: Path, datastore: Datastore) -> Mapping[str, Entry]:
    """The records of one data store; those of another that once had this name do not count."""
    return {
        image_set_id: entry
        for image_set_id, entry in records.read(root, datastore.name).items()
        if entry.datastore_id == datastore.datastore_id
    }


def _key(root: Path) -> Key | None:
    """The key of the repository, None before the first apply that records.

    Raises RecordError where it cannot be read, or is another than the committed one.
    """
    return keys.settled(keys.read(root), git.committed(root, keys.path(root)))


def _forgotten(
    datastore: Datastore, entries: Mapping[str, Entry], asks: Sequence[ImageSetAsk]
) -> list[tuple[str, str]]:
    """Records that no manifest asks for any more; a study's unasked siblings keep theirs."""
    asked = {ask.image_set_id for ask in asks}
    return [
        (datastore.name, image_set_id)
        for image_set_id, entry in entries.items()
        if image_set_id not in asked and entry.asked
    ]


def apply(
    settings: Settings,
    plan: Plan,
    edges: Edges,
    *,
    mode: RecordMode,
    on_event: Callable[[Started | Outcome], None],
    bounds: Bounds = executor.NO_BOUNDS,
    stop: Callable[[], str] = lambda: "",
    abandon: Callable[[], bool] = lambda: False,
    saved: bool = False,
    life: type[StepRun] = StepRun,
) -> Applied:
    """Execute exactly this plan, recording every image set as it is seen converged.

    Once `stop` says why, or a record cannot be written, nothing new is sent; once `abandon` says
    so, nothing is awaited either. What could not be recorded is in `Applied.problems`. A plan that
    was `saved` may have been applied before, in part, and is judged again: what the manifests, the
    consent, the guardrails and the rules of today do not allow any more ends as stale.
    Raises PlanFileError for a plan of other data stores than reconciler.yaml names, for a saved one
    that was edited, and where the manifests cannot be read again.
    """
    datastores = {
        name: _datastore(settings, name, plan)
        for name in sorted({action.datastore for action in plan.actions})
    }
    holding = _judged_again(settings, plan) if saved else _without_bugs(plan)
    unsure = _unrecorded(holding.plan) if saved else ()
    ports = {
        name: edges.ports(datastores[name])
        for name in sorted(
            {
                one.datastore
                for one in (*holding.plan.actions, *unsure)
                if one.steps or one in unsure
            }
        )
    }
    root = Path(settings.root)
    recorder = Recorder(root, plan, _key(root), edges.clock, edges.files)
    outcomes = []
    with attempts.under_way(Path(settings.root)) as left:
        _recover(left or (), settings, plan, edges, recorder, bounds, stop)
        late = lambda: stop() or edges.clock.now() >= bounds.deadline  # noqa: E731
        holding = _without(holding, unconfirmed(unsure, ports, late))
        recorder.converged(holding.plan)
        for outcome in holding.ended:
            outcomes.append(outcome)
            recorder.step_ended(outcome)
            on_event(outcome)
        for event in executor.apply(
            holding.plan,
            ports,
            edges.clock,
            content_digest,
            lock_timeout=settings.lock_timeout_seconds,
            bounds=bounds,
            begin=recorder.begin,
            stop=lambda: stop() or recorder.behind or _error_of(holding, bounds),
            abandon=abandon,
            look_first=saved,
            message_hint=partial(_message_hint, settings),
            life=life,
        ):
            if isinstance(event, Outcome):
                outcomes.append(event)
                recorder.step_ended(event)
            on_event(event)
        commit = recorder.finish(mode, alone=left is not None)
    return Applied(
        tuple(outcomes),
        held(plan),
        recorder.paths,
        commit,
        (*holding.problems, *recorder.problems),
        recorder.recovered,
        recorder.plan_digest,
    )


def _message_hint(settings: Settings, datastore_id: str, image_set_id: str, version_id: str) -> str:
    found = next((one for one in settings.datastores if one.datastore_id == datastore_id), None)
    return found.message_hint(image_set_id, version_id) if found else ""


@dataclass(frozen=True, slots=True)
class _Holding:
    """What of a plan may run, how the rest ended, and what is not recorded for what reason."""

    plan: Plan
    ended: tuple[Outcome, ...] = ()
    problems: tuple[ReconcilerError, ...] = ()


def _error_of(holding: _Holding, bounds: Bounds) -> str:
    """Why nothing may be sent where any error is to stop the run, as --on-error has it."""
    if not bounds.stop_on_error or not holding.ended:
        return ""
    first = holding.ended[0]
    return f"image set {first.step.image_set_id} ended as {first.result}"


def _without_bugs(plan: Plan) -> _Holding:
    """A plan of our own, less the actions whose calls are not what they show."""
    found = {stale.subject(action): contradictions(action) for action in plan.actions}
    wrong = [action for action in plan.actions if found[stale.subject(action)]]
    return _Holding(
        _less(plan, wrong),
        tuple(
            Outcome(step, Result.BLOCKED, "; ".join(found[stale.subject(action)]))
            for action in wrong
            for step in action.steps
        ),
        tuple(
            PlanBugError(
                f"the plan of image set {action.image_set_id} contradicts itself: "
                f"{found[stale.subject(action)][0]}",
                "This is a bug of ours, and nothing of it was sent. Please report it.",
            )
            for action in wrong
        ),
    )


def _judged_again(settings: Settings, plan: Plan) -> _Holding:
    """What still holds of a saved plan, by the working tree of today; nothing is read elsewhere."""
    root = Path(settings.root)
    if problem := edited(plan) or next(filter(None, map(stale.misjudged, plan.actions)), ""):
        raise PlanFileError(f"the plan file was edited: {problem}", AGAIN)
    try:
        checked = check(settings, [root / path for path in plan.basis.paths])
    except InputError as error:
        raise PlanFileError(
            "the manifests that the saved plan was made of cannot be checked again\n"
            f"{error.message}",
            "Fix the manifests, then make a new plan with `reconcile plan --out FILE`.",
        ) from None
    asks = {(ask.datastore, ask.image_set_id): ask for ask in checked.asks}
    names = {action.datastore for action in plan.actions}
    # Only a share of what is recorded needs the records, which may be unreadable.
    needed = names if settings.guardrails.percent is not None else set()
    entries = {one.name: _entries(root, one) for one in settings.datastores if one.name in needed}
    reasons = stale.stale(plan, stale.Today(settings, asks, entries))
    dropped = tuple(one for one in plan.dropped if one not in asks)
    ended = [
        (action, reasons[stale.subject(action)])
        for action in plan.actions
        if stale.subject(action) in reasons
    ]
    return _without(_Holding(replace(plan, dropped=dropped)), ended)


def _unrecorded(plan: Plan) -> tuple[Action, ...]:
    """What the plan shows as converged and no record states."""
    return tuple(
        action
        for action in plan.actions
        if action.status is Status.CONVERGED
        and not all(member.recorded for member in action.members)
    )


def _without(holding: _Holding, ended: Sequence[tuple[Action, str]]) -> _Holding:
    """Less what is stale; what has no call to end so is not recorded, and that is a problem."""
    return _Holding(
        _less(holding.plan, [action for action, _ in ended]),
        (
            *holding.ended,
            *(Outcome(step, Result.STALE, why) for action, why in ended for step in action.steps),
        ),
        (
            *holding.problems,
            *(
                StaleError(f"stale: {why}. It is not recorded as converged", AGAIN)
                for action, why in ended
                if why and not action.steps
            ),
        ),
    )


def _less(plan: Plan, actions: Sequence[Action]) -> Plan:
    gone = {stale.subject(action) for action in actions}
    left = tuple(action for action in plan.actions if stale.subject(action) not in gone)
    return replace(plan, actions=left)


def _recover(
    left: Sequence[Attempt],
    settings: Settings,
    plan: Plan,
    edges: Edges,
    recorder: Recorder,
    bounds: Bounds,
    stop: Callable[[], str],
) -> None:
    """Record what runs that were killed have changed and this plan says nothing about.

    That are the siblings of a study-wide call that no manifest names, above all.
    """
    planned = {
        (action.datastore_id, member.image_set_id)
        for action in plan.actions
        for member in action.members
    }
    names = {action.datastore_id: action.datastore for action in plan.actions}
    for attempt, landed in ends(
        (
            one
            for one in left
            if one.datastore_id in names and (one.datastore_id, one.image_set_id) not in planned
        ),
        lambda one: edges.ports(settings.datastore(names[one.datastore_id])),
        edges.clock,
        content_digest,
        patience=min(BUSY_PATIENCE, bounds.deadline - edges.clock.now()),
        give_up=lambda: bool(stop()),
    ):
        recorder.recover(names[attempt.datastore_id], attempt, landed)


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
