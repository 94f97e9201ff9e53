"""How much of the update quota an apply uses, beside what a script with boto3 would make of it.

python -m benchmarks.apply [UPDATES] [UPDATES OF THE SEQUENTIAL LOOP] [--write docs/benchmarks.md]

The emulator runs in a process of its own and enforces the documented quotas × 40 (10 updates a
second instead of 0.25), an update takes 2 seconds. All three bring the same image sets to the same
content, one after the other. Utilisation is that of the quota of UpdateImageSetMetadata, from the
first to the last accepted call; times, calls and throttles are the emulator's own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
from botocore.config import Config

from reconciler import pipeline
from reconciler.apply.run import Run
from reconciler.cli.clock import RealClock
from reconciler.cli.emulator.client import connect
from reconciler.core.model.outcome import Result
from reconciler.core.model.settings import DOCUMENTED_QUOTAS, Datastore, Settings
from reconciler.edges import aws, quotas
from reconciler.emulator.files.ingest import ImageSet
from tests.documents import document, instance, series

FACTOR = 40
UPDATE_SECONDS = 2
UPDATE = "UpdateImageSetMetadata"
RATE = DOCUMENTED_QUOTAS[UPDATE].rate * FACTOR
THREADS = 32
SDK_ATTEMPTS = 20


@dataclass
class Measured:
    """The result of one way to apply."""

    name: str
    updates: int
    wall: float
    accepted: list[float]
    calls: int
    throttled: int
    reads: int

    @property
    def utilisation(self) -> float:
        """The share of the quota, between the first and the last accepted call."""
        span = max(self.accepted) - min(self.accepted)
        return (len(self.accepted) - 1) / (span * RATE) if span else 0.0

    def row(self) -> str:
        """A row of the table."""
        return (
            f"| {self.name} | {self.updates} | {self.wall:.1f} s | {self.utilisation:.1%} "
            f"| {self.calls} | {self.throttled} ({self.throttled / self.calls:.1%}) "
            f"| {self.reads} |"
        )


HEADER = """\
| way | updates | wall time | of the update quota | update calls | throttled | other calls |
|---|--:|--:|--:|--:|--:|--:|"""


@contextmanager
def emulator(folder: Path) -> Iterator[str]:
    """A process of its own, with quotas."""
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "reconciler", "emulator", "start", "--data", str(folder)]
    command += ["--ready-file", str(ready), "--update-seconds", str(UPDATE_SECONDS)]
    command += ["--quotas", "documented", "--quota-factor", str(FACTOR)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while not ready.exists():
            time.sleep(0.02)
        yield json.loads(ready.read_text())["endpoint"]
    finally:
        process.terminate()
        process.wait()


def load(endpoint: str, datastore_id: str, count: int) -> list[str]:
    """Load image sets at version 1."""
    loader = connect(endpoint, datastore_id)
    names = [f"{number:032x}" for number in range(count)]
    for number, name in enumerate(names):
        uid = f"1.2.840.99.{number}"
        content = document(series(uid, [instance(f"{uid}.1")]), image_set_id=name)
        problem = loader.load(ImageSet(name, content), primary=False).problem
        if problem:
            raise RuntimeError(problem)
    return names


def counters(endpoint: str) -> dict[str, Any]:
    """The counters of the emulator."""
    with urlopen(f"{endpoint}/_emulator/counters") as answer:
        return dict(json.load(answer)["operations"])


def measured(
    name: str, endpoint: str, datastore_id: str, count: int, work: Callable[..., None]
) -> Measured:
    """Load the image sets, let the token buckets fill, then do the work."""
    names = load(endpoint, datastore_id, count)
    time.sleep(5)
    before = counters(endpoint)
    begin = time.perf_counter()
    work(endpoint, datastore_id, names)
    wall = time.perf_counter() - begin
    after = counters(endpoint)
    accepted = accepted_at(endpoint, datastore_id)

    def grown(operation: str, what: str) -> int:
        nothing = {"calls": 0, "throttled": 0}
        return int(after[operation][what] - before.get(operation, nothing)[what])

    reads = sum(grown(operation, "calls") for operation in after if operation != UPDATE)
    run = Measured(
        name, count, wall, accepted, grown(UPDATE, "calls"), grown(UPDATE, "throttled"), reads
    )
    print(run.row(), flush=True)
    return run


def accepted_at(endpoint: str, datastore_id: str) -> list[float]:
    """When the emulator accepted each update, by its own clock: the updatedAt of version 2."""
    datastore = Datastore("research", datastore_id, "us-east-1", endpoint=endpoint)
    rows = aws.connect(datastore, endpoint=endpoint).search()
    return [row.updated_at for row in rows if row.version_id == "2" and row.updated_at]


def ours(endpoint: str, datastore_id: str, names: list[str]) -> None:
    """Plan and apply, as `reconcile apply --auto-approve` does: verified and recorded."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "manifests").mkdir()
        ask = {
            "apiVersion": "reconciler/v1",
            "kind": "ImageSet",
            "datastore": "research",
            "imageSetIds": names,
            "present": {"Study": {"DICOM": {"StudyDescription": "CT CHEST"}}},
        }
        (root / "manifests" / "all.yaml").write_text(json.dumps(ask))
        datastore = Datastore("research", datastore_id, "us-east-1", endpoint=endpoint)
        rates = {name: quota.rate * FACTOR for name, quota in DOCUMENTED_QUOTAS.items()}
        settings = Settings(root, "manifests", (datastore,), quotas=tuple(sorted(rates.items())))
        clock = RealClock()
        buckets = quotas.share(settings, clock)["research"]
        calls = aws.connect(datastore, endpoint=endpoint, on_throttle=buckets.throttled)
        port = quotas.Paced(calls, buckets)
        edges = pipeline.Edges(lambda _: port, clock)
        planned = pipeline.plan(settings, pipeline.check(settings), edges).plan
        applied = pipeline.apply(settings, planned, edges, Run(clock))
        results = [outcome.result for outcome in applied.outcomes]
        if results != [Result.CONVERGED] * len(names) or applied.problems:
            raise RuntimeError("not everything converged")


