"""Where an apply writes down what it is about to do, before the first call of an action."""

from __future__ import annotations

from typing import Protocol

from reconciler.core.model.plan import Action


class Journal(Protocol):
    """What an interrupted run has made is known by what stands here."""

    def begin(self, action: Action) -> None:
        """Write down the versions that an action means to make. Called from any thread.

        Raises RecordError where it cannot be written: then nothing may be sent.
        """
        ...


class _NoJournal:
    """Writes nothing down: after a kill, the versions of this run are taken for drift."""

    def begin(self, action: Action) -> None:
        pass


NO_JOURNAL = _NoJournal()
