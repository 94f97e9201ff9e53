"""How an apply reports its progress."""

from __future__ import annotations

from reconciler.core.model.outcome import Landed, Outcome
from reconciler.core.model.plan import Step


class Reporter:
    """Receives progress and shows nothing; subclasses show it. All calls come from one thread."""

    def waiting(self, image_sets: int, seconds: float) -> None:
        """`image_sets` are LOCKED. The run waits for them, at most `seconds`."""

    def recovered(self, landed: Landed) -> None:
        """An interrupted run made this version, outside this plan."""

    def started(self, step: Step) -> None:
        """A step is about to be sent."""

    def ended(self, outcome: Outcome) -> None:
        """A step has ended. Its result is recorded within a second."""


SILENT = Reporter()
