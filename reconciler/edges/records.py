"""Records: which version of each image set was last seen converged, and for which ask.

There is one file for each first two characters of the imageSetId: a run changes few files, and two
runs rarely change the same file. Records are a cache of the service: a lost entry costs a read and
needs no repair. A wrong entry would hide drift, so every entry has a digest. The bytes of a file
depend on its entries only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from reconciler.core.errors import RecordError
from reconciler.core.model.api_version import API_VERSION
from reconciler.core.model.record import RULES_VERSION, Entry
from reconciler.core.ports import Files
from reconciler.edges import files as disk
from reconciler.edges.worktree import refuse_links, refuse_links_below

FOLDER = "records"
KIND = "Record"

Row: TypeAlias = dict[str, Any]


def folder(root: Path, datastore: str) -> Path:
    """Return the folder with the records of one data store."""
    return root / FOLDER / datastore


def read(root: Path, datastore: str) -> Mapping[str, Entry]:
    """Read all entries of one data store by image set; `{}` if there are none yet.

    Entries of other comparison rules are ignored. Raises `RecordError` with every problem for a
    file that `reconcile` did not write or an entry with a wrong digest, and `LinkError` for a
    symbolic link.
    """
    problems: list[str] = []
    found: dict[str, Entry] = {}
    refuse_links_below(root, folder(root, datastore))
    for path in sorted(folder(root, datastore).glob("??.json")):
        try:
            rows = _rows(_load(path, root), path, root)
        except RecordError as error:
            problems.append(error.message)
            continue
        for row in rows:
            if row["rulesVersion"] == RULES_VERSION:
                found[row["imageSetId"]] = _entry(row)
    if problems:
        raise RecordError("\n".join(problems), _RESTORE)
    return found


def write(
    root: Path,
    datastore: str,
    upserts: Iterable[Entry],
    drop: Iterable[str] = (),
    *,
    files: Files = disk.REAL,
) -> tuple[Path, ...]:
    """Add and remove entries; return the files that changed or were removed, sorted.

    A version never goes down: of two entries for one image set the higher versionId wins. If the
    versions are equal, the new entry wins. The new entry also replaces an entry of another data
    store, of another creation time, or without `createdAt`, regardless of the versionId.
    Several runs may write at the same time; each waits for its turn. Raises `RecordError` if a file
    cannot be read or written: each file then has its old or its new content.
    """
    changed = []
    for prefix, (entries, dropped) in sorted(_shards(upserts, drop).items()):
        path = folder(root, datastore) / f"{prefix}.json"
        refuse_links(root, path)
        with disk.alone(path.parent):
            if _rewrite(path, root, entries, dropped, files):
                changed.append(path)
    return tuple(changed)


def prepare(root: Path, datastore: str, *, files: Files = disk.REAL) -> None:
    """Create the folder before anything is sent. Raises RecordError if that is not possible."""
    path = folder(root, datastore)
    refuse_links(root, path)
    try:
        files.make_folder(path)
    except OSError as error:
        raise _unwritable(path, root, error) from None


def files_of(
    upserts: Iterable[Entry], drop: Iterable[str] = ()
) -> Iterator[tuple[list[Entry], list[str]]]:
    """Group entries by file, so that a file that cannot be written does not affect the others."""
    yield from (shard for _, shard in sorted(_shards(upserts, drop).items()))


def sweep(root: Path, datastore: str, *, files: Files = disk.REAL) -> None:
    """Remove partial files of runs that were killed while they wrote."""
    refuse_links(root, folder(root, datastore))
    disk.sweep(folder(root, datastore), files=files)


def changed_entries(before: bytes, after: bytes) -> tuple[Entry, ...]:
    """Return the entries that are new or changed since an earlier content of the file, sorted."""
    old = {row["imageSetId"]: row for row in _rows_of(before)}
    return tuple(
        sorted(_entry(row) for row in _rows_of(after) if row != old.get(row["imageSetId"]))
    )


_RESTORE = (
    "Only `reconcile` writes records. Restore them with `git checkout -- records`, or during a "
    "merge with `git checkout --theirs -- records`. You can also delete the file: its image sets "
    "are then read again."
)
_REMOVE = "Remove it. Its image sets are then read again."
# Old entries do not have it. They are rewritten when the image set is next seen converged.
_LATER_FIELDS = frozenset({"createdAt"})
_FIELDS: dict[str, Callable[[object], bool]] = {
    "datastoreId": lambda value: isinstance(value, str),
    "imageSetId": lambda value: isinstance(value, str),
    "versionId": lambda value: isinstance(value, str) and value.isascii() and value.isdecimal(),
    "previousVersionId": lambda value: isinstance(value, str),
    "updatedAt": lambda value: value is None or _is_moment(value),
    "createdAt": lambda value: value is None or _is_moment(value),
    "asked": lambda value: isinstance(value, list) and all(isinstance(path, str) for path in value),
    "askDigest": lambda value: isinstance(value, str),
    "rulesVersion": lambda value: isinstance(value, int),
    "digest": lambda value: isinstance(value, str),
}


def _shards(
    upserts: Iterable[Entry], drop: Iterable[str]
) -> dict[str, tuple[list[Entry], list[str]]]:
    shards: dict[str, tuple[list[Entry], list[str]]] = {}
    for entry in upserts:
        shards.setdefault(entry.image_set_id[:2], ([], []))[0].append(entry)
    for image_set_id in drop:
        shards.setdefault(image_set_id[:2], ([], []))[1].append(image_set_id)
    return shards


def _rows_of(content: bytes) -> list[Row]:
    """Return the entries of a file for a report. Invalid content gives no entries."""
    try:
        record = orjson.loads(content)
        rows: list[Row] = [row for row in record["entries"] if _has_fields(row)]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return []
    return rows


def _load(path: Path, root: Path) -> bytes:
    """Return the bytes of a file, b"" if it does not exist."""
    refuse_links(root, path)
    try:
        content = disk.read_regular(path)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise RecordError(
            f"{_name(path, root)}: cannot be read ({error.strerror})", "Fix its permissions."
        ) from None
    if content is None:
        raise RecordError(f"{_name(path, root)}: is not a regular file", _REMOVE)
    return content


def _rows(content: bytes, path: Path, root: Path) -> list[Row]:
    """Return the entries of a file after checking each of them."""
    name = _name(path, root)
    try:
        record = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise RecordError(f"{name}:{error.lineno}: the file is damaged", _RESTORE) from None
    entries = record.get("entries") if isinstance(record, dict) else None
    if not isinstance(entries, list) or record.get("apiVersion") != API_VERSION:
        raise RecordError(f"{name}: is not a record of {API_VERSION}", _RESTORE)
    problems = [
        f"{name}{_line(content, row)}: {problem}"
        for row in entries
        if (problem := _problem(row, path.stem))
    ]
    if problems:
        raise RecordError("\n".join(problems), _RESTORE)
    return entries


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _line(content: bytes, row: object) -> str:
    """Return the line of an entry as `:12`, "" if it is unknown."""
    title = row.get("imageSetId") if isinstance(row, dict) else None
    at = content.find(title.encode()) if isinstance(title, str) and title else -1
    newlines = content.count(b"\n", 0, at) if at >= 0 else 0
    return f":{newlines + 1}" if at >= 0 else ""


def _problem(row: object, prefix: str) -> str:
    if not isinstance(row, dict) or not _has_fields(row):
        title = row.get("imageSetId") if isinstance(row, dict) else None
        return f"the entry {title or '(without imageSetId)'} has missing or unknown fields"
    title = f"image set {row['imageSetId']}"
    wrong = [name for name, value in row.items() if not _FIELDS[name](value)]
    if wrong:
        return f"{title}: {', '.join(wrong)} has an invalid value"
    if not row["imageSetId"].startswith(prefix):
        return f"{title}: the entry is in the wrong file"
    if row["digest"] != _row_digest(row):
        return f"{title}: the entry was edited (its digest does not match)"
    return ""


def _has_fields(row: Row) -> bool:
    return set(row) | _LATER_FIELDS == set(_FIELDS)


def _rewrite(path: Path, root: Path, upserts: list[Entry], drop: list[str], files: Files) -> bool:
    """Rewrite one file; return whether it changed."""
    before = _load(path, root)
    rows = {row["imageSetId"]: row for row in _rows(before, path, root)} if before else {}
    for image_set_id in drop:
        rows.pop(image_set_id, None)
    for entry in upserts:
        if _supersedes(entry, rows.get(entry.image_set_id)):
            rows[entry.image_set_id] = _row(entry)
    after = _bytes([rows[image_set_id] for image_set_id in sorted(rows)])
    if before == after:
        return False
    try:
        if after:
            files.make_folder(path.parent)
            disk.replace(path, after, files=files)
        else:
            disk.remove(path, files=files)
    except OSError as error:
        raise _unwritable(path, root, error) from None
    return True


def _unwritable(path: Path, root: Path, error: OSError) -> RecordError:
    return RecordError(
        f"{_name(path, root)}: cannot be written ({error.strerror})",
        "Free disk space or fix the permissions, then run the command again. It finds the versions "
        "that were applied and records them.",
    )


def _supersedes(entry: Entry, row: Row | None) -> bool:
    if row is None or row["datastoreId"] != entry.datastore_id:
        return True
    # The new entry is of the current image set. Versions of another image set do not compare.
    if row.get("createdAt") is None or row["createdAt"] != _moment(entry.created_at):
        return True
    return int(entry.version_id) >= int(row["versionId"])


def _row(entry: Entry) -> Row:
    row: Row = {
        "datastoreId": entry.datastore_id,
        "imageSetId": entry.image_set_id,
        "versionId": entry.version_id,
        "previousVersionId": entry.previous_version_id,
        "updatedAt": _moment(entry.updated_at),
        "createdAt": _moment(entry.created_at),
        "asked": sorted(entry.asked),
        "askDigest": entry.ask_digest,
        "rulesVersion": entry.rules_version,
    }
    if not entry.is_dated:
        del row["createdAt"]
    row["digest"] = _row_digest(row)
    return row


def _entry(row: Row) -> Entry:
    return Entry(
        datastore_id=row["datastoreId"],
        image_set_id=row["imageSetId"],
        version_id=row["versionId"],
        previous_version_id=row["previousVersionId"],
        updated_at=_seconds(row["updatedAt"]),
        created_at=_seconds(row.get("createdAt")),
        is_dated="createdAt" in row,
        asked=tuple(row["asked"]),
        ask_digest=row["askDigest"],
        rules_version=row["rulesVersion"],
    )


def _row_digest(row: Row) -> str:
    fields = {name: value for name, value in row.items() if name != "digest"}
    text = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    return "sha256:" + hashlib.sha256(text).hexdigest()


def _moment(seconds: float | None) -> str | None:
    """Format a time as ISO 8601 in UTC with milliseconds, the precision of the service."""
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(round(seconds, 3), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    return round(datetime.fromisoformat(text).timestamp(), 3)


def _is_moment(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(datetime.fromisoformat(value).tzinfo)
    except ValueError:
        return False


def _bytes(rows: list[Row]) -> bytes:
    """Return the content of the file, or b"" to remove it: empty files are not kept."""
    if not rows:
        return b""
    content = {"apiVersion": API_VERSION, "kind": KIND, "entries": rows}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
