"""The services that the one suite runs against: the fake in memory, the emulator over HTTP."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reconciler import aws
from reconciler.emulator.server import Emulator
from reconciler.model.plan import Step
from reconciler.model.settings import Datastore
from reconciler.ports import Clock, ImageSets
from tests.fakes import FakeClock, FakeImageSets

UPDATE_SECONDS = 4.0
_NUMBERS = itertools.count(1)


class World:
    """A service with an empty data store, and what a test does beside the port."""

    def __init__(
        self,
        port: ImageSets,
        missing: ImageSets,
        datastore_id: str,
        put: Callable[[dict[str, Any], bool], object],
        clock: Clock,
    ) -> None:
        self.port, self.missing, self.datastore_id = port, missing, datastore_id
        self.clock, self._put = clock, put

    def put(self, document: dict[str, Any], *, primary: bool = False) -> str:
        """A new image set at version 1."""
        self._put(document, primary)
        return str(document["ImageSetID"])

    def step(self, image_set_id: str, pin: str = "1", **given: Any) -> Step:
        """A call."""
        return Step(self.datastore_id, image_set_id, pin, (), **given)

    def finish(self) -> None:
        """Let every update under way end."""
        self.clock.sleep(UPDATE_SECONDS + 0.5)

    def update(self, image_set_id: str, pin: str = "1", **given: Any) -> str:
        """A call, waited for."""
        version = self.port.update(self.step(image_set_id, pin, **given))
        self.finish()
        return version


class EmulatorClock:
    """The emulator's epoch seconds and our monotonic ones; they move only when somebody sleeps."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds = 1_700_000_000.0

    def now(self) -> float:
        with self._lock:
            return self._seconds

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._seconds += seconds


@pytest.fixture(scope="session")
def emulator(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Emulator, EmulatorClock]]:
    clock = EmulatorClock()
    folder = tmp_path_factory.mktemp("contract")
    with Emulator(folder, update_seconds=UPDATE_SECONDS, now=clock.now) as emulator:
        yield emulator, clock


def _of_emulator(emulator: Emulator, clock: EmulatorClock) -> World:
    def connected(datastore_id: str) -> ImageSets:
        datastore = Datastore("research", datastore_id, "us-east-1", endpoint=emulator.endpoint)
        return aws.connect(datastore, endpoint=emulator.endpoint)

    def put(document: dict[str, Any], primary: bool) -> None:
        emulator.service.load(
            datastore_id, document, image_set_id=document["ImageSetID"], primary=primary
        )

    datastore_id = f"{next(_NUMBERS):032d}"
    emulator.service.ensure_datastore(datastore_id, "contract")
    return World(connected(datastore_id), connected("f" * 32), datastore_id, put, clock)


def _of_fake() -> World:
    fake = FakeImageSets(FakeClock(), update_seconds=UPDATE_SECONDS)

    def put(document: dict[str, Any], primary: bool) -> None:
        fake.put(document, primary=primary)

    missing = FakeImageSets(missing=True)
    return World(fake, missing, fake.datastore_id, put, fake.clock)


@pytest.fixture(params=["fake", "emulator"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "fake":
        return _of_fake()
    return _of_emulator(*request.getfixturevalue("emulator"))
