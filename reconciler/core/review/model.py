"""The review of a plan: all that a renderer gets.

A review holds no DICOM value that its output may not show. Values are `ShownValue`; keys and paths
that may hold patient data are labels (`labels`). A value can be guessed from a digest that is not
keyed, so a review has neither `Member.ask_digest` nor the digests of `Step.expected`.

What an action consists of is a NamedTuple: a plan may have 100,000 changes, and a frozen dataclass
of so many fields takes twice as long to make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.core.errors import EXIT_BUG, EXIT_ERROR, EXIT_OK, EXIT_PENDING, Place, gravest
from reconciler.core.model.address import Address
from reconciler.core.model.at_base import AtBase
from reconciler.core.model.change import Block, Note, Op
from reconciler.core.model.guardrail import Stop
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import (
    Basis,
    Estimate,
    HazardUse,
    Released,
    Selection,
    Status,
    Unchanged,
    Unread,
)
from reconciler.core.review.overview import Overview
from reconciler.core.review.shown import EMPTY, ShownPart, ShownValue
from reconciler.core.review.totals import Totals

SYMBOL: dict[Op, str] = {
    Op.ADD: "+",
    Op.UPDATE: "~",
    Op.REMOVE: "-",
    Op.REMOVE_INSTANCE: "-",
    Op.REMOVE_SERIES: "-",
    Op.RESTORE_INSTANCE: "+",
    Op.RESTORE_SERIES: "+",
}


class ShownChange(NamedTuple):
    """A `Change` as this output may show it.

    `parts` are what differs inside of a sequence. `components` are the components of a person's
    name that differ, () where either name is masked: that a component is equal says what it is.
    `differs_in` names the difference of values that look the same; "" if they look different.
    `label` is that of `before` where the overview gives it one (`LiveValue`). `fingerprint` is that
    of the live value, "" unless fingerprints are asked for.
    """

    image_set_id: str
    op: Op
    address: Address
    key: str
    tag: int | None
    vr: str
    before: ShownValue | None
    after: ShownValue | None
    place: Place | None
    send_vr: bool
    drifted: bool
    consent_versions: tuple[str, ...]
    baseline: str
    force_reasons: tuple[str, ...]
    hazards: tuple[Hazard, ...]
    manifests: tuple[Place, ...]
    creator: ShownValue | None
    parts: tuple[ShownPart, ...] = ()
    components: tuple[str, ...] = ()
    differs_in: str = ""
    label: str = ""
    fingerprint: str = ""

    @property
    def path(self) -> str:
        """A path such as `Patient/PatientName`, as `Change.path`."""
        return f"{self.address.path()}/{self.key}" if self.key else self.address.path()

    @property
    def name(self) -> str:
        """The attribute with its private creator, "" for a whole series or instance."""
        return f"{self.key} [{self.creator.plain}]" if self.key and self.creator else self.key

    @property
    def uid(self) -> str:
        """The instance or series that is changed, removed or restored."""
        return self.address.instance or self.address.series


class ShownStep(NamedTuple):
    """A `Step` as this output may show it. `raises` are the image sets whose version it raises.

    `study_instance_uid` is None unless the call is study-wide.
    """

    datastore_id: str
    image_set_id: str
    pin: str
    updatable: ShownValue | None
    removable: ShownValue | None
    revert_to: str | None
    force: bool
    study_wide: bool
    study_instance_uid: ShownValue | None
    raises: tuple[str, ...]


class ShownMember(NamedTuple):
    """A `Member` without its digest. `version_to_come` is its version after every step.

    `revert_to` is the version whose content it gets by a revert, None without a revert. `study` is
    the number of its study in plan order, counted from 1; 0 if the plan states no study of it.
    `study_instance_uid` is None then, too.
    """

    image_set_id: str
    pin: str
    version_to_come: str
    revert_to: str | None
    is_primary: bool | None
    asked: tuple[str, ...]
    previous_version_id: str
    updated_at: float | None
    created_at: float | None
    recorded: bool
    origin_version_id: str
    arn: str
    is_whole: bool
    study: int
    study_instance_uid: ShownValue | None


class ShownAction(NamedTuple):
    """An `Action` as this output may show it. `digest` is keyed, or ""."""

    datastore: str
    datastore_id: str
    status: Status
    digest: str
    members: tuple[ShownMember, ...]
    hazards: tuple[HazardUse, ...]
    blocks: tuple[Block, ...]
    notes: tuple[Note, ...]
    released: tuple[str, ...]
    changes: tuple[ShownChange, ...]
    steps: tuple[ShownStep, ...]
    unlisted_series: int
    patient_unproven: tuple[str, ...]
    at_base: AtBase | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """The same edit at one or several addresses; `change` stands for all of them.

    `drift` says since when the value differs from the recorded value; "" without drift.
    """

    change: ShownChange
    image_set_ids: tuple[str, ...]
    addresses: tuple[Address, ...]
    drift: str

    @property
    def symbol(self) -> str:
        """`+`, `~` or `-`, as in Terraform."""
        return SYMBOL[self.change.op]

    @property
    def name(self) -> str:
        """The attribute, with its private creator; `(whole)` for a whole instance or series."""
        return self.change.name or "(whole)"

    @property
    def before(self) -> str:
        """The value before, or the UID of a removed instance or series; "" if there is none.

        The UID is shown in full, so that a reviewer can check it.
        """
        if self.change.op in (Op.REMOVE_INSTANCE, Op.REMOVE_SERIES):
            return self.change.uid
        return self._text(self.change.before) if self.change.op in (Op.UPDATE, Op.REMOVE) else ""

    @property
    def after(self) -> str:
        """The value after, or the UID of a restored instance or series; "" if there is none."""
        if self.change.op in (Op.RESTORE_INSTANCE, Op.RESTORE_SERIES):
            return self.change.uid
        return self._text(self.change.after) if self.change.op in (Op.ADD, Op.UPDATE) else ""

    @property
    def is_after_masked(self) -> bool:
        """Whether only the manifest line shows the new value."""
        value = self.change.after if self.change.op in (Op.ADD, Op.UPDATE) else None
        return value is not None and value.is_masked

    def _text(self, value: ShownValue | None) -> str:
        return value.as_vr(self.change.vr) if value else EMPTY


@dataclass(frozen=True, slots=True)
class ShownHazard:
    """A hazard that is not evident from the edits, with its meaning in a steward's words."""

    hazard: Hazard
    meaning: str
    consented: bool


