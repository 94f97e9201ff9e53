"""What `apply` is doing right now: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
from threading import Event, Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING

from reconciler.apply.progress import Tally
from reconciler.apply.reporter import Reporter
from reconciler.cli import screen
from reconciler.core.model.outcome import Outcome, Started
from reconciler.core.model.plan import Step
from reconciler.core.review.phrases import plural
from reconciler.render.outcomes import event_line, outcome_lines

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from reconciler.core.ports import Clock
    from reconciler.render.style import Look

# How often a log is told how far it is, between the outcomes, and how often a bar is.
LOG_SECONDS = 30.0
BAR_SECONDS = 1.0


class Waiting(Reporter):
    """One line on stderr for a wait before the plan."""

    def waiting(self, image_sets: int, seconds: float) -> None:
        """How many image sets are awaited, and for how long."""
        busy = plural(image_sets, "image set")
        screen.tell(
            f"Waiting for {busy} that something else is at work on, {seconds:.0f} s at most."
        )


class Progress(Reporter):
    """A bar on stderr where that is a terminal; else each outcome as it comes, and a tally.

    The tally is told at regular times too: while nothing can be sent and nothing ends, it is the
    only sign of life, and one that stands still would be believed.
    `told` says whether the outcomes stand on stdout already. Output that nobody reads any more
    never disturbs the work.
    """

    def __init__(
        self,
        tally: Tally,
        clock: Clock,
        look: Look | None,
        *,
        log_seconds: float = LOG_SECONDS,
        bar_seconds: float = BAR_SECONDS,
    ) -> None:
        """`look` is that of stdout, None where stdout is for JSON."""
        self.told = False
        self._tally = tally
        self._clock = clock
        self._look = look
        self._log_seconds = log_seconds
        self._bar_seconds = bar_seconds
        self._lock = Lock()  # around the tally, and what is told of it
        self._ended = Event()
        self._ticker: Thread | None = None
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Progress:
        if self._tally.total and sys.stderr.isatty():
            self._bar, self._task = _bar(self._tally.total)
            self._bar.start()
        else:
            self.told = self._look is not None
        if self._tally.total:
            self._ticker = Thread(target=self._tick, name="progress", daemon=True)
            self._ticker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._ticker:
            self._ticker.join()
        if self._bar:
            self._bar.stop()

    def started(self, step: Step) -> None:
        """Count a step that is about to be sent."""
        self._take(Started(step))

    def ended(self, outcome: Outcome) -> None:
        """Count a step that has ended, and show it."""
        self._take(outcome)

    def _take(self, event: Started | Outcome) -> None:
        with self._lock:
            self._tally.take(event, self._clock.now())
            with contextlib.suppress(OSError):
                if self._bar:
                    self._draw()
                elif isinstance(event, Outcome):
                    self._log(event)

    def _tick(self) -> None:
        while not self._ended.wait(self._bar_seconds if self._bar else self._log_seconds):
            with self._lock, contextlib.suppress(OSError):
                if self._bar:
                    self._draw()
                else:
                    screen.tell(f"apply: {self._tally.line(self._clock.now())}")

    def _draw(self) -> None:
        if self._bar and self._task is not None:
            line = self._tally.line(self._clock.now())
            self._bar.update(self._task, completed=self._tally.done, description=line)

    def _log(self, outcome: Outcome) -> None:
        if self._look:
            screen.say(outcome_lines(outcome, self._look))
        else:
            screen.tell(f"[{self._tally.done}/{self._tally.total}] {event_line(outcome)}")


def _bar(total: int) -> tuple[Bar, TaskID]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        BarColumn(bar_width=20),
        TextColumn("{task.description}"),
        console=Console(stderr=True),
        transient=True,
    )
    return bar, bar.add_task(f"0 of {total:,} done", total=total)
