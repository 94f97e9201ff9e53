"""From outcomes to records, as they come in: a run that dies leaves what it saw behind."""

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
    """Records one apply: `journal` before the calls, this after them."""

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
        """The record files that changed, and the key if this run made it."""
        key = {self._keyring.path} if self._keyring.is_new else set()
        return tuple(sorted(self._writer.paths | key))

    @property
    def plan_digest(self) -> str:
        """The keyed digest of the plan; "" while there is no key."""
        key = self._keyring.key
        return "" if key is None else plan_digest(self._plan, key)

    @property
    def recovered(self) -> tuple[Landed, ...]:
        """The versions that interrupted runs made and that are no part of this plan."""
        return tuple(sorted(self._recovered))

    @property
    def behind(self) -> str:
        """Why nothing new should be sent: what was seen cannot be recorded. "" where it can."""
        return "records cannot be written" if self._writer.is_behind else ""

    @property
    def problems(self) -> tuple[ReconcilerError, ...]:
        """What is not recorded, and why; each problem once."""
        others = (self.journal.problem, self._unpublished)
        return (*self._writer.problems.values(), *(one for one in others if one is not None))

    def converged(self, plan: Plan) -> None:
        """What the plan found converged but not recorded, and what nobody asks for any more.

        `plan` is what still holds of it.
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
        """The attempt of an interrupted run has come to its end, and to this version if any."""
        if landed is not None:
            self._recovered.add(landed)
            self._writer.write(datastore, [ledger.recovered(attempt, landed)])
        self.journal.looked_up(attempt)

    def step_ended(self, outcome: Outcome) -> None:
        """One step's end: the versions that it produced are recorded, as far as they were seen."""
        for datastore, entry in self._ledger.landed(outcome):
            self._writer.write(datastore, [entry])
            self.journal.settle(entry.datastore_id, entry.image_set_id, entry.version_id)
        action = self._ledger.action_of(outcome.step)
        outcomes = self._outcomes.setdefault((action.datastore_id, action.image_set_id), [])
        outcomes.append(outcome)
        if len(outcomes) == len(action.steps):
            self.journal.end(action, outcomes, behind=self._writer.is_behind)

    def finish(self, mode: RecordMode, clock: Clock, *, alone: bool) -> str:
        """Write what could not be written before, and publish: the new commit, or "".

        While another run is at it (not `alone`), what is left of attempts may be its own.
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
