"""How an apply reports its progress."""

from __future__ import annotations

from reconciler.core.model.outcome import Landed, Outcome
from reconciler.core.model.plan import Step


class Reporter:
    """Says nothing. A subclass overrides what it shows. All calls come from one thread."""

    def waiting(self, image_sets: int, seconds: float) -> None:
        """So many image sets are LOCKED, and are awaited for so many seconds at most."""

    def recovered(self, landed: Landed) -> None:
        """An interrupted run had made this version, outside the plan at hand."""

    def started(self, step: Step) -> None:
        """A step is about to be sent."""

    def ended(self, outcome: Outcome) -> None:
        """A step has come to its end, and what it made is recorded."""


SILENT = Reporter()
