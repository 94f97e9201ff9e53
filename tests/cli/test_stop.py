"""Signals while updates are in flight."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.emulator.server import Emulator
from tests.cli.conftest import Command

DATES = "manifests/acr-nema-dates.yaml"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
@pytest.mark.parametrize("times", [1, 2])
def test_a_signal_finishes_what_is_in_flight_and_a_second_leaves_it_unresolved(
    workspace: Path, reconcile: Command, number: signal.Signals, code: int, times: int
) -> None:
    with Emulator(workspace / ".reconcile" / "emulator", update_seconds=2.0) as emulator:
        settings = workspace / "reconciler.yaml"
        settings.write_text(settings.read_text().replace(" emulator", f" {emulator.endpoint}"))
        apply = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "apply", DATES, "--auto-approve"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(emulator, "LOCKED")
        apply.send_signal(number)
        assert apply.stderr is not None
        assert apply.stderr.readline() == "\n"
        assert apply.stderr.readline().startswith("Stopping: nothing new is sent")
        for _ in range(times - 1):
            apply.send_signal(number)
        out, _ = apply.communicate(timeout=60)
        assert apply.returncode == code
        assert ("✓ converged" in out) is (times == 1)
        assert ("? unresolved" in out) is (times == 2)
        assert (workspace / "records").exists() is (times == 1)
        # Whatever happened, the same command finishes it.
        wait_until(emulator, "ACTIVE")
        assert reconcile("apply", DATES, "--auto-approve").code == 0
        assert reconcile("plan", DATES, "--detailed-exitcode").code == 0


def wait_until(emulator: Emulator, state: str) -> None:
    """Return once the image set is in a state: LOCKED means that an update is in flight."""
    from reconciler import aws
    from reconciler.model.settings import Datastore

    datastore = Datastore("research", "0123456789abcdef0123456789abcdef", "us-east-1")
    port = aws.connect(datastore, endpoint=emulator.endpoint)
    while port.get("aca469ab431797e6c78c0306c39c40ee").state != state:
        pass
