"""An emulator in a process of its own, on the address that the settings of the fleet name.

python -m benchmarks.fleet.emulator FOLDER PORT [--earlier SECONDS] [--latency SECONDS] [--quotas]
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.fleet.measure import Cost
from reconciler.emulator.http.options import Listener, Options
from reconciler.emulator.http.server import run
from reconciler.emulator.trouble.faults import Fault, FaultSet
from reconciler.emulator.trouble.quotas import DOCUMENTED, OFF

_START_SECONDS = 60.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Running:
    """A running emulator, by its endpoint."""

    endpoint: str

    def calls(self) -> Mapping[str, int]:
        """The accepted calls so far, by operation."""
        with urlopen(f"{self.endpoint}/_emulator/counters") as answer:
            operations = json.load(answer)["operations"]
        return {name: one["calls"] - one["throttled"] for name, one in operations.items()}

    def counted(self, before: Mapping[str, int], cost: Cost) -> Cost:
        """A cost with the calls that were made since the earlier count."""
        after = self.calls()
        grown = {name: count - before.get(name, 0) for name, count in after.items()}
        return replace(cost, calls={name: count for name, count in grown.items() if count})


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def emulator(
    folder: Path, port: int, *, earlier: float = 0, latency: float = 0, quotas: bool = False
) -> Iterator[Running]:
    """Run an emulator on a folder.

    `earlier` is how many seconds its clock is behind, `latency` how many seconds each call takes
    at least. `quotas` enforces the documented quotas.
    """
    command = [sys.executable, "-m", "benchmarks.fleet.emulator", str(folder), str(port)]
    command += ["--earlier", str(earlier), "--latency", str(latency)]
    process = subprocess.Popen(command + (["--quotas"] if quotas else []))
    try:
        running = Running(f"http://127.0.0.1:{port}")
        _await(process, running)
        yield running
    finally:
        process.terminate()
        process.wait()


def _await(process: subprocess.Popen[bytes], running: Running) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(URLError, ConnectionError):
            running.calls()
            return
        time.sleep(_POLL_SECONDS)
    raise RuntimeError("the emulator does not start")


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--earlier", type=float, default=0)
    parser.add_argument("--latency", type=float, default=0)
    parser.add_argument("--quotas", action="store_true")
    given = parser.parse_args()
    slow = (Fault(kind="latency", seconds=given.latency),) if given.latency else ()
    options = Options(
        update_seconds=0.0,
        faults=FaultSet(slow),
        limits=DOCUMENTED if given.quotas else OFF,
        now=lambda: time.time() - given.earlier,
    )
    run(given.folder, options, Listener(port=given.port), on_ready=lambda _: None)


if __name__ == "__main__":
    main()
