"""A part of the records of a data store: only the files that hold it are read in full."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from reconciler.edges.records import layout
from reconciler.edges.records.on_disk import folders, load, name_of
from reconciler.edges.records.rows import unchecked_rows_of
from reconciler.edges.worktree import refuse_links

_STUDY = re.compile(rb'"studyInstanceUID": ?"([^"\\]*)"')


def digest(root: Path, datastore_id: str) -> str:
    """Return `sha256:…` over the names and contents of all record files of a data store.

    Records hold no DICOM value, so the digest tells nothing about one. Raises RecordError for a
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


def _contents(root: Path, datastore_id: str) -> Iterator[tuple[str, bytes]]:
    """Each record file with its name below the root, in a fixed order.

    A fleet has thousands of files, so a file is read by one call where that is possible.
    """
    for where in folders(root, datastore_id):
        refuse_links(root, where)
        if not where.is_dir():
            continue
        for name in sorted(os.listdir(where)):  # noqa: PTH208 - as text: a Path takes ten times as long
            if layout.is_record(name) or name == layout.FILE:
                path = where / name
                yield name_of(path, root), load(path, root)
