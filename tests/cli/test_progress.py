"""The progress that `apply` prints while it works, and while nothing happens."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable

import pytest

from reconciler.apply.progress import Tally
from reconciler.cli.progress import Progress
from reconciler.core.model.outcome import Outcome, Result
from reconciler.core.model.plan import Basis, Plan
from reconciler.core.model.settings import Redact
from reconciler.core.review import reviewer
from tests.cli import samples
from tests.fakes import FakeClock

STEPS = [samples.step(samples.ident(number), "1") for number in (1, 2, 3)]


class Stream(io.StringIO):
    """A stderr that may be a terminal."""

    def __init__(self, tty: bool) -> None:
        super().__init__()
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


def until(told: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not told():
        assert time.monotonic() < end, "it was never told"
        time.sleep(0.01)


@pytest.mark.parametrize("tty", [False, True], ids=["log", "terminal"])
def test_while_nothing_happens_the_time_that_is_left_is_told_anew(
    monkeypatch: pytest.MonkeyPatch, tty: bool
) -> None:
    stderr, clock = Stream(tty), FakeClock()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.setenv("TERM", "xterm")
    tally = Tally(3)
    review = reviewer(Plan(Basis("", 1), ()), Redact.ALL)
    with Progress(tally, clock, None, review, log_seconds=0.01, bar_seconds=0.01) as progress:
        for number in (0, 1, 2):
            progress.started(STEPS[number])
            clock.sleep(10.0)
        progress.ended(Outcome(STEPS[0], Result.CONVERGED))  # it took 30 s
        until(lambda: "1 of 3 done, 2 in flight, about 20 s to go" in stderr.getvalue())
        clock.sleep(15.0)
        until(lambda: "about 5 s to go" in stderr.getvalue())
        before = len(stderr.getvalue())
        clock.sleep(600.0)
        until(lambda: "1 of 3 done, 2 in flight" in stderr.getvalue()[before:])
        until(lambda: "to go" not in stderr.getvalue()[-200:])
    assert stderr.getvalue().count("converged") == (0 if tty else 1)
    assert "apply: " not in stderr.getvalue() or not tty
    length = len(stderr.getvalue())
    time.sleep(0.05)
    assert len(stderr.getvalue()) == length
