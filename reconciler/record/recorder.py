"""Records outcomes as they arrive, so that a killed run leaves records of finished steps."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from reconciler.core.errors import GitError, ReconcilerError, RecordError
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.key import Key
from reconciler.core.model.outcome import Landed, Outcome
from reconciler.core.model.plan import Plan
from reconciler.core.model.record import Evidence
from reconciler.core.model.results import Published
from reconciler.core.plan.file import plan_digest
from reconciler.core.ports import Clock, Files
from reconciler.edges import attempts
from reconciler.edges import key as keys
from reconciler.record import ledger
from reconciler.record.journal import AttemptJournal
from reconciler.record.keyring import Keyring
from reconciler.record.publication import Destination, Publication
from reconciler.record.publish import publish
from reconciler.record.published import published
from reconciler.record.writer import Writer

# How often a run pushes what it has recorded so far, in seconds.
PUSH_SECONDS = 600.0


class Recorder:
    """Records one apply. `journal` writes before the calls, the recorder after them."""

    def __init__(
        self,
        root: Path,
        plan: Plan,
        key: Key | None,
        files: Files,
        destination: Destination,
        run_id: str = "",
    ) -> None:
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
        self.journal = AttemptJournal(root, self._keyring, files)
        self._outcomes: dict[attempts.Subject, list[Outcome]] = {}
        self._recovered: set[Landed] = set()
        self._unpublished: GitError | RecordError | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The record files that changed, and the key if this run created it."""
        key = {self._keyring.path} if self._keyring.is_new else set()
        return tuple(sorted(self._writer.paths | key))

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
        others = (self.journal.problem, self._unpublished)
        return (*self._writer.problems.values(), *(one for one in others if one is not None))

    def converged(self, plan: Plan) -> None:
        """Record image sets that the plan found converged; release what no manifest asks any more.

        `plan` is the part of the plan that is not stale.
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
        """One step's end: the versions that it produced are recorded, as far as they were seen."""
        self._record(self._ledger.landed(outcome))
        action = self._ledger.action_of(outcome.step)
        outcomes = self._outcomes.setdefault((action.datastore_id, action.image_set_id), [])
        outcomes.append(outcome)
        if len(outcomes) == len(action.steps):
            for evidence in self._ledger.ended(action, outcomes):
                self._writer.add(evidence.datastore_id, [evidence])
            self.journal.end(action, outcomes, behind=self._writer.is_behind)

    def _record(self, evidence: Iterable[Evidence]) -> None:
        for one in evidence:
            self._writer.add(one.datastore_id, [one])
            self.journal.recorded(one.datastore_id, one.image_set_id, one.version_id)

    def finish(self, clock: Clock, *, alone: bool) -> str:
        """Write remaining records and publish; return the new commit, or "".

        If another apply is running (not `alone`), attempts are not removed: they may be its own.
        """
        self._writer.write_the_rest()
        if alone and not self._writer.is_behind:
            self.journal.tidy()
        return self._publish(clock)

    def push_if_due(self, clock: Clock) -> None:
        """Push what is recorded so far, every PUSH_SECONDS: a CI machine that dies loses its disk.

        A failure is no problem yet: the end of the run pushes again.
        """
        if self._destination.remote is None or clock.now() < self._next_push:
            return
        if self._next_push and self._writer.paths:
            self._publish(clock)
        self._next_push = clock.now() + PUSH_SECONDS

    @property
    def published(self) -> Published:
        """Where the records are. Asks git, so it is for the end of the run."""
        found, is_failed = self._publication, self._unpublished is not None
        return published(found, self._destination, is_failed=is_failed)

    def _publish(self, clock: Clock) -> str:
        self._unpublished = None
        try:
            return publish(self._publication, self._destination, clock)
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
