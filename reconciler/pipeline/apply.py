"""A plan -> outcomes, recorded as they come in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from reconciler import apply as executor
from reconciler.apply.recover import ends
from reconciler.apply.step import StepRun
from reconciler.apply.unlike import unconfirmed
from reconciler.core.dicom.content import content_digest
from reconciler.core.errors import (
    PlanFileError,
)
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.bounds import Bounds
from reconciler.core.model.outcome import Outcome, Started
from reconciler.core.model.plan import Action, Plan, Status
from reconciler.core.model.results import Applied
from reconciler.core.model.settings import Datastore, RecordMode, Settings
from reconciler.edges import attempts
from reconciler.pipeline.edges import Edges
from reconciler.pipeline.judge import Holding, judged_again, without, without_bugs
from reconciler.pipeline.known import key_of
from reconciler.pipeline.plan import BUSY_PATIENCE
from reconciler.record.recorder import Recorder


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
    holding = judged_again(settings, plan) if saved else without_bugs(plan)
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
    recorder = Recorder(root, plan, key_of(root), edges.clock, edges.files)
    outcomes = []
    with attempts.under_way(Path(settings.root)) as left:
        _recover(left or (), settings, plan, edges, recorder, bounds, stop)
        late = lambda: stop() or edges.clock.now() >= bounds.deadline  # noqa: E731
        holding = without(holding, unconfirmed(unsure, ports, late))
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
        plan,
        tuple(outcomes),
        recorder.paths,
        commit,
        (*holding.problems, *recorder.problems),
        recorder.recovered,
        recorder.plan_digest,
    )


def _message_hint(settings: Settings, datastore_id: str, image_set_id: str, version_id: str) -> str:
    found = next((one for one in settings.datastores if one.datastore_id == datastore_id), None)
    return found.message_hint(image_set_id, version_id) if found else ""


def _error_of(holding: Holding, bounds: Bounds) -> str:
    """Why nothing may be sent where any error is to stop the run, as --on-error has it."""
    if not bounds.stop_on_error or not holding.ended:
        return ""
    first = holding.ended[0]
    return f"image set {first.step.image_set_id} ended as {first.result}"


def _unrecorded(plan: Plan) -> tuple[Action, ...]:
    """What the plan shows as converged and no record states."""
    return tuple(
        action
        for action in plan.actions
        if action.status is Status.CONVERGED
        and not all(member.recorded for member in action.members)
    )


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
