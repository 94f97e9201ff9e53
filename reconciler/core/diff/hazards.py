"""The hazards of a change, as a table.

The tag decides, not the spelling of the key, and not who asks: a manifest or a revert. A value that
is added, changed, emptied or removed has the same hazards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.core.dicom.canonical import canonical
from reconciler.core.dicom.content import (
    KEY_UIDS,
    MEDIA_STORAGE_SOP_INSTANCE_UID,
    SERIES_INSTANCE_UID,
    STUDY_INSTANCE_UID,
)
from reconciler.core.dicom.description import OBJECT, OBJECT_INSIDE
from reconciler.core.dicom.identity import (
    IDENTIFYING,
    PATIENT_ID,
    PATIENT_IDENTITY,
    PATIENT_IDENTITY_REMOVED,
)
from reconciler.core.dicom.inside import changed_inside, emptied_inside
from reconciler.core.dicom.vr import has_items
from reconciler.core.model.change import Change, Op
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.value import Json, Value

# Later imports are grouped into image sets by these attributes. Source:
# https://docs.aws.amazon.com/healthimaging/latest/devguide/understanding-image-sets.html
GROUPING = frozenset(
    {
        0x00080020,  # StudyDate
        0x00080050,  # AccessionNumber
        PATIENT_ID,
        STUDY_INSTANCE_UID,
        0x00200010,  # StudyID
        SERIES_INSTANCE_UID,
        0x00200011,  # SeriesNumber
    }
)
# Other objects refer to an object, or to its space, by these.
UIDS = KEY_UIDS | {MEDIA_STORAGE_SOP_INSTANCE_UID, 0x00200052}  # FrameOfReferenceUID

BY_OP: Mapping[Op, tuple[Hazard, ...]] = {
    Op.ADD: (),
    Op.UPDATE: (),
    Op.REMOVE: (Hazard.REMOVES_ATTRIBUTE,),
    Op.REMOVE_INSTANCE: (Hazard.REMOVES_INSTANCE,),
    Op.REMOVE_SERIES: (Hazard.REMOVES_SERIES,),
    Op.RESTORE_INSTANCE: (Hazard.RESTORES_INSTANCE,),
    Op.RESTORE_SERIES: (Hazard.RESTORES_INSTANCE,),
}
_OF_TAGS = {
    Hazard.CHANGES_GROUPING: GROUPING,
    Hazard.CHANGES_UID: UIDS,
    Hazard.CHANGES_OBJECT: OBJECT,
    Hazard.CHANGES_PATIENT_IDENTITY: PATIENT_IDENTITY,
}
# A UID inside a sequence refers to another object, and imports are not grouped by it.
_OF_TAGS_INSIDE = {
    Hazard.CHANGES_OBJECT: OBJECT_INSIDE,
    Hazard.CHANGES_PATIENT_IDENTITY: PATIENT_IDENTITY,
}


def hazards_of(change: Change, *, reverts: bool) -> tuple[Hazard, ...]:
    """Return the hazards of one change, in the order of `Hazard`."""
    found = {*BY_OP[change.op], *_of_tag(change.tag), *_of_inside(change)}
    if _keeps_history(change):
        found.add(Hazard.HISTORY_KEEPS_VALUES)
    if change.force_reasons:
        found.add(Hazard.FORCE)
    if change.drifted:
        found.add(Hazard.OVERWRITES_DRIFT)
    if reverts:
        found.add(Hazard.REVERTS_VERSION)
    return tuple(hazard for hazard in Hazard if hazard in found)


def _of_tag(tag: int | None) -> Iterator[Hazard]:
    return (hazard for hazard, tags in _OF_TAGS.items() if tag in tags)


def _of_inside(change: Change) -> Iterable[Hazard]:
    before, after = _raw(change.before), _raw(change.after)
    if not (has_items(before) or has_items(after)):
        return ()
    changed = changed_inside(before, after)
    return [hazard for hazard, tags in _OF_TAGS_INSIDE.items() if changed & tags]


def _keeps_history(change: Change) -> bool:
    """Whether a value that identifies a person goes, which earlier versions of the image set hold.

    PatientIdentityRemoved states that such values are gone.
    """
    before, after = _raw(change.before), _raw(change.after)
    if change.tag == PATIENT_IDENTITY_REMOVED:
        return canonical(change.vr, after) not in (None, "NO")
    if has_items(before) and emptied_inside(before, after) & IDENTIFYING:
        return True
    is_emptied = canonical(change.vr, after) is None and canonical(change.vr, before) is not None
    return change.tag in IDENTIFYING and is_emptied


def _raw(value: Value | None) -> Json:
    return value.raw if value is not None else None
