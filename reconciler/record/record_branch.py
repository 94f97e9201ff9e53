"""Publishes records to a branch of their own, for repositories whose default branch is protected.

The branch is always the default branch with the records on top (decision 0003). So its tree never
holds a manifest that is not merged, and a pull request from it changes records only.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reconciler.core.errors import GitBusyError, GitError
from reconciler.core.model.record import Entry
from reconciler.core.ports import Clock
from reconciler.edges import git, records
from reconciler.edges import key as keys
from reconciler.edges.records.layout import is_narrow, is_record
from reconciler.record.laid import Widths, laid
from reconciler.record.publication import Destination, Publication, overtaken, pauses


def publish_apart(found: Publication, destination: Destination, clock: Clock) -> str:
    """Commit the records to their branch, at the remote or here; return the commit, or "".

    If they are not pushed, the local branch moves. The branch that is checked out stays as it is.
    Raises GitError if the host refuses the push, and RecordError if a branch holds records that
    `reconcile` did not write.
    """
    if destination.remote is not None:
        return _pushed(found, clock, destination.remote)
    return _moved(found, clock, destination.branch)


def _pushed(found: Publication, clock: Clock, remote: git.Remote) -> str:
    """Like a push to the current branch: if another run is faster, it starts again."""
    for pause in pauses():
        tip, base = git.fetch(found.root, remote), git.fetch_default(found.root, remote)
        if not base:
            raise GitError(
                f"{remote.name} has no default branch yet, and the records need it",
                f"Push it first, for example with `git push {remote.name} HEAD:main`.",
            )
        # A branch that was deleted, such as after its merge, goes on from where it was.
        known = tip or git.record_tips(found.root, remote.branch).tracked
        made = _made(found, known, base)
        if not made:
            return ""
        if git.push(found.root, remote, made, tip):
            git.track(found.root, remote.name, remote.branch, made)
            return made
        clock.sleep(pause)
    raise overtaken(remote)


def _moved(found: Publication, clock: Clock, branch: str) -> str:
    """Move the local branch, again if another run has moved it meanwhile."""
    for pause in pauses():
        tips = git.record_tips(found.root, branch)
        # The newer of the two: its manifests are those that were merged last.
        newest = git.heads(found.root, tips.tracked, tips.local)
        base = newest[0] if newest else git.head(found.root)
        made = _made(found, tips.local, base)
        if not made:
            return ""
        try:
            git.move_branch(found.root, branch, made, tips.local)
        except GitBusyError:
            clock.sleep(pause)
            continue
        return made
    raise GitBusyError(
        f"another process moved the branch {branch} with each try to commit records",
        "The changes are applied, and the records are written. Run the command again.",
    )


def _made(found: Publication, tip: str, base: str) -> str:
    """Make the next commit of the branch: the tree of the base, and all records on top.

    Returns "" if the branch states already what the run has recorded. More and smaller record
    files, if there are to be any, are a commit of their own before it.
    """
    widths = found.widths(tip, base)
    growth, changed = _changed(found, tip or base, widths)
    if growth:
        grown = growth if not tip else _carried(found, tip, base, {}, widths)
        text = git.message_of_growth(max(widths.values()))
        parents = git.heads(found.root, tip, base)
        made = git.commit_onto(found.root, base, grown, text, parents) or base
        return _made(found, made, base) or made
    if not changed:
        return ""
    files = changed if not tip else _carried(found, tip, base, changed, widths)
    before = git.contents_at(found.root, tip or base, list(files))
    text = found.message({path: (before.get(path, b""), files[path]) for path in files})
    parents = git.heads(found.root, tip, base)
    return git.commit_onto(found.root, base, files, text, parents)


def _carried(
    found: Publication, tip: str, base: str, changed: Mapping[Path, bytes], widths: Widths
) -> Mapping[Path, bytes]:
    """The record files of the tip on top of the base, each with its content; `changed` are newer.

    Entries that the base has not changed since it was last merged are those of the tip. All files
    have these widths.
    """
    differing = git.differing(found.root, base, tip, found.root / records.FOLDER)
    paths = sorted({*changed, *(path for path in differing if is_record(path.name))})
    start = git.common_ancestor(found.root, tip, base)
    at_tip, at_base, at_start = (
        laid(found.root, commit, paths, widths) for commit in (tip, base, start)
    )
    every = {*paths, *at_tip.files, *at_base.files}
    joined = {
        path: records.joined_content(
            changed.get(path, at_tip.files.get(path, b"")),
            at_base.files.get(path, b""),
            path.relative_to(found.root).as_posix(),
            before=_entries(at_start.files.get(path, b"")),
        )
        for path in sorted(every)
        if is_record(path.name) and not is_narrow(path.name, widths.get(path.parent, 0))
    }
    return {**at_base.growth, **joined}


def _entries(content: bytes) -> Mapping[str, Entry]:
    return {one.image_set_id: one for one in records.changed_entries([(b"", content)])}


def waiting(found: Publication, tip: str, base: str) -> int:
    """The number of image sets whose entries at the tip of the branch are not all in the base."""
    if not (tip and base):
        return 0
    widths = found.widths(tip, base)
    files = _carried(found, tip, base, {}, widths)
    before = laid(found.root, base, files, widths).files
    pairs = ((before.get(path, b""), after) for path, after in files.items())
    return len(records.changed_entries(pairs))


def _changed(
    found: Publication, tip: str, widths: Widths
) -> tuple[Mapping[Path, bytes], Mapping[Path, bytes]]:
    """The growth of the record files of a commit, and the files of the run that state more then.

    Each has its joined content.
    """
    own = found.own(widths)
    at_tip = laid(found.root, tip, [*own, keys.path(found.root)], widths)
    files, theirs = found.joined(own, at_tip.files), at_tip.files
    changed = {path: one for path, one in files.items() if one != theirs.get(path, b"")}
    return at_tip.growth, changed
