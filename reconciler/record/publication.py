"""The records of a run that are to be published, and their content on top of a commit."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.core.errors import GitBusyError
from reconciler.core.model.key import KEY_FILE
from reconciler.core.model.plan import Basis
from reconciler.core.model.record import Entry
from reconciler.core.model.scan import SCAN_FILE
from reconciler.core.model.settings import RecordMode
from reconciler.edges import git, records
from reconciler.edges import key as keys
from reconciler.edges.records import scans
from reconciler.edges.records.layout import FILE as LAYOUT
from reconciler.edges.records.layout import is_record
from reconciler.edges.records.layout import parse as parse_layout
from reconciler.record.laid import Widths, at_widths, greatest, laid, widths_at

# How often a push is tried against other runs, and how many seconds lie between two tries.
MOST_PUSHES = 20
_FIRST_PUSH_PAUSE, _LONGEST_PUSH_PAUSE = 0.5, 20.0


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the records of a run go.

    `remote` is the branch that they are pushed to; None if they are not pushed. `branch` is the
    record branch of a mode that has one, and `entries` are those that it held at first, by data
    store and image set.
    """

    mode: RecordMode
    remote: git.Remote | None = None
    branch: str = ""
    entries: Mapping[str, Mapping[str, Entry]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Publication:
    """The records of some data stores, and the plan that they come from.

    `datastores` are their names by ID. `written` are the record files that the run wrote or
    removed: a file of the first form is not in the folder of its data store. `before` are the
    entries that the run has changed, as they were before, by data store and image set.
    """

    root: Path
    datastores: Mapping[str, str]
    written: tuple[Path, ...]
    basis: Basis
    plan_digest: str
    before: Mapping[str, Mapping[str, Entry]] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Path, ...]:
        """The record files of this run, and those that an earlier run could not publish, sorted."""
        own = [records.folder(self.root, one) for one in self.datastores]
        folders = [folder for folder in own if folder.exists()]
        changed = git.changed(self.root, folders) if folders else ()  # without any, git takes all
        base = os.path.realpath(self.root)
        left = (self.root / os.path.relpath(path, base) for path in changed)
        return tuple(sorted(path for path in {*self.written, *left} if is_record(path.name)))

    @property
    def scans(self) -> Mapping[Path, bytes]:
        """The scans of the data stores, as they are on the disk."""
        paths = [scans.path(self.root, one) for one in self.datastores]
        return {path: path.read_bytes() for path in paths if path.exists()}

    def widths(self, *commits: str) -> Widths:
        """The widths of all data stores: the greatest of those on the disk and in some commits."""
        above = self.root / records.FOLDER
        named = {path.parent for one in commits for path in git.names_at(self.root, one, above)}
        folders = {records.folder(self.root, one) for one in self.datastores}
        folders |= {folder for folder in named if records.is_id(folder.name)}
        own = {folder: records.width(self.root, folder.name) for folder in sorted(folders)}
        theirs = (widths_at(self.root, one, own) for one in commits if one)
        return greatest(own, *theirs)

    def joined(
        self, own: Mapping[Path, bytes], theirs: Mapping[Path, bytes]
    ) -> Mapping[Path, bytes]:
        """Contents of ours on top of those in a commit, which has perhaps a key.

        Both have the same widths. A file that the run has removed stays removed. Raises RecordError
        for a content that `reconcile` did not write.
        """
        is_foreign = self._has_another_key(theirs.get(keys.path(self.root)))
        return {
            path: records.joined_content(
                content,
                theirs.get(path, b""),
                path.relative_to(self.root).as_posix(),
                before=self.before.get(path.parent.name, {}),
                is_foreign=is_foreign,
            )
            if content
            else b""
            for path, content in own.items()
        }

    def own(self, widths: Widths) -> Mapping[Path, bytes]:
        """The contents of our files, as they are at some widths; b"" of a file that is removed.

        Once they have grown, each file differs from the commit that is checked out. Then only the
        entries count that differ: another run may have changed the others.
        """
        held = {path: path.read_bytes() if path.exists() else b"" for path in self.files}
        own = at_widths(self.root, held, widths)
        head = git.head(self.root)
        grown = [
            one for one, width in widths_at(self.root, head, widths).items() if width < widths[one]
        ]
        if not (head and grown):
            return own
        before = laid(self.root, head, own, widths).files
        changed = {path: records.without(one, before.get(path, b"")) for path, one in own.items()}
        return {path: one for path, one in changed.items() if one or path.parent not in grown}

    def _has_another_key(self, content: bytes | None) -> bool:
        """Whether the other side has another key: then the digests of our entries say nothing."""
        path = keys.path(self.root)
        own = path.read_bytes() if path.exists() else b""
        return content is not None and keys.parse(content) != keys.parse(own)

    def message(self, contents: Mapping[Path, tuple[bytes, bytes]]) -> git.Message:
        """The message of a commit of record files, each with its content before and after."""
        moved = tuple(self._moved(contents))
        grown = [after for path, (_, after) in contents.items() if path.name == LAYOUT]
        if grown and not moved:
            return git.message_of_growth(max(parse_layout(one, LAYOUT) for one in grown))
        if contents and all(path.name == SCAN_FILE for path in contents):
            return git.message_of_scan()
        return git.message(
            moved,
            applied_commit=self.basis.commit,
            plan_digest=self.plan_digest,
            is_clean=self.basis.is_clean,
        )

    def _moved(self, contents: Mapping[Path, tuple[bytes, bytes]]) -> Iterator[git.Moved]:
        """Yield all changes since the last commit, including those of interrupted runs."""
        rows = (both for path, both in contents.items() if path.name != KEY_FILE)
        for entry in records.changed_entries(rows):
            yield git.Moved(
                self.datastores.get(entry.datastore_id, entry.datastore_id),
                entry.image_set_id,
                entry.previous_version_id,
                entry.version_id,
            )


def pauses() -> Iterator[float]:
    """How long to wait after each try to push, in seconds: a random time, to spread runs."""
    for number in range(MOST_PUSHES):
        yield random.uniform(0, min(_LONGEST_PUSH_PAUSE, _FIRST_PUSH_PAUSE * 2**number))  # noqa: S311 - only to spread runs


def overtaken(remote: git.Remote) -> GitBusyError:
    """The error of a push that other runs have overtaken with each try."""
    return GitBusyError(
        f"the branch {remote.branch} of {remote.name} changed with each of {MOST_PUSHES} tries to "
        "push records",
        "The changes are applied, and the records are not pushed. The next run records them.",
    )
