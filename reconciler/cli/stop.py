"""Handle SIGINT and SIGTERM: the first stops sending, the second waiting, the third exits."""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType

from reconciler.cli import screen
from reconciler.core.errors import EXIT_INTERRUPTED, EXIT_TERMINATED

_CODES = {signal.SIGINT: EXIT_INTERRUPTED, signal.SIGTERM: EXIT_TERMINATED}
_FIRST = (
    "\nStopping: nothing new is sent. Waiting for the updates in flight, to record them.\n"
    "Interrupt again to stop at once. The next run then checks how these updates ended.\n"
)
_SECOND = "\nStopping at once: the known results are recorded. The next run checks the rest.\n"


class Stop:
    """A context in which SIGINT and SIGTERM do not end the process in the middle of a write."""

    def __init__(self) -> None:
        self.exit_code = 0
        self._count = 0
        self._before: dict[signal.Signals, object] = {}

    def requested(self) -> bool:
        """Whether nothing new may be sent."""
        return self._count > 0

    def abandoned(self) -> bool:
        """Whether to stop waiting for the updates in flight."""
        return self._count > 1

    def __enter__(self) -> Stop:
        for number in _CODES:
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._count += 1
        if self._count > 2:
            # Nothing is lost: files are written atomically, and the next run reads the service.
            os._exit(self.exit_code)
        self.exit_code = self.exit_code or _CODES[signal.Signals(number)]
        screen.interrupt(_FIRST if self._count == 1 else _SECOND)
