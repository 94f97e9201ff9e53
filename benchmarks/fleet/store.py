"""Fills the database of the emulator directly, thousands of image sets a second.

It writes the rows that the emulator itself would have written for the same history. No server may
run on the folder meanwhile.
"""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fleet.image_sets import STORE
from reconciler.emulator.store.database import FILE_NAME, Store
from reconciler.emulator.store.index import index_entry
from reconciler.emulator.wire import exact_json

_CHUNK = 10_000
_INDEX = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
_INSERTS = {
    "image_sets": "INSERT INTO image_sets VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, NULL)",
    "versions": "INSERT INTO versions VALUES (?, ?, ?, ?, ?, NULL, 0, ?, ?, ?)",
    "contents": "INSERT INTO contents VALUES (?, ?, ?, ?)",
    "search_index": "INSERT INTO search_index VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
    "search_series": "INSERT INTO search_series VALUES (?, ?, ?, ?)",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """An image set and the documents of its versions, each with the time of its `updatedAt`."""

    image_set_id: str
    versions: Sequence[tuple[float, dict[str, Any]]]
    is_primary: bool = False


def fill(folder: Path, image_sets: Iterable[Loaded], *, are_many: bool = True) -> None:
    """Add image sets to the data store of an emulator's folder, which is made if it is missing.

    If `are_many`, the indexes are made again of all rows, which then is faster than row by row.
    """
    Store(folder).close()
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as connection:
        # Nothing is left of a load that fails, so nothing has to be undone.
        for setting in ("journal_mode = OFF", "cache_size = -1000000", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "INSERT OR IGNORE INTO datastores VALUES (?, ?, NULL, '{}', 0, 0, 0, NULL)",
            (STORE, STORE),
        )
        indexes = connection.execute(_INDEX).fetchall() if are_many else []
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        for some in _chunks(image_sets):
            _insert(connection, some)
        for _, statement in indexes:
            connection.execute(statement)
        connection.execute("COMMIT")


def _chunks(image_sets: Iterable[Loaded]) -> Iterator[list[Loaded]]:
    some: list[Loaded] = []
    for one in image_sets:
        some.append(one)
        if len(some) == _CHUNK:
            yield some
            some = []
    yield some


def _insert(connection: sqlite3.Connection, image_sets: Sequence[Loaded]) -> None:
    rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _INSERTS}
    for one in image_sets:
        for table, row in _rows(one):
            rows[table].append(row)
    for table, statement in _INSERTS.items():
        connection.executemany(statement, sorted(rows[table]))


def _rows(one: Loaded) -> Iterator[tuple[str, tuple[Any, ...]]]:
    name, latest = one.image_set_id, len(one.versions)
    created, (updated, document) = one.versions[0][0], one.versions[-1]
    yield "image_sets", (STORE, name, latest, one.is_primary, created, updated)
    for version, (moment, content) in enumerate(one.versions, start=1):
        statuses = ("IMPORTING", "CREATED") if version == 1 else ("UPDATING", "UPDATED")
        yield "versions", (STORE, name, version, *statuses, moment, moment, version)
        yield "contents", (STORE, name, version, _encoded(content))
    entry = index_entry(document)
    texts = (entry.patient_id, entry.accession_number, entry.study_id, entry.study_uid)
    times = (created, updated)
    yield (
        "search_index",
        (STORE, name, latest, one.is_primary, *times, *texts, entry.study_datetime, entry.tags,
         updated),
    )  # fmt: skip
    for uid in entry.series_uids:
        yield "search_series", (STORE, uid, name, latest)


def _encoded(document: dict[str, Any]) -> bytes:
    """A document as the emulator stores it, less compressed: that would be a third of the time."""
    return gzip.compress(exact_json.dumps(document), compresslevel=1, mtime=0)
