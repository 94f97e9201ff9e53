"""The contents of record files, wherever they are: of commits, of branches, or of the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from reconciler.core.diff.joined import joined, joined_entries
from reconciler.core.model.record import Entry
from reconciler.core.model.selected import without_key
from reconciler.edges.records import layout
from reconciler.edges.records.rows import (
    Row,
    content_of,
    entry_of,
    row_of,
    rows_of,
    unchecked_rows_of,
)


def changed_entries(contents: Iterable[tuple[bytes, bytes]]) -> tuple[Entry, ...]:
    """Return the entries of some files that are new or changed, sorted.

    Each file has its content before and after. An entry that has moved from one of the files to
    another is not changed.
    """
    pairs = list(contents)
    old = {_place(row): row for before, _ in pairs for row in unchecked_rows_of(before)}
    new = (row for _, after in pairs for row in unchecked_rows_of(after))
    return tuple(sorted(entry_of(row) for row in new if row != old.get(_place(row))))


def are_in(content: bytes, others: Iterable[bytes]) -> bool:
    """Whether other files have an entry of each image set of a file. Quick: nothing is checked."""
    held = frozenset().union(*map(layout.image_sets, others))
    return layout.image_sets(content) <= held


def without(content: bytes, same: bytes) -> bytes:
    """Return the content of a file without the entries that another content has, too."""
    held = {_place(row): row for row in unchecked_rows_of(same)}
    rows = unchecked_rows_of(content)
    return content_of({row["imageSetId"]: row for row in rows if row != held.get(_place(row))})


def _place(row: Row) -> tuple[str, str]:
    return row["datastoreId"], row["imageSetId"]


def relaid(
    files: Mapping[Path, bytes], width: int, name: Callable[[Path], str]
) -> Mapping[Path, bytes]:
    """Return the record files that change if all entries of a data store have files of one width.

    `files` are those of a smaller width, and the files of this width that their entries move to, as
    far as they exist. `name` says what a file is called in an error. A content is b"" where a file
    goes. Raises `RecordError` for a content that `reconcile` did not write.
    """
    narrow = [path for path in files if layout.is_narrow(path.name, width)]
    moved: dict[Path, dict[str, Row]] = {}
    for path in narrow:
        content = files[path]
        for row in rows_of(content, name(path)) if content else ():
            wide = path.with_name(layout.file_of(row["imageSetId"], width))
            if wide not in moved:
                moved[wide] = _rows(files.get(wide, b""), name(wide))
            held = moved[wide].get(row["imageSetId"])
            moved[wide][row["imageSetId"]] = row if held is None else _both(held, row)
    return {
        **dict.fromkeys(narrow, b""),
        **{path: content_of(rows) for path, rows in moved.items()},
    }


def _rows(content: bytes, name: str) -> dict[str, Row]:
    return {row["imageSetId"]: row for row in (rows_of(content, name) if content else ())}


def _both(one: Row, other: Row) -> Row:
    return one if one == other else row_of(joined(entry_of(one), entry_of(other)))


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
        mine = [
            replace(entry, ask_digest="", study=None, selected_by=without_key(entry.selected_by))
            for entry in mine
        ]
    others = [entry_of(row) for row in (rows_of(theirs, name) if theirs else ())]
    ours = {entry.image_set_id for entry in mine}
    left = [
        entry
        for entry in others
        if entry.image_set_id not in ours or entry != before.get(entry.image_set_id)
    ]
    return content_of({one.image_set_id: row_of(one) for one in joined_entries(mine, left)})
