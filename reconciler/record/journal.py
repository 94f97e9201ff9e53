"""The attempts of a run: written before the calls of an action, removed once it is recorded."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from reconciler.core.errors import RecordError
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.outcome import Outcome, Result
from reconciler.core.model.plan import Action
from reconciler.core.ports import Files
from reconciler.edges import attempts, records
from reconciler.record.keyring import Keyring


class AttemptJournal:
    """`reconciler.apply.journal.Journal` over the files of attempts."""

    def __init__(self, root: Path, keyring: Keyring, files: Files) -> None:
        self.problem: RecordError | None = None
        self._root = root
        self._keyring = keyring
        self._files = files
        # The actions of which no earlier run has left an attempt.
        self._first: set[attempts.Subject] = set()
        # The version up to which the attempts are known and recorded.
        self._settled: dict[attempts.Subject, int] = {}
        self._looked_up: set[Attempt] = set()

    def begin(self, action: Action) -> None:
        """Write down an action's attempt before its first call. Called from any thread.

        Raises RecordError where it cannot be written: then nothing may be sent.
        """
        try:
            records.prepare(self._root, action.datastore, files=self._files)
            key = self._keyring.take()
            if attempts.begin(self._root, action, key, files=self._files):
                self._first.add((action.datastore_id, action.image_set_id))
        except RecordError as error:
            self.problem = error
            raise

    def settle(self, datastore_id: str, image_set_id: str, version: str) -> None:
        """Attempts up to this version of an image set are of no use any more."""
        subject = (datastore_id, image_set_id)
        self._settled[subject] = max(int(version), self._settled.get(subject, 0))

    def looked_up(self, attempt: Attempt) -> None:
        """The attempt of an interrupted run has come to its end."""
        self._looked_up.add(attempt)

    def end(self, action: Action, outcomes: Collection[Outcome], *, behind: bool) -> None:
        """Remove the attempt once it is recorded, or if nothing can have come of it.

        An earlier run may have sent what this one did not get to: that attempt stays. `behind`
        says that records are left that could not be written.
        """
        is_recorded = all(one.result.is_good for one in outcomes) and not behind
        is_first = (action.datastore_id, action.image_set_id) in self._first
        is_over = is_first and not _may_have_changed(outcomes)
        # Without a key no attempt was begun.
        if self._keyring.key and (is_recorded or is_over):
            attempts.end(self._root, action, self._keyring.key, files=self._files)

    def tidy(self) -> None:
        """Remove every attempt that has ended or is settled, also those of earlier runs."""
        attempts.tidy(self._root, self._settled, self._looked_up, files=self._files)


def _may_have_changed(outcomes: Iterable[Outcome]) -> bool:
    """Whether an image set may be at a version that these made, also beside a conflict."""
    return any(one.landed or one.result is Result.UNRESOLVED for one in outcomes)
