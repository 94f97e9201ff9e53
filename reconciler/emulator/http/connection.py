"""A connection's bytes within bounds: nobody holds a thread forever by sending little or late."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import LineTooLong

# More than the 64 KiB of a request line and the 64 KiB of a header, which http.server allows each.
_MOST_HEAD_BYTES = 160 * 2**10


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one client may take. `slowest` is bytes a second, `clock` what seconds are measured by.

    The SDKs keep pools of 10 to 100 idle connections, so an idle one is closed late, or when
    another client needs its place. `head_seconds` are for the request line and headers.
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
    """A deadline that bytes put off: by the time that they take, and never further than at first.

    So neither a byte now and then nor a large part and silence lasts long.
    """

    def __init__(self, bounds: Bounds, seconds: float) -> None:
        self._bounds = bounds
        self._most = seconds
        self._deadline = bounds.clock() + seconds

    def passed(self, count: int) -> None:
        """Bytes went over the wire."""
        later = self._deadline + count / self._bounds.slowest
        self._deadline = min(later, self._bounds.clock() + self._most)

    def seconds(self) -> float:
        """How long to wait for the next bytes; TimeoutError where the deadline is over."""
        seconds = self._deadline - self._bounds.clock()
        if seconds <= 0:
            raise TimeoutError("the deadline is over")
        return seconds


class Incoming(io.RawIOBase):
    """What a client sends. TimeoutError once the deadline is over, however much still comes."""

    def __init__(self, connection: socket.socket, bounds: Bounds) -> None:
        self._connection = connection
        self._bounds = bounds
        self._time_left = _TimeLeft(bounds, bounds.idle_seconds)
        self._left: int | None = None

    def await_request(self) -> None:
        """Next comes a request, or nothing for a long time."""
        self._expect(self._bounds.idle_seconds)

    def await_head(self) -> None:
        """Next comes the rest of a request line and headers. LineTooLong where that is too much."""
        self._expect(self._bounds.head_seconds, _MOST_HEAD_BYTES)

    def await_body(self) -> None:
        """Next comes a body."""
        self._expect(self._bounds.body_seconds)

    def got(self, count: int) -> None:
        """Bytes of the body are there: a large one has the time that they take."""
        self._time_left.passed(count)

    def _expect(self, seconds: float, most: int | None = None) -> None:
        self._time_left = _TimeLeft(self._bounds, seconds)
        self._left = most

    def readable(self) -> bool:
        """True: this is the reading half."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """recv(2), as long as there is time."""
        if self._left is not None and self._left <= 0:
            raise LineTooLong("header section")
        self._connection.settimeout(self._time_left.seconds())
        count = self._connection.recv_into(buffer)
        if self._left is not None:
            self._left -= count
            if not count:  # http.server would take what is there for all headers
                raise ConnectionAbortedError("the client went away before the end of the headers")
        return count


class Outgoing(io.RawIOBase):
    """What a client is sent. TimeoutError if the client does not take it in time."""

    def __init__(self, connection: socket.socket, bounds: Bounds) -> None:
        self._connection = connection
        self._bounds = bounds

    def writable(self) -> bool:
        """True: this is the writing half."""
        return True

    def write(self, content: memoryview) -> int:  # type: ignore[override]
        """All of it, in the time that as many bytes may take."""
        time_left, sent = _TimeLeft(self._bounds, self._bounds.write_seconds), 0
        while sent < len(content):
            self._connection.settimeout(time_left.seconds())
            count = self._connection.send(content[sent:])
            time_left.passed(count)
            sent += count
        return sent
