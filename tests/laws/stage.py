"""The stage of the state machine: a data store, other processes that write to it, faults, and the
truth.

The stage reports what was sent and what took effect, never the code under test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock, get_ident
from typing import Any, Protocol, TypeVar

from reconciler.core.errors import UnreachableError
from reconciler.core.model.observed import Properties, SearchPage
from reconciler.core.model.plan import Step
from reconciler.core.model.search_filter import Filters
from reconciler.core.model.settings import Datastore
from reconciler.core.model.value import Document
from reconciler.core.ports import Clock, ImageSets, PacedImageSets
from tests.documents import document, instance, series

T = TypeVar("T")
FIRST, SECOND, OWN = IDS = tuple(letter * 32 for letter in "abc")
# Of one study; the third one's import conflicted, so it stands for itself.
PRIMARY = (FIRST, SECOND)
UPDATE, GET = "UpdateImageSetMetadata", "GetImageSet"
METADATA, VERSIONS = "GetImageSetMetadata", "ListImageSetVersions"
SEARCH = "SearchImageSets"
# Values of other processes begin with this, and no value occurs twice.
THEIRS = "THEIRS"
# The attributes that manifests ask for and other processes write.
DESCRIPTION = "description"
# One attribute of each instance; no manifest asks for the third.
COMMENTS = ("1", "2", "3")

Attributes = dict[str, Any]


def series_of(name: str) -> str:
    """The one series of an image set."""
    return f"1.2.{IDS.index(name)}"


def documents() -> Iterator[dict[str, Any]]:
    """One series of three instances in each image set."""
    for name in IDS:
        own = series_of(name)
        blocks = [instance(f"{own}.{part}", private=False) for part in (1, 2, 3)]
        yield document(series(own, blocks), image_set_id=name)


@dataclass(frozen=True)
class Request:
    """UpdateImageSetMetadata as it is sent."""

    datastore_id: str
    image_set_id: str
    pin: str
    updatable: str | None
    removable: str | None
    revert_to: str | None
    force: bool
    study_wide: bool

    @classmethod
    def of(cls, step: Step) -> Request:
        """The request that a step must send."""
        return cls(
            step.datastore_id,
            step.image_set_id,
            step.pin,
            step.updatable,
            step.removable,
            step.revert_to,
            step.force,
            step.study_wide,
        )


@dataclass(frozen=True)
class Version:
    """A version as the service has it, and how it ends, also while it is under way."""

    number: int
    status: str
    document: dict[str, Any]

    @cached_property
    def held(self) -> dict[str, str | None]:
        """The values of the attributes that manifests ask for and other processes write."""
        (block,) = self.document["Study"]["Series"].values()
        comments = {
            uid[-1]: one["DICOM"].get("ImageComments") for uid, one in block["Instances"].items()
        }
        return {DESCRIPTION: self.document["Study"]["DICOM"].get("StudyDescription"), **comments}

    @cached_property
    def theirs(self) -> dict[str, str]:
        """The values that other processes wrote."""
        return {key: text for key, text in self.held.items() if text and text.startswith(THEIRS)}


@dataclass(frozen=True)
class Sent:
    """An update at the moment it was sent: when each image set was last looked at, and seen."""

    step: Step
    looks: dict[str, tuple[str, float]]
    at: float


@dataclass
class _Hook:
    operation: str
    image_set_id: str
    when: str
    act: Callable[[], None]


@dataclass
class Hooked(ImageSets):
    """The image sets, with things that happen once before or after calls of ours."""

    port: ImageSets
    clock: Clock
    hooks: list[_Hook] = field(default_factory=list)
    updates: list[Sent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._looks: dict[int, dict[str, tuple[str, float]]] = {}

    def inject(self, operation: str, act: Callable[[], None], name: str, when: str) -> None:
        """Do something once, "before" or "after" a call."""
        self.hooks.append(_Hook(operation, name, when, act))

    def get(self, image_set_id: str, version_id: str | None = None) -> Properties:
        seen = self._call(GET, image_set_id, lambda: self.port.get(image_set_id, version_id))
        looks = self._looks.setdefault(get_ident(), {})
        looks[image_set_id] = (seen.version_id, self.clock.now())
        return seen

    def metadata(self, image_set_id: str, version_id: str) -> Document:
        return self._call(
            METADATA, image_set_id, lambda: self.port.metadata(image_set_id, version_id)
        )

    def versions(self, image_set_id: str) -> tuple[Properties, ...]:
        return self._call(VERSIONS, image_set_id, lambda: self.port.versions(image_set_id))

    def pages(self, filters: Filters = ()) -> Iterator[SearchPage]:
        return iter(self._call(SEARCH, "", lambda: list(self.port.pages(filters))))

    def update(self, step: Step) -> str:
        looks = self._looks.pop(get_ident(), {})
        self.updates.append(Sent(step, looks, self.clock.now()))
        return self._call(UPDATE, step.image_set_id, lambda: self.port.update(step))

    def unreachable(self, operation: str, name: str) -> None:
        """No connection for the next call."""

        def refuse() -> None:
            raise UnreachableError("no connection")

        self.inject(operation, refuse, name, "before")

    def _call(self, operation: str, name: str, call: Callable[[], T]) -> T:
        self._act(operation, name, "before")
        result = call()
        self._act(operation, name, "after")
        return result

    def _act(self, operation: str, name: str, when: str) -> None:
        with self._lock:
            matching = [
                one
                for one in self.hooks
                if (one.operation, one.image_set_id, one.when) == (operation, name, when)
            ]
            if not matching:
                return
            self.hooks.remove(matching[0])
        matching[0].act()


class Stage(Protocol):
    """A data store with the image sets of `documents`. Seconds are those of `clock`."""

    datastore: Datastore
    hooked: Hooked
    # When its image sets were created, in epoch seconds.
    created_at: float

    @property
    def clock(self) -> Clock: ...

    def twin(self) -> Stage:
        """Another data store, as it was at first, behind another endpoint: all IDs are equal."""
        ...

    def port(self) -> PacedImageSets:
        """The image sets as a process that has just started has them, paced."""
        ...

    def sent(self) -> Sequence[Request]:
        """Every update that left us, in order."""
        ...

    def history(self, name: str) -> Sequence[Version]:
        """Every version of an image set, the first first."""
        ...

    def write(self, name: str, attributes: Attributes, *, study_wide: bool = False) -> None:
        """Update as another process would, at once; nothing where the image set is LOCKED."""
        ...

    def write_at(
        self, operation: str, name: str, moment: str, target: str, attributes: Attributes
    ) -> None:
        """The same at our next call of this kind, "before" or "after" its own effect."""
        ...

    def copy(self, name: str, seconds: float) -> None:
        """Copy it, as another process would: LOCKED, and the version stays."""
        ...

    def befall(self, kind: str, operation: str, name: str, times: int) -> None:
        """Set the faults of the next calls.

        throttle, error500, reset-before or reset-after; for an update also unreachable: there is no
        connection to send it on.
        """
        ...

    def fail_update(self) -> None:
        """The next update that is accepted ends in UPDATE_FAILED."""
        ...

    def updates_take(self, seconds: float) -> None:
        """How long the image sets of an update are LOCKED from now on."""
        ...

    def search_lags(self) -> None:
        """SearchImageSets does not list what is written from now on."""
        ...

    def search_misses(self, name: str) -> None:
        """SearchImageSets does not list an image set yet."""
        ...

    def calm(self) -> None:
        """Remove all faults, and let time pass until nothing is LOCKED and search is up to date."""
        ...
