"""The asks of manifests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from reconciler.core.errors import Place
from reconciler.core.model.address import Address, Level
from reconciler.core.model.hazard import Consent
from reconciler.core.model.record import SelectedBy
from reconciler.core.model.value import Value


class ClaimKind(StrEnum):
    """The kind of request that one line of a manifest makes."""

    PRESENT = "present"  # the attribute must be there with this value
    ABSENT = "absent"  # the attribute must not be there
    REMOVED = "removed"  # the series or instance itself must not be there


@dataclass(frozen=True, slots=True)
class Source:
    """The manifest document of a claim, with its consents.

    `own` is the image set that it names, "" if it names several: then its consent to overwrite
    drift must name the image set.
    """

    place: Place
    reason: str = ""
    force: bool = False
    allow: tuple[Consent, ...] = ()
    own: str = ""

    def __hash__(self) -> int:
        # By the place only, which is unique: `allow` may name thousands of image sets, and each of
        # them looks up its sources.
        return hash(self.place)


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of a manifest about one attribute, series or instance.

    `tag` is the attribute (0xGGGGEEEE), or None for REMOVED. `value` is the desired value of
    PRESENT, or the value that ABSENT expects (`None` = any). `vr` is the VR that the manifest
    states under DICOMVRs (private elements only). `is_literal` says that the value is one text that
    stands on the line of `place`.
    """

    kind: ClaimKind
    address: Address
    tag: int | None
    value: Value | None
    vr: str | None
    place: Place
    source: Source
    is_literal: bool = False


def in_order(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Sort claims by address, attribute, kind and place."""
    return tuple(sorted(claims, key=_order))


def _order(claim: Claim) -> tuple[object, ...]:
    """As text and numbers, which are compared the fastest."""
    place, address = claim.place, claim.address
    where = (address.level, address.series, address.instance)
    return (*where, claim.tag or 0, claim.kind, place.file, place.line, place.column)


@dataclass(frozen=True, slots=True)
class Revert:
    """`revertToVersionId`: asks for the whole content of an earlier version."""

    version_id: str
    place: Place
    source: Source


@dataclass(frozen=True, slots=True)
class ImageSetAsk:
    """Everything asked of one image set. `datastore` is the name in reconciler.yaml.

    `left_out` are the manifests that a run on some paths does not carry: their changes are not
    made, but what they ask is still managed. `selected_by` are the selectors that the image set
    belongs to, with their digests, as in `record.Evidence`. `is_recalled` says that
    selectors alone ask something of it, and that their searches do not find it any more.
    """

    datastore: str
    image_set_id: str
    sources: tuple[Source, ...]
    claims: tuple[Claim, ...] = ()
    revert: Revert | None = None
    left_out: frozenset[Source] = frozenset()
    selected_by: SelectedBy = field(default=(), repr=False)
    is_recalled: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether the run carries all that is asked of the image set."""
        return not self.left_out

    @property
    def study_claims(self) -> tuple[Claim, ...]:
        """What is asked at Patient and Study level: primary image sets of a study share these."""
        return tuple(claim for claim in self.claims if claim.address.level <= Level.STUDY)

    @property
    def carried(self) -> ImageSetAsk:
        """What the run carries of it: the claims of the selected manifests."""
        if self.is_whole:
            return self
        return replace(
            self,
            sources=tuple(one for one in self.sources if one not in self.left_out),
            claims=tuple(claim for claim in self.claims if claim.source not in self.left_out),
            left_out=frozenset(),
        )

    @property
    def place(self) -> Place:
        """The first manifest that asks something of this image set, of those that are carried."""
        carried = (one for one in self.sources if one not in self.left_out)
        return next(carried, self.sources[0]).place
