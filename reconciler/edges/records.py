"""Records: which version of each image set was last seen converged, and for which ask.

One file per first two characters of the image set id, so that a run touches few files and two
runs rarely the same. A record is a cache of the service: losing one costs a read, so nothing
here ever needs repair. What it must never do is claim what was not seen; hence a digest over
every entry. The bytes follow from the entries alone.
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
    """Where the records of one data store are."""
    return root / FOLDER / datastore


def read(root: Path, datastore: str) -> Mapping[str, Entry]:
    """All entries of one data store by image set; `{}` where there are none yet.

    An entry made under other comparison rules counts as nothing recorded. Raises `RecordError`,
    with every problem, for a file that is not what we wrote or an entry whose digest is wrong;
    `LinkError` for a symbolic link there.
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
        raise RecordError("\n".join(problems), _MEND)
    return found


def write(
    root: Path,
    datastore: str,
    upserts: Iterable[Entry],
    drop: Iterable[str] = (),
    *,
    files: Files = disk.REAL,
) -> tuple[Path, ...]:
    """Put entries in, take others out; returns the files that changed (or went), sorted.

    A version never goes down: of two entries for one image set the higher versionId wins, whoever
    wrote it, and the new one if they are equal. An entry of another data store or of an image set
    that was created at another time, or without `createdAt`, gives way to the new one, whatever its
    versionId. Raises `RecordError` where
    a file cannot be read or written: each file is then the old one or the new one. Several runs
    may write at once: each waits its turn.
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
    """Make the folder; RecordError where there can be none. To be known before anything is sent."""
    path = folder(root, datastore)
    refuse_links(root, path)
    try:
        files.make_folder(path)
    except OSError as error:
        raise _unwritable(path, root, error) from None


def files_of(
    upserts: Iterable[Entry], drop: Iterable[str] = ()
) -> Iterator[tuple[list[Entry], list[str]]]:
    """What to write, file by file: one that cannot be written does not keep the others back."""
    yield from (shard for _, shard in sorted(_shards(upserts, drop).items()))


def sweep(root: Path, datastore: str, *, files: Files = disk.REAL) -> None:
    """Take away what a run that was killed while it wrote has left."""
    refuse_links(root, folder(root, datastore))
    disk.sweep(folder(root, datastore), files=files)


def changed_entries(before: bytes, after: bytes) -> tuple[Entry, ...]:
    """The entries of a file that are new or other than in an earlier content of it, sorted."""
    old = {row["imageSetId"]: row for row in _rows_of(before)}
    return tuple(
        sorted(_entry(row) for row in _rows_of(after) if row != old.get(row["imageSetId"]))
    )


_MEND = (
    "records are written by `reconcile` only: restore them with `git checkout -- records` (while a "
    "merge has a conflict there, `git checkout --theirs -- records` or `--ours`), or delete the "
    "entry (or the file), and its image sets are read again"
)
_TAKE_AWAY = "take it away: its image sets are read again"
# Entries had none at first: those are read, and written again when they are next seen converged.
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
    """The entries of a content that may be none of ours: it is only told about, not believed."""
    try:
        record = orjson.loads(content)
        rows: list[Row] = [row for row in record["entries"] if _has_fields(row)]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return []
    return rows


def _load(path: Path, root: Path) -> bytes:
    """The file's bytes, b"" where there is none."""
    refuse_links(root, path)
    try:
        content = disk.read_regular(path)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise RecordError(
            f"{_name(path, root)}: cannot be read ({error.strerror})", "mend its permissions"
        ) from None
    if content is None:
        raise RecordError(f"{_name(path, root)}: is no regular file", _TAKE_AWAY)
    return content


def _rows(content: bytes, path: Path, root: Path) -> list[Row]:
    """The entries of a file as they stand, every one checked."""
    name = _name(path, root)
    try:
        record = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise RecordError(f"{name}:{error.lineno}: is not JSON", _MEND) from None
    entries = record.get("entries") if isinstance(record, dict) else None
    if not isinstance(entries, list) or record.get("apiVersion") != API_VERSION:
        raise RecordError(f"{name}: is not a record of {API_VERSION}", _MEND)
    problems = [
        f"{name}{_line(content, row)}: {problem}"
        for row in entries
        if (problem := _problem(row, path.stem))
    ]
    if problems:
        raise RecordError("\n".join(problems), _MEND)
    return entries


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _line(content: bytes, row: object) -> str:
    """`:12`, where the image set of an entry stands; "" where it cannot be told."""
    title = row.get("imageSetId") if isinstance(row, dict) else None
    at = content.find(title.encode()) if isinstance(title, str) and title else -1
    newlines = content.count(b"\n", 0, at) if at >= 0 else 0
    return f":{newlines + 1}" if at >= 0 else ""


def _problem(row: object, prefix: str) -> str:
    if not isinstance(row, dict) or not _has_fields(row):
        title = row.get("imageSetId") if isinstance(row, dict) else None
        return f"the entry {title or '(without imageSetId)'} does not have the fields of an entry"
    title = f"image set {row['imageSetId']}"
    wrong = [name for name, value in row.items() if not _FIELDS[name](value)]
    if wrong:
        return f"{title}: {', '.join(wrong)} cannot be read"
    if not row["imageSetId"].startswith(prefix):
        return f"{title}: belongs into another file"
    if row["digest"] != _row_digest(row):
        return f"{title}: the entry was edited (its digest does not verify)"
    return ""


def _has_fields(row: Row) -> bool:
    return set(row) | _LATER_FIELDS == set(_FIELDS)


def _rewrite(path: Path, root: Path, upserts: list[Entry], drop: list[str], files: Files) -> bool:
    """Whether the file had to change."""
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
        "make room or mend the permissions, then run again: what was applied is found again",
    )


def _supersedes(entry: Entry, row: Row | None) -> bool:
    if row is None or row["datastoreId"] != entry.datastore_id:
        return True
    # What was just seen is of this history; an entry of another one says nothing about versions.
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
    told = {name: value for name, value in row.items() if name != "digest"}
    text = orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
    return "sha256:" + hashlib.sha256(text).hexdigest()


def _moment(seconds: float | None) -> str | None:
    """ISO 8601, UTC, milliseconds: as exact as the service is."""
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
    """The file, or b"" for a file that is not there: no empty shards are left behind."""
    if not rows:
        return b""
    content = {"apiVersion": API_VERSION, "kind": KIND, "entries": rows}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
