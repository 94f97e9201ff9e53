"""One difference between an ask and a document."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.errors import Place
from reconciler.core.model.address import Address
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.value import Value, length_class


class Op(StrEnum):
    """The operation of a change."""

    ADD = "add"
    UPDATE = "update"
    REMOVE = "remove"
    REMOVE_INSTANCE = "remove-instance"
    REMOVE_SERIES = "remove-series"
    # Only a revert restores instances and series; an update cannot create them (constraint 9 of
    # https://docs.aws.amazon.com/healthimaging/latest/devguide/dicom-metadata-constraints.html).
    RESTORE_INSTANCE = "restore-instance"
    RESTORE_SERIES = "restore-series"


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one attribute, series or instance of one image set.

    `address` holds the keys of the live document. `key` is the live key of the attribute (a keyword
    or eight hex digits), "" for a series or an instance. `vr` is what the attribute is read as;
    `send_vr` says that DICOMVRs must carry it. `creator` is the private creator of a private
    element, of the live document or of the same call; None if it has none. `force_reasons` names
    the constraints that only `force` overrides. `place` is the line that asks, None inside a
    revert. `drifted` says that the value was changed outside since its baseline; then
    OVERWRITES_DRIFT@N consents for each N of `consent_versions`. `baseline` is the version in which
    the value was last known and reviewed; "" if it never was. `manifests` are the places of the
    manifests that ask for it, each of which may consent; () if the action has one manifest.
    `is_stated` says that the value after is one text that stands on the line of `place`.
    `instances` is how many instances a removed series has, 0 for any other change.
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
    baseline: str = ""
    consent_versions: tuple[str, ...] = ()
    manifests: tuple[Place, ...] = ()
    creator: Value | None = None
    is_stated: bool = False
    instances: int = 0

    @property
    def is_first(self) -> bool:
        """Whether the live value was never reviewed."""
        return not self.baseline

    def path(self) -> str:
        """Return a path such as `Patient/PatientName` or `Study/Series/1.2/Instances/1.2.3`."""
        return f"{self.address.path()}/{self.key}" if self.key else self.address.path()

    def shown(self) -> str:
        """Return the path for a message, without keys that may contain a name."""
        key = self.key if self.tag is not None else f"<{length_class(self.key)}>"
        return f"{self.address.shown()}/{key}" if self.key else self.address.shown()


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """The reason why the action of an image set is blocked, and what to do next.

    `is_bug` means that the reason is a bug in `reconcile`: the command ends with EXIT_BUG.
    `was_at_base` says that the action was blocked for this reason at the base, too.
    """

    image_set_id: str
    message: str
    hint: str = ""
    place: Place | None = None
    path: str = ""
    is_bug: bool = False
    was_at_base: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """A remark for the reviewer that blocks nothing."""

    image_set_id: str
    message: str
    place: Place | None = None
