"""Record files of a commit, with their entries in files of one width per data store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reconciler.edges import git, records
from reconciler.edges.records import layout

# The width of each data store, by its folder of records.
Widths = Mapping[Path, int]


@dataclass(frozen=True, slots=True)
class Laid:
    """`files` are contents of a commit, as they are after `growth`.

    `growth` are the files that change if the data stores get their widths: the contents are b""
    where a file goes.
    """

    files: Mapping[Path, bytes]
    growth: Mapping[Path, bytes]


def widths_at(root: Path, commit: str, folders: Iterable[Path]) -> Widths:
    """Return the widths that a commit states of data stores."""
    stated = {folder / layout.FILE: folder for folder in folders}
    held = git.contents_at(root, commit, list(stated))
    return {
        folder: layout.parse(held.get(path, b""), _name(path, root))
        for path, folder in stated.items()
    }


def greatest(*some: Widths) -> Widths:
    """Return the greatest width of each data store: widths only grow."""
    return {folder: max(one[folder] for one in some) for folder in some[0]}


def laid(root: Path, commit: str, paths: Iterable[Path], widths: Widths) -> Laid:
    """Read some files of a commit, and all files that change if the data stores get these widths.

    Raises RecordError for a content that `reconcile` did not write.
    """
    wanted = dict.fromkeys(paths)
    stated = widths_at(root, commit, widths)
    growth: dict[Path, bytes] = {}
    for folder, width in widths.items():
        wanted.update(dict.fromkeys(_concerned(git.names_at(root, commit, folder), width)))
        if width != stated[folder]:
            growth[folder / layout.FILE] = layout.content(width)
    held = dict(git.contents_at(root, commit, list(wanted)))
    for folder, width in widths.items():
        own = {path: content for path, content in held.items() if path.parent == folder}
        growth |= records.relaid(own, width, lambda path: _name(path, root))
    files = {path: content for path, content in {**held, **growth}.items() if content}
    return Laid(files, growth)


def at_widths(root: Path, files: Mapping[Path, bytes], widths: Widths) -> dict[Path, bytes]:
    """Return contents of files of ours as they are at these widths; those of no data store stay."""
    found = dict(files)
    for folder, width in widths.items():
        own = {path: content for path, content in files.items() if path.parent == folder}
        found |= records.relaid(own, width, lambda path: _name(path, root))
        for path in own:
            # Removed, since its entries have moved: theirs move, too.
            if layout.is_narrow(path.name, width):
                del found[path]
    return found


def _concerned(names: Iterable[Path], width: int) -> set[Path]:
    """The files of a smaller width, and those that their entries may move to."""
    every = [path for path in names if layout.is_record(path.name)]
    narrow = {path.stem for path in every if layout.is_narrow(path.name, width)}
    return {
        path
        for path in every
        if any(path.stem[:length] in narrow for length in range(1, len(path.stem) + 1))
    }


def _name(path: Path, root: Path) -> str:
    return PurePosixPath(path.relative_to(root)).as_posix()