def client(endpoint: str, attempts: int) -> Any:
    """A boto3 client as a script would make it."""
    return boto3.client(
        "medical-imaging",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="emulator",
        aws_secret_access_key="emulator",
        config=Config(
            inject_host_prefix=False,
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=THREADS,
        ),
    )


def scripted(sdk: Any, datastore_id: str, name: str) -> None:
    """Update one image set as a script would: update, then poll until it is no longer LOCKED."""
    address = {"datastoreId": datastore_id, "imageSetId": name}
    content = {"SchemaVersion": 1.1, "Study": {"DICOM": {"StudyDescription": "CT CHEST"}}}
    sdk.update_image_set_metadata(
        **address,
        latestVersionId="1",
        updateImageSetMetadataUpdates={
            "DICOMUpdates": {"updatableAttributes": json.dumps(content).encode()}
        },
    )
    while sdk.get_image_set(**address)["imageSetState"] == "LOCKED":
        time.sleep(0.25)


def sequential(endpoint: str, datastore_id: str, names: list[str]) -> None:
    """Update the image sets one after the other."""
    sdk = client(endpoint, SDK_ATTEMPTS)
    for name in names:
        scripted(sdk, datastore_id, name)


def pool(endpoint: str, datastore_id: str, names: list[str]) -> None:
    """Update the image sets side by side; the SDK retries throttled calls."""
    sdk = client(endpoint, SDK_ATTEMPTS)

    def one(name: str) -> int:
        try:
            scripted(sdk, datastore_id, name)
        except sdk.exceptions.ThrottlingException:
            return 1
        return 0

    with ThreadPoolExecutor(THREADS) as workers:
        given_up = sum(workers.map(one, names))
    if given_up:
        print(f"thread pool: {given_up} updates given up by the SDK")


def machine() -> str:
    """The machine on which it was measured."""
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


TEXT = """\
## Apply

`python -m benchmarks.apply`, measured on {machine}.

- The emulator is a process of its own. It enforces the documented quotas × {factor}:
  {rate:g} updates a second instead of 0.25, and reads alike. An update takes {seconds} seconds.
- The share of the update quota is taken from the first to the last accepted call. Times, calls and
  throttles are the emulator's own.
- The sequential loop makes fewer updates, because its rate does not depend on their number.
- The thread pool has {threads} threads, and its SDK tries up to {attempts} times. It can exceed
  100 %: the emulator multiplies the burst, too, and the pool uses it. AWS has a burst of one.
- The two scripts verify and record nothing. The other calls of `reconcile apply` are the reads of
  the plan, the polling, and the reading back.

{table}

For AWS's own quotas, divide the rates by {factor}. 400 updates then take 27 minutes for any program
that is not throttled.
"""


def main() -> None:
    """Measure all three, print the table, and write the page with `--write`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("updates", type=int, nargs="?", default=400)
    parser.add_argument("sequential", type=int, nargs="?", default=30)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, emulator(Path(folder)) as endpoint:
        print(HEADER)
        runs = [
            measured("`reconcile apply`", endpoint, "a" * 32, given.updates, ours),
            measured("thread pool, SDK retries", endpoint, "b" * 32, given.updates, pool),
            measured("sequential loop", endpoint, "c" * 32, given.sequential, sequential),
        ]
    if given.write:
        text = TEXT.format(
            machine=machine(),
            factor=FACTOR,
            rate=RATE,
            seconds=UPDATE_SECONDS,
            threads=THREADS,
            attempts=SDK_ATTEMPTS,
            table="\n".join([HEADER, *(run.row() for run in runs)]),
        )
        page = given.write.read_text(encoding="utf-8")
        before, _, rest = page.partition("## Apply")
        after = "".join(rest.partition("\n## Memory")[1:])
        given.write.write_text(before + text + after, encoding="utf-8")


if __name__ == "__main__":
    main()
