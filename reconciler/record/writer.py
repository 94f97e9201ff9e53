"""Evidence -> record files. What cannot be written is kept and tried again.

A full disk never loses an outcome. If it stays full, the next run reads the versions from the
service and records them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from reconciler.core.diff.joined import joined
from reconciler.core.diff.merge import merged, signed, with_all_released
from reconciler.core.diff.paths import sealed
from reconciler.core.errors import RecordError
from reconciler.core.model.record import Entry, Evidence
from reconciler.core.ports import Files
from reconciler.edges import records
from reconciler.edges.records import layout
from reconciler.record.keyring import Keyring

# Entries by data store and image set.
Entries: TypeAlias = Mapping[str, Mapping[str, Entry]]


class Writer:
    """Writes the record files of a repository in one run, whose ID and commit entries state.

    `elsewhere` are the entries of the record branch: what the run records is added to them, too.
    `before` are the entries as they were before the run changed them.
    """

    def __init__(
        self,
        root: Path,
        keyring: Keyring,
        files: Files,
        elsewhere: Entries | None = None,
        *,
        run_id: str,
        commit: str,
    ) -> None:
        self.paths: set[Path] = set()
        self.before: dict[str, dict[str, Entry]] = {}
        self._elsewhere = elsewhere or {}
        self._begun: set[tuple[str, str]] = set()
        self.problems: dict[str, RecordError] = {}
        self._root = root
        self._keyring = keyring
        self._files = files
        self._run_id = run_id
        self._commit = commit
        # Per data store and image set, in the order of their writing.
        self._unwritten: dict[str, dict[str, list[records.Amendment]]] = {}

    @property
    def is_behind(self) -> bool:
        """Whether some entries could not be written."""
        return bool(self.problems)

    @property
    def unwritten(self) -> tuple[str, ...]:
        """The image sets whose entries are not written yet, or could not be written; sorted."""
        return tuple(sorted({name for left in self._unwritten.values() for name in left}))

    def sweep(self, datastore_id: str) -> None:
        """Remove what an interrupted write has left."""
        records.sweep(self._root, datastore_id, files=self._files)

    def width_for(self, datastore_id: str, image_set_ids: Iterable[str]) -> int:
        """The width of the record files of a data store once these image sets have entries, too.

        Raises RecordError for a record file or a layout that cannot be read.
        """
        known = records.image_sets(self._root, datastore_id)
        known |= self._elsewhere.get(datastore_id, {}).keys()
        return layout.width_for(
            len(known.union(image_set_ids)), records.width(self._root, datastore_id)
        )

    def grow(self, datastore_id: str, width: int) -> tuple[Path, ...]:
        """Name all record files of a data store by this width; return those that changed.

        Raises RecordError if a file cannot be read or written. The next run goes on.
        """
        return records.grow(self._root, datastore_id, width, files=self._files)

    def add(self, datastore_id: str, evidence: Iterable[Evidence]) -> None:
        """Merge evidence into the entries of their image sets, with the next `write`."""
        self._keep(datastore_id, [(one.image_set_id, self._merging(one)) for one in evidence])

    def release(self, datastore_id: str, image_set_ids: Iterable[str]) -> None:
        """Mark all that is recorded of some image sets as released, with the next `write`."""
        self._keep(datastore_id, [(one, self._signed(_released)) for one in image_set_ids])

    def write(self) -> None:
        """Write what was added, and once more what could not be written before."""
        for datastore_id in sorted(self._unwritten):
            self._write(datastore_id)

    def _keep(self, datastore_id: str, amendments: Iterable[tuple[str, records.Amendment]]) -> None:
        """Keep these for the next `write`: one file then takes all of its changes at once."""
        left = self._unwritten.get(datastore_id, {})
        for image_set_id, amendment in amendments:
            some = left.setdefault(image_set_id, [])
            if (datastore_id, image_set_id) not in self._begun:
                self._begun.add((datastore_id, image_set_id))
                some.append(self._beginning(datastore_id, image_set_id))
            some.append(amendment)
        if left:
            self._unwritten[datastore_id] = left

    def _write(self, datastore_id: str) -> None:
        """Write what is left of a data store, file by file; what fails is left for later."""
        left = self._unwritten.pop(datastore_id)
        failed: dict[str, list[records.Amendment]] = {}
        problem = None
        try:
            shards = list(records.files_of(self._root, datastore_id, left))
        except RecordError as error:
            problem, failed, shards = error, left, []
        for shard in shards:
            try:
                written = records.write(self._root, datastore_id, shard, files=self._files)
                self.paths.update(written)
            except RecordError as error:
                problem = error
                failed.update((name, left[name]) for name in shard)
        self.problems.pop(datastore_id, None)
        if problem:
            self._unwritten[datastore_id], self.problems[datastore_id] = failed, problem

    def _beginning(self, datastore_id: str, image_set_id: str) -> records.Amendment:
        """The first amendment of an image set: the entry as the run finds it."""

        def begin(entry: Entry | None) -> Entry | None:
            other = self._elsewhere.get(datastore_id, {}).get(image_set_id)
            whole = joined(entry, other) if entry and other else entry or other
            if whole is not None:
                self.before.setdefault(datastore_id, {})[image_set_id] = whole
            return whole

        return begin

    def _merging(self, evidence: Evidence) -> records.Amendment:
        """Raises RecordError, once it is called, where there can be no key."""
        return self._signed(lambda entry: merged(entry, sealed(evidence, self._keyring.take())))

    def _signed(self, amendment: records.Amendment) -> records.Amendment:
        return lambda entry: signed(entry, amendment(entry), self._run_id, self._commit)


def _released(entry: Entry | None) -> Entry | None:
    return None if entry is None else with_all_released(entry)
