"""Execute a plan: send every step with its expected version, wait for its end, read it back.

The actions of a data store run side by side, each in a thread, as many as the bounds allow. The
steps of one action run in order. Events are yielded in the order in which they happen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.apply.journal import NO_JOURNAL, Journal
from reconciler.apply.run import Run
from reconciler.apply.scheduler import Scheduler
from reconciler.apply.step import Options
from reconciler.core.model.outcome import Outcome, Result, Started
from reconciler.core.model.plan import Plan
from reconciler.core.ports import PacedImageSets


def apply(
    plan: Plan,
    ports: Mapping[str, PacedImageSets],
    run: Run,
    options: Options,
    journal: Journal = NO_JOURNAL,
) -> Iterator[Started | Outcome]:
    """Yield `Started` before a step is sent, and exactly one `Outcome` for every planned step.

    `ports` are by data store name. An unexpected exception is raised after all updates in flight
    have ended.
    """
    for action in plan.actions:
        if action.blocks:
            text = "; ".join(block.message for block in action.blocks)
            yield from (Outcome(step, Result.BLOCKED, text) for step in action.steps)
    yield from Scheduler(plan.runnable, ports, run, options, journal).events()
