"""Signals while updates are in flight."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from reconciler.cli.stop import Stop
from reconciler.edges.aws.client import READ_SECONDS
from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from reconciler.emulator.trouble.faults import Fault, FaultSet
from tests.cli.conftest import Command
from tests.processes import SECONDS, bounded

DATES = "manifests/acr-nema-dates.yaml"
LOCKED_SECONDS = 3600.0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
@pytest.mark.parametrize("times", [1, 2])
def test_a_signal_finishes_what_is_in_flight_and_a_second_leaves_it_unresolved(
    workspace: Path, reconcile: Command, number: signal.Signals, code: int, times: int
) -> None:
    clock = Clock()
    with Emulator(
        workspace / ".reconcile" / "emulator", Options(update_seconds=LOCKED_SECONDS, now=clock)
    ) as emulator:
        settings = workspace / "reconciler.yaml"
        settings.write_text(settings.read_text().replace(" emulator", f" {emulator.endpoint}"))
        apply = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "apply", DATES, "--auto-approve"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with bounded(apply):
            wait_until_locked(emulator, apply)
            apply.send_signal(number)
            assert apply.stderr is not None
            assert apply.stderr.readline() == "\n"
            assert apply.stderr.readline().startswith("Stopping: nothing new is sent")
            if times == 1:
                clock.passed += LOCKED_SECONDS
            else:
                apply.send_signal(number)
            out, _ = apply.communicate()
        assert apply.returncode == code
        assert ("✓ converged" in out) is (times == 1)
        assert ("? unresolved" in out) is (times == 2)
        # Also of an unresolved call: the version that it was planned for is the baseline.
        assert any((workspace / "records").rglob("*.json"))
        # Whatever happened, the same command finishes it.
        clock.passed += LOCKED_SECONDS
        assert reconcile("apply", DATES, "--auto-approve").code == 0
        assert reconcile("plan", DATES, "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    ("first", "then", "code"),
    [(signal.SIGINT, signal.SIGTERM, 130), (signal.SIGTERM, signal.SIGINT, 143)],
)
def test_the_first_signal_stops_and_the_second_abandons(
    first: signal.Signals, then: signal.Signals, code: int
) -> None:
    before = [signal.getsignal(number) for number in (first, then)]
    with Stop() as stop:
        assert (stop.requested(), stop.abandoned(), stop.exit_code) == (False, False, 0)
        signal.raise_signal(first)
        assert (stop.requested(), stop.abandoned(), stop.exit_code) == (True, False, code)
        signal.raise_signal(then)
        assert (stop.requested(), stop.abandoned(), stop.exit_code) == (True, True, code)
    assert [signal.getsignal(number) for number in (first, then)] == before


def test_the_third_signal_ends_the_process_with_the_code_of_the_first() -> None:
    program = (
        "import signal\n"
        "from reconciler.cli.stop import Stop\n"
        "with Stop():\n"
        "    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGINT):\n"
        "        signal.raise_signal(number)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 143
    assert ran.stderr.count("Stopping") == 2


def test_a_signal_after_the_work_does_not_keep_the_outcomes_from_being_told(
    workspace: Path, reconcile: Command
) -> None:
    assert reconcile("plan", DATES, "--out", "plan.json").code == 0
    page = workspace / "page"
    os.mkfifo(page)  # a writer to this pipe waits for a reader: the work is done, the output is not
    apply = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", "plan.json", "--report", "report.json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "GITHUB_STEP_SUMMARY": str(page)},
    )
    with bounded(apply):
        assert apply.stdout is not None
        assert apply.stdout.readline().startswith("✓ converged")
        time.sleep(1.0)
        apply.send_signal(signal.SIGTERM)
        assert apply.stderr is not None
        assert apply.stderr.readline() == "\n"
        assert "converged" in page.read_text()
        out, _ = apply.communicate()
    assert "Apply: 1 converged." in out
    assert apply.returncode == 0
    assert json.loads((workspace / "report.json").read_text())["exitCode"] == 0


class Clock:
    """Real seconds plus seconds that the test adds: no LOCK ends before that."""

    passed = 0.0

    def __call__(self) -> float:
        return time.time() + self.passed


def wait_until_locked(emulator: Emulator, apply: subprocess.Popen[str]) -> None:
    """Return once an update of the image set is in flight."""
    from reconciler.core.model.settings import Datastore
    from reconciler.edges import aws

    datastore = Datastore("research", "0123456789abcdef0123456789abcdef", "us-east-1")
    port = aws.connect(datastore, endpoint=emulator.endpoint)
    while port.get("aca469ab431797e6c78c0306c39c40ee").state != "LOCKED":
        assert apply.poll() is None, apply.communicate()
        time.sleep(0.01)


@pytest.mark.parametrize("command", [("plan",), ("apply", "--auto-approve")])
def test_who_interrupts_the_reading_need_not_wait_for_a_service_that_hangs(
    workspace: Path, command: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:  # it never answers
        settings = workspace / "reconciler.yaml"
        endpoint = f" http://127.0.0.1:{server.getsockname()[1]}"
        settings.write_text(settings.read_text().replace(" emulator", endpoint))
        reading = subprocess.Popen(
            [sys.executable, "-m", "reconciler", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with bounded(reading):
            server.settimeout(SECONDS)
            connection, _ = server.accept()
            with connection:
                time.sleep(0.5)
                reading.send_signal(signal.SIGINT)
                out, err = reading.communicate(timeout=READ_SECONDS / 2)
    assert (reading.returncode, out, err) == (130, "", "")


def test_after_an_error_nobody_waits_for_the_reads_that_hang(workspace: Path) -> None:
    hanging, over = threading.Event(), threading.Event()
    first, last = "1899d1532372896b95655d9430a957c9", "e7baf2d16f9b49ea95c3c511e12111a6"
    faults = FaultSet(
        (
            Fault(kind="latency", image_set_id=last, seconds=2.0),
            Fault(kind="latency", image_set_id=first, seconds=1.0),
            Fault(kind="expired-credentials", image_set_id=first),
        )
    )

    def waiting(seconds: float) -> None:
        if seconds == 1.0:
            hanging.wait()
        else:
            hanging.set()
            over.wait()

    data = workspace / ".reconcile" / "emulator"
    with Emulator(data, Options(faults=faults, sleep=waiting)) as emulator:
        settings = workspace / "reconciler.yaml"
        settings.write_text(settings.read_text().replace(" emulator", f" {emulator.endpoint}"))
        reading = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "plan"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            with bounded(reading, READ_SECONDS / 2):
                out, err = reading.communicate()
        finally:
            hanging.set()
            over.set()
    assert (reading.returncode, out) == (1, "")
    assert err.startswith("error: the AWS credentials have expired")
