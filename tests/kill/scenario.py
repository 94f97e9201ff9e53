"""A repository and a data store for runs that are killed; quick to make, as often as needed.

The emulator runs in its own process, so that the forked process has a single thread. The parent
never uses the clients of forked processes: sockets are not shared.
"""

from __future__ import annotations

import faulthandler
import gc
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from reconciler import pipeline
from reconciler.apply.reporter import SILENT, Reporter
from reconciler.apply.run import Run
from reconciler.cli.emulator.client import connect
from reconciler.core.diff.paths import opened
from reconciler.core.model.bounds import Bounds
from reconciler.core.model.observed import Properties, SearchPage
from reconciler.core.model.outcome import Result
from reconciler.core.model.plan import Plan, Step
from reconciler.core.model.search_filter import Filters
from reconciler.core.model.settings import Datastore, RecordMode, Rules, Settings
from reconciler.core.model.value import Document
from reconciler.core.ports import Files, ImageSets
from reconciler.edges import attempts, quotas, records
from reconciler.edges import key as keys
from reconciler.edges.aws.client import clients
from reconciler.edges.aws.image_sets import BotoImageSets
from reconciler.edges.aws.problems import Target
from reconciler.edges.files import RealFiles
from reconciler.emulator.files.ingest import ImageSet
from tests.documents import document, instance, series
from tests.processes import SECONDS

T = TypeVar("T")
FIRST, SECOND, SPLIT, PLAIN, THERE = (letter * 32 for letter in "abcde")
IDS = (FIRST, SECOND, SPLIT, PLAIN, THERE)
PAYLOAD_BYTES = 700
LONG = "x" * 200
# A second of a run is a tenth of a second here: the updates of the emulator take 20 ms.
CLOCK_FACTOR = 10
# No update here takes that long. A test that waits in vain must fail soon.
LOCK_TIMEOUT = 60.0 * CLOCK_FACTOR
GOOD = (Result.CONVERGED, Result.ALREADY_CONVERGED)


def uid(letter: str) -> str:
    return f"1.2.3.{ord(letter)}"


def documents() -> Iterator[tuple[dict[str, Any], bool]]:
    """Two primary image sets of one study, and three that conflicted at their import."""
    for name in IDS:
        own = uid(name[0])
        blocks = [instance(f"{own}.{number}", private=False) for number in (1, 2, 3)]
        yield document(series(own, blocks), image_set_id=name), name in (FIRST, SECOND)


def manifest(name: str, body: dict[str, Any], **more: Any) -> str:
    head = {"apiVersion": "reconciler/v1", "kind": "ImageSet", "datastore": "research"}
    return json.dumps({**head, "imageSetId": name, "present": body, **more})


def comments(name: str, text: str, *numbers: int) -> dict[str, Any]:
    own = uid(name[0])
    instances = {f"{own}.{one}": {"DICOM": {"ImageComments": f"{text}{one}"}} for one in numbers}
    return {"Series": {own: {"Instances": instances}}}


def described(text: str) -> dict[str, Any]:
    return {"StudyDescription": text}


MANIFESTS = {
    # Study level of a primary: one call for both image sets, then one for the instance.
    "study.json.yaml": manifest(
        FIRST,
        {"Study": {"DICOM": described("CT CHEST"), **comments(FIRST, "a", 1)}},
        allow=["STUDY_WIDE", "SPLIT_UPDATE"],
    ),
    # Too large for one call.
    "split.yaml": manifest(
        SPLIT, {"Study": comments(SPLIT, LONG, 1, 2, 3)}, allow=["SPLIT_UPDATE"]
    ),
    "plain.yaml": manifest(PLAIN, {"Study": {"DICOM": described("CT HEAD")}}),
    # Converged already, and not recorded yet.
    "there.yaml": manifest(THERE, {"Study": {"DICOM": described("CHEST")}}),
}


class FastClock:
    """The real clock, sped up."""

    def now(self) -> float:
        return time.monotonic() * CLOCK_FACTOR

    def utc(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / CLOCK_FACTOR)


