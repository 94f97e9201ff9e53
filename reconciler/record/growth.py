"""Gives the records of a data store more and smaller files, before a run that needs them.

A run rewrites the whole file of an entry, and git stores it again. So the cost of an outcome
follows the number of entries in a file: on average below `layout.ENTRIES_PER_FILE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from reconciler.core.errors import GitError
from reconciler.core.model.settings import RecordMode
from reconciler.edges import git, records
from reconciler.record.publication import Destination
from reconciler.record.writer import Writer


def grow(root: Path, widths: Mapping[str, int], writer: Writer, destination: Destination) -> None:
    """Name the record files of data stores by these widths, with a commit where the mode has one.

    A push, or a record branch, gets the growth when the run publishes. Raises RecordError if a file
    cannot be read or written.
    """
    due = [one for one, width in widths.items() if records.is_to_grow(root, one, width)]
    is_committed = destination.mode is RecordMode.COMMIT and destination.remote is None
    folders = [records.folder(root, one) for one in due]
    if not due or (is_committed and _is_changed(root, folders)):
        return
    changed = [path for one in due for path in writer.grow(one, widths[one])]
    if is_committed and changed:
        with suppress(GitError):  # the commit at the end of the run has it, or reports the error
            git.commit(root, changed, git.message_of_growth(max(widths[one] for one in due)))


def _is_changed(root: Path, folders: list[Path]) -> bool:
    existing = [folder for folder in folders if folder.exists()]
    try:
        return bool(existing) and bool(git.changed(root, existing))
    except GitError:  # the end of the run reports it
        return True
