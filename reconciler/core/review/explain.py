"""Explain hazards and the verdict on an action in a steward's words."""

from __future__ import annotations

from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, Status
from reconciler.core.model.record import UNREADABLE
from reconciler.core.review.model import ShownAction

MEANING: dict[Hazard, str] = {
    Hazard.REMOVES_ATTRIBUTE: "an attribute is removed",
    Hazard.REVERTS_VERSION: "the whole content goes back to an earlier version",
    Hazard.RESTORES_INSTANCE: "an instance or series that was removed comes back",
    Hazard.FORCE: "a rule of HealthImaging against this change is overridden",
    Hazard.CHANGES_GROUPING: "later imports of this study may land in another image set",
    Hazard.HISTORY_KEEPS_VALUES: "values that identify a person stay readable in earlier versions",
    Hazard.STUDY_WIDE: "all primary image sets of the study change, also those without a manifest",
    Hazard.REMOVES_INSTANCE: "an instance is removed from the image set",
    Hazard.REMOVES_SERIES: "a whole series is removed from the image set",
    Hazard.CHANGES_UID: "references to the old UID, in this and in other objects, are not changed",
    Hazard.CHANGES_OBJECT: "what the object is, or how its text and pixels are read, changes",
    Hazard.CHANGES_PATIENT_IDENTITY: "the patient's identity changes: name, ID, birth date or sex",
    Hazard.SPLIT_UPDATE: "the update takes several calls; the versions in between are visible",
    Hazard.MERGES_PATIENTS: "several patients get one PatientID, or one that another may have",
    Hazard.OVERWRITES_DRIFT: "a value that was changed outside this repository is overwritten",
    Hazard.ACCEPTS_UNVERIFIED: "an update created other content than planned; it stays",
}

# Shown once for the whole plan, with a count.
SHOWN_ONCE = frozenset({Hazard.HISTORY_KEEPS_VALUES})

_VERDICT: dict[Status, str] = {
    Status.CONVERGED: "converged",
    Status.UPDATE: "update",
    Status.DRIFTED: "drifted, overwritten",
    Status.BUSY: "busy (another update is running)",
    Status.BLOCKED: "blocked",
}


def verdict(action: Action | ShownAction) -> str:
    """The verdict on an action: `update`, `drifted, held back`."""
    targets = {step.revert_to for step in action.steps if step.revert_to}
    if targets:
        drifted = "drifted, overwritten, " if action.status is Status.DRIFTED else ""
        version = f"version {min(targets)}" if len(targets) == 1 else "earlier versions"
        return f"{drifted}revert to the content of {version}"
    if action.status is Status.DRIFTED and not action.steps:
        return "drifted, held back"
    return _VERDICT[action.status]


def since(baseline: str) -> str:
    """Since when a value differs from the recorded value."""
    if baseline == UNREADABLE:
        return "since it was last recorded"
    return f"since version {baseline} was recorded"
