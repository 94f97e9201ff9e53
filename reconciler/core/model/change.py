"""One difference between what is asked and what was read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.errors import Place
from reconciler.core.model.address import Address
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.value import Value


class Op(StrEnum):
    """What a change does."""

    ADD = "add"
    UPDATE = "update"
    REMOVE = "remove"
    REMOVE_INSTANCE = "remove-instance"
    REMOVE_SERIES = "remove-series"
    # Only a revert brings these back; an update cannot create them (constraint 9 of
    # https://docs.aws.amazon.com/healthimaging/latest/devguide/dicom-metadata-constraints.html).
    RESTORE_INSTANCE = "restore-instance"
    RESTORE_SERIES = "restore-series"


@dataclass(frozen=True, slots=True)
class Change:
    """One attribute, series or instance of one image set.

    `address` holds the keys of the live document. `key` is the live key of the attribute (a
    keyword or eight hex digits), "" for a series or an instance. `vr` is what the attribute is
    read as; `send_vr` says that DICOMVRs must carry it. `force_reasons` names the constraints
    that only `force` overrides. `place` is the line that asks, None inside a revert.
    """

    image_set_id: str
    op: Op
    address: Address
    key: str
    tag: int | None
    vr: str
    before: Value | None
    after: Value | None
    place: Place | None = None
    send_vr: bool = False
    drifted: bool = False
    force_reasons: tuple[str, ...] = ()
    hazards: tuple[Hazard, ...] = ()

    def path(self) -> str:
        """`Patient/PatientName`, `Study/Series/1.2/Instances/1.2.3`."""
        return f"{self.address.path()}/{self.key}" if self.key else self.address.path()


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """Why an image set's action may not run, and what to do about it."""

    image_set_id: str
    message: str
    hint: str = ""
    place: Place | None = None
    path: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """Something worth telling that stops nothing."""

    image_set_id: str
    message: str
    place: Place | None = None
