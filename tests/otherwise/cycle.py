"""The cycle plan, apply, plan, apply, plan, apply against a service that behaves otherwise.

The pipeline runs over HTTP, as the commands do. Emulator and pipeline share one clock, which moves
only while something waits. What is lost and what is converged is judged by the documents that the
service holds, and not by the records.
"""

from __future__ import annotations

import copy
import gzip
import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reconciler.core.errors import InputError, ReconcilerError
from reconciler.core.model.plan import Plan, Status
from reconciler.core.model.results import Applied
from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from reconciler.emulator.operations.context import Context
from reconciler.emulator.operations.joining import Import
from reconciler.emulator.operations.service import Service
from reconciler.emulator.rules.behaviours import Behaviours
from reconciler.emulator.store.database import Store
from tests.fakes import EPOCH, FakeClock
from tests.pipeline.repository import Repository

Raw = dict[str, Any]
Values = dict[str, object]
STORE = "store"
ABSENT = "(absent)"
UPDATE = "UpdateImageSetMetadata"
UPDATE_SECONDS = 0.1
# A pair of plan and apply that takes longer waits for what does not come.
MOST_SECONDS = 60.0
LOCK_TIMEOUT = 900.0
_GOOD = frozenset({"converged", "already-converged"})
# After these the same call is sent once more by the next apply.
_SENT_AGAIN = frozenset({"failed", "unresolved"})


@dataclass(frozen=True)
class Asked:
    """What a manifest asks of an image set: the paths that may change, and their value then.

    A path is that of `values`; "*" stands for any UID.
    """

    image_set_id: str
    path: str
    value: object

    def is_about(self, path: str) -> bool:
        """Whether a path of a document is one of those asked."""
        mine, other = self.path.split("/"), path.split("/")
        return len(mine) <= len(other) and all(
            one in ("*", two) for one, two in zip(mine, other, strict=False)
        )

    def is_held(self, found: Values) -> bool:
        """Whether a document holds it."""
        about = [value for path, value in found.items() if self.is_about(path)]
        if self.value == ABSENT:
            return not about
        return bool(about) and all(equal(value, self.value) for value in about)


