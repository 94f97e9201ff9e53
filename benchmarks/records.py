"""What it costs to record outcomes, and to commit them, in a small and in a large data store.

python benchmarks/records.py [IMAGE SETS] [OUTCOMES]

Both data stores have entries of five paths each, in files as the tool names them for that number.
Beside them stands the large one with files of two characters, as before they grew. Measured are:

- CPU time per outcome (user and system of this process), with 64 outcomes a write. Image sets are
  taken at random.
- Wall time of the commit of these outcomes, as `apply --record commit` makes it.
- The size of that commit as a push sends it: a thin pack of its new objects, with deltas against
  objects that the remote has (`git pack-objects --thin`). Nothing is collected before. Beside it,
  the loose objects as `git commit` writes them, each compressed alone.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.cli.clock import RealClock
from reconciler.core.model.plan import Basis
from reconciler.core.model.record import Evidence
from reconciler.core.model.settings import RecordMode
from reconciler.edges import key as keys
from reconciler.edges import records
from reconciler.edges.files import REAL
from reconciler.edges.records import layout
from reconciler.record.keyring import Keyring
from reconciler.record.publication import Destination, Publication
from reconciler.record.publish import publish
from reconciler.record.recorder import WRITE_OUTCOMES
from reconciler.record.writer import Writer

STORE = "1" * 32
SMALL = 1_000
PATHS = (
    "Patient/DICOM/PatientName",
    "Patient/DICOM/PatientID",
    "Study/DICOM/StudyDescription",
    "Study/Series/1.2.826.0.1.3680043.8.498.1/DICOM/SeriesDescription",
    "Study/Series/1.2.826.0.1.3680043.8.498.1/Instances/1.2.3.4/DICOM/ImageComments",
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What some outcomes cost in one data store. `cpu` is in seconds for each, sizes in bytes."""

    entries: int
    width: int
    cpu: float
    commit: float
    pushed: int
    loose: int

    def row(self, base: Cost) -> str:
        """A row of the table, with the CPU time as a ratio to another data store."""
        mebibyte = 1024 * 1024
        return (
            f"| {self.entries:,} | {self.width} | {self.cpu * 1000:.2f} ms | "
            f"{self.cpu / base.cpu:.2f} | {self.commit:.2f} s | {self.pushed / mebibyte:.2f} MiB | "
            f"{self.loose / mebibyte:.2f} MiB |"
        )


HEADER = """\
| entries | characters | CPU per outcome | ratio | commit | as pushed | loose objects |
|--:|--:|--:|--:|--:|--:|--:|"""


def evidence(name: str, version: int) -> Evidence:
    """What an outcome shows of an image set that it brought to a version."""
    return Evidence(
        datastore_id=STORE,
        image_set_id=name,
        version_id=str(version),
        previous_version_id=str(version - 1),
        updated_at=1_700_000_000.0 + version,
        created_at=1_700_000_000.0,
        converged=PATHS,
        ask_digest="sha256:" + hashlib.sha256(f"{name}{version}".encode()).hexdigest(),
    )


def git(root: Path, *arguments: str, given: str = "") -> bytes:
    """Run git."""
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, input=given.encode()).stdout


def repository(root: Path, names: Sequence[str], width: int) -> Writer:
    """A repository with an entry of each image set in a commit."""
    git(root, "init", "-q", "-b", "main")
    for name in ("user.name", "user.email"):
        git(root, "config", name, "benchmark@example.org")
    git(root, "config", "gc.auto", "0")
    key = keys.make(root)
    records.grow(root, STORE, width)
    writer = Writer(root, Keyring(root, key, REAL), REAL, run_id="first", commit="")
    writer.add(STORE, (evidence(name, 2) for name in names))
    writer.write()
    git(root, "add", ".")
    git(root, "commit", "-qm", "Records")
    return Writer(root, Keyring(root, key, REAL), REAL, run_id="second", commit="")


def measured(entries: int, outcomes: int, width: int) -> Cost:
    """Record some outcomes in a data store, then commit them."""
    rows = [hashlib.sha256(str(number).encode()).hexdigest()[:32] for number in range(entries)]
    with TemporaryDirectory() as folder:
        root = Path(folder)
        writer = repository(root, rows, width)
        chosen = random.Random(entries).sample(rows, min(outcomes, entries))
        begin = time.process_time()
        for start in range(0, len(chosen), WRITE_OUTCOMES):
            for name in chosen[start : start + WRITE_OUTCOMES]:
                writer.add(STORE, [evidence(name, 3)])
            writer.write()
        cpu = (time.process_time() - begin) / len(chosen)
        found = Publication(
            root, {STORE: "research"}, tuple(writer.paths), Basis("", 1), "", writer.before
        )
        start_of_commit = time.perf_counter()
        publish(found, Destination(RecordMode.COMMIT), RealClock())
        commit = time.perf_counter() - start_of_commit
        return Cost(entries, width, cpu, commit, pushed(root), loose(root))


def pushed(root: Path) -> int:
    """The size of the pack of the last commit."""
    options = ("--revs", "--thin", "--stdout", "--quiet", "--delta-base-offset")
    return len(git(root, "pack-objects", *options, given="HEAD\n^HEAD^\n"))


def loose(root: Path) -> int:
    """The size of the new objects of the last commit, each as a file of its own."""
    listed = git(root, "rev-list", "--objects", "--no-object-names", "HEAD", "^HEAD^").decode()
    objects = root / ".git" / "objects"
    return sum((objects / one[:2] / one[2:]).stat().st_size for one in listed.split())


def main() -> None:
    """Measure a small data store, the large one as it is named today, and as before it grew."""
    parser = argparse.ArgumentParser()
    parser.add_argument("entries", nargs="?", type=int, default=100_000)
    parser.add_argument("outcomes", nargs="?", type=int, default=1_000)
    chosen = parser.parse_args()
    first = layout.FIRST_WIDTH
    print(HEADER, flush=True)
    base = measured(SMALL, chosen.outcomes, first)
    print(base.row(base), flush=True)
    for width in dict.fromkeys((layout.width_for(chosen.entries, first), first)):
        print(measured(chosen.entries, chosen.outcomes, width).row(base), flush=True)


if __name__ == "__main__":
    main()
