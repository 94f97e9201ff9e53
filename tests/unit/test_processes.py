"""The tests' own bound on processes that they wait for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.processes import bounded

HANG = "import signal; signal.pause()"


def start(program: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)


def test_who_reads_from_a_process_that_hangs_is_told_so() -> None:
    process = start(HANG)
    told = pytest.raises(AssertionError, match=r"not done after 0\.2 seconds: .*signal\.pause")
    with told, bounded(process, 0.2):
        assert process.stdout is not None
        assert process.stdout.read() == b""
        assert process.wait() == 0
    assert process.returncode == -9


def test_what_a_shell_started_ends_with_it() -> None:
    shell = subprocess.Popen(
        ["bash", "-c", "sleep 1000 | cat"], stdout=subprocess.PIPE, process_group=0
    )
    with pytest.raises(AssertionError, match="not done"), bounded(shell, 0.2):
        assert shell.stdout is not None
        assert shell.stdout.read() == b""


def test_a_process_that_ends_is_left_alone_and_one_that_does_not_is_killed() -> None:
    ended, left = start("raise SystemExit(3)"), start(HANG)
    with bounded(ended):
        assert ended.wait() == 3
    with bounded(left):
        pass
    assert (ended.returncode, left.returncode) == (3, -9)