class KilledPort(ImageSets):
    """The image sets, with kill points after calls, when their answer is lost.

    After every update, and after the first read of a run and of what an update leaves. No later
    read is a point: it changes nothing, so a kill leaves what a kill before it leaves.
    """

    def __init__(self, port: ImageSets, point: Callable[[], None]) -> None:
        self._port = port
        self._point = point
        self._changed = True

    def _read(self, read: Callable[[], T]) -> T:
        result = read()
        if self._changed:
            self._changed = False
            self._point()
        return result

    def get(self, image_set_id: str, version_id: str | None = None) -> Properties:
        return self._read(lambda: self._port.get(image_set_id, version_id))

    def metadata(self, image_set_id: str, version_id: str) -> Document:
        return self._read(lambda: self._port.metadata(image_set_id, version_id))

    def versions(self, image_set_id: str) -> tuple[Properties, ...]:
        return self._read(lambda: self._port.versions(image_set_id))

    def pages(self, filters: Filters = ()) -> Iterator[SearchPage]:
        return iter(self._read(lambda: list(self._port.pages(filters))))

    def update(self, step: Step) -> str:
        version = self._port.update(step)
        self._changed = True
        self._point()
        return version


@dataclass(frozen=True)
class Service:
    """The process of the emulator, and clients for the parent and for the killed processes."""

    endpoint: str
    ours: tuple[Any, Any]
    theirs: tuple[Any, Any]


def service(folder: Path) -> tuple[subprocess.Popen[bytes], Service]:
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "reconciler", "emulator", "start", "--update-seconds", "0.02"]
    process = subprocess.Popen(
        [*command, "--data", str(folder / "data"), "--ready-file", str(ready)],
        stdout=subprocess.DEVNULL,
    )
    late = time.monotonic() + SECONDS
    while not ready.exists():
        assert process.poll() is None, "the emulator has ended"
        if time.monotonic() > late:
            process.kill()
            raise AssertionError(f"the emulator is not ready after {SECONDS} seconds")
        time.sleep(0.01)
    endpoint = json.loads(ready.read_text())["endpoint"]
    pairs = [clients("us-east-1", endpoint, 8) for _ in range(2)]
    return process, Service(endpoint, *pairs)


