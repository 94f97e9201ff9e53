"""A part of the records of a data store: only the files that hold it are read in full."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from reconciler.core.scan import Brief, brief_of
from reconciler.edges.records import layout
from reconciler.edges.records.on_disk import folders, load
from reconciler.edges.records.rows import entry_of, unchecked_rows_of
from reconciler.edges.worktree import refuse_links

_STUDY = re.compile(rb'"studyInstanceUID": ?"([^"\\]*)"')


def digest(root: Path, datastore_id: str) -> str:
    """Return `sha256:…` over the names and contents of all record files of a data store.

    Records hold no DICOM value, so the digest reveals none. Raises RecordError for a
    file that cannot be read, and LinkError for a link.
    """
    found = hashlib.sha256()
    for name, content in _contents(root, datastore_id):
        found.update(b"%d %s %d\0" % (len(name), name.encode(), len(content)))
        found.update(content)
    return f"sha256:{found.hexdigest()}"


def of_studies(root: Path, datastore_id: str, uids: Collection[str]) -> frozenset[str]:
    """Return the image sets whose entries name one of some studies."""
    wanted = {uid.encode() for uid in uids}
    if not wanted:
        return frozenset()
    return frozenset(
        row["imageSetId"]
        for _, content in _contents(root, datastore_id)
        if not wanted.isdisjoint(_STUDY.findall(content))
        for row in unchecked_rows_of(content)
        if row["datastoreId"] == datastore_id
        and row.get("study", {}).get("studyInstanceUID") in uids
    )


def briefs(root: Path, datastore_id: str) -> Mapping[str, Brief]:
    """Return what the records state of each image set that they know. Nothing is checked.

    It is for records that the last scan proved to be those that it wrote.
    """
    found: dict[str, Brief] = {}
    for _, content in _contents(root, datastore_id):
        for row in unchecked_rows_of(content):
            if row["datastoreId"] == datastore_id and row["askDigest"]:
                found[row["imageSetId"]] = brief_of(entry_of(row))
    return found


def _contents(root: Path, datastore_id: str) -> Iterator[tuple[str, bytes]]:
    """Each record file with its name below the root, in a fixed order.

    A fleet has thousands of files: a Path for each takes ten times as long as reading it.
    """
    for where in folders(root, datastore_id):
        refuse_links(root, where)
        names = sorted(os.listdir(where)) if where.is_dir() else ()  # noqa: PTH208
        for name in names:
            if layout.is_record(name) or name == layout.FILE:
                yield f"{where.name}/{name}", _content(where, name, root)


def _content(where: Path, name: str, root: Path) -> bytes:
    """The bytes of a regular file. Anything else is reported by `load`."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        with open(f"{where}/{name}", "rb", 0, opener=lambda path, _: os.open(path, flags)) as file:
            return file.read()
    except OSError:
        return load(where / name, root)
