"""The hazards of a change, as a table."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.dicom.content import SERIES_INSTANCE_UID, SOP_INSTANCE_UID, STUDY_INSTANCE_UID
from reconciler.core.model.change import Op
from reconciler.core.model.hazard import Hazard

STUDY_ID = 0x00200010
# Later imports are grouped into image sets by these attributes. Source:
# https://docs.aws.amazon.com/healthimaging/latest/devguide/understanding-image-sets.html
GROUPING = frozenset(
    {
        0x00080020,  # StudyDate
        0x00080050,  # AccessionNumber
        0x00100020,  # PatientID
        STUDY_INSTANCE_UID,
        STUDY_ID,
        SERIES_INSTANCE_UID,
        0x00200011,  # SeriesNumber
    }
)
IDENTITY = frozenset({0x00100010, 0x00100020, 0x00100030, 0x00100040})
UIDS = frozenset({STUDY_INSTANCE_UID, SERIES_INSTANCE_UID, SOP_INSTANCE_UID})

BY_OP: Mapping[Op, tuple[Hazard, ...]] = {
    Op.ADD: (),
    Op.UPDATE: (),
    Op.REMOVE: (Hazard.REMOVES_ATTRIBUTE,),
    Op.REMOVE_INSTANCE: (Hazard.REMOVES_INSTANCE,),
    Op.REMOVE_SERIES: (Hazard.REMOVES_SERIES,),
    Op.RESTORE_INSTANCE: (Hazard.RESTORES_INSTANCE,),
    Op.RESTORE_SERIES: (Hazard.RESTORES_INSTANCE,),
}


def hazards_of(
    op: Op, tag: int | None, *, forced: bool, drifted: bool, reverts: bool
) -> tuple[Hazard, ...]:
    """Return the hazards of one change, in the order of `Hazard`."""
    found = set(BY_OP[op])
    if tag in GROUPING:
        found.add(Hazard.CHANGES_GROUPING)
    if tag in IDENTITY:
        found.add(Hazard.CHANGES_PATIENT_IDENTITY)
    if tag in UIDS:
        found.add(Hazard.CHANGES_UID)
    if forced:
        found.add(Hazard.FORCE)
    if drifted:
        found.add(Hazard.OVERWRITES_DRIFT)
    if reverts:
        found.add(Hazard.REVERTS_VERSION)
    return tuple(hazard for hazard in Hazard if hazard in found)
