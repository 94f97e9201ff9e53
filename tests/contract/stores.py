"""A service with the image sets of one test, and operations that the port does not have."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, TypeVar

import pytest

from reconciler.core.model.observed import Properties, SearchPage, Summary
from reconciler.core.model.plan import Step
from reconciler.core.model.search_filter import Filters, Span
from reconciler.core.model.value import Document
from reconciler.core.ports import Clock, ImageSets
from reconciler.edges.quotas import UPDATE, Buckets, Paced
from tests.documents import document, instance, series

POLL_SECONDS = 1.0
UPDATE_POLLS = 900
_IDS = itertools.count(1)
T = TypeVar("T")
NOTHING = nullcontext()


class Put(Protocol):
    """Makes image sets of documents; their ids, in the same order."""

    def __call__(self, documents: Sequence[dict[str, Any]], *, primary: bool) -> list[str]: ...


class ContractStore:
    """`patience` is how many seconds a search may lag behind, on `clock`.

    `is_exact` where no time passes between two calls, so that no update ends unseen.
    """

    def __init__(
        self,
        port: ImageSets,
        missing: ImageSets,
        datastore_id: str,
        put: Put,
        clock: Clock,
        *,
        patience: float = 0.0,
        is_exact: bool = True,
    ) -> None:
        self.port, self.missing, self.datastore_id = port, missing, datastore_id
        self.clock, self._put = clock, put
        self._patience, self._is_exact = patience, is_exact
        self._made: list[str] = []
        # Other programs may use the same data store, and on AWS earlier runs have used it.
        self._root = f"2.25.{uuid.uuid4().int}"

    def study_uid(self, number: int = 1) -> str:
        """A study of this test alone."""
        return f"{self._root}.{number}"

    def document(
        self, number: int = 1, *, study_number: int = 1, all_series: int = 1, **levels: Any
    ) -> dict[str, Any]:
        """Series of two instances each, none of which another number has."""
        study_uid = self.study_uid(study_number)
        uids = [f"{study_uid}.{number}.{one}" for one in range(1, all_series + 1)]
        blocks = [series(uid, [instance(f"{uid}.{one}") for one in (1, 2)]) for uid in uids]
        levels["study"] = levels.get("study", {}) | {"StudyInstanceUID": study_uid}
        return document(*blocks, **levels)

    def put(self, document: dict[str, Any], *, primary: bool = False) -> str:
        """A new image set at version 1: its id, which the service gives."""
        (name,) = self.put_all([document], primary=primary)
        return name

    def put_all(self, documents: Sequence[dict[str, Any]], *, primary: bool = False) -> list[str]:
        """New image sets, made together."""
        names = self._put(documents, primary=primary)
        self._made += names
        assert {self.port.get(name).is_primary for name in names} == {primary}
        return names

    def search(
        self, *filters: tuple[str, str | Span], until: Callable[[list[Summary]], bool]
    ) -> list[Summary]:
        """The image sets of this test that a search finds.

        Repeats the search until they match, or the patience is over.
        """
        began = self.clock.now()
        while True:
            found = [one for one in self.port.search(filters) if one.image_set_id in self._made]
            if until(found) or self.clock.now() - began >= self._patience:
                return found
            self.clock.sleep(POLL_SECONDS)

    def step(self, image_set_id: str, pin: str = "1", **given: Any) -> Step:
        """A call."""
        return Step(self.datastore_id, image_set_id, pin, (), **given)

    def finish(self) -> None:
        """Let every update of this test end."""
        for name in self._made:
            for _ in range(UPDATE_POLLS):
                if self.port.get(name).state != "LOCKED":
                    break
                self.clock.sleep(POLL_SECONDS)
            else:
                raise AssertionError(f"{name} stays LOCKED")

    def update(self, image_set_id: str, pin: str = "1", **given: Any) -> str:
        """A call, waited for."""
        version = self.port.update(self.step(image_set_id, pin, **given))
        self.finish()
        return version

    def seen_locked(self, image_set_id: str) -> Properties:
        """An image set that an update has LOCKED; where time passes it may be over by now."""
        found = self.port.get(image_set_id)
        if found.state != "LOCKED" and not self._is_exact:
            pytest.skip("the update was over before it could be seen")
        return found

    def refused_while_locked(self, step: Step, *, locked: str) -> Callable[[], str]:
        """To be called within `pytest.raises`: the update, sent while `locked` is LOCKED."""
        self.await_turn()
        self.seen_locked(locked)

        def send() -> str:
            version = self.port.update(step)
            if not self._is_exact:
                pytest.skip("the update was over before the next one came")
            return version

        return send

    def await_turn(self) -> None:
        """Wait until the account accepts one more update."""
        if isinstance(self.port, Turns):
            self.port.await_turn()


class Turns(ImageSets):
    """A port that keeps to the quotas of the account, also for updates.

    There is one for a whole run: the quotas do not start again with each test. Within `standing` no
    other thread lets time pass. So a call arrives at the moment of its turn and is not throttled,
    however slow the machine is.
    """

    def __init__(
        self,
        port: ImageSets,
        buckets: Buckets,
        standing: AbstractContextManager[object] = NOTHING,
    ) -> None:
        self._port = Paced(port, buckets)
        self._buckets = buckets
        self._standing = standing
        self._lock = threading.Lock()
        self._has_turn = False

    def await_turn(self) -> None:
        """Take the turn of the next update."""
        with self._standing, self._lock:
            self._has_turn = self._has_turn or self._buckets.turn(UPDATE)

    def update(self, step: Step) -> str:
        """UpdateImageSetMetadata, in its turn."""
        with self._standing:
            with self._lock:
                if not self._has_turn:
                    self._buckets.turn(UPDATE)
                self._has_turn = False
            return self._port.update(step)

    def get(self, image_set_id: str, version_id: str | None = None) -> Properties:
        """GetImageSet."""
        return self._call(lambda: self._port.get(image_set_id, version_id))

    def metadata(self, image_set_id: str, version_id: str) -> Document:
        """GetImageSetMetadata."""
        return self._call(lambda: self._port.metadata(image_set_id, version_id))

    def versions(self, image_set_id: str) -> tuple[Properties, ...]:
        """ListImageSetVersions."""
        return self._call(lambda: self._port.versions(image_set_id))

    def pages(self, filters: Filters = ()) -> Iterator[SearchPage]:
        """SearchImageSets."""
        return iter(self._call(lambda: list(self._port.pages(filters))))

    def _call(self, call: Callable[[], T]) -> T:
        with self._standing:
            return call()


class StandingClock:
    """The epoch seconds of the emulator and our monotonic seconds; they move only when a thread
    sleeps.

    Only the thread that holds `standing` moves them by its sleep. Otherwise polling threads would
    let minutes pass while the call of another thread is under way.
    """

    def __init__(self) -> None:
        self.standing = threading.RLock()
        self._lock = threading.Lock()
        self._seconds = 1_700_000_000.0

    def now(self) -> float:
        with self._lock:
            return self._seconds

    def utc(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        with self.standing, self._lock:
            # So far from zero, a float moves in steps of some tenths of a microsecond.
            self._seconds += max(seconds, 0.001)


class RealClock:
    """For AWS alone."""

    def now(self) -> float:
        return time.monotonic()

    def utc(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def loading(load: Callable[[dict[str, Any], bool], object]) -> Put:
    """For services that take documents as they are."""

    def put(documents: Sequence[dict[str, Any]], *, primary: bool) -> list[str]:
        names = []
        for given in documents:
            names.append(f"{next(_IDS):032x}")
            load({**given, "ImageSetID": names[-1]}, primary)
        return names

    return put
