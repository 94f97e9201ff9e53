"""Records: the version of each image set that was seen last, and a baseline for each path.

One file per data store and first characters of the image set ID, so that a run touches few files
and two runs rarely the same; `layout` says how many characters. The bytes follow from the entries
alone. A digest over every entry shows an edit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from reconciler.core.diff.joined import joined
from reconciler.core.errors import RecordError
from reconciler.core.model.record import Entry
from reconciler.core.ports import Files
from reconciler.edges import files as disk
from reconciler.edges.places import RECORDS as FOLDER
from reconciler.edges.records import layout
from reconciler.edges.records.contents import (
    applied_commits,
    are_in,
    changed_entries,
    joined_content,
    relaid,
    without,
)
from reconciler.edges.records.growth import grow, image_sets, is_moved, is_to_grow
from reconciler.edges.records.on_disk import (
    folder,
    folders,
    is_id,
    load,
    name_of,
    replace_rows,
    rows_in,
    unwritable,
    width_in,
)
from reconciler.edges.records.rows import (
    KIND,
    RESTORE,
    Row,
    entry_of,
    row_of,
    rows_of,
)
from reconciler.edges.records.some import briefs, digest, of_studies
from reconciler.edges.worktree import refuse_links, refuse_links_below

__all__ = [
    "FOLDER",
    "KIND",
    "Amendment",
    "applied_commits",
    "are_in",
    "briefs",
    "changed_entries",
    "digest",
    "files_of",
    "folder",
    "folders",
    "grow",
    "image_sets",
    "is_id",
    "is_moved",
    "is_read",
    "is_to_grow",
    "joined_content",
    "of_studies",
    "paths_of",
    "prepare",
    "read",
    "read_contents",
    "read_some",
    "relaid",
    "sweep",
    "width",
    "without",
    "write",
]

# From so many image sets on, all files are read.
_MANY = 2_000

# What becomes of the entry of an image set; None where there is none.
Amendment: TypeAlias = Callable[[Entry | None], Entry | None]

# The name of a record file below the root, and what reads its content.
_File: TypeAlias = tuple[str, Callable[[], bytes]]


def read(root: Path, datastore_id: str) -> Mapping[str, Entry]:
    """Read all entries of one data store by image set; `{}` if there are none yet.

    Raises `RecordError` with every problem for a file that `reconcile` did not write or an entry
    with a wrong digest, and `LinkError` for a symbolic link.
    """
    return _entries(datastore_id, _files(root, datastore_id))


def read_some(root: Path, datastore_id: str, ids: Collection[str]) -> Mapping[str, Entry]:
    """Like `read`, but only the entries of some image sets, from the files that may hold them."""
    if len(ids) > _MANY:
        found = read(root, datastore_id)
        return {name: found[name] for name in ids if name in found}
    own = folder(root, datastore_id)
    names = {name for one in ids for name in _names(one)} | {layout.FILE}
    files = (
        (name_of(path, root), partial(load, path, root))
        for where in folders(root, datastore_id)
        for path in (sorted(where / name for name in names) if where == own else _all(root, where))
        if path.exists()
    )
    entries = _entries(datastore_id, files)
    return {name: entries[name] for name in sorted(ids) if name in entries}


def _names(image_set_id: str) -> Iterator[str]:
    """The names of the files that may hold the entry of an image set, whatever the width is."""
    widths = range(1, layout.MOST_WIDTH + 1)
    return (layout.file_of(image_set_id, one) for one in widths)


def read_contents(files: Mapping[str, bytes], datastore_id: str) -> Mapping[str, Entry]:
    """Like `read`, for record files by their name below the root whose contents are known."""
    named = [name for name in files if _may_hold(PurePosixPath(name), datastore_id)]
    # Files of the first form come last, as in `folders`.
    named.sort(key=lambda name: (PurePosixPath(name).parent.name != datastore_id, name))
    return _entries(datastore_id, ((name, partial(files.__getitem__, name)) for name in named))


def is_read(path: Path) -> bool:
    """Whether a file below `records/` decides what the records are, by its name."""
    return layout.is_record(path.name) or path.name == layout.FILE


def paths_of(root: Path, datastore_id: str, image_set_id: str) -> tuple[Path, ...]:
    """Return every file that may hold the entry of an image set, whatever the width is."""
    where = folder(root, datastore_id)
    return tuple(dict.fromkeys(where / name for name in _names(image_set_id)))


def width(root: Path, datastore_id: str) -> int:
    """Return how many characters of an image set ID name the file of its entry.

    Raises RecordError for a layout.json that `reconcile` did not write.
    """
    return width_in(folder(root, datastore_id), root)


def _files(root: Path, datastore_id: str) -> Iterator[_File]:
    for where in folders(root, datastore_id):
        for path in _all(root, where):
            yield name_of(path, root), partial(load, path, root)


def _all(root: Path, where: Path) -> Iterator[Path]:
    refuse_links_below(root, where)
    return filter(is_read, sorted(where.glob("*.json")))


def _may_hold(name: PurePosixPath, datastore_id: str) -> bool:
    where = name.parent.name
    is_below = name.parts[:-2] == (FOLDER,) and is_read(Path(name))
    return is_below and (where == datastore_id or not is_id(where))


def _entries(datastore_id: str, files: Iterable[_File]) -> Mapping[str, Entry]:
    problems: list[str] = []
    found: dict[str, Entry] = {}
    for name, content in _placed(datastore_id, files, problems):
        try:
            rows = rows_of(content(), name)
        except RecordError as error:
            problems.append(error.message)
            continue
        is_first_form = PurePosixPath(name).parent.name != datastore_id
        for row in rows:
            if row["datastoreId"] == datastore_id:
                held = found.get(row["imageSetId"])
                if held is None:
                    found[row["imageSetId"]] = entry_of(row)
                elif not is_first_form:  # in files of two widths
                    found[row["imageSetId"]] = _both(held, entry_of(row))
    if problems:
        raise RecordError("\n".join(problems), RESTORE)
    return found


def _placed(datastore_id: str, files: Iterable[_File], problems: list[str]) -> Iterator[_File]:
    """The files that may hold entries. Notes those that the layout of their folder does not allow.

    Raises RecordError for a layout.json that `reconcile` did not write.
    """
    held = {PurePosixPath(name): content for name, content in files}
    stated = {
        name.parent.name: layout.parse(content(), str(name))
        for name, content in held.items()
        if name.name == layout.FILE
    }
    for name, content in held.items():
        where = name.parent.name
        width = stated.get(where, layout.FIRST_WIDTH)
        if name.name == layout.FILE or (where != datastore_id and not name.match("??.json")):
            continue
        if problem := layout.misplaced(str(name), width):
            problems.append(problem)
        else:
            yield str(name), content


def _both(one: Entry, other: Entry) -> Entry:
    return one if one == other else joined(one, other)


def write(
    root: Path,
    datastore_id: str,
    amendments: Mapping[str, Sequence[Amendment]],
    *,
    files: Files = disk.REAL,
) -> tuple[Path, ...]:
    """Amend the entries of image sets; return the files that changed or were removed, sorted.

    Each amendment gets the entry as it stands then. Several runs may write at the same time; each
    waits for its turn. An entry in a file of the first form, or of a smaller width, moves to its
    file of today. Raises `RecordError` if a file cannot be read or written: each file then has its
    old or its new content.
    """
    changed: list[Path] = []
    where = folder(root, datastore_id)
    refuse_links(root, where)
    with disk.alone(where):
        for name, shard in _by_file(amendments, width(root, datastore_id)).items():
            path = where / name
            refuse_links(root, path)
            changed += _amend(path, root, shard, files)
    return tuple(sorted(changed))


def prepare(root: Path, datastore_id: str, *, files: Files = disk.REAL) -> None:
    """Create the folder before anything is sent. Raises RecordError if that is not possible."""
    path = folder(root, datastore_id)
    refuse_links(root, path)
    try:
        files.make_folder(path)
    except OSError as error:
        raise unwritable(path, root, error) from None


def files_of(
    root: Path, datastore_id: str, amendments: Mapping[str, Sequence[Amendment]]
) -> Iterator[dict[str, Sequence[Amendment]]]:
    """Group amendments by file, so that a file that cannot be written does not affect the others.

    Raises RecordError for a layout.json that `reconcile` did not write.
    """
    yield from _by_file(amendments, width(root, datastore_id)).values()


def _by_file(
    amendments: Mapping[str, Sequence[Amendment]], width: int
) -> dict[str, dict[str, Sequence[Amendment]]]:
    found: dict[str, dict[str, Sequence[Amendment]]] = {}
    for image_set_id, some in sorted(amendments.items()):
        found.setdefault(layout.file_of(image_set_id, width), {})[image_set_id] = some
    return found


def sweep(root: Path, datastore_id: str, *, files: Files = disk.REAL) -> None:
    """Remove partial files of runs that were killed while they wrote."""
    for where in folders(root, datastore_id):
        refuse_links(root, where)
        disk.sweep(where, files=files)


def _amend(
    path: Path, root: Path, amendments: Mapping[str, Sequence[Amendment]], files: Files
) -> Iterator[Path]:
    """Rewrite one file, then take its image sets out of files of a smaller width or the first form.

    The folder is locked.
    """
    datastore_id = path.parent.name
    rows = rows_in(path, root)
    earlier = {other: found for other in _earlier(path, root) if (found := rows_in(other, root))}
    for image_set_id, some in amendments.items():
        entry = _held(image_set_id, path, {path: rows, **earlier})
        for amendment in some:
            entry = amendment(entry)
        if entry is not None:
            rows[image_set_id] = row_of(entry)
    if replace_rows(path, root, rows, files):
        yield path
    for other in earlier:
        # A lock of its own would wait for ours.
        with nullcontext() if other.parent == path.parent else disk.alone(other.parent):
            left = {
                image_set_id: row
                for image_set_id, row in rows_in(other, root).items()
                if image_set_id not in amendments or row["datastoreId"] != datastore_id
            }
            if replace_rows(other, root, left, files):
                yield other


def _earlier(path: Path, root: Path) -> Iterator[Path]:
    """The files of smaller widths and of the first form that may hold entries of a file."""
    stem = path.stem
    for length in range(len(stem) - 1, 0, -1):
        name = f"{stem[:length]}.json"
        if layout.is_record(name):
            yield path.with_name(name)
    named = stem[: layout.FIRST_WIDTH].ljust(layout.FIRST_WIDTH, "?")
    for where in folders(root, path.parent.name)[1:]:
        yield from sorted(where.glob(f"{named}.json"))


def _held(image_set_id: str, path: Path, places: Mapping[Path, Mapping[str, Row]]) -> Entry | None:
    """The entry of an image set in some files. One of the first form counts only alone."""
    found: Entry | None = None
    for place, rows in places.items():
        row = rows.get(image_set_id)
        if row is None or row["datastoreId"] != path.parent.name:
            continue
        if found is None:
            found = entry_of(row)
        elif place.parent == path.parent:
            found = _both(found, entry_of(row))
    return found
