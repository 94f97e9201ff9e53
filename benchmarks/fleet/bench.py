"""What every case has: a fleet, ways to run `reconcile` on it, and which features there are."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.fleet.emulator import Running, emulator
from benchmarks.fleet.image_sets import STORE
from benchmarks.fleet.make import Fleet, git
from benchmarks.fleet.measure import BEST_OF, RECONCILE, Cost, best, run
from benchmarks.fleet.rows import GOAL_SIZE

# Exit codes of `plan --detailed-exitcode`.
NOTHING_TO_DO, CHANGES = 0, 2


@dataclass
class Bench:
    """A fleet, a folder for what cases need besides, and the tools that outlive a run."""

    fleet: Fleet
    folder: Path
    tools: Path

    @property
    def is_goal_size(self) -> bool:
        """Whether the goals are stated for this size."""
        return self.fleet.size == GOAL_SIZE

    @cached_property
    def has_scans(self) -> bool:
        """Whether `reconcile record` has written scan.json."""
        return (self.fleet.root / "records" / STORE / "scan.json").exists()

    @cached_property
    def has_refresh(self) -> bool:
        """Whether `plan --refresh` is there."""
        return "--refresh" in _output([*RECONCILE, "plan", "--help"])

    @cached_property
    def has_selectors(self) -> bool:
        """Whether manifests may be of `kind: ImageSets`."""
        return '"ImageSets"' in _output([*RECONCILE, "schema", "manifest"])

    @contextmanager
    def service(self, *, latency: float = 0, quotas: bool = False) -> Iterator[Running]:
        """The emulator of the fleet."""
        with emulator(self.fleet.data, self.fleet.port, latency=latency, quotas=quotas) as running:
            yield running

    def plan(
        self,
        service: Running,
        *options: str,
        exit_code: int = NOTHING_TO_DO,
        root: Path | None = None,
    ) -> Cost:
        """Measure one plan, with its calls. Raises CommandFailed for another exit code."""
        before = service.calls()
        command = [*RECONCILE, "plan", "--detailed-exitcode", *options]
        return service.counted(before, run(command, root or self.fleet.root, expected=(exit_code,)))

    def best_plan(self, service: Running, *options: str, times: int = BEST_OF) -> Cost:
        """Measure the best of some plans that have nothing to do, after one to warm up."""
        self.plan(service, *options)
        return best(lambda: self.plan(service, *options), times)

    def record(self, service: Running) -> Cost:
        """Measure `reconcile record`, and commit what it wrote."""
        before = service.calls()
        cost = run([*RECONCILE, "record", "--record", "files"], self.fleet.root)
        self.commit("Record")
        return service.counted(before, cost)

    def commit(self, subject: str) -> None:
        """Commit whatever changed in the repository."""
        git(self.fleet.root, "add", "-A")
        if git(self.fleet.root, "status", "--porcelain"):
            git(self.fleet.root, "commit", "-qm", subject)

    def forget(self) -> None:
        """Remove the index, as on a new machine."""
        shutil.rmtree(self.fleet.root / ".reconcile", ignore_errors=True)


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
