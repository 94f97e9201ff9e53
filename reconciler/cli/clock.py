"""The clock of the commands: that of the machine, unless a test runs a command with another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.core.ports import Clock


class RealClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def utc(self) -> float:
        """Seconds since 1970, in UTC."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


REAL = RealClock()
_CLOCK: ContextVar[Clock] = ContextVar("clock", default=REAL)


def today() -> date:
    """The day, in the time zone of this machine: that of the person who reads a warning."""
    return date.fromtimestamp(clock().utc())


def clock() -> Clock:
    """The clock of this command."""
    return _CLOCK.get()


@contextmanager
def timed_by(other: Clock) -> Iterator[None]:
    """Run commands by another clock."""
    token = _CLOCK.set(other)
    try:
        yield
    finally:
        _CLOCK.reset(token)
