"""MERGES_PATIENTS: which changes of a PatientID give one ID to different patients.

That is judged over all image sets of a data store: an image set alone does not show it. Each
manifest consents with a number, the PatientIDs that its own image sets have before the change. A
list that was meant to have three patients in it must not merge a hundred.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from reconciler.core.model.ask import Source
from reconciler.core.model.diff import SourcedChange
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import HazardUse
from reconciler.core.plan.consent import judge_number
from reconciler.core.plan.decision import Draft
from reconciler.core.plan.patients import PatientRows, new_patient_id, patient_id, unproven


def with_patients(drafts: Sequence[Draft], patients: Mapping[str, PatientRows]) -> list[Draft]:
    """The drafts of a data store, with the hazard of PatientIDs that become those of others.

    An image set alone does not show that: it needs the changes of all of them.
    """
    noted = [_with_notes(draft, patients) for draft in drafts]
    names = {name for draft in noted for name in draft.action.patient_unproven}
    uses: dict[str, list[HazardUse]] = defaultdict(list)
    for use in merge_hazards((one for draft in noted for one in draft.changes), names):
        uses[use.image_set_id].append(use)
    return [
        replace(
            draft,
            hazards=[
                *draft.hazards,
                *(use for member in draft.action.members for use in uses[member.image_set_id]),
            ],
        )
        for draft in noted
    ]


def _with_notes(draft: Draft, patients: Mapping[str, PatientRows]) -> Draft:
    """The draft, with what is not proven of its new PatientIDs; each sentence once."""
    found = list(unproven((one.change for one in draft.changes), draft.documents, patients))
    if draft.blocks or not found:
        return draft
    notes = {one.note.message: one.note for one in reversed(found)}
    return replace(
        draft,
        action=replace(
            draft.action,
            notes=(*draft.action.notes, *sorted(notes.values())),
            patient_unproven=tuple(sorted(one.note.image_set_id for one in found if one.is_hazard)),
        ),
    )


def merge_hazards(changes: Iterable[SourcedChange], unproven: Collection[str]) -> list[HazardUse]:
    """The hazard of each image set of a data store that gets the ID of another patient.

    `unproven` are the image sets whose new ID another patient may have in the data store already.
    An image set without a PatientID is of no other patient.
    """
    merging = _merging([one for one in changes if new_patient_id(one.change)], unproven)
    before: dict[Source, set[str]] = defaultdict(set)
    for one in merging:
        for source in one.sources:
            before[source] |= {patient_id(one.change.before)} - {""}
    return [
        judge_number(
            Hazard.MERGES_PATIENTS,
            one.change.image_set_id,
            {source: max(1, len(before[source])) for source in one.sources},
        )
        for one in merging
    ]


def _merging(changes: Sequence[SourcedChange], unproven: Collection[str]) -> list[SourcedChange]:
    before: dict[str, set[str]] = defaultdict(set)
    for one in changes:
        before[new_patient_id(one.change)] |= {patient_id(one.change.before)} - {""}
    return [
        one
        for one in changes
        if len(before[new_patient_id(one.change)]) > 1 or one.change.image_set_id in unproven
    ]
