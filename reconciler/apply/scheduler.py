"""The threads of an apply: they run actions side by side, and account for every step."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from queue import Empty, SimpleQueue
from threading import Condition, Thread

from reconciler.apply.confirm import replaced
from reconciler.apply.journal import Journal
from reconciler.apply.run import DatastoreRun, Run
from reconciler.apply.step import Options, StepRun
from reconciler.core.errors import (
    CredentialsError,
    NoAnswerError,
    RecordError,
    ServiceError,
    ThrottledError,
)
from reconciler.core.model.outcome import Outcome, Result, Started
from reconciler.core.model.plan import Action, Step, pins
from reconciler.core.ports import SLICE_SECONDS, PacedImageSets

# How long an abandoned run waits for the events of threads that hang in a call.
GRACE_SECONDS = 1.0


class _Ended:
    """An event: a worker has ended."""


class _Queue:
    """The remaining actions of each data store, handed out until the limit is reached.

    All data stores share the limit.
    """

    def __init__(self, actions: Sequence[Action], limit: int | None) -> None:
        self._left: dict[str, list[Action]] = defaultdict(list)
        for action in reversed(actions):
            self._left[action.datastore].append(action)
        self._room = len(actions) if limit is None else limit
        self._running = 0
        self._change = Condition()

    def take(self, datastore: str) -> Action | None:
        """The next action, or None. Waits while a running action may turn out not to count."""
        left = self._left[datastore]
        with self._change:
            self._change.wait_for(
                lambda: self._room > 0 or not left or not self._running,
            )
            if self._room <= 0 or not left:
                return None
            self._room -= 1
            self._running += 1
            return left.pop()

    def give_back(self, *, counts: bool) -> None:
        """Note that an action has ended; `counts` says whether it takes from the limit."""
        with self._change:
            self._running -= 1
            self._room += 0 if counts else 1
            self._change.notify_all()


class Scheduler:
    """Runs the actions in threads and yields their events.

    Each data store has its own threads, as it has its own quotas. A data store that is slow or does
    not answer does not delay the others.
    """

    def __init__(
        self,
        actions: Sequence[Action],
        ports: Mapping[str, PacedImageSets],
        run: Run,
        options: Options,
        journal: Journal,
    ) -> None:
        self._actions = actions
        self._queue = _Queue(actions, run.bounds.limit)
        self._ports = ports
        self._run = run
        self._options = options
        self._journal = journal
        self._events: SimpleQueue[Started | Outcome | BaseException | _Ended] = SimpleQueue()

    def events(self) -> Iterator[Started | Outcome]:
        """Run all actions, and yield the events as they come."""
        threads = [
            Thread(
                target=self._work,
                args=(self._run.of(datastore),),
                name=f"apply-{datastore}-{number}",
                daemon=True,
            )
            for datastore, count in Counter(action.datastore for action in self._actions).items()
            for number in range(min(max(1, self._run.bounds.concurrency), count))
        ]
        for thread in threads:
            thread.start()
        bugs: list[BaseException] = []
        try:
            yield from self._accounted(len(threads), bugs)
        finally:
            self._run.halt("the run ended early")
            while any(thread.is_alive() for thread in threads) and not self._run.is_abandoned:
                for thread in threads:
                    thread.join(SLICE_SECONDS)
        if bugs:
            raise bugs[0]

    def _accounted(self, running: int, bugs: list[BaseException]) -> Iterator[Started | Outcome]:
        """Yield the events of the threads, then an outcome for every step that has none."""
        open_steps = {id(step): step for action in self._actions for step in action.steps}
        started: set[int] = set()
        for event in self._until_ended(running, bugs):
            if isinstance(event, Started):
                started.add(id(event.step))
            else:
                del open_steps[id(event.step)]
            yield event
        reason = self._run.reason() or "not sent: the limit of --limit is reached"
        for step in open_steps.values():
            yield _unaccounted(step, id(step) in started, reason)

    def _until_ended(self, running: int, bugs: list[BaseException]) -> Iterator[Started | Outcome]:
        patience = GRACE_SECONDS
        while running and patience > 0:
            try:
                event = self._events.get(timeout=SLICE_SECONDS)
            except Empty:
                patience -= SLICE_SECONDS if self._run.is_abandoned else 0.0
                self._journal.idle()
                continue
            if isinstance(event, _Ended):
                running -= 1
            elif isinstance(event, BaseException):
                bugs.append(event)
                self._run.halt("another step failed because of a bug in reconcile")
            else:
                yield event

    def _judge(self, outcome: Outcome) -> None:
        if self._run.bounds.stop_on_error and outcome.result.stops_a_run:
            self._run.halt(f"image set {outcome.step.image_set_id} ended as {outcome.result}")

    def _work(self, run: DatastoreRun) -> None:
        try:
            while (action := self._queue.take(run.datastore)) is not None:
                counts = True
                try:
                    counts = self._carry_out(action, run)
                finally:
                    self._queue.give_back(counts=counts)
        except BaseException as bug:
            self._events.put(bug)
        finally:
            self._events.put(_Ended())

    def _carry_out(self, action: Action, run: DatastoreRun) -> bool:
        """Run the steps of one action in order; stop after a step that does not converge.

        Returns whether anything may have been changed.
        """
        refusal, counts = run.reason(), False
        left = Result.NOT_ATTEMPTED
        if not refusal and self._options.look_first and (ended := self._unlike(action, run)):
            for step in action.steps:
                self._end(replace(ended, step=step))
            return False
        if not refusal:
            self._begin(action)
        members = {member.image_set_id: member for member in action.members}
        for step, before in zip(action.steps, pins(action), strict=True):
            refusal = refusal or run.reason()
            if refusal:
                self._events.put(Outcome(step, left, refusal))
                continue
            planned = {name: replace(members[name], pin=pin) for name, pin in before.items()}
            step_run = StepRun(step, planned, self._ports[action.datastore], run, self._options)
            outcome = step_run.run(partial(self._events.put, Started(step)))
            self._end(outcome)
            for landed in outcome.landed:
                made = members[landed.image_set_id]
                members[landed.image_set_id] = replace(made, updated_at=landed.updated_at)
            counts = counts or outcome.result.counts_as_change
            if outcome.result is Result.SUPERSEDED:
                refusal, left = outcome.message, outcome.result
            elif not outcome.result.is_good:
                refusal = "not sent: an earlier step of the same action did not converge"
        return counts

    def _end(self, outcome: Outcome) -> None:
        self._judge(outcome)
        self._events.put(outcome)

    def _begin(self, action: Action) -> None:
        try:
            self._journal.begin(action)
        except RecordError:  # the journal reports it
            self._run.halt("records cannot be written")

    def _unlike(self, action: Action, run: DatastoreRun) -> Outcome | None:
        """The outcome if a saved plan's action was made for other image sets, else None."""
        step = action.steps[0]
        try:
            reason = replaced(self._ports[action.datastore], action.members)
        except (NoAnswerError, ThrottledError) as error:
            return Outcome(step, Result.NOT_ATTEMPTED, f"not sent: {error}")
        except ServiceError as error:
            if isinstance(error, CredentialsError):
                run.halt(error.message)
            return Outcome(step, Result.FAILED, str(error))
        return Outcome(step, Result.STALE, reason) if reason else None


def _unaccounted(step: Step, started: bool, reason: str) -> Outcome:
    if started:
        text = "sent, but its end was not awaited"
        return Outcome(step, Result.UNRESOLVED, text)
    return Outcome(step, Result.NOT_ATTEMPTED, reason)
