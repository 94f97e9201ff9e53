"""From outcomes to records and their commit, as they come in.

What cannot be written is kept and tried again: a full disk never loses an outcome, and where it
stays full, the next run finds in the service what this one could not record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from reconciler import git, record
from reconciler.errors import GitBusyError, GitError, ReconcilerError, RecordError
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Action, Member, Plan, Status
from reconciler.model.record import Entry
from reconciler.model.settings import RecordMode
from reconciler.plan.file import plan_digest
from reconciler.ports import Clock, Files

# How long to wait for another git: that of a run that was killed may still be at work.
GIT_PATIENCE = 10.0
_FIRST_GIT_PAUSE, _LONGEST_GIT_PAUSE = 0.1, 1.0


class Recorder:
    """Writes records as outcomes come in: a run that dies leaves what it saw behind."""

    def __init__(self, root: Path, plan: Plan, clock: Clock, files: Files) -> None:
        self._root = root
        self._plan = plan
        self._clock = clock
        self._files = files
        self._members = {
            (action.datastore_id, member.image_set_id): (action, member)
            for action in plan.actions
            for member in action.members
        }
        self._last = {
            (step.datastore_id, image_set_id): step
            for step in plan.steps
            for image_set_id, _ in step.expected
        }
        self._paths: set[Path] = set()
        self._unwritten: dict[str, tuple[dict[str, Entry], set[str]]] = {}
        self._problems: dict[str, ReconcilerError] = {}

    @property
    def paths(self) -> tuple[Path, ...]:
        """The record files that changed."""
        return tuple(sorted(self._paths))

    @property
    def behind(self) -> str:
        """Why nothing new should be sent: what was seen cannot be recorded. "" where it can."""
        return "records cannot be written" if self._unwritten else ""

    @property
    def problems(self) -> tuple[ReconcilerError, ...]:
        """What is not recorded, and why; each problem once."""
        return tuple(self._problems.values())

    def converged(self) -> None:
        """What the plan found converged but not recorded, and what nobody asks for any more."""
        for datastore in self._datastores():
            record.sweep(self._root, datastore, files=self._files)
            entries = [
                _entry(action, member, member.pin, member.previous_version_id, member.updated_at)
                for action in self._plan.actions
                if action.datastore == datastore and action.status is Status.CONVERGED
                for member in action.members
                if not member.recorded
            ]
            drop = [one for name, one in self._plan.dropped if name == datastore]
            self._write(datastore, entries, drop)

    def landed(self, outcome: Outcome) -> None:
        """The versions that a step produced, where no later step of the plan moves them again."""
        if outcome.result not in (Result.CONVERGED, Result.ALREADY_CONVERGED):
            return
        for datastore, entry in self._landed_entries(outcome):
            self._write(datastore, [entry], [])

    def finish(self, mode: RecordMode) -> str:
        """Write what could not be written before, and commit; "" where there is nothing new."""
        for datastore in sorted(self._unwritten):
            self._write(datastore, [], [])
        if mode is not RecordMode.COMMIT:
            return ""
        try:
            return self._commit()
        except GitError as error:
            self._problems["git"] = error
            return ""

    def _datastores(self) -> list[str]:
        names = {action.datastore for action in self._plan.actions}
        return sorted(names | {name for name, _ in self._plan.dropped})

    def _landed_entries(self, outcome: Outcome) -> Iterator[tuple[str, Entry]]:
        for landed in outcome.landed:
            key = (outcome.step.datastore_id, landed.image_set_id)
            if self._last[key] != outcome.step:
                continue
            action, member = self._members[key]
            # The version that was read, also where several calls lie between: that is where
            # somebody who wants the old content back must look.
            entry = _entry(action, member, landed.version_id, member.pin, landed.updated_at)
            yield action.datastore, entry

    def _write(self, datastore: str, entries: Iterable[Entry], drop: Iterable[str]) -> None:
        """These and what is left from before, file by file; what fails is left for later."""
        left, dropped = self._unwritten.pop(datastore, ({}, set()))
        left |= {entry.image_set_id: entry for entry in entries}
        dropped |= set(drop)
        failed: tuple[dict[str, Entry], set[str]] = ({}, set())
        problem = None
        for upserts, gone in record.files_of(left.values(), dropped):
            try:
                self._paths.update(
                    record.write(self._root, datastore, upserts, gone, files=self._files)
                )
            except RecordError as error:
                problem = error
                failed[0].update((entry.image_set_id, entry) for entry in upserts)
                failed[1].update(gone)
        self._problems.pop(datastore, None)
        if problem:
            self._unwritten[datastore] = failed
            self._problems[datastore] = problem

    def _commit(self) -> str:
        """One commit of the records alone, once no other git is at work."""
        deadline, pause = self._clock.now() + GIT_PATIENCE, _FIRST_GIT_PAUSE
        while True:
            try:
                return self._commit_once()
            except GitBusyError:
                if self._clock.now() >= deadline:
                    raise
            self._clock.sleep(pause)
            pause = min(_LONGEST_GIT_PAUSE, 2 * pause)

    def _commit_once(self) -> str:
        folders = [
            folder
            for name in self._datastores()
            if (folder := record.folder(self._root, name)).exists()
        ]
        if not folders:
            return ""
        changed = git.changed(self._root, folders)
        text = git.message(
            self._moved(changed),
            applied_commit=self._plan.basis.commit,
            plan_digest=plan_digest(self._plan),
        )
        return git.commit(self._root, changed or folders, text)

    def _moved(self, changed: Iterable[Path]) -> Iterator[git.Moved]:
        """What is new since the last commit, also by a run that was killed before its own."""
        for path in changed:
            after = path.read_bytes() if path.exists() else b""
            for entry in record.changed_entries(git.committed(self._root, path), after):
                yield git.Moved(
                    path.parent.name,
                    entry.image_set_id,
                    entry.previous_version_id,
                    entry.version_id,
                )


def _entry(
    action: Action, member: Member, version: str, previous: str, updated_at: float | None
) -> Entry:
    return Entry(
        datastore_id=action.datastore_id,
        image_set_id=member.image_set_id,
        version_id=version,
        previous_version_id=previous,
        updated_at=updated_at,
        asked=member.asked,
        ask_digest=member.ask_digest,
    )