class Scenario:
    """One data store and one repository, from the start of a run to the comparison."""

    def __init__(
        self, root: Path, number: int, running: Service, template: Path, concurrency: int = 1
    ) -> None:
        self.root = root
        self._concurrency = concurrency
        self._running = running
        self.datastore = Datastore(
            "research", f"{number:032d}", "us-east-1", endpoint=running.endpoint
        )
        self.settings = Settings(
            root=root,
            manifests="manifests",
            datastores=(self.datastore,),
            rules=Rules(payload_bytes=PAYLOAD_BYTES),
            lock_timeout_seconds=LOCK_TIMEOUT,
            record_mode=RecordMode.COMMIT,
        )
        shutil.copytree(template, root)
        loader = connect(running.endpoint, self.datastore.datastore_id)
        for content, primary in documents():
            loaded = loader.load(ImageSet(content["ImageSetID"], content, ()), primary=primary)
            assert not loaded.problem, loaded.problem
        loader.connection.close()
        self.port = self._of(running.ours)

    def _of(self, pair: tuple[Any, Any]) -> ImageSets:
        target = Target(
            "research", self.datastore.datastore_id, "us-east-1", self._running.endpoint
        )
        return BotoImageSets(*pair, target)

    def edges(self, point: Callable[[], None] = lambda: None, files: Files | None = None) -> Any:
        """The edges of a run in a forked process."""
        clock = FastClock()
        port = quotas.Paced(
            KilledPort(self._of(self._running.theirs), point), quotas.Buckets({}, clock)
        )
        return pipeline.Edges(
            ports=lambda _: port,
            clock=clock,
            files=files or RealFiles(),
            run_id=f"run-{os.getpid()}",
        )

    def plan(self) -> Plan:
        """The plan, made here: by clients that no forked process has."""
        clock = FastClock()
        port = quotas.Paced(self.port, quotas.Buckets({}, clock))
        edges = pipeline.Edges(ports=lambda _: port, clock=clock)
        return pipeline.plan(self.settings, pipeline.check(self.settings), edges).plan

    def run(self, edges: pipeline.Edges, saved: Plan | None, reporter: Reporter = SILENT) -> int:
        """`reconcile apply [plan.json] --record commit`; 0 where everything has converged."""
        opening = pipeline.Opening(self.settings, lambda: pipeline.check(self.settings))
        checked, planned = pipeline.plan_at_rest(self.settings, opening, edges)
        plan = saved or planned.plan
        applied = pipeline.apply(
            self.settings,
            plan,
            edges,
            Run(FastClock(), bounds=Bounds(concurrency=self._concurrency)),
            reporter=reporter,
            saved=saved is not None,
            scanning=pipeline.Scanning(checked, planned) if saved is None else None,
        )
        for problem in (*applied.problems, *applied.held):
            print(problem, file=sys.stderr)
        bad = [one for one in applied.outcomes if one.result not in GOOD]
        for outcome in bad:
            print(outcome, file=sys.stderr)
        return int(bool(applied.problems or applied.held or bad))

    def forked(self, work: Callable[[], int]) -> int:
        """Do it in a fork of this process. Returns the exit code, or minus the signal that killed
        it.

        A fork that hangs prints its stack and ends as -SIGALRM: a lock that another thread held at
        the fork is never released.
        """
        gc.freeze()  # else the fork copies the whole heap, page by page, to look for garbage
        child = os.fork()
        if not child:
            code = 99
            try:
                faulthandler.register(signal.SIGALRM, file=2, chain=True)
                signal.alarm(round(SECONDS))
                code = work()
            except BaseException as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr)
            finally:
                os._exit(code)
        gc.unfreeze()
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def state(self) -> dict[str, Any]:
        """Everything that must be the same in the end; of times, whether they are correct."""
        versions = {name: self.port.versions(name) for name in IDS}
        latest = {name: rows[-1] for name, rows in versions.items()}
        asks = pipeline.check(self.settings).asks
        entries = opened(
            records.read(self.root, self.datastore.datastore_id), asks, keys.read(self.root)
        )
        return {
            "versions": {
                name: [(row.version_id, row.state, row.workflow_status) for row in rows]
                for name, rows in versions.items()
            },
            "contents": {
                name: {**self.port.metadata(name, latest[name].version_id).raw, "DatastoreID": ""}
                for name in IDS
            },
            "records": {
                name: (
                    entry.version_id,
                    entry.previous_version_id,
                    entry.asked,
                    entry.ask_digest,
                    entry.updated_at == latest[name].updated_at,
                    # The run differs by design, and a run after the commit of records states that.
                    entry.run.startswith("run-"),
                    bool(entry.applied_commit),
                )
                for name, entry in entries.items()
            },
            "attempts": [path.name for path in (self.root / attempts.FOLDER).glob("*")],
            "git": self.git("status", "--porcelain").split("\n"),
            "committed": self.git("ls-tree", "-r", "--name-only", "HEAD")
            .replace(self.datastore.datastore_id, "ID")
            .split("\n"),
        }

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.root), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def repository(folder: Path) -> Path:
    """The repository that every run clones: manifests in a commit."""
    (folder / "manifests").mkdir(parents=True)
    for name, text in MANIFESTS.items():
        (folder / "manifests" / name).write_text(text)
    for arguments in (
        ["init", "--quiet", "--template="],
        ["config", "user.name", "Steward"],
        ["config", "user.email", "steward@example.org"],
        ["add", "."],
        ["commit", "--quiet", "-m", "Ask"],
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return folder


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Countdown:
    """Kills this process at its n-th point."""

    def __init__(self, at: int) -> None:
        self._at = at
        self._points = itertools.count(1)

    def __call__(self) -> None:
        if next(self._points) == self._at:
            killed()
