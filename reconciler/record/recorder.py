"""From outcomes to records and their commit, as they come in.

What cannot be written is kept and tried again: a full disk never loses an outcome, and where it
stays full, the next run finds in the service what this one could not record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from reconciler.core.diff.paths import sealed
from reconciler.core.errors import GitBusyError, GitError, ReconcilerError, RecordError
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.key import KEY_FILE, Key
from reconciler.core.model.outcome import Landed, Outcome, Result
from reconciler.core.model.plan import Action, Member, Plan, Status
from reconciler.core.model.record import Entry
from reconciler.core.model.settings import RecordMode
from reconciler.core.plan.file import plan_digest
from reconciler.core.ports import Clock, Files
from reconciler.edges import attempts, git, records
from reconciler.edges import key as keys

# How long to wait for another git: that of a run that was killed may still be at work.
GIT_PATIENCE = 10.0
_FIRST_GIT_PAUSE, _LONGEST_GIT_PAUSE = 0.1, 1.0


# The key of that problem; the others are names of data stores, which have no space.
_ATTEMPT = "an attempt"


class Recorder:
    """Writes records as outcomes come in: a run that dies leaves what it saw behind."""

    def __init__(self, root: Path, plan: Plan, key: Key | None, clock: Clock, files: Files) -> None:
        self._root = root
        self._plan = plan
        self._key = key
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
        self._action_of = {
            (step.datastore_id, step.image_set_id, step.pin): action
            for action in plan.actions
            for step in action.steps
        }
        self._outcomes: dict[attempts.Subject, list[Outcome]] = {}
        # The actions of which no earlier run has left an attempt.
        self._first: set[attempts.Subject] = set()
        # The version up to which what was attempted is known and recorded.
        self._settled: dict[attempts.Subject, int] = {}
        self._looked_up: set[Attempt] = set()
        self._recovered: set[Landed] = set()
        self._paths: set[Path] = set()
        self._unwritten: dict[str, tuple[dict[str, Entry], set[str]]] = {}
        self._problems: dict[str, ReconcilerError] = {}

    @property
    def paths(self) -> tuple[Path, ...]:
        """The record files that changed, and the key if this run made it."""
        return tuple(sorted(self._paths))

    @property
    def plan_digest(self) -> str:
        """The keyed digest of the plan; "" while there is no key."""
        return "" if self._key is None else plan_digest(self._plan, self._key)

    @property
    def recovered(self) -> tuple[Landed, ...]:
        """What runs that were killed have changed, found by this one and no part of its plan."""
        return tuple(sorted(self._recovered))

    @property
    def behind(self) -> str:
        """Why nothing new should be sent: what was seen cannot be recorded. "" where it can."""
        stuck = self._unwritten or _ATTEMPT in self._problems
        return "records cannot be written" if stuck else ""

    @property
    def problems(self) -> tuple[ReconcilerError, ...]:
        """What is not recorded, and why; each problem once."""
        return tuple(self._problems.values())

    def converged(self, plan: Plan) -> None:
        """What the plan found converged but not recorded, and what nobody asks for any more.

        `plan` is what still holds of it.
        """
        keys.sweep(self._root, files=self._files)
        for datastore in self._datastores():
            records.sweep(self._root, datastore, files=self._files)
            members = [
                (action, member)
                for action in plan.actions
                if action.datastore == datastore and action.status is Status.CONVERGED
                for member in action.members
            ]
            entries = [
                _entry(action, member, _as_planned(member))
                for action, member in members
                if not member.recorded
            ]
            drop = [one for name, one in plan.dropped if name == datastore]
            self._write(datastore, entries, drop)
            for action, member in members:
                self._settle(action.datastore_id, member.image_set_id, member.pin)

    def recover(self, datastore: str, attempt: Attempt, landed: Landed | None) -> None:
        """An attempt of a run that was killed has come to its end, and to this version if any."""
        if landed is not None:
            self._recovered.add(landed)
            entry = Entry(
                datastore_id=attempt.datastore_id,
                image_set_id=attempt.image_set_id,
                version_id=landed.version_id,
                previous_version_id=landed.previous_version_id,
                updated_at=landed.updated_at,
                created_at=landed.created_at,
                asked=attempt.asked,
                ask_digest=attempt.ask_digest,
            )
            self._write(datastore, [entry], [])
        self._looked_up.add(attempt)

    def begin(self, action: Action) -> None:
        """Write down an action's attempt before its first call. Called from any thread.

        Raises RecordError where it cannot be written: then nothing may be sent.
        """
        try:
            records.prepare(self._root, action.datastore, files=self._files)
            key = self._made_key()
            if attempts.begin(self._root, action, key, files=self._files):
                self._first.add((action.datastore_id, action.image_set_id))
        except RecordError as error:
            self._problems[_ATTEMPT] = error
            raise

    def step_ended(self, outcome: Outcome) -> None:
        """One step's end: the versions that it produced are recorded, as far as they were seen.

        Not where a later step of the plan moves them again. Of a study-wide call some may be as
        planned though others are not: they are recorded all the same.
        """
        for datastore, entry in self._landed_entries(outcome):
            self._write(datastore, [entry], [])
            self._settle(entry.datastore_id, entry.image_set_id, entry.version_id)
        step = outcome.step
        action = self._action_of[step.datastore_id, step.image_set_id, step.pin]
        outcomes = self._outcomes.setdefault((action.datastore_id, action.image_set_id), [])
        outcomes.append(outcome)
        if len(outcomes) == len(action.steps):
            self._action_ended(action, outcomes)

    def _action_ended(self, action: Action, outcomes: Collection[Outcome]) -> None:
        """Forget the attempt once it is recorded, or if nothing can have come of it.

        What this run did not get to, an earlier one may have sent: that one's attempt stays.
        """
        is_recorded = all(one.result.is_good for one in outcomes)
        is_first = (action.datastore_id, action.image_set_id) in self._first
        is_over = is_first and not _may_have_changed(outcomes)
        # Without a key none was begun.
        if self._key and ((is_recorded and not self._unwritten) or is_over):
            attempts.end(self._root, action, self._key, files=self._files)

    def finish(self, mode: RecordMode, *, alone: bool) -> str:
        """Write what could not be written before, and commit; "" where there is nothing new.

        While another run is at it (not `alone`), what is left of attempts may be its own.
        """
        for datastore in sorted(self._unwritten):
            self._write(datastore, [], [])
        if alone and not self._unwritten:
            attempts.tidy(self._root, self._settled, self._looked_up, files=self._files)
        if mode is not RecordMode.COMMIT:
            return ""
        try:
            return self._commit()
        except GitError as error:
            self._problems["git"] = error
            return ""

    def _made_key(self) -> Key:
        """The key, made where there is none yet; RecordError where it cannot be. Any thread."""
        if self._key is None:
            self._key = keys.make(self._root, files=self._files)
            self._paths.add(keys.path(self._root))
        return self._key

    def _settle(self, datastore_id: str, image_set_id: str, version: str) -> None:
        """What was attempted up to this version is of no use any more."""
        subject = (datastore_id, image_set_id)
        self._settled[subject] = max(int(version), self._settled.get(subject, 0))

    def _datastores(self) -> list[str]:
        names = {action.datastore for action in self._plan.actions}
        return sorted(names | {name for name, _ in self._plan.dropped})

    def _landed_entries(self, outcome: Outcome) -> Iterator[tuple[str, Entry]]:
        for landed in outcome.landed:
            key = (outcome.step.datastore_id, landed.image_set_id)
            if self._last[key] != outcome.step:
                continue
            action, member = self._members[key]
            # The version that was read first, also where several calls lie between: that is where
            # somebody who wants the old content back must look.
            seen = replace(landed, previous_version_id=member.before)
            yield action.datastore, _entry(action, member, seen)

    def _write(self, datastore: str, entries: Iterable[Entry], drop: Iterable[str]) -> None:
        """These and what is left from before, file by file; what fails is left for later."""
        left, dropped = self._unwritten.pop(datastore, ({}, set()))
        left |= {entry.image_set_id: entry for entry in entries}
        dropped |= set(drop)
        failed: tuple[dict[str, Entry], set[str]] = ({}, set())
        problem = None
        for upserts, gone in records.files_of(left.values(), dropped):
            try:
                rows = [sealed(entry, self._made_key()) for entry in upserts]
                self._paths.update(
                    records.write(self._root, datastore, rows, gone, files=self._files)
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
        """One commit of the records and their key alone, once no other git is at work."""
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
            if (folder := records.folder(self._root, name)).exists()
        ]
        if not folders:
            return ""
        key = keys.path(self._root)
        changed = git.changed(self._root, [*folders, *([key] if key.exists() else [])])
        rows = [path for path in changed if path.name != KEY_FILE]
        if changed and not rows:
            return ""  # a key goes with the records that it keys
        text = git.message(
            self._moved(rows),
            applied_commit=self._plan.basis.commit,
            plan_digest=self.plan_digest,
        )
        return git.commit(self._root, changed or folders, text)

    def _moved(self, changed: Iterable[Path]) -> Iterator[git.Moved]:
        """What is new since the last commit, also by a run that was killed before its own."""
        for path in changed:
            after = path.read_bytes() if path.exists() else b""
            for entry in records.changed_entries(git.committed(self._root, path), after):
                yield git.Moved(
                    path.parent.name,
                    entry.image_set_id,
                    entry.previous_version_id,
                    entry.version_id,
                )


def _may_have_changed(outcomes: Iterable[Outcome]) -> bool:
    """Whether an image set may be at a version that these made, also beside a conflict."""
    return any(one.landed or one.result is Result.UNRESOLVED for one in outcomes)


def _as_planned(member: Member) -> Landed:
    """What is converged, as it was read.

    The version before it is the one before ours if a killed run made it, else the recorded one.
    """
    previous = member.origin_version_id or member.previous_version_id
    return Landed(member.image_set_id, member.pin, previous, member.updated_at, member.created_at)


def _entry(action: Action, member: Member, seen: Landed) -> Entry:
    return Entry(
        datastore_id=action.datastore_id,
        image_set_id=member.image_set_id,
        version_id=seen.version_id,
        previous_version_id=seen.previous_version_id,
        updated_at=seen.updated_at,
        created_at=seen.created_at,
        asked=member.asked,
        ask_digest=member.ask_digest,
    )
