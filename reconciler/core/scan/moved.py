"""Which rows of a search state something else than the records.

A search is evidence: it may lag, and it may state too much. So an image set that differs here is
read again; that another one does not differ says "as recorded", never "converged".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from reconciler.core.model.observed import Summary
from reconciler.core.model.record import Entry, same_moment

_STUDY = "DICOMStudyInstanceUID"


@dataclass(frozen=True, slots=True)
class Moved:
    """What a search shows of image sets that the records know.

    `image_sets` are recorded otherwise than the search lists them. `studies` are the StudyInstance
    UIDs of rows without an entry: they may have joined a study that the records know.
    """

    image_sets: frozenset[str]
    studies: frozenset[str]


def moved(rows: Iterable[Summary], entry_of: Callable[[str], Entry | None]) -> Moved:
    """Compare the rows of a search with the records."""
    image_sets, studies = set(), set()
    for row in rows:
        entry = entry_of(row.image_set_id)
        if entry is None or not is_as_recorded(row, entry):
            studies |= set(_studies(row, entry))
        if entry is not None and not is_as_recorded(row, entry):
            image_sets.add(row.image_set_id)
    return Moved(frozenset(image_sets), frozenset(studies))


def is_as_recorded(row: Summary, entry: Entry) -> bool:
    """Whether a row is of the version that is recorded. A row that states less counts as another.

    AWS does not document that `version` and `updatedAt` are always there (decision 0002, U14).
    """
    return (
        row.version_id == entry.version_id
        and same_moment(row.updated_at, entry.updated_at)
        and same_moment(row.created_at, entry.created_at)
        and (entry.study is None or row.is_primary is True)
    )


def _studies(row: Summary, entry: Entry | None) -> Iterator[str]:
    """The studies that a row may have joined or left."""
    yield from (value for name, value in row.tags if name == _STUDY)
    if entry is not None and entry.study is not None:
        yield entry.study.study_instance_uid
