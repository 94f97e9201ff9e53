"""Writes a manifest of live values for every image set that a search finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from reconciler.core.errors import ReconcilerError, ServiceError, about_one
from reconciler.core.model.value import Document
from reconciler.core.ports import ImageSets
from reconciler.core.search import Query
from reconciler.edges import files as disk

# The lines of a manifest for an image set, at a version. Raises ReconcilerError without one.
Lines: TypeAlias = Callable[[str, str, Document], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the image sets that were found.

    `kept` counts the files that were there already. `retiered` are the image sets that the reads
    moved to the Frequent Access tier. `is_cut` says that the search has found more.
    """

    written: tuple[Path, ...] = ()
    kept: int = 0
    problems: tuple[ReconcilerError, ...] = ()
    retiered: tuple[str, ...] = ()
    is_cut: bool = False


def import_found(port: ImageSets, query: Query, limit: int, folder: Path, lines: Lines) -> Imported:
    """Write `folder/<imageSetId>.yaml` for each image set; no file is replaced.

    The document of an image set whose file is there is not read. One that cannot be read, or that
    no manifest can change, does not stop the others. Raises ServiceError for what concerns all.
    """
    written: list[Path] = []
    problems: list[ReconcilerError] = []
    retiered: list[str] = []
    found, is_cut = _found(port, query, limit)
    new = [one for one in found if not _file(folder, one).exists()]
    for image_set_id in new:
        try:
            properties = port.get(image_set_id)
            document = port.metadata(image_set_id, properties.version_id)
            retiered += [image_set_id] if properties.is_archived else []
            text = "\n".join(lines(image_set_id, properties.version_id, document)) + "\n"
        except ReconcilerError as error:
            if isinstance(error, ServiceError) and not about_one(error):
                raise
            problems.append(error)
            continue
        written.append(_placed(_file(folder, image_set_id), text))
    kept = len(found) - len(new)
    return Imported(tuple(written), kept, tuple(problems), tuple(retiered), is_cut)


def _found(port: ImageSets, query: Query, limit: int) -> tuple[list[str], bool]:
    found: list[str] = []
    for row in port.search(query.filters):
        if query.holds(row):
            found.append(row.image_set_id)
        if len(found) > limit:  # one more than fits shows that there are more
            return found[:limit], True
    return found, False


def _file(folder: Path, image_set_id: str) -> Path:
    return folder / f"{image_set_id}.yaml"


def _placed(path: Path, text: str) -> Path:
    """Write a manifest, which only its owner may read: it holds live values."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        disk.place(path, text.encode("utf-8", "surrogatepass"), mode=disk.PRIVATE)
    except OSError as error:
        raise ReconcilerError(
            f"{path}: cannot be written ({error.strerror})",
            "Free disk space or choose another folder, then run the command again: it goes on with "
            "the image sets that have no file yet.",
        ) from None
    return path
