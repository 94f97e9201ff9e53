"""A call that makes versions: all at the same moment, all ready after the same time."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from reconciler.emulator.operations.context import Context
from reconciler.emulator.rules.documents import Document
from reconciler.emulator.store.versions import (
    NewVersion,
    Version,
    append,
    document,
    rewrite,
    touch,
)


@dataclass(frozen=True, slots=True)
class Write:
    """An update or a copy. Making a version is an access to its image set."""

    context: Context
    connection: sqlite3.Connection
    datastore_id: str
    now: float
    force: bool

    def document(self, version: Version) -> Document:
        """The document of a version that has a document."""
        return document(self.connection, self.datastore_id, version)

    def first(self, image_set_id: str, **fields: Any) -> None:
        """Make version 1 of an image set whose row exists."""
        self._append(image_set_id, NewVersion(version=1, **self._times(), **fields))

    def next(self, version: Version, **fields: Any) -> None:
        """Make the next version; without `document` or `content` the content stays."""
        new = NewVersion(
            version=version.version + 1, **self._times(), **_with_content(version, fields)
        )
        self._append(version.image_set_id, new)

    def again(self, version: Version, **fields: Any) -> None:
        """Change the version itself; without `document` or `content` the content stays."""
        new = NewVersion(version=version.version, **self._times(), **_with_content(version, fields))
        lag = self.context.behaviours.search_lag_seconds
        rewrite(self.connection, self.datastore_id, version.image_set_id, new, lag=lag)
        touch(self.connection, self.datastore_id, version.image_set_id, self.now)

    def _times(self) -> dict[str, Any]:
        ready_at = self.now + self.context.update_seconds
        return {"updated_at": self.now, "ready_at": ready_at, "forced": self.force}

    def _append(self, image_set_id: str, new: NewVersion) -> None:
        lag = self.context.behaviours.search_lag_seconds
        append(self.connection, self.datastore_id, image_set_id, new, lag=lag)
        touch(self.connection, self.datastore_id, image_set_id, self.now)


def _with_content(version: Version, fields: dict[str, Any]) -> dict[str, Any]:
    if {"document", "content"} & set(fields):
        return fields
    return {**fields, "content": version.content}
