"""Moves the entries of a data store to more and smaller files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from reconciler.core.ports import Files
from reconciler.edges import files as disk
from reconciler.edges.records import layout
from reconciler.edges.records.contents import relaid
from reconciler.edges.records.on_disk import folder, load, name_of, put, rows_in, width_in
from reconciler.edges.worktree import refuse_links


def image_sets(root: Path, datastore_id: str) -> frozenset[str]:
    """Return the IDs of the image sets that have an entry. Quick: no entry is checked."""
    where = folder(root, datastore_id)
    found: set[str] = set()
    for path in where.glob("*.json"):
        if layout.is_record(path.name):
            found |= layout.image_sets(load(path, root))
    return frozenset(found)


def is_moved(root: Path, path: Path, content: bytes) -> bool:
    """Whether files of a greater width are there for all entries of a file that is not.

    `content` is what the file had.
    """
    now = width_in(path.parent, root)
    names = layout.image_sets(content)
    return (
        bool(names)
        and layout.is_narrow(path.name, now)
        and all(
            (folder(root, path.parent.name) / layout.file_of(one, now)).exists() for one in names
        )
    )


def is_to_grow(root: Path, datastore_id: str, width: int) -> bool:
    """Whether files are named by a smaller width than this, or than the stated one.

    Raises RecordError for a layout.json that `reconcile` did not write.
    """
    stated = width_in(folder(root, datastore_id), root)
    names = (path.name for path in folder(root, datastore_id).glob("*.json"))
    return width > stated or any(
        layout.is_record(name) and layout.is_narrow(name, stated) for name in names
    )


def grow(
    root: Path, datastore_id: str, width: int, *, files: Files = disk.REAL
) -> tuple[Path, ...]:
    """Move all entries to files of this width, or of the stated one if that is greater.

    Returns the files that changed or were removed, sorted. Several runs may do so at the same time.
    layout.json is written first, and a file is removed after its entries are in others. So a run
    that is killed leaves nothing unread, and the next run goes on.
    Raises `RecordError` if a file cannot be read or written.
    """
    where = folder(root, datastore_id)
    refuse_links(root, where)
    changed: list[Path] = []
    with disk.alone(where):
        stated = width_in(where, root)
        width = max(width, stated)
        if width > stated and put(where / layout.FILE, root, layout.content(width), files):
            changed.append(where / layout.FILE)
        for path in sorted(where.glob("*.json")):
            if layout.is_record(path.name) and layout.is_narrow(path.name, width):
                changed += _spread(path, root, width, files)
    return tuple(sorted(changed))


def _spread(path: Path, root: Path, width: int, files: Files) -> Iterator[Path]:
    """Move the entries of one file to those of a greater width, then remove it."""
    wide = {path.with_name(layout.file_of(one, width)) for one in rows_in(path, root)}
    held = {one: load(one, root) for one in (path, *wide)}
    after = dict(relaid(held, width, partial(name_of, root=root)))
    del after[path]
    for other in sorted(after):
        if put(other, root, after[other], files):
            yield other
    if put(path, root, b"", files):
        yield path
