"""Processes that tests start: each ends with its test, and no test waits for one without end."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Real seconds. Many times more than needed, for a busy machine.
SECONDS = 120.0


@contextmanager
def bounded(process: subprocess.Popen[Any], seconds: float = SECONDS) -> Iterator[None]:
    """Kill the process when the block ends, and earlier if it takes too long.

    A reader of its output then sees the end; a test that polls must check that the process is
    alive. The block raises an AssertionError that names the command. If the process leads a group
    (`process_group=0`), as a shell does, the whole group is killed.
    """
    late = threading.Event()

    def end() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        _kill(process)
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()
        if late.is_set():
            raise AssertionError(f"not done after {seconds} seconds: {process.args!r}")


def _kill(process: subprocess.Popen[Any]) -> None:
    if process.poll() is not None:
        return
    if os.getpgid(process.pid) == process.pid:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
