"""What manifests ask for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.errors import Place
from reconciler.core.model.address import Address
from reconciler.core.model.hazard import Consent
from reconciler.core.model.value import Value


class ClaimKind(StrEnum):
    """What one line of a manifest asks of one attribute, series or instance."""

    PRESENT = "present"  # the attribute must be there with this value
    ABSENT = "absent"  # the attribute must not be there
    REMOVED = "removed"  # the series or instance itself must not be there


@dataclass(frozen=True, slots=True)
class Source:
    """The manifest document a claim came from, and what that document consents to.

    `several` says that it names more than one image set, so that its consent to overwrite drift has
    to say of which.
    """

    place: Place
    reason: str = ""
    force: bool = False
    allow: tuple[Consent, ...] = ()
    several: bool = False

    def __hash__(self) -> int:
        # By the place alone, which no two documents share: `allow` may name thousands of image
        # sets, and every one of them looks its manifests up.
        return hash(self.place)


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing asked.

    `tag` is the attribute (0xGGGGEEEE), or None for REMOVED. `value` is the desired value of
    PRESENT, or the value that ABSENT expects to find (`None` = any). `vr` is the value
    representation the manifest states under DICOMVRs (private attributes only).
    """

    kind: ClaimKind
    address: Address
    tag: int | None
    value: Value | None
    vr: str | None
    place: Place
    source: Source


@dataclass(frozen=True, slots=True)
class Revert:
    """`revertToVersionId`: the whole content of an earlier version."""

    version_id: str
    place: Place
    source: Source


@dataclass(frozen=True, slots=True)
class ImageSetAsk:
    """Everything asked of one image set. `datastore` is the name in reconciler.yaml."""

    datastore: str
    image_set_id: str
    sources: tuple[Source, ...]
    claims: tuple[Claim, ...] = ()
    revert: Revert | None = None

    @property
    def place(self) -> Place:
        """The first manifest that asks something of this image set."""
        return self.sources[0].place
