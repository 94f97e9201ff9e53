"""What `apply` is doing right now: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
from types import TracebackType
from typing import TYPE_CHECKING

from reconciler.cli import screen
from reconciler.model.outcome import Outcome, Started
from reconciler.render.outcomes import event_line, outcome_lines
from reconciler.render.tally import Tally

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from reconciler.ports import Clock
    from reconciler.render.look import Look

# How often a log is told how far it is, between the outcomes.
LOG_SECONDS = 30.0


class Progress:
    """A bar on stderr where that is a terminal; else each outcome as it comes, and a tally.

    `told` says whether the outcomes stand on stdout already. Output that nobody reads any more
    never disturbs the work.
    """

    def __init__(self, tally: Tally, clock: Clock, look: Look | None) -> None:
        """`look` is that of stdout, None where stdout is for JSON."""
        self.told = False
        self._tally = tally
        self._clock = clock
        self._look = look
        self._logged_at = clock.now()
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Progress:
        if self._tally.total and sys.stderr.isatty():
            self._bar, self._task = _bar(self._tally.total)
            self._bar.start()
        else:
            self.told = self._look is not None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def on_event(self, event: Started | Outcome) -> None:
        """Take note of a step that was sent or that ended."""
        now = self._clock.now()
        self._tally.take(event, now)
        with contextlib.suppress(OSError):
            if self._bar and self._task is not None:
                self._bar.update(
                    self._task, completed=self._tally.done, description=self._tally.line(now)
                )
            else:
                self._log(event, now)

    def _log(self, event: Started | Outcome, now: float) -> None:
        if isinstance(event, Outcome) and self._look:
            screen.say(outcome_lines(event, self._look))
        elif isinstance(event, Outcome):
            screen.tell(f"[{self._tally.done}/{self._tally.total}] {event_line(event)}")
        if now - self._logged_at >= LOG_SECONDS:
            self._logged_at = now
            screen.tell(f"apply: {self._tally.line(now)}")


def _bar(total: int) -> tuple[Bar, TaskID]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("Applying"),
        BarColumn(bar_width=20),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    return bar, bar.add_task(f"0 of {total:,} done", total=total)
