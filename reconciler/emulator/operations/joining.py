"""Joins an imported series to the primary image set of its series, or makes a new image set.

Developer guide, "Understanding import jobs": instances that do not conflict are organized into one
primary image set. An instance that is imported again replaces the older instance, and the version
rises. Instances that conflict become a non-primary image set.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from reconciler.emulator.operations.context import Context, new_id
from reconciler.emulator.operations.loading import agree, conflicts
from reconciler.emulator.rules.documents import Document, instance_uids, series_of
from reconciler.emulator.store.versions import (
    NewVersion,
    Version,
    append,
    document,
    find,
    insert_image_set,
)

IMPORTING = "IMPORTING"


@dataclass(frozen=True, slots=True)
class Joined:
    """The image set that has the instances of a document now; `instances` is their number."""

    image_set_id: str
    version: int
    is_primary: bool
    instances: int


@dataclass(frozen=True, slots=True)
class Import:
    """A transaction of an import; the import is complete at `ready_at`."""

    context: Context
    connection: sqlite3.Connection
    datastore_id: str
    now: float
    ready_at: float

    def join(self, imported: Document) -> Joined:
        """Import one document of one series."""
        into = self._primary_of(imported)
        if into is not None:
            merged = self._merged(into, imported)
            if merged is not None:
                return self._next_version(into, merged, len(instance_uids(imported)))
        return self._new_image_set(imported)

    def _primary_of(self, imported: Document) -> Version | None:
        row = self.connection.execute(
            "SELECT s.image_set_id FROM search_series e CROSS JOIN search_index s "
            "ON s.datastore_id = e.datastore_id AND s.image_set_id = e.image_set_id "
            "AND s.version = e.version WHERE e.datastore_id = ? AND e.series_uid = ? "
            "AND s.is_primary AND s.visible_until IS NULL",
            (self.datastore_id, next(iter(series_of(imported)))),
        ).fetchone()
        return find(self.connection, self.datastore_id, row[0]) if row else None

    def _merged(self, into: Version, imported: Document) -> Document | None:
        """The document with the instances added; None where the imported values conflict."""
        current = document(self.connection, self.datastore_id, into)
        if not agree(current["Patient"], imported["Patient"]):
            return None
        if not agree(current["Study"], imported["Study"]):
            return None
        for uid, series in series_of(imported).items():
            there = series_of(current)[uid]
            if not agree(there, series):
                return None
            there["Instances"].update(series["Instances"])
        return current

    def _next_version(self, into: Version, merged: Document, instances: int) -> Joined:
        number = into.version + 1
        self._append(into.image_set_id, number, "IMPORTED", merged, not_before=into.ready_at)
        return Joined(into.image_set_id, number, True, instances)

    def _new_image_set(self, imported: Document) -> Joined:
        image_set_id = new_id()
        is_primary = not conflicts(self.connection, self.datastore_id, imported)
        insert_image_set(
            self.connection, self.datastore_id, image_set_id, is_primary=is_primary, now=self.now
        )
        own = {
            "SchemaVersion": imported["SchemaVersion"], "DatastoreID": self.datastore_id,
            **imported, "ImageSetID": image_set_id,
        }  # fmt: skip
        self._append(image_set_id, 1, "CREATED", own)
        return Joined(image_set_id, 1, is_primary, len(instance_uids(own)))

    def _append(
        self,
        image_set_id: str,
        number: int,
        end_status: str,
        content: Document,
        not_before: float = 0.0,
    ) -> None:
        ready_at = max(self.ready_at, not_before)
        new = NewVersion(
            version=number, busy_status=IMPORTING, end_status=end_status, updated_at=self.now,
            ready_at=ready_at, document=content,
        )  # fmt: skip
        lag = ready_at - self.now + self.context.behaviours.search_lag_seconds
        append(self.connection, self.datastore_id, image_set_id, new, lag=lag)
