"""The plan: the value that is reviewed and then executed exactly."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.core.errors import Place
from reconciler.core.model.change import Block, Change, Note
from reconciler.core.model.hazard import Hazard


def next_version(version_id: str) -> str:
    """The versionId that an update of this one produces.

    Source: the examples of https://docs.aws.amazon.com/healthimaging/latest/devguide/update-image-set-metadata.html
    """
    return str(int(version_id) + 1)


class Status(StrEnum):
    """The state of an ask, three-way."""

    CONVERGED = "converged"
    UPDATE = "update"
    DRIFTED = "drifted"
    BUSY = "busy"
    BLOCKED = "blocked"

    @property
    def is_good(self) -> bool:
        """Whether the image set holds what is asked."""
        return self is Status.CONVERGED

    @property
    def is_error(self) -> bool:
        """Whether a person has to act before it can run. DRIFTED counts where nothing is sent."""
        return self in _ERRORS

    @property
    def is_pending(self) -> bool:
        """Whether the same command later may go on from there."""
        return not self.is_good and not self.is_error

    @property
    def is_runnable(self) -> bool:
        """Whether an action of this status may have steps."""
        return self in _RUNNABLE


_ERRORS = frozenset({Status.BLOCKED, Status.DRIFTED})
_HELD_BACK = _ERRORS | {Status.BUSY}
_RUNNABLE = frozenset({Status.UPDATE, Status.DRIFTED})


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """One image set of an action. `pin` is the version that was read.

    `ask_digest` (not keyed: it stays on this machine), `asked` (paths only, no values),
    `previous_version_id`, `updated_at` and `created_at` (epoch seconds, the service's) are what the
    record keeps; a sibling that no manifest names has no ask. `recorded` says that the record
    already states exactly this. `origin_version_id` is the version before an apply that was killed
    when it had made the pin; "" where none had. `is_primary` is None where the service does not
    say.
    """

    image_set_id: str
    pin: str
    is_primary: bool | None = False
    ask_digest: str = field(default="", repr=False)
    asked: tuple[str, ...] = ()
    previous_version_id: str = ""
    updated_at: float | None = None
    recorded: bool = False
    origin_version_id: str = ""
    created_at: float | None = None

    @property
    def before(self) -> str:
        """The version to go back to: what somebody finds there who wants the old content."""
        return self.origin_version_id or self.pin


@dataclass(frozen=True, slots=True)
class HazardUse:
    """A hazard of an action.

    `consent` is the very line to add to the manifest at `place`, "" where none is missing.
    """

    hazard: Hazard
    image_set_id: str
    consented: bool
    consent: str = ""
    place: Place | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Step:
    """One UpdateImageSetMetadata call, byte for byte.

    `updatable` and `removable` are the JSON texts of the two blobs, `revert_to` the version of a
    revert. `expected` maps every image set whose version this call raises to the digest of the
    content it must then have. `pin` is sent as latestVersionId. `study_instance_uid` is that of the
    study whose primary image sets a study-wide call moves.
    """

    datastore_id: str
    image_set_id: str
    pin: str
    expected: tuple[tuple[str, str], ...]
    updatable: str | None = None
    removable: str | None = None
    revert_to: str | None = None
    force: bool = False
    study_wide: bool = False
    study_instance_uid: str = ""

    def __repr__(self) -> str:
        return f"Step({self.image_set_id}@{self.pin}, ***)"


@dataclass(frozen=True, slots=True)
class Action:
    """One image set, or all primary image sets of one study; the unit of review and consent.

    `digest` is keyed, and "" where the repository had no key when the plan was made.
    """

    datastore: str
    datastore_id: str
    status: Status
    members: tuple[Member, ...]
    changes: tuple[Change, ...] = ()
    hazards: tuple[HazardUse, ...] = ()
    blocks: tuple[Block, ...] = ()
    notes: tuple[Note, ...] = ()
    steps: tuple[Step, ...] = ()
    released: tuple[str, ...] = ()
    digest: str = ""

    @property
    def image_set_id(self) -> str:
        """The first member: what an action is called by."""
        return self.members[0].image_set_id


def pins(action: Action) -> tuple[dict[str, str], ...]:
    """For every step of an action, the version each image set of `expected` has before it."""
    current = {member.image_set_id: member.pin for member in action.members}
    result = []
    for step in action.steps:
        before = {name: current.get(name, step.pin) for name, _ in step.expected}
        before[step.image_set_id] = step.pin
        current.update((name, next_version(pin)) for name, pin in before.items())
        result.append(before)
    return tuple(result)


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan stands on. `commit` is "" outside a git repository.

    `paths` are the manifests that were selected, relative to reconciler.yaml; () for all of them.
    `rules` are those under `rules:` that differ from the defaults, by their name there.
    """

    commit: str
    rules_version: int
    paths: tuple[str, ...] = ()
    rules: tuple[tuple[str, str | bool | int], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All actions, sorted by data store and image set.

    `dropped` names (data store, image set) of records that no manifest asks for any more.
    `eta_seconds` is what the update quotas alone make the apply last.
    """

    basis: Basis
    actions: tuple[Action, ...]
    dropped: tuple[tuple[str, str], ...] = ()
    eta_seconds: float = 0.0

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every call of every action that may run, in order."""
        return tuple(step for action in self.actions for step in action.steps)

    @property
    def runnable(self) -> tuple[Action, ...]:
        """The actions that have something to send, and that nothing holds back."""
        return tuple(action for action in self.actions if action.steps and not action.blocks)

    @property
    def held(self) -> tuple[Action, ...]:
        """The actions that the plan itself keeps from running."""
        return tuple(one for one in self.actions if not one.steps and one.status in _HELD_BACK)
