"""Entries -> record files. Entries that cannot be written are kept and written later.

A full disk never loses an outcome. If it stays full, the next run reads the versions from the
service and records them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.core.diff.paths import sealed
from reconciler.core.errors import RecordError
from reconciler.core.model.record import Entry
from reconciler.core.ports import Files
from reconciler.edges import records
from reconciler.record.keyring import Keyring


@dataclass(slots=True)
class _Unwritten:
    """The entries of one data store that are not written yet."""

    entries: dict[str, Entry] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)


class Writer:
    """Writes the record files of a repository in one run."""

    def __init__(self, root: Path, keyring: Keyring, files: Files) -> None:
        self.paths: set[Path] = set()
        self.problems: dict[str, RecordError] = {}
        self._root = root
        self._keyring = keyring
        self._files = files
        self._unwritten: dict[str, _Unwritten] = {}

    @property
    def is_behind(self) -> bool:
        """Whether some entries could not be written."""
        return bool(self._unwritten)

    def sweep(self, datastore: str) -> None:
        """Remove partial files of interrupted writes."""
        records.sweep(self._root, datastore, files=self._files)

    def write(self, datastore: str, entries: Iterable[Entry], gone: Iterable[str] = ()) -> None:
        """Write these entries and earlier unwritten entries, file by file; keep those that fail."""
        left = self._unwritten.pop(datastore, _Unwritten())
        left.entries |= {entry.image_set_id: entry for entry in entries}
        left.gone |= set(gone)
        failed, problem = _Unwritten(), None
        for upserts, dropped in records.files_of(left.entries.values(), left.gone):
            try:
                rows = [sealed(entry, self._keyring.take()) for entry in upserts]
                written = records.write(self._root, datastore, rows, dropped, files=self._files)
                self.paths.update(written)
            except RecordError as error:
                problem = error
                failed.entries.update((entry.image_set_id, entry) for entry in upserts)
                failed.gone.update(dropped)
        self.problems.pop(datastore, None)
        if problem:
            self._unwritten[datastore], self.problems[datastore] = failed, problem

    def write_the_rest(self) -> None:
        """Write the entries that could not be written before."""
        for datastore in sorted(self._unwritten):
            self.write(datastore, ())
