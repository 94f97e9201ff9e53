"""An entry of `records/`: versions and digests of one image set, never a DICOM value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from reconciler.core.model.observed import Properties

# The number of our comparison rules. Raise it when `dicom` starts to compare or to encode
# differently: entries made under another number then no longer save a read. Their baselines stay.
RULES_VERSION = 2

# The baseline of a path whose recorded version cannot be believed or read.
UNREADABLE = "unreadable"

# (path, baseline), sorted by path.
Baselines: TypeAlias = tuple[tuple[str, str], ...]

# (name of a selector, digest over what it selects), sorted. For what "" means, see `Evidence`.
SelectedBy: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, order=True)
class Unverified:
    """A version that an update of ours made, and that was read back with other content.

    `is_left` says that a study-wide update was accepted and left this image set in the version.
    `paths` are those that the update carried and that no manifest has accepted since: they are
    blocked. `requests` are those of them that it changed, each with a digest over what was asked:
    the same is not sent again. In a record these digests are keyed.
    """

    version_id: str
    paths: tuple[str, ...] = ()
    requests: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    is_left: bool = False


@dataclass(frozen=True, slots=True, order=True)
class StudyMembers:
    """The primary image sets of a study, (image set, version), when all of them converged."""

    study_instance_uid: str = field(repr=False)
    versions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """What is recorded of one image set.

    `version_id` is the version that was seen last, `updated_at` and `created_at` the service's
    times of it in epoch seconds. `asked` has the baseline of each path that a manifest asks for:
    the version in which its value was last known and reviewed. `released` has those of paths that
    no manifest asks for any more. `ask_digest` is over the resolved ask, and only there where all
    of it was seen converged at `version_id`; in a record it is keyed (`diff.paths.sealed`).
    `is_dated` is false for an entry of the form before `created_at` was stored. `unverified` are
    the versions that an update of ours made with other content. `study` is for an image set whose
    manifests ask something of its study: the study as it was when it converged. `selected_by` are
    the selectors that the image set belongs to; in a record their digests are keyed. `run` and
    `applied_commit` are those of the run that last changed another field; "" for an entry of
    before they were stored.
    """

    datastore_id: str
    image_set_id: str
    version_id: str
    previous_version_id: str
    updated_at: float | None
    asked: Baselines
    ask_digest: str = field(repr=False)
    rules_version: int = RULES_VERSION
    created_at: float | None = None
    is_dated: bool = True
    released: Baselines = ()
    arn: str = ""
    unverified: tuple[Unverified, ...] = ()
    study: StudyMembers | None = None
    selected_by: SelectedBy = field(default=(), repr=False)
    run: str = ""
    applied_commit: str = ""

    @property
    def unsigned(self) -> Entry:
        """The entry without the run and the commit that last changed it."""
        return replace(self, run="", applied_commit="")

    @property
    def baselines(self) -> Mapping[str, str]:
        """The baseline of every path, released paths too."""
        return {**dict(self.released), **dict(self.asked)}

    @property
    def is_level(self) -> bool:
        """Whether the baseline of every asked path is the version of the entry."""
        return all(version == self.version_id for _, version in self.asked)

    @property
    def disbelieved(self) -> Entry:
        """The entry with every baseline unreadable: it is of another store or history."""
        return replace(
            self,
            asked=tuple((path, UNREADABLE) for path, _ in self.asked),
            released=tuple((path, UNREADABLE) for path, _ in self.released),
            unverified=(),
            study=None,
        )

    def properties(self, *, is_primary: bool | None) -> Properties:
        """What GetImageSet answers if the image set is still as recorded."""
        return Properties(
            self.image_set_id,
            self.version_id,
            "ACTIVE",
            is_primary=is_primary,
            updated_at=self.updated_at,
            created_at=self.created_at,
            arn=self.arn,
        )

    def is_of(self, properties: Properties | Evidence) -> bool:
        """Whether this may be an entry of exactly this image set.

        Image set IDs come again in another data store of the same ID, such as a trial emulator,
        but then the image set was created at another time, or has another ARN.
        """
        if self.arn and properties.arn and self.arn != properties.arn:
            return False
        return not self.is_dated or same_moment(self.created_at, properties.created_at)

    def is_at(self, properties: Properties) -> bool:
        """Whether this is an entry of exactly this version: number, `updatedAt`, `createdAt`.

        AWS may omit `updatedAt` for the first version (decision 0002, U24), so two missing times
        are equal. An entry without `createdAt` needs an equal `updatedAt`.
        """
        if self.version_id != properties.version_id or not self.is_of(properties):
            return False
        if self.updated_at is None and properties.updated_at is None:
            return self.is_dated
        return same_moment(self.updated_at, properties.updated_at)

    def is_refuted_by(self, live: Properties) -> bool:
        """Whether the latest version alone shows that this is of another store or history.

        Where it does not, an earlier version may still show it.
        """
        if self.is_at(live):
            return False
        return not self.is_of(live) or int(self.version_id) >= int(live.version_id)


@dataclass(frozen=True, slots=True, order=True)
class Evidence:
    """What a run found out about one image set, to be merged into its entry.

    `version_id` is the version that was seen. The paths of `converged` hold there what is asked.
    Those of `carried` belong to an action that ended otherwise: without a baseline they get
    `carried_version`, the version that the action was planned for. `converged_of_study` and
    `carried_of_study` are the same for paths that manifests ask of the study, but not of this image
    set. `released` are no longer asked by any manifest. `renamed` leads from a recorded path to its
    path under the new UID. `refuted` is the version of an entry that the service has contradicted.
    `unverified` is the version seen, where an update of ours made it with other content. `accepted`
    are paths of earlier ones that a manifest accepts. `study` is as in an entry.
    `ask_digest` is not keyed, and "" where not all that is asked was seen converged. `selected_by`
    are the selectors that the image set belongs to, with digests that are not keyed; "" leaves what
    is recorded of a selector, and None leaves what is recorded of all.
    """

    datastore_id: str
    image_set_id: str
    version_id: str
    previous_version_id: str
    updated_at: float | None
    created_at: float | None = None
    arn: str = ""
    converged: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    carried_version: str = ""
    converged_of_study: tuple[str, ...] = ()
    carried_of_study: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    refuted: str = ""
    ask_digest: str = field(default="", repr=False)
    unverified: Unverified | None = None
    accepted: tuple[Unverified, ...] = ()
    study: StudyMembers | None = None
    selected_by: SelectedBy | None = field(default=None, repr=False)


def ranked(baseline: str) -> int:
    """Baselines in order: unreadable is below every version."""
    return -1 if baseline == UNREADABLE else int(baseline)


def as_baselines(rows: Mapping[str, str] | Iterable[tuple[str, str]]) -> Baselines:
    """Paths with their baselines, sorted."""
    return tuple(sorted(dict(rows).items()))


def same_moment(one: float | None, other: float | None) -> bool:
    """Whether two times are known and equal to the millisecond, the precision of records."""
    if one is None or other is None:
        return False
    return round(one * 1000) == round(other * 1000)
