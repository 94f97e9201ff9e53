"""The survey of a new PatientID: one search shows whether another patient has it already.

SearchImageSets does not move an image set to another tier, so this costs one call and no storage.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.model.diff import Diff
from reconciler.core.plan.patients import PatientRows, searchable_ids
from reconciler.core.plan.study import Study
from reconciler.core.survey.needs import Refusal, Survey, rows_of_patient


def new_patient_ids(diffs: Iterable[Diff], studies: Iterable[Study]) -> tuple[str, ...]:
    """Return the PatientIDs that image sets get, also siblings that no manifest names."""
    found = [*diffs, *(sibling for study in studies for sibling in study.siblings)]
    return searchable_ids(one.change for diff in found if not diff.blocks for one in diff.changes)


def survey_patient(patient_id: str) -> Survey[PatientRows]:
    """Find the image sets that have a PatientID already."""
    rows = yield from rows_of_patient(patient_id)
    if isinstance(rows, Refusal):
        return PatientRows(unread=rows.unread)
    return PatientRows(rows)
