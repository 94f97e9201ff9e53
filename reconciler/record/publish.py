"""Publishes written record files: leaves them as files, or commits them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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


def publish(found: Publication, mode: RecordMode, clock: Clock) -> str:
    """Publish the records; return the new commit, "" if the mode or no changes require none.

    Raises GitError if the commit fails.
    """
    match mode:
        case RecordMode.FILES:
            return ""
        case RecordMode.COMMIT:
            return _commit(found, clock)


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
    text = git.message(
        _moved(found, rows),
        applied_commit=found.basis.commit,
        plan_digest=found.plan_digest,
        is_clean=found.basis.is_clean,
    )
    return git.commit(found.root, changed or folders, text)


def _moved(found: Publication, rows: Sequence[Path]) -> Iterator[git.Moved]:
    """Yield all changes since the last commit, including those of interrupted runs."""
    committed = git.committed(found.root, rows)
    for path in rows:
        after = path.read_bytes() if path.exists() else b""
        for entry in records.changed_entries(committed.get(path, b""), after):
            yield git.Moved(
                found.datastores.get(path.parent.name, path.parent.name),
                entry.image_set_id,
                entry.previous_version_id,
                entry.version_id,
            )
