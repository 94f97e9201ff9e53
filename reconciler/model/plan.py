"""The plan: the value that is reviewed and then executed exactly."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.model.change import Block, Change, Note
from reconciler.model.hazard import Hazard


class Status(StrEnum):
    """The state of an ask, three-way (design: The plan)."""

    CONVERGED = "converged"
    UPDATE = "update"
    DRIFTED = "drifted"
    BUSY = "busy"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """One image set of an action. `pin` is the version that was read.

    `ask_digest` and `asked` (paths only, no values) are what the record keeps; both are empty for
    a sibling that no manifest names. `content_digest` is that of the document read at the pin,
    "" where it was not needed. `recorded` says that the record already tells exactly this.
    """

    image_set_id: str
    pin: str
    is_primary: bool = False
    ask_digest: str = ""
    asked: tuple[str, ...] = ()
    content_digest: str = ""
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class HazardUse:
    """A hazard of an action. `consent` is the very line to add, "" where none is needed."""

    hazard: Hazard
    image_set_id: str
    consented: bool
    consent: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Step:
    """One UpdateImageSetMetadata call, byte for byte.

    `updatable` and `removable` are the JSON texts of the two blobs, `revert_to` the version of a
    revert. `expected` maps every image set whose version this call raises to the digest of the
    content it must then have. `pin` is sent as latestVersionId.
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

    def __repr__(self) -> str:
        return f"Step({self.image_set_id}@{self.pin}, ***)"


@dataclass(frozen=True, slots=True)
class Action:
    """One image set, or all primary image sets of one study; the unit of review and consent."""

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


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan stands on. `commit` is "" outside a git repository."""

    commit: str
    rules_version: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All actions, sorted by data store and image set."""

    basis: Basis
    actions: tuple[Action, ...]
    eta_seconds: float = 0.0

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every call of every action that may run, in order."""
        return tuple(step for action in self.actions for step in action.steps)
