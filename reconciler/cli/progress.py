"""What `apply` is doing right now: a bar on a terminal, a line per outcome elsewhere."""

from __future__ import annotations

import contextlib
import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from reconciler.cli import screen
from reconciler.model.outcome import Outcome, Started
from reconciler.render.outcomes import event_line, outcome_lines

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from reconciler.render.look import Look


class Progress:
    """A bar on stderr where that is a terminal; else each outcome as it comes.

    `told` says whether the outcomes stand on stdout already. Events may come from several threads,
    and output that nobody reads any more never disturbs the work.
    """

    def __init__(self, total: int, look: Look | None) -> None:
        """`look` is that of stdout, None where stdout is for JSON."""
        self.told = False
        self._total = total
        self._look = look
        self._done = 0
        self._lock = threading.Lock()
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Progress:
        if self._total and sys.stderr.isatty():
            self._bar, self._task = _bar(self._total)
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
        with self._lock, contextlib.suppress(OSError):
            ended = isinstance(event, Outcome)
            self._done += ended
            if self._bar and self._task is not None:
                doing = f"image set {event.step.image_set_id[:8]}…"
                self._bar.update(self._task, advance=int(ended), description=doing)
            elif isinstance(event, Outcome) and self._look:
                screen.say(outcome_lines(event, self._look))
            elif isinstance(event, Outcome):
                screen.tell(f"[{self._done}/{self._total}] {event_line(event)}")


def _bar(total: int) -> tuple[Bar, TaskID]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("Applying"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", style="dim"),
        console=Console(stderr=True),
        transient=True,
    )
    return bar, bar.add_task("", total=total)
