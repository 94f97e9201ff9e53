"""Publishes written record files: leaves them as files, commits them, or pushes them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.errors import GitBusyError
from reconciler.core.model.key import KEY_FILE
from reconciler.core.model.plan import Basis
from reconciler.core.model.settings import RecordMode
from reconciler.core.ports import Clock
from reconciler.edges import git, records
from reconciler.edges import key as keys

# How many seconds to wait for another git process, such as that of an interrupted run.
GIT_PATIENCE = 10.0
_FIRST_GIT_PAUSE, _LONGEST_GIT_PAUSE = 0.1, 1.0
# How often a push is tried against other runs, and how many seconds lie between two tries.
_MOST_PUSHES = 20
_FIRST_PUSH_PAUSE, _LONGEST_PUSH_PAUSE = 0.5, 20.0


@dataclass(frozen=True, slots=True)
class Publication:
    """The records of some data stores, and the plan that they come from.

    `datastores` are their names by ID. `written` are the record files that the run wrote or
    removed: a file of the first form is not in the folder of its data store.
    """

    root: Path
    datastores: Mapping[str, str]
    written: tuple[Path, ...]
    basis: Basis
    plan_digest: str


def publish(
    found: Publication, mode: RecordMode, clock: Clock, remote: git.Remote | None = None
) -> str:
    """Publish the records; return the new commit, "" if the mode or no changes require none.

    With `remote`, the commit is made there, and the branch that is checked out stays as it is.
    Raises GitError if the commit or the push fails, and RecordError if the remote holds records
    that `reconcile` did not write.
    """
    if remote is not None:
        return push(found, remote, clock)
    match mode:
        case RecordMode.FILES:
            return ""
        case RecordMode.COMMIT:
            return _commit(found, clock)


def push(found: Publication, remote: git.Remote, clock: Clock) -> str:
    """Push the records on top of what the branch holds by then; return the commit, or "".

    The entries are joined with those that other runs have pushed. If another run is faster, it
    starts again, after a pause of random length. Raises GitError if the host refuses the push, and
    RecordError if the branch holds records that `reconcile` did not write.
    """
    for pause in _pauses():
        tip = git.fetch(found.root, remote)
        contents = _joined(found, tip)
        files = {path: after for path, (_, after) in contents.items()}
        text = _message(found, contents)
        made = git.commit_onto(found.root, tip, files, text) if files else ""
        if not made or git.push(found.root, remote, made, tip):
            return made
        clock.sleep(pause)
    raise GitBusyError(
        f"the branch {remote.branch} of {remote.name} changed with each of {_MOST_PUSHES} tries to "
        "push records",
        "The changes are applied, and the records are not pushed. The next run records them.",
    )


def _pauses() -> Iterator[float]:
    for number in range(_MOST_PUSHES):
        yield random.uniform(0, min(_LONGEST_PUSH_PAUSE, _FIRST_PUSH_PAUSE * 2**number))  # noqa: S311 - only to spread runs


def _joined(found: Publication, tip: str) -> Mapping[Path, tuple[bytes, bytes]]:
    """The files that differ on top of a commit, each with its content before and after.

    The key of the other side wins.
    """
    key = keys.path(found.root)
    theirs = git.contents_at(found.root, tip, [*found.written, key])
    own_key = key.read_bytes() if key.exists() else b""
    is_foreign = key in theirs and keys.parse(theirs[key]) != keys.parse(own_key)
    files = {
        path: records.joined_content(
            path.read_bytes() if path.exists() else b"",
            theirs.get(path, b"") if path.exists() else b"",
            path.relative_to(found.root).as_posix(),
            is_foreign=is_foreign,
        )
        for path in found.written
    }
    if files and key not in theirs and own_key:
        files[key] = own_key
    contents = {path: (theirs.get(path, b""), after) for path, after in files.items()}
    return {path: both for path, both in contents.items() if both[0] != both[1]}


def _commit(found: Publication, clock: Clock) -> str:
    """Commit the records and their key; wait while another git process holds the lock."""
    deadline, pause = clock.now() + GIT_PATIENCE, _FIRST_GIT_PAUSE
    while True:
        try:
            return _commit_once(found)
        except GitBusyError:
            if clock.now() >= deadline:
                raise
        clock.sleep(pause)
        pause = min(_LONGEST_GIT_PAUSE, 2 * pause)


def _commit_once(found: Publication) -> str:
    own = (records.folder(found.root, one) for one in found.datastores)
    folders = [*(folder for folder in own if folder.exists()), *found.written]
    if not folders:
        return ""
    key = keys.path(found.root)
    changed = git.changed(found.root, [*folders, *([key] if key.exists() else [])])
    rows = [path for path in changed if path.name != KEY_FILE]
    if changed and not rows:
        return ""  # a key is committed together with the first records
    committed = git.committed(found.root, rows)
    contents = {
        path: (committed.get(path, b""), path.read_bytes() if path.exists() else b"")
        for path in rows
    }
    return git.commit(found.root, changed or folders, _message(found, contents))


def _message(found: Publication, contents: Mapping[Path, tuple[bytes, bytes]]) -> git.Message:
    """The message of a commit of record files, each with its content before and after."""
    return git.message(
        _moved(found, contents),
        applied_commit=found.basis.commit,
        plan_digest=found.plan_digest,
        is_clean=found.basis.is_clean,
    )


def _moved(found: Publication, contents: Mapping[Path, tuple[bytes, bytes]]) -> Iterator[git.Moved]:
    """Yield all changes since the last commit, including those of interrupted runs."""
    for path, (before, after) in contents.items():
        if path.name == KEY_FILE:
            continue
        for entry in records.changed_entries(before, after):
            yield git.Moved(
                found.datastores.get(path.parent.name, path.parent.name),
                entry.image_set_id,
                entry.previous_version_id,
                entry.version_id,
            )
