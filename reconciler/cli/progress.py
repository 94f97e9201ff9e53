"""Show the progress of `apply`: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from threading import Event, Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING

from reconciler.apply.progress import Tally
from reconciler.apply.reporter import Reporter
from reconciler.cli import debug, screen
from reconciler.core.model.outcome import Outcome, Started
from reconciler.core.model.plan import Step
from reconciler.core.review.phrases import plural
from reconciler.render.outcomes import event_lines, outcome_lines

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from reconciler.core.ports import Clock
    from reconciler.core.review.applied import ShownOutcome
    from reconciler.render.style import Look

# Seconds between two progress lines in a log, and between two updates of a bar.
LOG_SECONDS = 30.0
BAR_SECONDS = 1.0


class Waiting(Reporter):
    """Print one line to stderr before planning waits for LOCKED image sets."""

    def waiting(self, image_sets: int, seconds: float) -> None:
        """Print the number of LOCKED image sets and the longest wait."""
        locked = plural(image_sets, "LOCKED image set")
        screen.note(f"Waiting for {locked}, at most {seconds:.0f} s: another operation is running.")


class Progress(Reporter):
    """Show a bar on stderr if it is a terminal; else print each outcome, and progress lines.

    Progress is shown at regular times too: while nothing can be sent and no step ends, it is the
    only sign that the run is alive. `has_printed_outcomes` says whether stdout holds the outcomes
    already. A closed output never stops the run.
    """

    def __init__(
        self,
        tally: Tally,
        clock: Clock,
        look: Look | None,
        review: Callable[[Outcome], ShownOutcome],
        *,
        log_seconds: float = LOG_SECONDS,
        bar_seconds: float = BAR_SECONDS,
    ) -> None:
        """`look` is that of stdout, None where stdout is for JSON. See `review.reviewer`."""
        self.has_printed_outcomes = False
        self._tally = tally
        self._clock = clock
        self._look = look
        self._review = review
        self._log_seconds = log_seconds
        self._bar_seconds = bar_seconds
        self._lock = Lock()  # guards the tally and its output
        self._ended = Event()
        self._ticker: Thread | None = None
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Progress:
        if self._tally.total and screen.shows_progress():
            self._bar, self._task = _bar(self._tally.total)
            self._bar.start()
        else:
            self.has_printed_outcomes = self._look is not None
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
        debug.took(event)
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
                    screen.note(f"apply: {self._tally.line(self._clock.now())}")

    def _draw(self) -> None:
        if self._bar and self._task is not None:
            line = self._tally.line(self._clock.now())
            self._bar.update(self._task, completed=self._tally.done, description=line)

    def _log(self, outcome: Outcome) -> None:
        shown = self._review(outcome)
        if self._look:
            screen.say(outcome_lines(shown, self._look))
            return
        count = f"[{self._tally.done}/{self._tally.total}]"
        for line in event_lines(shown):
            screen.note(f"{count} {line}")
            count = " " * len(count)


def _bar(total: int) -> tuple[Bar, TaskID]:
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        BarColumn(bar_width=20),
        TextColumn("{task.description}"),
        console=screen.bar_console(),
        transient=True,
    )
    return bar, bar.add_task(f"0 of {total:,} done", total=total)
