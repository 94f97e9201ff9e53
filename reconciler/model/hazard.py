"""Named dangers of a change, and the consent that lets one pass (design: The plan)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Hazard(StrEnum):
    """A named danger."""

    REMOVES_ATTRIBUTE = "REMOVES_ATTRIBUTE"
    REVERTS_VERSION = "REVERTS_VERSION"
    FORCE = "FORCE"
    CHANGES_GROUPING = "CHANGES_GROUPING"
    STUDY_WIDE = "STUDY_WIDE"
    REMOVES_INSTANCE = "REMOVES_INSTANCE"
    REMOVES_SERIES = "REMOVES_SERIES"
    CHANGES_UID = "CHANGES_UID"
    CHANGES_PATIENT_IDENTITY = "CHANGES_PATIENT_IDENTITY"
    SPLIT_UPDATE = "SPLIT_UPDATE"
    OVERWRITES_DRIFT = "OVERWRITES_DRIFT"


@dataclass(frozen=True, slots=True, order=True)
class Consent:
    """One entry of `allow:`. `version_id` belongs to OVERWRITES_DRIFT@N alone."""

    hazard: Hazard
    version_id: str = ""

    def __str__(self) -> str:
        return f"{self.hazard}@{self.version_id}" if self.version_id else str(self.hazard)
