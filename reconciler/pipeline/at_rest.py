"""Plans once no image set is LOCKED any more, or after some patience."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.apply.reporter import SILENT, Reporter
from reconciler.core.errors import ServiceError
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.plan import Plan, Status
from reconciler.core.model.results import Checked, Planned
from reconciler.core.model.settings import Settings
from reconciler.core.model.workflow_status import State, pauses
from reconciler.pipeline.edges import Edges
from reconciler.pipeline.fleet import Opening

# How many seconds an apply that makes its own plan waits for image sets that are LOCKED.
BUSY_PATIENCE = 60.0


def plan_at_rest(
    settings: Settings,
    opening: Opening,
    edges: Edges,
    *,
    patience: float = BUSY_PATIENCE,
    reporter: Reporter = SILENT,
    found: Sequence[Attempt] = (),
) -> tuple[Checked, Planned]:
    """Plan, but first wait up to `patience` seconds for image sets that are LOCKED.

    A killed run may have left updates in flight. Then the same command finishes the work.
    """
    checked, planned = opening.plan(edges, found=found, is_dated=True)
    busy, deadline = _busy(planned.plan), edges.clock.now() + patience
    if busy:
        reporter.waiting(len(busy), patience)
    # Another run may lock an image set again, for the next step of its action.
    while busy and edges.clock.now() < deadline:
        _await(settings, edges, busy, deadline)
        checked, again = opening.plan(edges, found=found, is_dated=True)
        planned = replace(again, retiered=(*planned.retiered, *again.retiered))
        busy = _busy(planned.plan)
    return checked, planned


def _busy(planned: Plan) -> list[tuple[str, str]]:
    """The image sets of actions that wait for another operation, each with its data store."""
    return [
        (action.datastore, member.image_set_id)
        for action in planned.actions
        if action.status is Status.BUSY
        for member in action.members
    ]


def _await(settings: Settings, edges: Edges, busy: list[tuple[str, str]], deadline: float) -> None:
    """Wait until none of these image sets is LOCKED, at most until the deadline."""
    pause = pauses()
    while busy and edges.clock.now() < deadline:
        edges.clock.sleep(next(pause))
        busy = [(name, one) for name, one in busy if _is_locked(settings, edges, name, one)]


def _is_locked(settings: Settings, edges: Edges, datastore: str, image_set_id: str) -> bool:
    try:
        return edges.ports(settings.datastore(datastore)).get(image_set_id).state == State.LOCKED
    except ServiceError:
        return False  # the next plan reports it
