"""Named dangers of a change, and the consent that allows them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Hazard(StrEnum):
    """A named danger."""

    REMOVES_ATTRIBUTE = "REMOVES_ATTRIBUTE"
    REVERTS_VERSION = "REVERTS_VERSION"
    RESTORES_INSTANCE = "RESTORES_INSTANCE"
    FORCE = "FORCE"
    CHANGES_GROUPING = "CHANGES_GROUPING"
    HISTORY_KEEPS_VALUES = "HISTORY_KEEPS_VALUES"
    STUDY_WIDE = "STUDY_WIDE"
    REMOVES_INSTANCE = "REMOVES_INSTANCE"
    REMOVES_SERIES = "REMOVES_SERIES"
    CHANGES_UID = "CHANGES_UID"
    CHANGES_OBJECT = "CHANGES_OBJECT"
    CHANGES_PATIENT_IDENTITY = "CHANGES_PATIENT_IDENTITY"
    SPLIT_UPDATE = "SPLIT_UPDATE"
    MERGES_PATIENTS = "MERGES_PATIENTS"
    OVERWRITES_DRIFT = "OVERWRITES_DRIFT"
    ACCEPTS_UNVERIFIED = "ACCEPTS_UNVERIFIED"


@dataclass(frozen=True, slots=True, order=True)
class Consent:
    """One entry of `allow:`.

    `version_id` and `image_set_id` are for the hazards of one version of an image set:
    OVERWRITES_DRIFT and ACCEPTS_UNVERIFIED. Versions are small numbers, so several image sets may
    have the same version. Without the ID, a consent for an image set would apply to the others,
    too. `number` is for MERGES_PATIENTS: how many patients may be merged at most.
    """

    hazard: Hazard
    version_id: str = ""
    image_set_id: str = ""
    number: int = 0

    def __str__(self) -> str:
        bound = self.version_id or str(self.number or "")
        image_set = f":{self.image_set_id}" if self.image_set_id else ""
        return f"{self.hazard}{f'@{bound}' if bound else ''}{image_set}"

    def spelled(self, own: str) -> str:
        """Return the form for a manifest that names the image set `own` alone, "" for any other.

        Only there the plain form stands for that image set.
        """
        return str(replace(self, image_set_id="") if self.image_set_id == own else self)
