"""SIGINT and SIGTERM: the first asks to stop, the second stops at once."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType, TracebackType

from reconciler.errors import EXIT_INTERRUPTED, EXIT_TERMINATED

_CODES = {signal.SIGINT: EXIT_INTERRUPTED, signal.SIGTERM: EXIT_TERMINATED}


class Stop:
    """Within this context, signals no longer end the process in the middle of a write."""

    def __init__(self) -> None:
        self.exit_code = 0
        self._before: dict[signal.Signals, object] = {}

    def requested(self) -> bool:
        """Whether no further step is to be submitted."""
        return self.exit_code != 0

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
        if self.exit_code:
            # Files are written atomically and the service is the truth, so this loses nothing.
            os._exit(self.exit_code)
        self.exit_code = _CODES[signal.Signals(number)]
        sys.stderr.write(
            "\nStopping: nothing new is sent, what is in flight is finished and recorded.\n"
            "Once more stops at once; the next run then resolves what is open.\n"
        )
        sys.stderr.flush()
