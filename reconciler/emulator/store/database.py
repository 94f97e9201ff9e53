"""SQLite: one file that several processes may share, in WAL mode, intact after kill -9.

Reads and writes take a connection of a pool. A write is one BEGIN IMMEDIATE transaction, so that no
other write changes what it has read.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.emulator.store import private

FILE_NAME = "emulator.sqlite3"
# SQLite makes these with the mode of the database (https://www.sqlite.org/wal.html, section 6).
_FILE_NAMES = (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", f"{FILE_NAME}-journal")
# If a process has two stores of one file, the first makes the file. Closing the file while the
# other store uses it would end its locks (https://www.sqlite.org/howtocorrupt.html, section 2.2).
_MAKING = threading.Lock()
# Rises with each new table or index. A folder of a lower number gets the missing ones.
_SCHEMA_NUMBER = 3
_BUSY_SECONDS = 30.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS datastores (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, client_token TEXT UNIQUE, properties TEXT NOT NULL,
  created_at REAL NOT NULL, updated_at REAL NOT NULL, active_at REAL NOT NULL, deleted_at REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS image_sets (
  datastore_id TEXT, id TEXT, latest INTEGER NOT NULL, is_primary INTEGER NOT NULL,
  created_at REAL NOT NULL, accessed_at REAL NOT NULL, loaded_digest TEXT,
  hold_status TEXT, hold_until REAL,
  PRIMARY KEY (datastore_id, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS versions (
  datastore_id TEXT, image_set_id TEXT, version INTEGER,
  busy_status TEXT NOT NULL, end_status TEXT NOT NULL, message TEXT, forced INTEGER NOT NULL,
  updated_at REAL NOT NULL, ready_at REAL NOT NULL, content INTEGER,
  PRIMARY KEY (datastore_id, image_set_id, version)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contents (
  datastore_id TEXT, image_set_id TEXT, version INTEGER, document BLOB NOT NULL,
  UNIQUE (datastore_id, image_set_id, version)
);
CREATE TABLE IF NOT EXISTS search_index (
  datastore_id TEXT, image_set_id TEXT, version INTEGER, is_primary INTEGER NOT NULL,
  created_at REAL NOT NULL, updated_at REAL NOT NULL,
  patient_id TEXT NOT NULL, accession_number TEXT NOT NULL, study_id TEXT NOT NULL,
  study_uid TEXT NOT NULL, study_datetime TEXT NOT NULL, tags BLOB NOT NULL,
  visible_from REAL NOT NULL, visible_until REAL,
  PRIMARY KEY (datastore_id, image_set_id, version)
);
CREATE INDEX IF NOT EXISTS by_updated ON search_index (datastore_id, updated_at, image_set_id);
CREATE INDEX IF NOT EXISTS by_created ON search_index (datastore_id, created_at, image_set_id);
CREATE INDEX IF NOT EXISTS by_study_date
  ON search_index (datastore_id, study_datetime, image_set_id);
CREATE INDEX IF NOT EXISTS by_patient ON search_index (datastore_id, patient_id);
CREATE INDEX IF NOT EXISTS by_accession ON search_index (datastore_id, accession_number);
CREATE INDEX IF NOT EXISTS by_study_id ON search_index (datastore_id, study_id);
CREATE INDEX IF NOT EXISTS by_study ON search_index (datastore_id, study_uid);
CREATE TABLE IF NOT EXISTS search_series (
  datastore_id TEXT, series_uid TEXT, image_set_id TEXT, version INTEGER,
  PRIMARY KEY (datastore_id, series_uid, image_set_id, version)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_version ON search_series (datastore_id, image_set_id, version);
CREATE TABLE IF NOT EXISTS tags (
  resource TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (resource, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS frames (
  datastore_id TEXT, id TEXT, content_type TEXT NOT NULL, data BLOB NOT NULL,
  UNIQUE (datastore_id, id)
);
CREATE TABLE IF NOT EXISTS import_jobs (
  datastore_id TEXT, id TEXT, client_token TEXT NOT NULL, properties TEXT NOT NULL,
  submitted_at REAL NOT NULL, started_at REAL NOT NULL, ended_at REAL NOT NULL, message TEXT,
  PRIMARY KEY (datastore_id, id), UNIQUE (datastore_id, client_token)
) WITHOUT ROWID;
"""


class StoreError(Exception):
    """A data folder that cannot be used: not writable, no database, or of another version."""


class Store:
    """The data folder of an emulator."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        try:
            with _placed(folder):
                private.make_folder(folder)
                private.close_folder(folder, _FILE_NAMES)
            with _MAKING:
                _make_private(folder)
            self._idle.append(self._create())
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{self._path}: {error}") from error

    def _create(self) -> sqlite3.Connection:
        connection = self._connect()
        # The switch to WAL does not wait for a lock that another process holds on a new file.
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        connection.execute("BEGIN IMMEDIATE")
        (number,) = connection.execute("PRAGMA user_version").fetchone()
        if number > _SCHEMA_NUMBER:
            connection.close()
            raise StoreError(f"{self._path}: a newer version of `reconcile` made it")
        if number < _SCHEMA_NUMBER:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_SCHEMA_NUMBER}")
        connection.execute("COMMIT")
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        # NORMAL loses nothing when a process is killed, only when the machine stops.
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection; each statement sees its own snapshot."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self._connect()
        try:
            yield connection
        finally:
            with self._lock:
                if not self._closed:
                    self._idle.append(connection)
                    connection = None
            if connection is not None:
                connection.close()

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection whose statements all see the same snapshot."""
        with self.read() as connection, _transaction(connection, "BEGIN"):
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction. Rolled back where an exception leaves the block."""
        with self.read() as connection, _transaction(connection, "BEGIN IMMEDIATE"):
            yield connection

    def close(self) -> None:
        """Close idle connections now, and each connection in use when it is returned."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _make_private(folder: Path) -> None:
    """Restrict the files to their owner before SQLite writes anything into them."""
    for name in _FILE_NAMES:
        with _placed(folder / name):
            there = private.close_file(folder / name)
            if name == FILE_NAME and not there:
                with suppress(FileExistsError):  # another process has done it
                    private.create(folder / name)


@contextmanager
def _placed(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
