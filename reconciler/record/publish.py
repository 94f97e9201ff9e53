"""Publishes written record files: leaves them as files, commits them, or pushes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reconciler.core.errors import GitBusyError
from reconciler.core.model.key import KEY_FILE
from reconciler.core.model.settings import RecordMode
from reconciler.core.ports import Clock
from reconciler.edges import git, records
from reconciler.edges import key as keys
from reconciler.record.laid import laid
from reconciler.record.publication import Destination, Publication, overtaken, pauses
from reconciler.record.record_branch import publish_apart

# How many seconds to wait for another git process, such as that of an interrupted run.
GIT_PATIENCE = 10.0
_FIRST_GIT_PAUSE, _LONGEST_GIT_PAUSE = 0.1, 1.0


def publish(found: Publication, destination: Destination, clock: Clock) -> str:
    """Publish the records; return the new commit, "" if the mode or no changes require none.

    At a remote, or on a record branch, the branch that is checked out stays as it is.
    Raises GitError if the commit or the push fails, and RecordError if the remote holds records
    that `reconcile` did not write.
    """
    remote = destination.remote
    match destination.mode:
        case RecordMode.FILES:
            return ""
        case RecordMode.COMMIT:
            return push(found, remote, clock) if remote else _commit(found, clock)
        case RecordMode.BRANCH | RecordMode.PULL_REQUEST:
            return publish_apart(found, destination, clock)


def push(found: Publication, remote: git.Remote, clock: Clock) -> str:
    """Push the records on top of what the branch holds by then; return the commit, or "".

    The entries are joined with those that other runs have pushed. If another run is faster, it
    starts again, after a pause of random length. Raises GitError if the host refuses the push, and
    RecordError if the branch holds records that `reconcile` did not write.
    """
    for pause in pauses():
        tip = git.fetch(found.root, remote)
        growth, contents = _joined(found, tip)
        grown = _grown(found, tip, growth)
        files = {path: after for path, (_, after) in contents.items()}
        text = found.message(contents)
        made = git.commit_onto(found.root, grown or tip, files, text) if files else ""
        made = made or grown
        if not made or git.push(found.root, remote, made, tip):
            return made
        clock.sleep(pause)
    raise overtaken(remote)


def _grown(found: Publication, tip: str, growth: Mapping[Path, bytes]) -> str:
    """Make a commit of its own for more and smaller record files; return "" if none is needed."""
    if not growth:
        return ""
    width = max(found.widths(tip).values())
    return git.commit_onto(found.root, tip, growth, git.message_of_growth(width))


def _joined(
    found: Publication, tip: str
) -> tuple[Mapping[Path, bytes], Mapping[Path, tuple[bytes, bytes]]]:
    """The growth of the record files of a commit, and the files that differ on top of it.

    Each of the latter has its content before and after. The key of the other side wins.
    """
    key, widths = keys.path(found.root), found.widths(tip)
    own = found.own(widths)
    at_tip = laid(found.root, tip, [*own, key, *found.scans], widths)
    theirs = at_tip.files
    # A scan states the records that it is of. On top of other records it says nothing.
    files = {**found.joined(own, theirs), **found.scans}
    if files and key not in theirs and key.exists():
        files[key] = key.read_bytes()
    contents = {path: (theirs.get(path, b""), after) for path, after in files.items()}
    return at_tip.growth, {path: both for path, both in contents.items() if both[0] != both[1]}


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
    return git.commit(found.root, changed or folders, found.message(contents))
