"""Measures a command: wall time, CPU with start-up and child processes, memory, and calls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BEST_OF = 3
# `reconcile`, started as its entry point starts it, without an import of the current folder.
RECONCILE = (sys.executable, "-P", "-c", "from reconciler.__main__ import main; main()")
_SAMPLE_SECONDS = 0.05
_NEW_SECONDS = 0.5
_ERROR_CHARACTERS = 4_000
_LAUNCH = (sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py")))


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of a command took.

    `wall` and `cpu` are in seconds, `peak` in MB. `calibration` is the CPU time of the calibration
    loop right before the run: half of it means a machine that is twice as fast.
    """

    wall: float
    cpu: float
    peak: float
    calls: Mapping[str, int] = field(default_factory=dict)
    calibration: float = 0.0

    @property
    def all_calls(self) -> int:
        """The number of calls of all operations."""
        return sum(self.calls.values())

    @property
    def documents(self) -> int:
        """The number of metadata documents that were read."""
        return self.calls.get("GetImageSetMetadata", 0)


class CommandFailed(Exception):
    """A command ended with an exit code that its case does not expect."""


def calibration() -> float:
    """The CPU time of a fixed loop in seconds."""
    begin, total = time.process_time(), 0
    for number in range(3_000_000):
        total += number % 7
    return time.process_time() - begin


def run(
    command: Sequence[str],
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    expected: tuple[int, ...] = (0,),
) -> Cost:
    """Run a command in a folder and measure it. Raises CommandFailed for another exit code."""
    factor = calibration()
    with tempfile.TemporaryDirectory() as folder_of_result:
        result, errors = Path(folder_of_result) / "result", Path(folder_of_result) / "errors"
        with errors.open("wb") as file:
            launched = subprocess.Popen(
                [*_LAUNCH, str(result), *command], cwd=folder, env=_environment(environment or {}),
                stdout=subprocess.DEVNULL, stderr=file,
            )  # fmt: skip
            watch = _Watch(launched.pid)
            launched.wait()
        together = watch.stop()
        code, wall, cpu, largest = json.loads(result.read_text())
        if code not in expected:
            text = errors.read_text(errors="replace")[-_ERROR_CHARACTERS:]
            raise CommandFailed(f"{' '.join(command[-4:])}: exit code {code}\n{text}")
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return Cost(wall, cpu, max(largest / unit, together), calibration=factor)


def best(measured: Callable[[], Cost], times: int = BEST_OF) -> Cost:
    """The run with the least CPU time."""
    return min((measured() for _ in range(times)), key=lambda one: one.cpu)


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command: compiled bytecode is kept, and no setting of CI is seen."""
    left_out = ("PYTHONDONTWRITEBYTECODE", "CI", "GITHUB_", "GITLAB_", "RECONCILE_", "AWS_")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(left_out)}
    return {**kept, **more}


class _Watch:
    """Samples the memory that a launched command and its children hold together, in MB.

    `wait4` reports the largest process alone. Shared pages are counted once (PSS), which Linux
    alone reports; a command without children is left to `wait4`. A new process is left out: between
    `vfork` and `exec`, the memory of its parent would count twice.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """End sampling; return the peak, 0 if there was never a child."""
        self._end.set()
        self._thread.join()
        return self._peak

    def _sample(self) -> None:
        while not self._end.wait(_SAMPLE_SECONDS):
            tree = [pid for pid in _descendants(self._pid) if _age(pid) > _NEW_SECONDS]
            if len(tree) > 1:
                self._peak = max(self._peak, sum(map(_proportional, tree)))


def _descendants(pid: int) -> Iterator[int]:
    for child in _children(pid):
        yield child
        yield from _descendants(child)


def _children(pid: int) -> list[int]:
    """The children of all threads of a process; none of a process that has ended."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        texts = [(task / "children").read_text() for task in tasks]
    except OSError:
        return []
    return [int(child) for text in texts for child in text.split()]


def _age(pid: int) -> float:
    """How many seconds ago a process was started (proc_pid_stat(5)); 0 if it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    started = int(text.rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def _proportional(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # it has ended
        return 0.0
    row = next((line for line in text.splitlines() if line.startswith("Pss:")), "Pss: 0")
    return int(row.split()[1]) / 1024
