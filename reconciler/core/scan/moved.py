"""Which rows of a search state something else than the records.

A search is evidence: it may lag, and it may state too much. So an image set that differs here is
read again; that another one does not differ says "as recorded", never "converged".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass

from reconciler.core.model.observed import Summary
from reconciler.core.model.record import Entry

_STUDY = "DICOMStudyInstanceUID"


@dataclass(frozen=True, slots=True)
class Brief:
    """What a record states of an image set that a search lists, too.

    The times are in milliseconds since 1970, the precision of records; None where the service did
    not state them. `study` is the StudyInstanceUID of a recorded study, "" without one.
    """

    version_id: str
    updated: int | None
    created: int | None
    study: str = ""


def brief_of(entry: Entry) -> Brief:
    """Return what an entry states of its image set."""
    study = entry.study.study_instance_uid if entry.study is not None else ""
    return Brief(
        entry.version_id, _milliseconds(entry.updated_at), _milliseconds(entry.created_at), study
    )


@dataclass(frozen=True, slots=True)
class Moved:
    """What a search shows of image sets that the records know.

    `image_sets` are recorded otherwise than the search lists them. `studies` are those of such
    rows, and of rows without an entry: they may have joined a study that the records know.
    """

    image_sets: frozenset[str]
    studies: frozenset[str]


def moved(rows: Iterable[Summary], brief: Callable[[str], Brief | None]) -> Moved:
    """Compare the rows of a search with the records."""
    image_sets: set[str] = set()
    studies: set[str] = set()
    for row in rows:
        held = brief(row.image_set_id)
        if held is None:
            studies |= study_of(row)
        elif not is_as_recorded(row, held):
            image_sets.add(row.image_set_id)
            studies |= {*study_of(row), held.study} - {""}
    return Moved(frozenset(image_sets), frozenset(studies))


def is_as_recorded(row: Summary, brief: Brief) -> bool:
    """Whether a row is of the version that is recorded. A row that states less counts as another.

    AWS does not document that `version` and `updatedAt` are always there (decision 0002, U14).
    """
    return (
        row.version_id == brief.version_id
        and row.updated_at is not None
        and _milliseconds(row.updated_at) == brief.updated
        and row.created_at is not None
        and _milliseconds(row.created_at) == brief.created
        and (not brief.study or (row.is_primary is True and study_of(row) <= {brief.study}))
    )


def study_of(row: Summary) -> Set[str]:
    """The study that a row states, if it states one."""
    return {value for name, value in row.tags if name == _STUDY}


def windows(created: Iterable[int], count: int) -> Iterator[tuple[int | None, int | None]]:
    """Cut time into windows with about as many image sets each, by when these were created.

    The times are whole seconds, and both ends belong to a window. The first has no beginning and
    the last no end: None. A window ends where the next begins, since an image set may have been
    created within a second: each is in at least one of them.
    """
    times = sorted(created)
    cuts = sorted({times[len(times) * one // count] for one in range(1, count)}) if times else []
    begins: list[int | None] = [None, *(cut for cut in cuts if cut > times[0])]
    return zip(begins, [*begins[1:], None], strict=True)


def _milliseconds(moment: float | None) -> int | None:
    return None if moment is None else round(moment * 1000)
