"""Execute a plan: every step sent pinned, seen to its end, read back.

A sliding window of actions runs side by side, each in a thread; the steps of one action run in
order. What happens is told as events, in the order in which it happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread

from reconciler.apply.decide import pins
from reconciler.apply.step import Context, StepRun
from reconciler.model.outcome import Outcome, Result, Started
from reconciler.model.plan import Action, Plan
from reconciler.model.value import Document
from reconciler.ports import Clock, PacedImageSets

DEFAULT_CONCURRENCY = 16

_GOOD = (Result.CONVERGED, Result.ALREADY_CONVERGED)


def apply(
    plan: Plan,
    ports: Mapping[str, PacedImageSets],
    clock: Clock,
    content_digest: Callable[[Document], str],
    *,
    concurrency: int = DEFAULT_CONCURRENCY,
    lock_timeout: float,
    stop: Callable[[], bool] = lambda: False,
    abandon: Callable[[], bool] = lambda: False,
) -> Iterator[Started | Outcome]:
    """Yield `Started` before a step is sent, and exactly one `Outcome` for every planned step.

    `ports` are by data store name. `lock_timeout` is in seconds, per send. Once `stop` says so
    nothing new is sent and what is in flight is seen to its end; once `abandon` says so that is
    given up, too. An exception that is a bug is raised after what was in flight has ended.
    """
    for action in plan.actions:
        if action.blocks:
            text = "; ".join(block.message for block in action.blocks)
            yield from (Outcome(step, Result.BLOCKED, text) for step in action.steps)
    runnable = [action for action in plan.actions if action.steps and not action.blocks]
    window = _Window(runnable, ports, stop)
    context = Context(clock, content_digest, lock_timeout, window.reason, abandon, window.halt)
    yield from window.events(context, concurrency)


class _Ended:
    """A worker has nothing left to do."""


class _Window:
    """The threads of a run, what they have left to do and what they tell."""

    def __init__(
        self,
        actions: list[Action],
        ports: Mapping[str, PacedImageSets],
        stop: Callable[[], bool],
    ) -> None:
        self._left = iter(actions)
        self._count = len(actions)
        self._ports = ports
        self._stop = stop
        self._lock = Lock()
        self._halted = ""
        self._told: SimpleQueue[Started | Outcome | BaseException | _Ended] = SimpleQueue()

    def reason(self) -> str:
        """Why nothing new may be sent, "" while it may."""
        if self._halted:
            return f"not sent: {self._halted}"
        return "not sent: asked to stop" if self._stop() else ""

    def halt(self, reason: str) -> None:
        """Send nothing new any more; the first reason stays."""
        with self._lock:
            self._halted = self._halted or reason

    def events(self, context: Context, concurrency: int) -> Iterator[Started | Outcome]:
        """Run everything; the events as they come."""
        threads = [
            Thread(target=self._work, args=(context,), name=f"apply-{number}", daemon=True)
            for number in range(min(max(1, concurrency), self._count))
        ]
        for thread in threads:
            thread.start()
        bugs: list[BaseException] = []
        try:
            yield from self._until_ended(len(threads), bugs)
        finally:
            self.halt("the run ended early")
            while any(thread.is_alive() for thread in threads) and not context.abandon():
                for thread in threads:
                    thread.join(0.2)
        if bugs:
            raise bugs[0]

    def _until_ended(self, running: int, bugs: list[BaseException]) -> Iterator[Started | Outcome]:
        while running:
            event = self._told.get()
            if isinstance(event, _Ended):
                running -= 1
            elif isinstance(event, BaseException):
                bugs.append(event)
                self.halt("another step failed through a bug of ours")
            else:
                yield event

    def _work(self, context: Context) -> None:
        try:
            while (action := self._next()) is not None:
                self._run(action, context)
        except BaseException as bug:
            self._told.put(bug)
        finally:
            self._told.put(_Ended())

    def _next(self) -> Action | None:
        with self._lock:
            return next(self._left, None)

    def _run(self, action: Action, context: Context) -> None:
        """The steps of one action in order; after one that did not converge none is sent."""
        refusal = ""
        for step, before in zip(action.steps, pins(action), strict=True):
            refusal = refusal or self.reason()
            if refusal:
                self._told.put(Outcome(step, Result.NOT_ATTEMPTED, refusal))
                continue
            run = StepRun(step, before, self._ports[action.datastore], context)
            outcome = run.run(partial(self._told.put, Started(step)))
            self._told.put(outcome)
            if outcome.result not in _GOOD:
                refusal = "not sent: an earlier step of the same action did not converge"
