"""The attempts of a run: written before the calls of an action, removed once it is recorded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from reconciler.core.errors import RecordError
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.outcome import Outcome, Result
from reconciler.core.model.plan import Action
from reconciler.core.ports import Files
from reconciler.edges import attempts, records
from reconciler.record.keyring import Keyring


class AttemptJournal:
    """Implements `reconciler.apply.journal.Journal` with the files of attempts.

    `idle` is called while no outcome comes.
    """

    def __init__(
        self, root: Path, keyring: Keyring, files: Files, idle: Callable[[], None]
    ) -> None:
        self.problem: RecordError | None = None
        self._root = root
        self._keyring = keyring
        self._files = files
        self.idle = idle
        # The actions without an attempt of an earlier run.
        self._first: set[attempts.Subject] = set()
        # For each image set, the version up to which attempts are recorded.
        self._recorded: dict[attempts.Subject, int] = {}
        self._looked_up: set[Attempt] = set()

    def begin(self, action: Action) -> None:
        """Write the attempt of an action before its first call. Safe to call from any thread.

        Raises RecordError if it cannot be written. Then nothing may be sent.
        """
        try:
            records.prepare(self._root, action.datastore_id, files=self._files)
            key = self._keyring.take()
            if attempts.begin(self._root, action, key, files=self._files):
                self._first.add((action.datastore_id, action.image_set_id))
        except RecordError as error:
            self.problem = error
            raise

    def recorded(self, datastore_id: str, image_set_id: str, version: str) -> None:
        """Note that attempts up to this version of an image set are recorded: no longer needed."""
        subject = (datastore_id, image_set_id)
        self._recorded[subject] = max(int(version), self._recorded.get(subject, 0))

    def looked_up(self, attempt: Attempt) -> None:
        """Note that the result of an interrupted run's attempt is known."""
        self._looked_up.add(attempt)

    def end(self, action: Action, outcomes: Collection[Outcome], *, behind: bool) -> None:
        """Remove the attempt if it is recorded, or if it cannot have changed anything.

        An attempt that an earlier run wrote, too, stays: that run may have sent the call. `behind`
        says that some records could not be written.
        """
        is_recorded = all(one.result.is_good for one in outcomes) and not behind
        is_first = (action.datastore_id, action.image_set_id) in self._first
        is_over = is_first and not _may_have_changed(outcomes)
        # Without a key no attempt was written.
        if self._keyring.key and (is_recorded or is_over):
            attempts.end(self._root, action, self._keyring.key, files=self._files)

    def tidy(self) -> None:
        """Remove all attempts that are finished or recorded, including those of earlier runs."""
        attempts.tidy(self._root, self._recorded, self._looked_up, files=self._files)


def _may_have_changed(outcomes: Iterable[Outcome]) -> bool:
    """Whether the steps may have changed an image set, even if another member has a conflict."""
    return any(one.landed or one.result is Result.UNRESOLVED for one in outcomes)