@dataclass(frozen=True)
class Pair:
    """What a plan and the apply of it said, and how many updates were sent."""

    said: frozenset[str]
    text: str
    sent: int
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether everything is called converged."""
        return self.said <= _GOOD


class Stage(Repository):
    """A repository beside an emulator, what it asks for, and what another process wrote."""

    def __init__(self, folder: Path, emulator: Emulator, clock: FakeClock) -> None:
        root = folder / "repository"
        root.mkdir()
        super().__init__(root, emulator, clock)
        self.settings = replace(self.settings, lock_timeout_seconds=LOCK_TIMEOUT)
        self.clock = clock
        self.before: dict[str, Values] = {}
        self.asked: list[Asked] = []
        self.theirs: dict[tuple[str, str], object] = {}
        self._folder = folder / STORE

    def elsewhere(self, datastore_id: str) -> None:
        """Use a data store with another ID."""
        self.datastore = replace(self.datastore, datastore_id=datastore_id)
        self.settings = replace(self.settings, datastores=(self.datastore,))
        self.port = self._connected(self.clock)

    def put(self, content: Raw, *, primary: bool = False) -> str:
        """An image set as it is before the first plan."""
        name = self.load(copy.deepcopy(content), primary=primary)
        self.before[name] = values(self.held(name))
        return name

    def asks(self, name: str, body: str, *wanted: tuple[str, object]) -> None:
        """A manifest of one image set, and what its document must hold in the end."""
        self.manifest(f"{name}.yaml", body, name)
        self.asked += [Asked(name, path, value) for path, value in wanted]

    def another_writes(
        self,
        name: str,
        path: str,
        value: object,
        *,
        seconds: float = 0.0,
        makes_version: bool = True,
    ) -> None:
        """Another process writes a value; the image set is LOCKED for that long."""
        self.theirs[name, path] = value
        level, keyword = path.split("/")
        payload = {level: {"DICOM": {keyword: value}}}
        self.send(name, payload, seconds=seconds, update_makes_version=makes_version)

    def send(self, name: str, payload: Raw, *, seconds: float = 0.0, **switches: Any) -> None:
        """An update by another process, as documented but for these switches."""
        self.clock.sleep(1.0)
        address = {"datastoreId": self.datastore.datastore_id, "imageSetId": name}
        blob = {"updatableAttributes": json.dumps(payload).encode()}
        with documented(self._folder, self.clock, **switches) as service:
            latest = service.call("GetImageSet", address)["versionId"]
            updates = {"updateImageSetMetadataUpdates": {"DICOMUpdates": blob}}
            service.call(
                UPDATE, {**address, "latestVersionId": latest, **updates}, update_seconds=seconds
            )
        self.clock.sleep(1.0)

    def imports(self, name: str, uid: str) -> None:
        """An import adds an instance, a copy of the first, to the series of a primary image set."""
        self.clock.sleep(1.0)
        added = self.held(name)
        (series,) = added["Study"]["Series"].values()
        block = copy.deepcopy(next(iter(series["Instances"].values())))
        block["DICOM"]["SOPInstanceUID"] = uid
        series["Instances"] = {uid: block}
        now = EPOCH + self.clock.now()
        store = Store(self._folder)
        context = Context(store, lambda: now, 0.0, Behaviours())
        with store.write() as connection:
            Import(context, connection, self.datastore.datastore_id, now, now).join(added)
        store.close()
        self.clock.sleep(1.0)

    def faults(self, *faults: Mapping[str, Any]) -> None:
        """Set these faults of the emulator, and no others."""
        body = json.dumps({"faults": faults}).encode()
        url = f"{self.emulator.endpoint}/_emulator/faults"
        with urllib.request.urlopen(urllib.request.Request(url, body, method="PUT")) as answer:
            assert answer.status == 200

    def held(self, name: str) -> Raw:
        """What the service holds of an image set, whatever it shows."""
        address = {"datastoreId": self.datastore.datastore_id, "imageSetId": name}
        with documented(self._folder, self.clock) as service:
            answer = service.call("GetImageSetMetadata", address)
        found: Raw = json.loads(gzip.decompress(answer["imageSetMetadataBlob"]))
        return found

    def pair(self, meanwhile: Callable[[Stage], None] | None = None) -> Pair:
        """Plan, let another process act, and apply the plan."""
        self.clock.sleep(1.0)
        began, sent = self.clock.now(), self._updates()
        try:
            planned = self.plan()
            if meanwhile is not None:
                meanwhile(self)
            began = self.clock.now() if meanwhile is not None else began
            applied = self.apply(planned)
        except (InputError, ReconcilerError) as error:
            return Pair(frozenset({"error"}), str(error), 0, 0.0)
        said, text = _told(planned, applied)
        return Pair(said, text, self._updates() - sent, self.clock.now() - began)

    def _updates(self) -> int:
        return self.port.counts().get(UPDATE, 0)

    def lost(self) -> Iterator[str]:
        """What the service holds otherwise than it was, though no manifest asks for it."""
        for name, before in self.before.items():
            now = values(self.held(name))
            theirs = {path: value for (one, path), value in self.theirs.items() if one == name}
            asked = [one for one in self.asked if one.image_set_id == name]
            for path, value in {**before, **theirs}.items():
                is_ours = path not in theirs and any(one.is_about(path) for one in asked)
                if not is_ours and not equal(now.get(path, ABSENT), value):
                    yield f"{name}: {path}"

    def missed(self) -> Iterator[str]:
        """What a manifest asks for and the service does not hold."""
        for one in self.asked:
            if not one.is_held(values(self.held(one.image_set_id))):
                yield f"{one.image_set_id}: {one.path}"


@contextmanager
def stage(folder: Path, **switches: Any) -> Iterator[Stage]:
    """A stage whose emulator has these switches."""
    clock = FakeClock()

    options = Options(
        update_seconds=UPDATE_SECONDS,
        now=_now(clock),
        sleep=clock.sleep,
        behaviours=Behaviours(**switches),
    )
    with Emulator(folder / STORE, options) as emulator:
        yield Stage(folder, emulator, clock)


@contextmanager
def documented(folder: Path, clock: FakeClock, **switches: Any) -> Iterator[Service]:
    """The service over the same data, with the default behaviour but for these switches."""
    service = Service(folder, now=_now(clock), behaviours=Behaviours(**switches))
    try:
        yield service
    finally:
        service.close()


def _now(clock: FakeClock) -> Callable[[], float]:
    return lambda: EPOCH + clock.now()


def cycle(
    on: Stage,
    meanwhile: Callable[[Stage], None] | None = None,
    later: Callable[[Stage], None] | None = None,
) -> list[Pair]:
    """Three pairs, each held against the service.

    Another process acts within the first pair, and after it. Faults end with the first pair. What
    is called converged holds what is asked. What is lost was reported, by one pair at least. The
    third pair writes nothing, but for one call that the service has refused so far. No pair waits
    for what does not come.
    """
    pairs: list[Pair] = []
    for number in range(3):
        pair = on.pair(meanwhile if number == 0 else None)
        pairs.append(pair)
        missed, lost = list(on.missed()), list(on.lost())
        assert not pair.is_good or not missed, (missed, pairs)
        assert not all(one.is_good for one in pairs) or not lost, (lost, pairs)
        assert pair.seconds < MOST_SECONDS, pairs
        if number == 0:
            on.faults()
            if later is not None:
                later(on)
    most = 1 if pairs[-1].said & _SENT_AGAIN else 0
    assert pairs[-1].sent <= most, pairs
    return pairs


def _told(planned: Plan, applied: Applied) -> tuple[frozenset[str], str]:
    """The statuses of what was not sent, the results of what was, and every message."""
    ended = {id(one.step) for one in applied.outcomes}
    statuses = {
        str(action.status)
        for action in planned.actions
        if not any(id(step) in ended for step in action.steps)
    }
    if planned.unchanged:
        statuses.add(str(Status.CONVERGED))
    results = {str(one.result) for one in applied.outcomes}
    blocks = [f"{one.message} {one.hint}" for action in planned.actions for one in action.blocks]
    return frozenset(statuses | results), "\n".join(
        [*blocks, *(one.message for one in applied.outcomes)]
    )


def values(content: Raw) -> Values:
    """The values of a document: Patient/K, Study/K, Series/UID/K, Instances/UID/K.

    Instances/UID/K also has what is beside the attributes of an instance.
    """
    found: Values = {}
    for level in ("Patient", "Study"):
        found |= {f"{level}/{key}": value for key, value in content[level]["DICOM"].items()}
    for uid, series in content["Study"]["Series"].items():
        found |= {f"Series/{uid}/{key}": value for key, value in series["DICOM"].items()}
        for name, instance in series["Instances"].items():
            beside = {key: value for key, value in instance.items() if key != "DICOM"}
            found |= {
                f"Instances/{name}/{key}": value
                for key, value in {**instance["DICOM"], **beside}.items()
            }
    return found


def equal(one: object, other: object) -> bool:
    """Whether two values are the same, apart from padding at their end."""
    if isinstance(one, str) and isinstance(other, str):
        return one.rstrip() == other.rstrip()
    return one == other
