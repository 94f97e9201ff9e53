"""Records outcomes as they arrive, so that a killed run leaves records of finished steps."""

from __future__ import annotations

from pathlib import Path

from reconciler.core.errors import GitError, ReconcilerError
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.key import Key
from reconciler.core.model.outcome import Landed, Outcome
from reconciler.core.model.plan import Plan
from reconciler.core.model.settings import RecordMode
from reconciler.core.plan.file import plan_digest
from reconciler.core.ports import Clock, Files
from reconciler.edges import attempts
from reconciler.edges import key as keys
from reconciler.record import ledger
from reconciler.record.journal import AttemptJournal
from reconciler.record.keyring import Keyring
from reconciler.record.publish import Publication, publish
from reconciler.record.writer import Writer


class Recorder:
    """Records one apply. `journal` writes before the calls, the recorder after them."""

    def __init__(self, root: Path, plan: Plan, key: Key | None, files: Files) -> None:
        self._root = root
        self._plan = plan
        self._files = files
        self._keyring = Keyring(root, key, files)
        self._ledger = ledger.Ledger(plan)
        self._writer = Writer(root, self._keyring, files)
        self.journal = AttemptJournal(root, self._keyring, files)
        self._outcomes: dict[attempts.Subject, list[Outcome]] = {}
        self._recovered: set[Landed] = set()
        self._unpublished: GitError | None = None

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
    def problems(self) -> tuple[ReconcilerError, ...]:
        """The reasons why something is not recorded, each once."""
        others = (self.journal.problem, self._unpublished)
        return (*self._writer.problems.values(), *(one for one in others if one is not None))

    def converged(self, plan: Plan) -> None:
        """Record image sets that the plan found converged; drop records without an ask.

        `plan` is the part of the plan that is not stale.
        """
        keys.sweep(self._root, files=self._files)
        for datastore in self._datastores():
            self._writer.sweep(datastore)
            found = list(ledger.converged(plan, datastore))
            entries = [entry for member, entry in found if not member.recorded]
            gone = [one for name, one in plan.dropped if name == datastore]
            self._writer.write(datastore, entries, gone)
            for _, entry in found:
                self.journal.settle(entry.datastore_id, entry.image_set_id, entry.version_id)

    def recover(self, datastore: str, attempt: Attempt, landed: Landed | None) -> None:
        """Record the result of an interrupted run's attempt: this version, or none."""
        if landed is not None:
            self._recovered.add(landed)
            self._writer.write(datastore, [ledger.recovered(attempt, landed)])
        self.journal.looked_up(attempt)

    def step_ended(self, outcome: Outcome) -> None:
        """Record the versions that a step created and that were seen."""
        for datastore, entry in self._ledger.landed(outcome):
            self._writer.write(datastore, [entry])
            self.journal.settle(entry.datastore_id, entry.image_set_id, entry.version_id)
        action = self._ledger.action_of(outcome.step)
        outcomes = self._outcomes.setdefault((action.datastore_id, action.image_set_id), [])
        outcomes.append(outcome)
        if len(outcomes) == len(action.steps):
            self.journal.end(action, outcomes, behind=self._writer.is_behind)

    def finish(self, mode: RecordMode, clock: Clock, *, alone: bool) -> str:
        """Write remaining records and publish; return the new commit, or "".

        If another apply is running (not `alone`), attempts are not removed: they may be its own.
        """
        self._writer.write_the_rest()
        if alone and not self._writer.is_behind:
            self.journal.tidy()
        try:
            return publish(
                Publication(
                    self._root, self._datastores(), self._plan.basis.commit, self.plan_digest
                ),
                mode,
                clock,
            )
        except GitError as error:
            self._unpublished = error
            return ""

    def _datastores(self) -> tuple[str, ...]:
        names = {action.datastore for action in self._plan.actions}
        return tuple(sorted(names | {name for name, _ in self._plan.dropped}))
