"""Record files on the disk: where they are, and how one is read and replaced."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reconciler.core.errors import RecordError
from reconciler.core.ports import Files
from reconciler.edges import files as disk
from reconciler.edges.places import RECORDS as FOLDER
from reconciler.edges.records import layout
from reconciler.edges.records.rows import Row, content_of, rows_of
from reconciler.edges.worktree import refuse_links

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


def is_id(name: str) -> bool:
    """Whether a folder is named by the ID of a data store: 32 lower-case letters and digits."""
    return len(name) == _ID_LENGTH and name.isascii() and name.isalnum() and name == name.lower()


def width_in(where: Path, root: Path) -> int:
    """Return the width that layout.json in a folder states. Raises RecordError."""
    path = where / layout.FILE
    return layout.parse(load(path, root), name_of(path, root))


def rows_in(path: Path, root: Path) -> dict[str, Row]:
    """Return the checked rows of a file by image set. Raises RecordError."""
    content = load(path, root)
    rows = rows_of(content, name_of(path, root)) if content else []
    return {row["imageSetId"]: row for row in rows}


def replace_rows(path: Path, root: Path, rows: Mapping[str, Row], files: Files) -> bool:
    """Give a file these rows; return whether it changed."""
    return put(path, root, content_of(rows), files)


def put(path: Path, root: Path, after: bytes, files: Files) -> bool:
    """Give a file this content, or remove it for b""; return whether it changed."""
    if load(path, root) == after:
        return False
    try:
        if after:
            files.make_folder(path.parent)
            disk.replace(path, after, files=files)
        else:
            disk.remove(path, files=files)
    except OSError as error:
        raise unwritable(path, root, error) from None
    return True


def load(path: Path, root: Path) -> bytes:
    """Return the bytes of a file, b"" if it does not exist."""
    refuse_links(root, path)
    try:
        content = disk.read_regular(path)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise RecordError(
            f"{name_of(path, root)}: cannot be read ({error.strerror})", "Fix its permissions."
        ) from None
    if content is None:
        raise RecordError(f"{name_of(path, root)}: is not a regular file", _REMOVE)
    return content


def name_of(path: Path, root: Path) -> str:
    """Return what a file is called in a message."""
    return path.relative_to(root).as_posix()


def unwritable(path: Path, root: Path, error: OSError) -> RecordError:
    """Return the error of a file or folder that cannot be written."""
    return RecordError(
        f"{name_of(path, root)}: cannot be written ({error.strerror})",
        "Free disk space or fix the permissions, then run the command again. It finds the versions "
        "that were applied and records them.",
    )
