"""Records: the version of each image set that was seen last, and a baseline for each path.

One file per data store and first two characters of the image set id, so that a run touches few
files and two runs rarely the same. The bytes follow from the entries alone. A digest over every
entry shows an edit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TypeAlias

from reconciler.core.diff.joined import joined_entries
from reconciler.core.errors import RecordError
from reconciler.core.model.record import Entry
from reconciler.core.ports import Files
from reconciler.edges import files as disk
from reconciler.edges.places import RECORDS as FOLDER
from reconciler.edges.records.rows import (
    KIND,
    RESTORE,
    Row,
    content_of,
    entry_of,
    row_of,
    rows_of,
    unchecked_rows_of,
)
from reconciler.edges.worktree import refuse_links, refuse_links_below

__all__ = [
    "FOLDER",
    "KIND",
    "Amendment",
    "applied_commits",
    "changed_entries",
    "files_of",
    "folder",
    "folders",
    "is_id",
    "joined_content",
    "prepare",
    "read",
    "read_contents",
    "sweep",
    "write",
]

# What becomes of the entry of an image set; None where there is none.
Amendment: TypeAlias = Callable[[Entry | None], Entry | None]

# The name of a record file below the root, and what reads its content.
_File: TypeAlias = tuple[str, Callable[[], bytes]]

_ID_LENGTH = 32
_REMOVE = "Remove it. Its image sets are then read again, and count as never reviewed."


def folder(root: Path, datastore_id: str) -> Path:
    """Return the folder with the records of one data store."""
    return root / FOLDER / datastore_id


def folders(root: Path, datastore_id: str) -> tuple[Path, ...]:
    """Return the folder of a data store, and those of the first form, which have a name.

    The name in reconciler.yaml may have changed since, so any of them may have its records.
    """
    named = [
        path for path in sorted((root / FOLDER).glob("*")) if path.is_dir() and not is_id(path.name)
    ]
    return (folder(root, datastore_id), *named)


def read(root: Path, datastore_id: str) -> Mapping[str, Entry]:
    """Read all entries of one data store by image set; `{}` if there are none yet.

    Raises `RecordError` with every problem for a file that `reconcile` did not write or an entry
    with a wrong digest, and `LinkError` for a symbolic link.
    """
    return _entries(datastore_id, _files(root, datastore_id))


def read_contents(files: Mapping[str, bytes], datastore_id: str) -> Mapping[str, Entry]:
    """Like `read`, for record files by their name below the root whose contents are known."""
    named = [name for name in files if _may_hold(PurePosixPath(name), datastore_id)]
    # Files of the first form come last, as in `folders`.
    named.sort(key=lambda name: (PurePosixPath(name).parent.name != datastore_id, name))
    return _entries(datastore_id, ((name, partial(files.__getitem__, name)) for name in named))


def _files(root: Path, datastore_id: str) -> Iterator[_File]:
    for where in folders(root, datastore_id):
        refuse_links_below(root, where)
        for path in sorted(where.glob("??.json")):
            yield _name(path, root), partial(_load, path, root)


def _may_hold(name: PurePosixPath, datastore_id: str) -> bool:
    where = name.parent.name
    is_record = name.parts[:-2] == (FOLDER,) and name.match("??.json")
    return is_record and (where == datastore_id or not is_id(where))


def _entries(datastore_id: str, files: Iterable[_File]) -> Mapping[str, Entry]:
    problems: list[str] = []
    found: dict[str, Entry] = {}
    for name, content in files:
        try:
            rows = rows_of(content(), name)
        except RecordError as error:
            problems.append(error.message)
            continue
        for row in rows:
            if row["datastoreId"] == datastore_id:
                found.setdefault(row["imageSetId"], entry_of(row))
    if problems:
        raise RecordError("\n".join(problems), RESTORE)
    return found


def write(
    root: Path,
    datastore_id: str,
    amendments: Mapping[str, Sequence[Amendment]],
    *,
    files: Files = disk.REAL,
) -> tuple[Path, ...]:
    """Amend the entries of image sets; return the files that changed or were removed, sorted.

    Each amendment gets the entry as it stands then. Several runs may write at the same time; each
    waits for its turn. An entry in a file of the first form moves to its file of today.
    Raises `RecordError` if a file cannot be read or written: each file then has its old or its new
    content.
    """
    changed: list[Path] = []
    for prefix, shard in files_of(amendments):
        path = folder(root, datastore_id) / f"{prefix}.json"
        refuse_links(root, path)
        with disk.alone(path.parent):
            changed += _amend(path, root, shard, files)
    return tuple(sorted(changed))


def prepare(root: Path, datastore_id: str, *, files: Files = disk.REAL) -> None:
    """Create the folder before anything is sent. Raises RecordError if that is not possible."""
    path = folder(root, datastore_id)
    refuse_links(root, path)
    try:
        files.make_folder(path)
    except OSError as error:
        raise _unwritable(path, root, error) from None


def files_of(
    amendments: Mapping[str, Sequence[Amendment]],
) -> Iterator[tuple[str, dict[str, Sequence[Amendment]]]]:
    """Group amendments by file, so that a file that cannot be written does not affect the others.

    Yields the first characters of the image sets, which name the file.
    """
    shards: dict[str, dict[str, Sequence[Amendment]]] = {}
    for image_set_id, some in sorted(amendments.items()):
        shards.setdefault(image_set_id[:2], {})[image_set_id] = some
    yield from shards.items()


def sweep(root: Path, datastore_id: str, *, files: Files = disk.REAL) -> None:
    """Remove partial files of runs that were killed while they wrote."""
    for where in folders(root, datastore_id):
        refuse_links(root, where)
        disk.sweep(where, files=files)


def changed_entries(before: bytes, after: bytes) -> tuple[Entry, ...]:
    """Return the entries that are new or changed since an earlier content of the file, sorted."""
    old = {row["imageSetId"]: row for row in unchecked_rows_of(before)}
    return tuple(
        sorted(
            entry_of(row) for row in unchecked_rows_of(after) if row != old.get(row["imageSetId"])
        )
    )


def applied_commits(contents: Iterable[bytes]) -> frozenset[str]:
    """Return the commits that the entries of some files state as applied."""
    rows = (row for content in contents for row in unchecked_rows_of(content))
    found = {entry_of(row).applied_commit for row in rows}
    return frozenset(found - {""})


def joined_content(
    own: bytes,
    theirs: bytes,
    name: str,
    *,
    before: Mapping[str, Entry] = MappingProxyType({}),
    is_foreign: bool = False,
) -> bytes:
    """Return the content of a file that states what both contents state.

    `before` are entries of ours as they were before this run changed them. Where the other side
    still has such an entry, ours replaces it: joined, a path that the run has released would be
    asked again. With `is_foreign`, the digests of `own` are of another key than that of the other
    side: they are emptied. Raises `RecordError` for a content that `reconcile` did not write.
    """
    mine = [entry_of(row) for row in (rows_of(own, name) if own else ())]
    if is_foreign:
        mine = [replace(entry, ask_digest="", study=None) for entry in mine]
    others = [entry_of(row) for row in (rows_of(theirs, name) if theirs else ())]
    ours = {entry.image_set_id for entry in mine}
    left = [
        entry
        for entry in others
        if entry.image_set_id not in ours or entry != before.get(entry.image_set_id)
    ]
    return content_of({one.image_set_id: row_of(one) for one in joined_entries(mine, left)})


def is_id(name: str) -> bool:
    """Whether a folder is named by the ID of a data store: 32 lower-case letters and digits."""
    return len(name) == _ID_LENGTH and name.isascii() and name.isalnum() and name == name.lower()


def _amend(
    path: Path, root: Path, amendments: Mapping[str, Sequence[Amendment]], files: Files
) -> Iterator[Path]:
    """Rewrite one file, then take its image sets out of files of the first form."""
    datastore_id = path.parent.name
    rows = _rows(path, root)
    earlier = {
        other: found
        for where in folders(root, datastore_id)[1:]
        if (found := _rows(other := where / path.name, root))
    }
    for image_set_id, some in amendments.items():
        entry = _held(image_set_id, datastore_id, [rows, *earlier.values()])
        for amendment in some:
            entry = amendment(entry)
        if entry is not None:
            rows[image_set_id] = row_of(entry)
    if _replace(path, root, rows, files):
        yield path
    for other in earlier:
        with disk.alone(other.parent):
            left = {
                image_set_id: row
                for image_set_id, row in _rows(other, root).items()
                if image_set_id not in amendments or row["datastoreId"] != datastore_id
            }
            if _replace(other, root, left, files):
                yield other


def _held(
    image_set_id: str, datastore_id: str, places: Iterable[Mapping[str, Row]]
) -> Entry | None:
    """The entry of an image set in the first of some files that has one."""
    for rows in places:
        row = rows.get(image_set_id)
        if row is not None and row["datastoreId"] == datastore_id:
            return entry_of(row)
    return None


def _rows(path: Path, root: Path) -> dict[str, Row]:
    content = _load(path, root)
    rows = rows_of(content, _name(path, root)) if content else []
    return {row["imageSetId"]: row for row in rows}


def _replace(path: Path, root: Path, rows: Mapping[str, Row], files: Files) -> bool:
    """Give a file these rows; return whether it changed."""
    after = content_of(rows)
    if _load(path, root) == after:
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


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _unwritable(path: Path, root: Path, error: OSError) -> RecordError:
    return RecordError(
        f"{_name(path, root)}: cannot be written ({error.strerror})",
        "Free disk space or fix the permissions, then run the command again. It finds the versions "
        "that were applied and records them.",
    )
