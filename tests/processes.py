"""Processes that tests start: none outlives its test, and none is waited for without end."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Of the machine's time, and many times what is needed: it must do on a busy one.
SECONDS = 120.0


@contextmanager
def bounded(process: subprocess.Popen[Any], seconds: float = SECONDS) -> Iterator[None]:
    """The process is killed when the block is left, and already when it takes too long.

    Whoever reads from it then sees its end, and whoever polls must ask whether it is alive. The
    block ends in an AssertionError that tells the command. Of a process that leads a group
    (`process_group=0`), such as a shell, all that it started goes with it.
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
