"""The journal of an apply: it notes the planned versions before the first call of an action."""

from __future__ import annotations

from typing import Protocol

from reconciler.core.model.plan import Action


class Journal(Protocol):
    """Notes by which a later run finds the versions that an interrupted run made."""

    def begin(self, action: Action) -> None:
        """Note the versions that an action will make. Called from any thread.

        Raises RecordError if the note cannot be written; then nothing may be sent.
        """
        ...

    def idle(self) -> None:
        """Called while no outcome comes, by the thread that takes the outcomes."""
        ...


class _NoJournal:
    """Notes nothing: after a kill, the versions of this run count as drift."""

    def begin(self, action: Action) -> None:
        pass

    def idle(self) -> None:
        pass


NO_JOURNAL = _NoJournal()
