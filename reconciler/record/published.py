"""Where the records of a run are after its end, and what could not be published."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from reconciler.core.errors import GitError, RecordError
from reconciler.core.model.results import Published
from reconciler.core.model.settings import RecordMode
from reconciler.edges import git, records
from reconciler.record.laid import laid
from reconciler.record.publication import Destination, Publication
from reconciler.record.record_branch import waiting


def published(found: Publication, destination: Destination, *, is_failed: bool) -> Published:
    """Where the records are; `is_failed` says that their commit or its push has failed."""
    remote = destination.remote
    branch = f"{remote.name}/{remote.branch}" if remote else destination.branch
    count = None
    if destination.mode is RecordMode.PULL_REQUEST:
        with suppress(GitError, RecordError):  # the error of publishing is reported
            count = waiting(found, *_ends(found, destination))
    missing = tuple(sorted(_missing(found, destination))) if is_failed else ()
    return Published(branch, remote is not None and not is_failed, missing, count)


def _ends(found: Publication, destination: Destination) -> tuple[str, str]:
    """The tip of the record branch, and that of the default branch as far as it is known."""
    tips = git.record_tips(found.root, destination.branch)
    if destination.remote:
        return tips.tracked, git.fetched_default(found.root)
    return next(iter(git.heads(found.root, tips.local, tips.tracked)), ""), git.head(found.root)


def _missing(found: Publication, destination: Destination) -> Iterator[tuple[str, str]]:
    """(Image set, version) of every entry that the commit and the record branch do not hold."""
    try:
        commit = _known(found, destination)
        widths = found.widths(commit)
        own = found.own(widths)
        held = laid(found.root, commit, own, widths).files
        files = found.joined(own, held)
    except (GitError, RecordError):
        held = {}
        files = {path: path.read_bytes() for path in found.written if path.exists()}
    pairs = ((held.get(path, b""), after) for path, after in files.items())
    for entry in records.changed_entries(pairs):
        yield entry.image_set_id, entry.version_id


def _known(found: Publication, destination: Destination) -> str:
    if not destination.branch:
        return git.head(found.root)
    tips = git.record_tips(found.root, destination.branch)
    return next(iter(git.heads(found.root, tips.tracked, tips.local)), git.head(found.root))
