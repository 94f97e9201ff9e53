"""Which hazards a reviewer should read first."""

from __future__ import annotations

from reconciler.core.model.hazard import Hazard

# What harms a patient or loses an object comes first, what is only good to know last.
SEVERITY: tuple[Hazard, ...] = (
    Hazard.MERGES_PATIENTS,
    Hazard.REMOVES_SERIES,
    Hazard.REMOVES_INSTANCE,
    Hazard.CHANGES_PATIENT_IDENTITY,
    Hazard.OVERWRITES_DRIFT,
    Hazard.ACCEPTS_UNVERIFIED,
    Hazard.CHANGES_UID,
    Hazard.CHANGES_OBJECT,
    Hazard.REVERTS_VERSION,
    Hazard.RESTORES_INSTANCE,
    Hazard.STUDY_WIDE,
    Hazard.FORCE,
    Hazard.SPLIT_UPDATE,
    Hazard.CHANGES_GROUPING,
    Hazard.HISTORY_KEEPS_VALUES,
    Hazard.REMOVES_ATTRIBUTE,
)

_RANK = {hazard: number for number, hazard in enumerate(SEVERITY)}


def rank(hazard: Hazard) -> int:
    """The place of a hazard: 0 is read first."""
    return _RANK[hazard]
