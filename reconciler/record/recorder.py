"""Records outcomes soon after they arrive, so that a killed run leaves records of finished steps.

Outcomes are written together: the file of an image set is rewritten as a whole, and then it takes
all changes of that moment. What a killed run had not yet written, its attempts state: the next run
finds the versions and records them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from reconciler.core.errors import GitError, ReconcilerError, RecordError
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.key import Key
from reconciler.core.model.outcome import Landed, Outcome
from reconciler.core.model.plan import Action, Plan
from reconciler.core.model.record import Evidence
from reconciler.core.model.results import Published
from reconciler.core.plan.file import plan_digest
from reconciler.core.ports import Clock, Files
from reconciler.edges import attempts
from reconciler.edges import key as keys
from reconciler.record import growth, ledger
from reconciler.record.journal import AttemptJournal
from reconciler.record.keyring import Keyring
from reconciler.record.publication import Destination, Publication
from reconciler.record.publish import publish
from reconciler.record.published import published
from reconciler.record.writer import Writer

# How often a run pushes what it has recorded so far, in seconds.
PUSH_SECONDS = 600.0
# After how many outcomes, and how many seconds after the first of them, records are written.
WRITE_OUTCOMES, WRITE_SECONDS = 64, 1.0


class Recorder:
    """Records one apply. `journal` writes before the calls, the recorder after them."""

    def __init__(
        self,
        root: Path,
        plan: Plan,
        key: Key | None,
        files: Files,
        destination: Destination,
        clock: Clock,
        run_id: str = "",
    ) -> None:
        self._clock = clock
        self._root = root
        self._destination = destination
        self._next_push = 0.0
        self._plan = plan
        self._files = files
        self._keyring = Keyring(root, key, files)
        self._ledger = ledger.Ledger(plan)
        # With uncommitted manifests, or a part of them, the commit is not what the run applies.
        basis = plan.basis
        commit = basis.commit if basis.is_clean and not basis.paths else ""
        self._writer = Writer(
            root, self._keyring, files, destination.entries, run_id=run_id, commit=commit
        )
        self.journal = AttemptJournal(root, self._keyring, files, self._write_if_due)
        self._outcomes: dict[attempts.Subject, list[Outcome]] = {}
        # The actions that have ended since the last write, and how many outcomes came since then.
        self._ended: list[tuple[Action, Sequence[Outcome]]] = []
        self._pending = 0
        self._due = 0.0
        self._recovered: set[Landed] = set()
        self._unpublished: GitError | RecordError | None = None
        self._ungrown: RecordError | None = None
        self._unwritten: GitError | RecordError | None = None
        self._scans: tuple[Path, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The record files that changed, and the key if this run created it; else the scans."""
        key = {self._keyring.path} if self._keyring.is_new else set()
        return tuple(sorted(self._writer.paths | key)) or self._scans

    @property
    def plan_digest(self) -> str:
        """The keyed digest of the plan; "" while there is no key."""
        key = self._keyring.key
        return "" if key is None else plan_digest(self._plan, key)

    @property
    def recovered(self) -> tuple[Landed, ...]:
        """The versions that interrupted runs created outside this plan."""
        return tuple(sorted(self._recovered))

    @property
    def behind(self) -> str:
        """Why nothing new should be sent, "" if all records could be written."""
        return "records cannot be written" if self._writer.is_behind else ""

    @property
    def unrecorded(self) -> tuple[str, ...]:
        """The image sets of which something could not be written."""
        return self._writer.unwritten

    @property
    def problems(self) -> tuple[ReconcilerError, ...]:
        """The reasons why something is not recorded, each once."""
        others = (self.journal.problem, self._unpublished, self._ungrown, self._unwritten)
        return (*self._writer.problems.values(), *(one for one in others if one is not None))

    def converged(self, plan: Plan) -> None:
        """Record image sets that the plan found converged; release what no manifest asks any more.

        `plan` is the part of the plan that is not stale. Writes what interrupted runs made, too.
        """
        keys.sweep(self._root, files=self._files)
        for name, datastore_id in self._datastores():
            self._writer.sweep(datastore_id)
            found = list(ledger.converged(plan, name))
            self._writer.add(datastore_id, [one for member, one in found if not member.recorded])
            gone = [one.image_set_id for one in plan.released if one.datastore == name]
            self._writer.release(datastore_id, gone)
            for _, evidence in found:
                self.journal.recorded(datastore_id, evidence.image_set_id, evidence.version_id)
        self._grow()
        self.write()

    def _grow(self) -> None:
        """Make record files smaller before a run that makes them too large, in a commit of its own.

        What an earlier run has not committed is committed first, by this run: the next one grows.
        """
        try:
            widths = {
                datastore_id: self._writer.width_for(datastore_id, self._planned(datastore_id))
                for _, datastore_id in self._datastores()
            }
            growth.grow(self._root, widths, self._writer, self._destination)
        except RecordError as error:
            self._ungrown = error

    def _planned(self, datastore_id: str) -> Iterator[str]:
        for action in self._plan.actions:
            if action.datastore_id == datastore_id:
                yield from (one.image_set_id for one in (*action.members, *action.siblings))

    def recover(self, attempt: Attempt, landed: Landed | None) -> None:
        """The attempt of an interrupted run has come to its end, and to this version if any."""
        if landed is not None:
            self.made(attempt, landed)
        self.journal.looked_up(attempt)

    def made(self, attempt: Attempt, landed: Landed) -> None:
        """An interrupted run has made this version."""
        self._recovered.add(landed)
        self._writer.add(attempt.datastore_id, [ledger.recovered(attempt, landed)])

    def step_ended(self, outcome: Outcome) -> None:
        """One step's end: the versions that it produced are recorded, as far as they were seen.

        They are written with the next WRITE_OUTCOMES outcomes, at the latest after WRITE_SECONDS.
        """
        if not self._pending:
            self._due = self._clock.now() + WRITE_SECONDS
        self._pending += 1
        self._record(self._ledger.landed(outcome))
        action = self._ledger.action_of(outcome.step)
        outcomes = self._outcomes.setdefault((action.datastore_id, action.image_set_id), [])
        outcomes.append(outcome)
        if len(outcomes) == len(action.steps):
            for evidence in self._ledger.ended(action, outcomes):
                self._writer.add(evidence.datastore_id, [evidence])
            self._ended.append((action, outcomes))
        self._write_if_due()

    def _write_if_due(self) -> None:
        is_late = self._clock.now() >= self._due
        if self._pending >= WRITE_OUTCOMES or (self._pending and is_late):
            self.write()

    def write(self) -> None:
        """Write what is not written yet, then remove the attempts that it makes needless."""
        self._writer.write()
        for action, outcomes in self._ended:
            self.journal.end(action, outcomes, behind=self._writer.is_behind)
        self._ended, self._pending = [], 0

    def _record(self, evidence: Iterable[Evidence]) -> None:
        for one in evidence:
            self._writer.add(one.datastore_id, [one])
            self.journal.recorded(one.datastore_id, one.image_set_id, one.version_id)

    def finish(
        self, *, alone: bool, before_publishing: Callable[[], Iterable[Path]] = tuple
    ) -> str:
        """Write remaining records and publish; return the new commit, or "".

        `before_publishing` writes what follows from all records, unless some could not be written,
        and returns the files that changed.
        If another apply is running (not `alone`), attempts are not removed: they may be its own.
        """
        self.write()
        if alone and not self._writer.is_behind:
            self.journal.tidy()
            self._before_publishing(before_publishing)
        return self._publish()

    def _before_publishing(self, write: Callable[[], Iterable[Path]]) -> None:
        self._unwritten = None
        try:
            self._scans = tuple(sorted(write()))
        except (GitError, RecordError) as error:
            self._unwritten = error

    def push_if_due(self) -> None:
        """Push what is recorded so far, every PUSH_SECONDS: a CI machine that dies loses its disk.

        A failure is no problem yet: the end of the run pushes again.
        """
        if self._destination.remote is None or self._clock.now() < self._next_push:
            return
        if self._next_push:
            self.write()
            if self._writer.paths:
                self._publish()
        self._next_push = self._clock.now() + PUSH_SECONDS

    @property
    def published(self) -> Published:
        """Where the records are. Asks git, so it is for the end of the run."""
        found, is_failed = self._publication, self._unpublished is not None
        return published(found, self._destination, is_failed=is_failed)

    def _publish(self) -> str:
        self._unpublished = None
        try:
            return publish(self._publication, self._destination, self._clock)
        except (GitError, RecordError) as error:
            self._unpublished = error
            return ""

    @property
    def _publication(self) -> Publication:
        return Publication(
            self._root,
            {datastore_id: name for name, datastore_id in self._datastores()},
            tuple(sorted(self._writer.paths)),
            self._plan.basis,
            self.plan_digest,
            self._writer.before,
        )

    def _datastores(self) -> tuple[tuple[str, str], ...]:
        """The (name, id) of the data stores of the plan."""
        released = {(one.datastore, one.datastore_id) for one in self._plan.released}
        return tuple(sorted(self._plan.datastores | released))
