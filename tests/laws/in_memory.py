"""The stage in memory: quick, so that there can be many examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reconciler.core.errors import NoAnswerError, ThrottledError
from reconciler.core.model.settings import DOCUMENTED_QUOTAS, Datastore
from reconciler.core.ports import PacedImageSets
from reconciler.edges import quotas
from reconciler.edges.aws.client import READ_ATTEMPTS
from tests.documents import DATASTORE_ID
from tests.fakes import EPOCH, FakeClock, FakeImageSets
from tests.laws.stage import PRIMARY, UPDATE, Attributes, Hooked, Request, Version, documents

_FAULTS: dict[str, tuple[Exception, str]] = {
    "throttle": (ThrottledError("a fault"), "before"),
    "error500": (NoAnswerError("a fault"), "before"),
    "reset-before": (NoAnswerError("a fault"), "before"),
    "reset-after": (NoAnswerError("a fault"), "after"),
}


class InMemory:
    """`tests.laws.stage.Stage` on the fake."""

    def __init__(self, clock: FakeClock | None = None, endpoint: str = "http://fake") -> None:
        self.clock = clock or FakeClock()
        self.created_at = EPOCH + self.clock.now()
        self.datastore = Datastore("research", DATASTORE_ID, "us-east-1", endpoint=endpoint)
        self._fake = FakeImageSets(self.clock, datastore_id=DATASTORE_ID)
        for content in documents():
            self._fake.put(content, primary=content["ImageSetID"] in PRIMARY)
        self.hooked = Hooked(self._fake, self.clock)
        self._known: dict[str, list[Version]] = {}
        self._sent: list[Request] = []

    def twin(self) -> InMemory:
        self.clock.sleep(1.0)
        return InMemory(self.clock, "http://trial")

    def port(self) -> PacedImageSets:
        return quotas.Paced(self.hooked, quotas.Buckets(DOCUMENTED_QUOTAS, self.clock))

    def sent(self) -> Sequence[Request]:
        self._sent += map(Request.of, self._fake.sent[len(self._sent) :])
        return self._sent

    def history(self, name: str) -> Sequence[Version]:
        known = self._known.setdefault(name, [])
        known += [Version(*row) for row in self._fake.history(name, len(known))]
        return known

    def write(self, name: str, attributes: Attributes, *, study_wide: bool = False) -> None:
        self._fake.foreign_update(name, attributes, study_wide=study_wide)

    def write_at(
        self, operation: str, name: str, moment: str, target: str, attributes: Attributes
    ) -> None:
        def act() -> None:
            self.write(target, attributes)

        self._fake.inject(operation, act, image_set_id=name, when=moment)

    def copy(self, name: str, seconds: float) -> None:
        self._fake.lock(name, seconds)

    def befall(self, kind: str, operation: str, name: str, times: int) -> None:
        if kind == "unreachable":
            self.hooked.unreachable(operation, name)
        else:
            error, when = _FAULTS[kind]
            # There is no SDK here that retries a read, so faults that it would retry do not happen.
            seen = times if operation == UPDATE else times // READ_ATTEMPTS
            self._fake.inject(operation, _raising(error), image_set_id=name, when=when, times=seen)

    def fail_update(self) -> None:
        self._fake.fail_update("It did not work out")

    def updates_take(self, seconds: float) -> None:
        self._fake.update_seconds = seconds

    def search_lags(self) -> None:
        self._fake.search_lag = 2

    def search_misses(self, name: str) -> None:
        self._fake.search_misses.add(name)

    def calm(self) -> None:
        self.hooked.hooks.clear()
        self._fake.calm()
        self._fake.update_seconds = 2.0


def _raising(error: Exception) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act
