"""The state that the threads of an apply share: stop requests, bounds, interruptible waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from reconciler.core.model.bounds import Bounds
from reconciler.core.ports import SLICE_SECONDS, Clock, Stop

NO_BOUNDS = Bounds()


class _Never:
    """A stop that is never requested."""

    def requested(self) -> bool:
        return False

    def abandoned(self) -> bool:
        return False


NEVER = _Never()


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait that ends early once `is_over` (`reconciler.core.ports.Patience`)."""

    clock: Clock
    is_over: Callable[[], bool]

    def wait(self, seconds: float) -> None:
        """Sleep in slices: a request to stop may come at any time."""
        until = self.clock.now() + seconds
        while not self.is_over():
            left = until - self.clock.now()
            if left <= 0:
                return
            self.clock.sleep(min(left, SLICE_SECONDS))


class Run:
    """The state of one apply, shared by all its threads.

    Sending ends on a stop request, at the deadline, and after `halt`, for one data store or for all
    of them. The run waits for updates in flight until it is abandoned.
    """

    def __init__(self, clock: Clock, stop: Stop = NEVER, bounds: Bounds = NO_BOUNDS) -> None:
        self.clock = clock
        self.bounds = bounds
        self._stop = stop
        self._lock = Lock()
        self._halted: dict[str, str] = {}
        self._held = ""

    @property
    def is_abandoned(self) -> bool:
        """Whether to stop waiting for the updates in flight."""
        return self._stop.abandoned()

    def reason(self, datastore: str = "") -> str:
        """Why nothing new may be sent, to this data store or to any; "" while it may."""
        why = self._halted.get("") or self._halted.get(datastore) or self._held
        if not why and self._stop.requested():
            why = "a stop was requested"
        if not why and self.clock.now() >= self.bounds.deadline:
            why = "the time of --max-duration has passed"
        return f"not sent: {why}" if why else ""

    def halt(self, reason: str, datastore: str = "") -> None:
        """Stop sending, to this data store or to all of them. The first reason is kept."""
        with self._lock:
            self._halted.setdefault(datastore, reason)

    def hold(self, reason: str) -> None:
        """Stop sending for a reason that may pass. A reason of "" resumes."""
        self._held = reason

    def of(self, datastore: str) -> DatastoreRun:
        """The part of the run for one data store."""
        return DatastoreRun(self, datastore)

    @property
    def sending(self) -> Wait:
        """A wait before sending. It ends once there is a reason not to send."""
        return Wait(self.clock, lambda: bool(self.reason()))


@dataclass(frozen=True, slots=True)
class DatastoreRun:
    """The part of a run for one data store. `halt` stops sending to this data store only.

    With `stop_on_error`, it stops the whole run.
    """

    run: Run
    datastore: str

    @property
    def clock(self) -> Clock:
        """The clock of the run."""
        return self.run.clock

    @property
    def is_abandoned(self) -> bool:
        """Whether to stop waiting for the updates in flight."""
        return self.run.is_abandoned

    def reason(self) -> str:
        """Why nothing new may be sent; "" while it may."""
        return self.run.reason(self.datastore)

    def halt(self, reason: str) -> None:
        """Stop sending."""
        self.run.halt(reason, "" if self.run.bounds.stop_on_error else self.datastore)

    @property
    def sending(self) -> Wait:
        """A wait for a turn to send. It ends once there is a reason not to send."""
        return Wait(self.clock, lambda: bool(self.reason()))

    @property
    def in_flight(self) -> Wait:
        """A wait for an update in flight. It ends once the run is abandoned."""
        return Wait(self.clock, lambda: self.run.is_abandoned)
