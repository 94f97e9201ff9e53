"""Image sets and their versions as rows, and the state of a row at a moment.

An asynchronous operation computes its result at once and stores the moment at which it is ready. A
reader compares that moment with the clock. So nothing runs in the background, and a killed process
loses nothing.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from reconciler.emulator.rules.documents import Document, decode, encode
from reconciler.emulator.store.index import IndexEntry, index_entry

DELETING = "DELETING"
_SELECT = """
SELECT i.id, v.version, i.latest, i.is_primary, i.created_at, i.accessed_at, i.hold_status,
       i.hold_until, v.busy_status, v.end_status, v.message, v.forced, v.updated_at, v.ready_at,
       v.content
FROM image_sets i JOIN versions v ON v.datastore_id = i.datastore_id AND v.image_set_id = i.id
"""


@dataclass(frozen=True, slots=True)
class Version:
    """One version, with the properties that all versions of its image set share."""

    image_set_id: str
    version: int
    latest: int
    is_primary: int
    created_at: float
    accessed_at: float
    hold_status: str | None
    hold_until: float | None
    busy_status: str
    end_status: str
    message: str | None
    forced: int
    updated_at: float
    ready_at: float
    content: int | None

    def state(self, now: float) -> tuple[str, str]:
        """imageSetState and imageSetWorkflowStatus at this moment."""
        if self.hold_status == DELETING and self.hold_until is not None:
            return ("LOCKED", DELETING) if now < self.hold_until else ("DELETED", "DELETED")
        if now < self.ready_at:
            return "LOCKED", self.busy_status
        if self.is_held(now) and self.version == self.latest:
            return "LOCKED", self.hold_status or ""
        return "ACTIVE", self.end_status

    def is_held(self, now: float) -> bool:
        """Whether a copy or a deletion locks the image set. They make no version."""
        return self.hold_until is not None and now < self.hold_until

    def deleted_at(self, now: float) -> float | None:
        """The moment at which the deletion was complete; None before."""
        if self.hold_status != DELETING or self.is_held(now):
            return None
        return self.hold_until


def find(
    connection: sqlite3.Connection, datastore_id: str, image_set_id: str, version: int | None = None
) -> Version | None:
    """A version, by default the latest."""
    row = connection.execute(
        f"{_SELECT} WHERE i.datastore_id = ? AND i.id = ? AND v.version = COALESCE(?, i.latest)",
        (datastore_id, image_set_id, version),
    ).fetchone()
    return Version(*row) if row else None


def newest_first(
    connection: sqlite3.Connection, datastore_id: str, image_set_id: str, below: int, limit: int
) -> list[Version]:
    """Versions with a number below this one."""
    rows = connection.execute(
        f"{_SELECT} WHERE i.datastore_id = ? AND i.id = ? AND v.version < ? "
        "ORDER BY v.version DESC LIMIT ?",
        (datastore_id, image_set_id, below, limit),
    )
    return [Version(*row) for row in rows]


def document_bytes(
    connection: sqlite3.Connection, datastore_id: str, version: Version
) -> bytes | None:
    """The stored document of a version; None where it never had one (a failed copy)."""
    row = connection.execute(
        "SELECT document FROM contents WHERE datastore_id = ? AND image_set_id = ? AND version = ?",
        (datastore_id, version.image_set_id, version.content),
    ).fetchone()
    return bytes(row[0]) if row else None


def document(connection: sqlite3.Connection, datastore_id: str, version: Version) -> Document:
    """The document of a version that has a document."""
    data = document_bytes(connection, datastore_id, version)
    if data is None:
        raise KeyError(version.version)
    return decode(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """A version that is to be made. `document` None means the content of version `content`."""

    version: int
    busy_status: str
    end_status: str
    updated_at: float
    ready_at: float
    message: str | None = None
    forced: bool = False
    document: Document | None = None
    content: int | None = None


def insert_image_set(
    connection: sqlite3.Connection,
    datastore_id: str,
    image_set_id: str,
    *,
    is_primary: bool,
    now: float,
    loaded_digest: str | None = None,
) -> None:
    """Make the row of a new image set; `append` adds its first version."""
    connection.execute(
        "INSERT INTO image_sets (datastore_id, id, latest, is_primary, created_at, accessed_at, "
        "loaded_digest) VALUES (?, ?, 0, ?, ?, ?, ?)",
        (datastore_id, image_set_id, is_primary, now, now, loaded_digest),
    )


def append(
    connection: sqlite3.Connection,
    datastore_id: str,
    image_set_id: str,
    new: NewVersion,
    *,
    lag: float = 0.0,
) -> None:
    """Make a version the latest. The search shows it after the lag."""
    key = (datastore_id, image_set_id, new.version)
    content = new.version if new.document is not None else new.content
    connection.execute(
        "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*key, new.busy_status, new.end_status, new.message, new.forced, new.updated_at,
         new.ready_at, content),
    )  # fmt: skip
    if new.document is not None:
        connection.execute("INSERT INTO contents VALUES (?, ?, ?, ?)", (*key, encode(new.document)))
    connection.execute(
        "UPDATE image_sets SET latest = ? WHERE datastore_id = ? AND id = ?",
        (new.version, datastore_id, image_set_id),
    )
    _index(connection, datastore_id, image_set_id, new, content, new.updated_at + lag)


def rewrite(
    connection: sqlite3.Connection,
    datastore_id: str,
    image_set_id: str,
    new: NewVersion,
    *,
    lag: float = 0.0,
) -> None:
    """Put a version in the place of the version with the same number."""
    tables = ["versions", "search_index", "search_series"]
    for table in (*tables, "contents") if new.document is not None else tables:
        connection.execute(
            f"DELETE FROM {table} WHERE datastore_id = ? AND image_set_id = ? AND version = ?",  # noqa: S608
            (datastore_id, image_set_id, new.version),
        )
    append(connection, datastore_id, image_set_id, new, lag=lag)


def _index(
    connection: sqlite3.Connection,
    datastore_id: str,
    image_set_id: str,
    new: NewVersion,
    content: int | None,
    visible_from: float,
) -> None:
    if content is None:
        return
    entry = _index_entry(connection, datastore_id, image_set_id, new, content)
    hide(connection, datastore_id, image_set_id, visible_from, new.updated_at)
    connection.execute(
        "INSERT INTO search_index SELECT datastore_id, id, ?, is_primary, created_at, "
        "?, ?, ?, ?, ?, ?, ?, ?, NULL FROM image_sets WHERE datastore_id = ? AND id = ?",
        (new.version, new.updated_at, entry.patient_id, entry.accession_number, entry.study_id,
         entry.study_uid, entry.study_datetime, entry.tags, visible_from, datastore_id,
         image_set_id),
    )  # fmt: skip
    connection.executemany(
        "INSERT INTO search_series VALUES (?, ?, ?, ?)",
        [(datastore_id, uid, image_set_id, new.version) for uid in entry.series_uids],
    )


def _index_entry(
    connection: sqlite3.Connection,
    datastore_id: str,
    image_set_id: str,
    new: NewVersion,
    content: int,
) -> IndexEntry:
    if new.document is not None:
        return index_entry(new.document)
    (data,) = connection.execute(
        "SELECT document FROM contents WHERE datastore_id = ? AND image_set_id = ? AND version = ?",
        (datastore_id, image_set_id, content),
    ).fetchone()
    return index_entry(decode(data))


def hide(
    connection: sqlite3.Connection,
    datastore_id: str,
    image_set_id: str,
    until: float,
    now: float,
) -> None:
    """End what the search shows of an image set at `until`, and remove what has ended before."""
    where = "datastore_id = ? AND image_set_id = ?"
    key = (datastore_id, image_set_id)
    connection.execute(
        f"UPDATE search_index SET visible_until = ? WHERE {where} AND visible_until IS NULL",  # noqa: S608
        (until, *key),
    )
    gone = connection.execute(
        f"DELETE FROM search_index WHERE {where} AND visible_until <= ? RETURNING version",  # noqa: S608
        (*key, now),
    ).fetchall()
    connection.executemany(
        f"DELETE FROM search_series WHERE {where} AND version = ?",  # noqa: S608
        [(*key, version) for (version,) in gone],
    )


def hold(
    connection: sqlite3.Connection,
    datastore_id: str,
    image_set_id: str,
    status: str,
    until: float,
) -> None:
    """Lock the image set until a moment, for an operation that makes no version."""
    connection.execute(
        "UPDATE image_sets SET hold_status = ?, hold_until = ? WHERE datastore_id = ? AND id = ?",
        (status, until, datastore_id, image_set_id),
    )


def touch(connection: sqlite3.Connection, datastore_id: str, image_set_id: str, now: float) -> None:
    """Record an access: lastAccessedAt moves, and the image set is in the Frequent Access tier."""
    connection.execute(
        "UPDATE image_sets SET accessed_at = ? WHERE datastore_id = ? AND id = ?",
        (now, datastore_id, image_set_id),
    )