@dataclass(frozen=True, slots=True)
class MissingConsent:
    """The lines to add to the manifest at `place`; None if the manifest is unknown.

    `at_base` says whether the consent was missing at the base, "" if nothing is known of it.
    """

    place: Place | None
    lines: tuple[str, ...]
    at_base: str = ""


@dataclass(frozen=True, slots=True)
class ShownBlock:
    """Why an action may not run. `about` is the path, if the message does not name it.

    `count` is more than 1 if the block stands for many paths; `about` is the first of them.
    `at_base` says whether it is new, "" if nothing is known of the base.
    """

    message: str
    hint: str
    place: Place | None
    about: str
    count: int = 1
    at_base: str = ""


@dataclass(frozen=True, slots=True)
class Detail:
    """One action in full. `edits` are those that all members share, `own_edits` the others.

    `at_base` says how it stood at the base, "" if nothing is known of it.
    """

    datastore: str
    status: Status
    verdict: str
    members: tuple[ShownMember, ...]
    calls: int
    edits: tuple[Edit, ...]
    own_edits: tuple[tuple[str, tuple[Edit, ...]], ...]
    hazards: tuple[ShownHazard, ...]
    missing: tuple[MissingConsent, ...]
    blocks: tuple[ShownBlock, ...]
    released: tuple[str, ...]
    notes: tuple[Note, ...]
    at_base: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """A plan as it is reviewed. `masked` says whether values may be hidden in this output.

    `actions` are all actions of the plan, in its order, made when they are read (`ShownActions`);
    `unlabelled` are the same without the labels of the overview. `unchanged` counts the image sets
    without an action. `make_overview` gives `overview`. `details` are the actions that need
    attention, if they are few; `summary` has the number of the others. `is_pending` says that an
    action is not converged, `has_bug` that one is held back because of a bug in `reconcile`.
    `unread` are the data stores that could not be read. `retiered` are the image sets that the
    reads for the plan moved to the Frequent Access tier; () for a saved plan, which was not read
    again. `observed` are sentences about how data stores were observed. `has_fingerprints` says
    that fingerprints were asked for. `stops` are the guardrails that stop the apply, and
    `without_study_wide` is as in `Plan`; the verdict states both. `selections` are what selectors
    select.
    """

    basis: Basis
    masked: bool
    actions: Iterable[ShownAction]
    unlabelled: Iterable[ShownAction]
    details: tuple[Detail, ...]
    released: tuple[Released, ...]
    unchanged: tuple[Unchanged, ...]
    totals: Totals
    summary: str
    eta_seconds: float
    make_overview: Callable[[], Overview]
    is_pending: bool
    has_bug: bool
    unread: tuple[Unread, ...] = ()
    retiered: tuple[str, ...] = ()
    observed: tuple[str, ...] = ()
    has_fingerprints: bool = False
    stops: tuple[Stop, ...] = ()
    without_study_wide: Estimate | None = None
    selections: tuple[Selection, ...] = ()

    @property
    def overview(self) -> Overview:
        """What the plan does to all image sets together. It is made when it is first read."""
        return self.make_overview()

    @property
    def not_selected(self) -> tuple[Selection, ...]:
        """The selectors that do not select what they are to select."""
        return tuple(one for one in self.selections if one.problem)

    def exit_code(self, *, detailed: bool) -> int:
        """The exit code of `plan`; `detailed` means `--detailed-exitcode`."""
        return gravest(
            (
                EXIT_BUG if self.has_bug else EXIT_OK,
                EXIT_ERROR if self.unread or self.not_selected else EXIT_OK,
                EXIT_PENDING if detailed and self.is_pending else EXIT_OK,
            )
        )
