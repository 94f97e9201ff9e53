"""Execute a plan: every step sent pinned, seen to its end, read back.

A sliding window of actions of each data store runs side by side, each in a thread; the steps of
one action run in order. What happens is told as events, in the order in which it happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from reconciler.apply.scheduler import Window
from reconciler.apply.step import Context, StepRun
from reconciler.core.model.bounds import Bounds
from reconciler.core.model.outcome import Outcome, Result, Started
from reconciler.core.model.plan import Action, Plan
from reconciler.core.model.value import Document
from reconciler.core.ports import Clock, PacedImageSets

NO_BOUNDS = Bounds()


def apply(
    plan: Plan,
    ports: Mapping[str, PacedImageSets],
    clock: Clock,
    content_digest: Callable[[Document], str],
    *,
    lock_timeout: float,
    bounds: Bounds = NO_BOUNDS,
    begin: Callable[[Action], str] = lambda action: "",
    stop: Callable[[], str] = lambda: "",
    abandon: Callable[[], bool] = lambda: False,
    look_first: bool = False,
    message_hint: Callable[[str, str, str], str] = lambda datastore_id, image_set_id, version: "",
    life: type[StepRun] = StepRun,
) -> Iterator[Started | Outcome]:
    """Yield `Started` before a step is sent, and exactly one `Outcome` for every planned step.

    `ports` are by data store name. `lock_timeout` is in seconds, per send. `begin` is called, from
    any thread, before the first call of an action, and may say why there must be none. Once `stop`
    says why, nothing new is sent and what is in flight is seen to its end; once `abandon` says so
    that is given up, too. With `look_first` no turn is spent on what an earlier run has done. An
    exception that is a bug is raised after what was in flight has ended. `message_hint` says how to
    see the service's own message, by data store ID, image set and version.
    `life` is what a step goes through: the proofs bring flawed ones and show that they are noticed.
    """
    for action in plan.actions:
        if action.blocks:
            text = "; ".join(block.message for block in action.blocks)
            yield from (Outcome(step, Result.BLOCKED, text) for step in action.steps)
    window = Window(plan.runnable, ports, bounds, clock, stop, begin)
    context = Context(
        clock,
        content_digest,
        lock_timeout,
        window.reason,
        abandon,
        window.halt,
        look_first,
        message_hint,
    )
    yield from window.events(context, life)
