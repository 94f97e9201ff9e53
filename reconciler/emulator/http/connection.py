"""Limits what a client sends and how slowly: no client holds a thread forever."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import LineTooLong

# http.server allows 64 KiB for the request line and 64 KiB for each header. This is more than both.
_MOST_HEAD_BYTES = 160 * 2**10


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one client may send, and how slowly.

    `slowest` is in bytes a second. `clock` measures seconds. The SDKs keep pools of 10 to 100 idle
    connections, so an idle connection is closed late, or when another client needs its place.
    `head_seconds` are for the request line and headers.
    """

    connections: int = 256
    idle_seconds: float = 300.0
    head_seconds: float = 20.0
    body_seconds: float = 20.0
    write_seconds: float = 20.0
    slowest: float = 50_000.0
    clock: Callable[[], float] = time.monotonic


BOUNDS = Bounds()


class _TimeLeft:
    """A deadline that moves with each byte, by the time that the byte may take.

    It never moves further away than it was at first. So a client gains nothing by a byte now and
    then, nor by one large part followed by silence.
    """

    def __init__(self, bounds: Bounds, seconds: float) -> None:
        self._bounds = bounds
        self._most = seconds
        self._deadline = bounds.clock() + seconds

    def passed(self, count: int) -> None:
        """Count bytes that went over the wire."""
        later = self._deadline + count / self._bounds.slowest
        self._deadline = min(later, self._bounds.clock() + self._most)

    def seconds(self) -> float:
        """How long to wait for the next bytes. Raises TimeoutError where the deadline is over."""
        seconds = self._deadline - self._bounds.clock()
        if seconds <= 0:
            raise TimeoutError("the deadline is over")
        return seconds


class Incoming(io.RawIOBase):
    """The bytes that a client sends.

    Raises TimeoutError once the deadline is over, even if more bytes come.
    """

    def __init__(self, connection: socket.socket, bounds: Bounds) -> None:
        self._connection = connection
        self._bounds = bounds
        self._time_left = _TimeLeft(bounds, bounds.idle_seconds)
        self._left: int | None = None

    def await_request(self) -> None:
        """Expect a request, or nothing for a long time."""
        self._expect(self._bounds.idle_seconds)

    def await_head(self) -> None:
        """Expect the rest of a request line and headers.

        Reading raises LineTooLong beyond the limit.
        """
        self._expect(self._bounds.head_seconds, _MOST_HEAD_BYTES)

    def await_body(self) -> None:
        """Expect a body."""
        self._expect(self._bounds.body_seconds)

    def got(self, count: int) -> None:
        """Count bytes of the body: a large body has more time."""
        self._time_left.passed(count)

    def _expect(self, seconds: float, most: int | None = None) -> None:
        self._time_left = _TimeLeft(self._bounds, seconds)
        self._left = most

    def readable(self) -> bool:
        """True: this is the reading half."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """recv(2), until the deadline."""
        if self._left is not None and self._left <= 0:
            raise LineTooLong("header section")
        self._connection.settimeout(self._time_left.seconds())
        count = self._connection.recv_into(buffer)
        if self._left is not None:
            self._left -= count
            if not count:  # http.server would take the part that has come for all headers
                raise ConnectionAbortedError("the client went away before the end of the headers")
        return count


class Outgoing(io.RawIOBase):
    """The bytes that a client receives.

    Raises TimeoutError if the client does not take them in time.
    """

    def __init__(self, connection: socket.socket, bounds: Bounds) -> None:
        self._connection = connection
        self._bounds = bounds

    def writable(self) -> bool:
        """True: this is the writing half."""
        return True

    def write(self, content: memoryview) -> int:  # type: ignore[override]
        """Send all bytes, in the time that so many bytes may take."""
        time_left, sent = _TimeLeft(self._bounds, self._bounds.write_seconds), 0
        while sent < len(content):
            self._connection.settimeout(time_left.seconds())
            count = self._connection.send(content[sent:])
            time_left.passed(count)
            sent += count
        return sent
