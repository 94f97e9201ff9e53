"""The stage on the embedded emulator: real HTTP, the real client, the faults of the emulator.

One server and one pair of clients serve all examples, each in its own data store. Nothing sleeps
for real: the server reads the clock on which the pipeline sleeps, and so do the retries of the SDK.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.retries import standard

from reconciler.core.model.settings import DOCUMENTED_QUOTAS, Datastore
from reconciler.core.ports import PacedImageSets
from reconciler.edges import quotas
from reconciler.edges.aws.client import READ_ATTEMPTS, clients
from reconciler.edges.aws.image_sets import BotoImageSets
from reconciler.edges.aws.problems import Target
from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from reconciler.emulator.rules.behaviours import Behaviours
from reconciler.emulator.store import versions
from reconciler.emulator.store.database import Store
from reconciler.emulator.trouble.quotas import DOCUMENTED
from reconciler.emulator.wire.errors import ApiError
from tests.fakes import EPOCH, FakeClock
from tests.laws.stage import (
    GET,
    METADATA,
    PRIMARY,
    SEARCH,
    UPDATE,
    VERSIONS,
    Attributes,
    Hooked,
    Request,
    Version,
    documents,
)

UPDATE_SECONDS = 2.0
# How far SearchImageSets is behind at most.
LAG_SECONDS = 600.0
# Examples start a power of two apart: what is added to the time rounds alike in each of them.
_APART = 65_536.0
BEHAVIOURS = Behaviours()
_MOST = 2**62
_READS = (GET, METADATA, VERSIONS, SEARCH)


class Time:
    """The time of an example, on a clock that starts at zero."""

    def __init__(self) -> None:
        self.clock, self._epoch = FakeClock(), EPOCH

    def now(self) -> float:
        """Epoch seconds."""
        return self._epoch + self.clock.now()

    def start_anew(self) -> None:
        """A clock at zero, as a process has: the finer the time, the shorter the shortest sleep."""
        self._epoch += _APART
        self.clock = FakeClock()


class Server:
    """A running emulator, its time, and clients that report the requests they send."""

    def __init__(
        self, folder: Path, time: Time | None = None, behaviours: Behaviours = BEHAVIOURS
    ) -> None:
        self.time = time or Time()
        self._folder = folder
        self.emulator = Emulator(
            folder,
            Options(
                update_seconds=UPDATE_SECONDS,
                behaviours=behaviours,
                now=self.time.now,
                limits=DOCUMENTED,
            ),
        )
        self.store = Store(folder)
        self.clients = clients("us-east-1", self.emulator.endpoint, 32)
        self.sent: list[tuple[str, bytes]] = []
        self.numbers = itertools.count(1)
        for client in self.clients:
            client.meta.events.register(f"before-send.medical-imaging.{UPDATE}", self._see)
        self._let_retries_sleep_on_the_clock(self.clients[0])
        host = urlsplit(self.emulator.endpoint).netloc
        self._control = HTTPConnection(host, timeout=30)

    @cached_property
    def trial(self) -> Server:
        """Another emulator, at another endpoint, in the same time."""
        return Server(self._folder / "trial", self.time)

    def _see(self, request: Any, **_: object) -> None:
        # Raised later: botocore would take an error raised here for a connection error.
        self.sent.append((request.url, request.body))

    def _let_retries_sleep_on_the_clock(self, reads: Any) -> None:
        """botocore sleeps as long as the first handler says, and this one has slept already."""
        handler = standard.register_retry_handler(reads, READ_ATTEMPTS)

        def needs_retry(**event: Any) -> int | None:
            delay = handler.needs_retry(**event)
            if delay is None:
                return None
            self.time.clock.sleep(delay)
            return 0

        for operation in _READS:
            # The more specific name is matched first.
            reads.meta.events.register(f"needs-retry.medical-imaging.{operation}", needs_retry)

    def control(self, method: str, body: dict[str, Any] | None = None) -> Any:
        """The faults of the server, as its users set them."""
        self._control.request(method, "/_emulator/faults", json.dumps(body) if body else None)
        answer = self._control.getresponse()
        content = json.loads(answer.read())
        assert answer.status == 200, content
        return content

    def close(self) -> None:
        if "trial" in self.__dict__:
            self.trial.close()
        self._control.close()
        for client in self.clients:
            client.close()
        self.store.close()
        self.emulator.close()


@contextmanager
def server(folder: Path, behaviours: Behaviours = BEHAVIOURS) -> Iterator[Server]:
    """A server for all examples of a test."""
    running = Server(folder, behaviours=behaviours)
    try:
        yield running
    finally:
        running.close()


class Emulated:
    """`tests.laws.stage.Stage` on a data store of its own in a running emulator."""

    def __init__(self, running: Server, datastore_id: str = "") -> None:
        self._server, self._service = running, running.emulator.service
        if not datastore_id:
            running.time.start_anew()
        running.control("DELETE")
        self.clock = running.time.clock
        self.created_at = running.time.now()
        endpoint = running.emulator.endpoint
        self._id = datastore_id or f"{next(running.numbers):032d}"
        self.datastore = Datastore("research", self._id, "us-east-1", endpoint=endpoint)
        self._service.ensure_datastore(self._id)
        for content in documents():
            content["DatastoreID"] = self._id
            name = content["ImageSetID"]
            self._service.load(self._id, content, image_set_id=name, primary=name in PRIMARY)
        target = Target("research", self._id, "us-east-1", endpoint)
        self.hooked = Hooked(BotoImageSets(*running.clients, target), self.clock)
        self._seen = len(running.sent)
        self._sent: list[Request] = []
        self._known: dict[str, list[Version]] = {}

    def twin(self) -> Emulated:
        self.clock.sleep(1.0)
        return Emulated(self._server.trial, self._id)

    def port(self) -> PacedImageSets:
        return quotas.Paced(self.hooked, quotas.Buckets(DOCUMENTED_QUOTAS, self.clock))

    def sent(self) -> Sequence[Request]:
        found = self._server.sent[self._seen :]
        self._sent += (_request(*one) for one in found[len(self._sent) :])
        return self._sent

    def history(self, name: str) -> Sequence[Version]:
        """Read from the database, without a call of ours."""
        known = self._known.setdefault(name, [])
        with self._server.store.read() as connection:
            rows = versions.newest_first(connection, self._id, name, _MOST, _MOST)
            known += [
                Version(row.version, row.end_status, versions.document(connection, self._id, row))
                for row in reversed(rows[: len(rows) - len(known)])
            ]
        return known

    def write(self, name: str, attributes: Attributes, *, study_wide: bool = False) -> None:
        blob = {"updatableAttributes": json.dumps(attributes).encode()}
        with suppress(ApiError):  # LOCKED
            self._service.call(
                UPDATE,
                {
                    **self._address(name),
                    "latestVersionId": self._latest(name),
                    "updateImageSetMetadataUpdates": {"DICOMUpdates": blob},
                    "includeStudyImageSets": study_wide,
                },
                update_seconds=0.0,
            )

    def write_at(
        self, operation: str, name: str, moment: str, target: str, attributes: Attributes
    ) -> None:
        self._arm(
            kind="foreign-write",
            operation=operation,
            imageSetId=name,
            moment=moment,
            target=target,
            attributes=attributes,
            times=1,
        )

    def copy(self, name: str, seconds: float) -> None:
        with suppress(ApiError):  # LOCKED
            self._service.call(
                "CopyImageSet",
                {
                    "datastoreId": self._id,
                    "sourceImageSetId": name,
                    "copyImageSetInformation": {
                        "sourceImageSet": {"latestVersionId": self._latest(name)}
                    },
                },
                update_seconds=seconds,
            )

    def befall(self, kind: str, operation: str, name: str, times: int) -> None:
        if kind == "unreachable":
            for _ in range(times):
                self.hooked.unreachable(operation, name)
        else:
            self._arm(kind=kind, operation=operation, imageSetId=name, times=times)

    def fail_update(self) -> None:
        self._arm(kind="update-failed", times=1)

    def updates_take(self, seconds: float) -> None:
        self._arm(kind="slow-lock", operation=UPDATE, seconds=seconds)

    def search_lags(self) -> None:
        self._arm(kind="stale-search", operation=UPDATE, seconds=LAG_SECONDS)

    def search_misses(self, name: str) -> None:
        """The search index does not have it yet, as after an import."""
        with self._server.store.write() as connection:
            connection.execute(
                "UPDATE search_index SET visible_from = ? WHERE datastore_id = ? "
                "AND image_set_id = ? AND visible_until IS NULL",
                (self._server.time.now() + LAG_SECONDS, self._id, name),
            )

    def calm(self) -> None:
        self.hooked.hooks.clear()
        self._server.control("DELETE")
        with self._server.store.read() as connection:
            (rests_at,) = connection.execute(
                "SELECT MAX(MAX(v.ready_at), MAX(COALESCE(i.hold_until, 0))) FROM versions v "
                "JOIN image_sets i ON i.datastore_id = v.datastore_id AND i.id = v.image_set_id "
                "WHERE v.datastore_id = ?",
                (self._id,),
            ).fetchone()
        self.clock.sleep(max(LAG_SECONDS, rests_at - self._server.time.now()) + 1.0)

    def _arm(self, **fault: Any) -> None:
        """Add a fault. Faults that have not happened yet stay."""
        left = []
        for one in self._server.control("GET")["faults"]:
            triggered, _ = one.pop("triggered"), one.pop("matched")
            if "times" in one:
                one["times"] -= triggered
            if one.get("times", 1) > 0:
                left.append(one)
        self._server.control("PUT", {"faults": [*left, fault]})

    def _address(self, name: str) -> dict[str, str]:
        return {"datastoreId": self._id, "imageSetId": name}

    def _latest(self, name: str) -> str:
        return str(self.history(name)[-1].number)


def _request(url: str, body: bytes) -> Request:
    """The request on the wire, in the terms of a plan."""
    address = urlsplit(url)
    _, _, datastore_id, _, image_set_id, _ = address.path.split("/")
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    updates = json.loads(body)
    blobs = {
        name: base64.b64decode(text).decode("utf-8", "surrogatepass")
        for name, text in updates.get("DICOMUpdates", {}).items()
    }
    assert len(updates) == 1
    assert blobs.keys() <= {"updatableAttributes", "removableAttributes"}
    return Request(
        datastore_id,
        image_set_id,
        query["latestVersion"],
        blobs.get("updatableAttributes"),
        blobs.get("removableAttributes"),
        updates.get("revertToVersionId"),
        query.get("force") == "true",
        query.get("includeStudyImageSets") == "true",
    )
