"""The plan, which is reviewed and then executed exactly."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.core.errors import Place
from reconciler.core.model.at_base import AtBase
from reconciler.core.model.change import Block, Change, Note
from reconciler.core.model.guardrail import Stop
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.record import SelectedBy, StudyMembers, Unverified


def next_version(version_id: str) -> str:
    """Return the versionId that an update of this version creates.

    Source: the examples of https://docs.aws.amazon.com/healthimaging/latest/devguide/update-image-set-metadata.html
    """
    return str(int(version_id) + 1)


class Status(StrEnum):
    """The state of an ask: desired × observed × recorded."""

    CONVERGED = "converged"
    UPDATE = "update"
    DRIFTED = "drifted"
    BUSY = "busy"
    BLOCKED = "blocked"

    @property
    def is_good(self) -> bool:
        """Whether the image set has the content that is asked for."""
        return self is Status.CONVERGED

    @property
    def is_error(self) -> bool:
        """Whether a person must act before it can run. DRIFTED counts if nothing is sent."""
        return self in _ERRORS

    @property
    def is_pending(self) -> bool:
        """Whether running the same command later may continue the work."""
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
    record keeps; a sibling that no manifest names has no ask. `is_whole` says that the run carries
    all that is asked of the image set. `recorded` says that the record already states exactly this.
    `origin_version_id` is the version before an apply that was killed when it had made the pin; ""
    where none had. `is_primary` is None where the service does not say. `released`, `renamed`,
    `refuted` and `accepted` are for the record, as in `record.Evidence`; so are `requests`, what is
    asked of each path that changes (not keyed either), and `study`, with the versions that were
    read. `study_instance_uid` and `patient_id` are those that its document states, "" if it states
    none or was not read. `has_record` says that there was a record, whatever it states.
    `selected_by` is for the record, too, and its digests are not keyed; None where there is nothing
    to state, or the action does not carry what is asked of this image set.
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
    arn: str = ""
    is_whole: bool = True
    released: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    refuted: str = ""
    requests: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    accepted: tuple[Unverified, ...] = ()
    study: StudyMembers | None = None
    study_instance_uid: str = field(default="", repr=False)
    patient_id: str = field(default="", repr=False)
    has_record: bool = False
    selected_by: SelectedBy | None = field(default=None, repr=False)

    @property
    def before(self) -> str:
        """The version with the content before this repository changed it, for a revert."""
        return self.origin_version_id or self.pin


@dataclass(frozen=True, slots=True)
class HazardUse:
    """A hazard of an action.

    `consent` is the line to add to the manifest at `place`, "" if no consent is missing.
    `version_id` is the version that a consent by version names, "" for another hazard. `number` is
    the number that a consent by number needs at least, 0 for another hazard. `was_at_base` says
    that the consent was missing at the base, too.
    """

    hazard: Hazard
    image_set_id: str
    consented: bool
    consent: str = ""
    place: Place | None = None
    version_id: str = ""
    number: int = 0
    was_at_base: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Step:
    """One UpdateImageSetMetadata call, byte for byte.

    `updatable` and `removable` are the JSON texts of the two blobs, `revert_to` is the version of a
    revert. `expected` maps every image set that this call changes to the digest of the content that
    it must have afterwards. `pin` is sent as latestVersionId. `study_instance_uid` is the study
    whose primary image sets a study-wide call changes.
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
    """The unit of review and consent: one image set, or primary image sets of one study.

    A study-wide call changes all of them. Reverts that go together are those of some of them.

    `digest` is keyed; it is "" if the repository had no key when the plan was made.
    `unlisted_series` is the number of series of the study in no image set that SearchImageSets
    lists: then manifests may not name every image set that a study-wide call changes. `siblings`
    are other members of the study that hold what is asked of it: they are only recorded.
    `patient_unproven` are the image sets whose new PatientID another patient may have, as far as
    SearchImageSets shows. `at_base` is None without a base, or if the base cannot be compared.
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
    unlisted_series: int = 0
    siblings: tuple[Member, ...] = ()
    patient_unproven: tuple[str, ...] = ()
    at_base: AtBase | None = None

    @property
    def image_set_id(self) -> str:
        """The first member, which identifies the action."""
        return self.members[0].image_set_id

    @property
    def image_sets(self) -> tuple[str, ...]:
        """The image sets that the action stands for where a plan is counted.

        These are the image sets whose version its calls raise. Without calls they are the members
        that a manifest names.
        """
        if self.steps:
            return tuple(sorted({name for step in self.steps for name, _ in step.expected}))
        named = tuple(member.image_set_id for member in self.members if member.asked)
        return named or tuple(member.image_set_id for member in self.members)

    @property
    def places(self) -> frozenset[Place]:
        """The lines of manifests behind its changes, its hazards and its blocks."""
        places = [change.place for change in self.changes]
        places += [place for change in self.changes for place in change.manifests]
        places += [use.place for use in self.hazards] + [block.place for block in self.blocks]
        return frozenset(place for place in places if place is not None)

    @property
    def is_held(self) -> bool:
        """Whether the plan itself holds it back."""
        return not self.steps and self.status in _HELD_BACK

    @property
    def is_held_by_a_bug(self) -> bool:
        """Whether the plan holds it back because of a bug in `reconcile`."""
        return self.is_held and any(block.is_bug for block in self.blocks)


def pins(action: Action) -> tuple[dict[str, str], ...]:
    """Return for each step of an action the version of each image set before the step."""
    current = {member.image_set_id: member.pin for member in action.members}
    result = []
    for step in action.steps:
        before = {name: current.get(name, step.pin) for name, _ in step.expected}
        before[step.image_set_id] = step.pin
        current.update((name, next_version(pin)) for name, pin in before.items())
        result.append(before)
    return tuple(result)


def final_versions(action: Action) -> dict[str, str]:
    """The version of each image set of an action once all its steps have made theirs."""
    found = {member.image_set_id: member.pin for member in action.members}
    for before in pins(action):
        found.update((name, next_version(pin)) for name, pin in before.items())
    return found


@dataclass(frozen=True, slots=True, order=True)
class StoreIdentity:
    """A data store as reconciler.yaml describes it. `endpoint` is "" for AWS."""

    name: str
    datastore_id: str
    region: str
    account_id: str = ""
    endpoint: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Released:
    """An image set of which no manifest asks anything any more."""

    datastore: str
    datastore_id: str
    image_set_id: str


@dataclass(frozen=True, slots=True, order=True)
class Selection:
    """What a manifest of kind ImageSets selects, when the plan was made.

    `place` is the line of its name. `image_sets` counts what it selects: those of an action name it
    (`Member.selected_by`). `leaving` are image sets that it selected before its `select` or `where`
    changed. `problem` is why nothing that it asks is changed, "" if it selects what it should.
    """

    datastore: str
    datastore_id: str
    name: str
    place: Place
    image_sets: int
    leaving: tuple[str, ...] = ()
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Unchanged:
    """How many image sets of a data store hold what is asked, and are recorded so."""

    datastore: str
    datastore_id: str
    image_sets: int


@dataclass(frozen=True, slots=True, order=True)
class Recorded:
    """How many image sets of a data store have a record."""

    datastore: str
    datastore_id: str
    image_sets: int


@dataclass(frozen=True, slots=True, order=True)
class Later:
    """Image sets of a data store that only the settings of a pull request have."""

    datastore: str
    image_sets: int


@dataclass(frozen=True, slots=True)
class Since:
    """What changed between the base of a pull request and the planned commit.

    `settings` says that reconciler.yaml differs: the plan uses that of the base. `key` says that
    the pull request adds reconciler.key. `consents` are the lines of `allow:` and `force:` that
    manifests have now and had not then, each with its file. `local` are files below .reconcile/,
    which no commit should have. `released` are the image sets that manifests of the base name, and
    manifests of the commit do not. `later` are those that are planned after the merge. `problem` is
    why the actions cannot be compared with the base, "" if they are. `unplanned` is why there is no
    plan before the merge, "" if there is one.
    """

    base: str
    settings: bool = False
    key: bool = False
    consents: tuple[str, ...] = ()
    local: int = 0
    released: tuple[Released, ...] = ()
    later: tuple[Later, ...] = ()
    problem: str = ""
    unplanned: str = ""


@dataclass(frozen=True, slots=True)
class Basis:
    """The inputs of a plan. `commit` is "" outside a git repository.

    `paths` are the selected manifests, relative to reconciler.yaml; () for all. `rules` are the
    settings under `rules:` that differ from the defaults. `is_clean` says whether the commit holds
    reconciler.yaml and the manifests exactly as they were read, and no other manifest; None outside
    a git repository. `datastores` are those that manifests name. `settings_digest` is over the
    bytes of reconciler.yaml, which holds no DICOM value. `since` is None without a base.
    """

    commit: str
    rules_version: int
    paths: tuple[str, ...] = ()
    rules: tuple[tuple[str, str | bool | int], ...] = ()
    is_clean: bool | None = None
    datastores: tuple[StoreIdentity, ...] = ()
    settings_digest: str = ""
    since: Since | None = None


@dataclass(frozen=True, slots=True, order=True)
class Unread:
    """A data store that the plan could not read, and how many of its image sets were to be read.

    `message` and `hint` are those of the error. They hold no DICOM value.
    """

    datastore: str
    datastore_id: str
    image_sets: int
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The calls of UpdateImageSetMetadata of an apply, and the shortest time that they take."""

    calls: int
    eta_seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """All actions, sorted by data store and image set.

    `unchanged` counts the image sets without an action: there is nothing to do, to show or to
    record. So the plan of a fleet is as small as what changes in it. `released` are the recorded
    image sets of which no manifest asks anything any more. `eta_seconds` is the shortest time that
    the update quotas allow for the apply. `unread` are the data stores of which the plan has no
    action, because they could not be read. `recorded` counts the records before the apply. `stops`
    are the guardrails that stop an apply of the whole plan before it sends anything.
    `without_study_wide` is what the apply would take if each image set had calls of its own; None
    if that would be no more calls. `selections` are what selectors select. `selector_digests` are
    over their `select` and `where`, by data store and name. They are not keyed.
    """

    basis: Basis
    actions: tuple[Action, ...]
    released: tuple[Released, ...] = ()
    eta_seconds: float = 0.0
    unread: tuple[Unread, ...] = ()
    unchanged: tuple[Unchanged, ...] = ()
    recorded: tuple[Recorded, ...] = ()
    stops: tuple[Stop, ...] = ()
    without_study_wide: Estimate | None = None
    selections: tuple[Selection, ...] = ()
    selector_digests: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)

    @property
    def datastores(self) -> frozenset[tuple[str, str]]:
        """The name and the ID of each data store that was read."""
        listed = {(one.datastore, one.datastore_id) for one in self.actions}
        return frozenset(listed | {(one.datastore, one.datastore_id) for one in self.unchanged})

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every call of every action that may run, in order."""
        return tuple(step for action in self.actions for step in action.steps)

    @property
    def runnable(self) -> tuple[Action, ...]:
        """The actions that have steps and no blocks."""
        return tuple(action for action in self.actions if action.steps and not action.blocks)

    @property
    def not_selected(self) -> tuple[Selection, ...]:
        """The selectors that do not select what they are to select."""
        return tuple(one for one in self.selections if one.problem)

    @property
    def held(self) -> tuple[Action, ...]:
        """The actions that the plan itself holds back."""
        return tuple(action for action in self.actions if action.is_held)


def image_sets_with(plan: Plan, hazard: Hazard) -> int:
    """Count the image sets of which a change has this hazard."""
    return len(
        {
            (action.datastore_id, change.image_set_id)
            for action in plan.actions
            for change in action.changes
            if hazard in change.hazards
        }
    )


def image_sets_by_status(plan: Plan) -> Counter[Status]:
    """Count image sets, not actions: an action on a study stands for several image sets."""
    found = Counter(action.status for action in plan.actions for _ in action.image_sets)
    found[Status.CONVERGED] += sum(one.image_sets for one in plan.unchanged)
    return found
