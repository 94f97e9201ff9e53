"""Whether an apply goes on: what was asked of it, how far it may go, and the one way to wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from reconciler.core.model.bounds import Bounds
from reconciler.core.ports import SLICE_SECONDS, Clock, Stop

NO_BOUNDS = Bounds()


class _Never:
    """No request to stop ever comes."""

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
    """One apply, as all its threads see it.

    Sending ends for a request to stop, at the deadline, and for a reason that was found on the way,
    in one data store (`halt` of `of`) or in all. Work in flight is awaited until the run is
    abandoned.
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
        """Whether not even what is in flight is awaited."""
        return self._stop.abandoned()

    def reason(self, datastore: str = "") -> str:
        """Why nothing new may be sent, to this data store or to any; "" while it may."""
        why = self._halted.get("") or self._halted.get(datastore) or self._held
        if not why and self._stop.requested():
            why = "asked to stop"
        if not why and self.clock.now() >= self.bounds.deadline:
            why = "the time of --max-duration is over"
        return f"not sent: {why}" if why else ""

    def halt(self, reason: str, datastore: str = "") -> None:
        """Send nothing new any more, to this data store or to any; the first reason stays."""
        with self._lock:
            self._halted.setdefault(datastore, reason)

    def hold(self, reason: str) -> None:
        """Send nothing new for a reason that may pass; "" says that it has passed."""
        self._held = reason

    def of(self, datastore: str) -> DatastoreRun:
        """The run as the steps of one data store see it."""
        return DatastoreRun(self, datastore)

    @property
    def sending(self) -> Wait:
        """Wait for something before sending: over once there is a reason not to send."""
        return Wait(self.clock, lambda: bool(self.reason()))


@dataclass(frozen=True, slots=True)
class DatastoreRun:
    """A run in one data store: what the service says there about sending holds for that one alone.

    Unless the first error is to stop the whole run.
    """

    run: Run
    datastore: str

    @property
    def clock(self) -> Clock:
        """The clock of the run."""
        return self.run.clock

    @property
    def is_abandoned(self) -> bool:
        """Whether not even what is in flight is awaited."""
        return self.run.is_abandoned

    def reason(self) -> str:
        """Why nothing new may be sent; "" while it may."""
        return self.run.reason(self.datastore)

    def halt(self, reason: str) -> None:
        """Send nothing new any more."""
        self.run.halt(reason, "" if self.run.bounds.stop_on_error else self.datastore)

    @property
    def sending(self) -> Wait:
        """Wait for a turn to send: over once there is a reason not to send."""
        return Wait(self.clock, lambda: bool(self.reason()))

    @property
    def in_flight(self) -> Wait:
        """Wait for something that was sent: over once the run is abandoned."""
        return Wait(self.clock, lambda: self.run.is_abandoned)
