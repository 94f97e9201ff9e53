"""Clients that send little, late or never, and too many clients: no other client waits for them."""

from __future__ import annotations

import dataclasses
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.http.connection import BOUNDS, Bounds, Incoming
from reconciler.emulator.http.options import Listener, Options
from reconciler.emulator.http.server import Emulator
from reconciler.emulator.store.image_frames import ImageFrame

HEAD = b"GET /datastore HTTP/1.1\r\nHost: 127.0.0.1\r\n"
GET = HEAD + b"\r\n"
POST = b"POST /datastore/" + b"d" * 32 + b"/searchImageSets HTTP/1.1\r\nHost: 127.0.0.1\r\n"


class Clock:
    """Seconds that only the test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


Serve = Callable[..., Emulator]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start an emulator with bounds of the test's own."""
    with ExitStack() as stack:

        def start(**bounds: Any) -> Emulator:
            given = dataclasses.replace(BOUNDS, **bounds)
            return stack.enter_context(
                Emulator(tmp_path, Options(update_seconds=0.0), Listener(bounds=given))
            )

        yield start


@contextmanager
def connected(emulator: Emulator) -> Iterator[socket.socket]:
    port = int(emulator.endpoint.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        yield connection


def read(connection: socket.socket) -> bytes:
    """One whole answer to `GET`."""
    answer = b""
    while not answer.endswith(b"}"):
        part = connection.recv(65_536)
        assert part, answer
        answer += part
    return answer


def ending(connection: socket.socket) -> bytes:
    """All that comes until the server closes; a client that still sends may see a reset."""
    answer = b""
    try:
        while part := connection.recv(65_536):
            answer += part
    except ConnectionResetError:
        pass
    return answer


def begin(connection: socket.socket) -> None:
    """Send the headers of a request, and return when the emulator waits for its body."""
    connection.sendall(POST + b"Content-Length: 9\r\nExpect: 100-continue\r\n\r\n")
    assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_the_bounds_are_what_the_documentation_says() -> None:
    assert Bounds() == BOUNDS
    assert (BOUNDS.connections, BOUNDS.idle_seconds) == (256, 300.0)
    assert (BOUNDS.head_seconds, BOUNDS.body_seconds) == (20.0, 20.0)


@pytest.mark.parametrize("sent", [b"P", b"GET /datastore HTTP/1.1\r\n", HEAD])
def test_half_a_head_is_not_waited_for(serve: Serve, sent: bytes) -> None:
    with connected(serve(head_seconds=0.05)) as connection:
        connection.sendall(sent)
        assert ending(connection) == b""


def test_a_head_that_trickles_in_has_one_deadline(serve: Serve, clock: Clock) -> None:
    """Each byte comes in time, and the head never ends."""
    with connected(serve(head_seconds=20.0, clock=clock)) as connection:
        with pytest.raises(OSError):
            for byte in HEAD + b"X: " + b"x" * 65_000:
                connection.sendall(bytes([byte]))
                clock.seconds += 1
        assert ending(connection) == b""


def test_half_a_body_is_not_waited_for(serve: Serve) -> None:
    with connected(serve(body_seconds=0.05)) as connection:
        connection.sendall(POST + b"Content-Length: 1000\r\n\r\n{")
        answer = ending(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"Connection: close" in answer


def test_a_body_that_trickles_in_has_one_deadline(serve: Serve, clock: Clock) -> None:
    with connected(serve(clock=clock)) as connection:
        connection.sendall(POST + b"Content-Length: 60000000\r\n\r\n")
        with pytest.raises(OSError):
            while True:
                connection.sendall(b" ")
                clock.seconds += 1
    assert clock.seconds > 1000 + BOUNDS.body_seconds


def test_a_large_body_has_the_time_that_its_bytes_need(clock: Clock) -> None:
    """A fast start gives no more time for the rest."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        incoming = Incoming(ours, dataclasses.replace(BOUNDS, clock=clock, slowest=1000.0))
        incoming.await_body()
        for _ in range(10):
            theirs.sendall(b" " * 10_000)
            clock.seconds += 9.0
            taken = 0
            while taken < 10_000:
                taken += (count := incoming.readinto(memoryview(bytearray(10_000))))
                incoming.got(count)
        theirs.sendall(b" ")
        clock.seconds += BOUNDS.body_seconds + 0.1
        with pytest.raises(TimeoutError):
            incoming.readinto(memoryview(bytearray(1)))


def test_a_client_that_goes_away_within_its_headers_has_asked_nothing(serve: Serve) -> None:
    """Of a request without its last headers, `Origin` may be one of those that are missing."""
    emulator = serve()
    for sent in (HEAD, HEAD + b"X: y", b"GET /datastore HTTP/1.1\r\n"):
        with connected(emulator) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            assert ending(connection) == b""


def test_a_connection_that_asks_nothing_is_closed_in_the_end(serve: Serve) -> None:
    emulator = serve(idle_seconds=0.05)
    with connected(emulator) as fresh, connected(emulator) as used:
        used.sendall(GET)
        assert read(used).startswith(b"HTTP/1.1 200")
        assert ending(used) == ending(fresh) == b""


def test_one_that_is_idle_makes_room_for_one_that_asks(serve: Serve) -> None:
    """The one that is idle the longest, so a client's pool keeps what it uses."""
    emulator = serve(connections=3)
    with ExitStack() as stack:
        oldest, older, newer = (stack.enter_context(connected(emulator)) for _ in range(3))
        for connection in (oldest, older, newer, oldest):
            connection.sendall(GET)
            read(connection)
        with connected(emulator) as fourth:
            fourth.sendall(GET)
            assert read(fourth).startswith(b"HTTP/1.1 200")
            assert ending(older) == b""
            for connection in (oldest, newer):
                connection.sendall(GET)
                assert read(connection).startswith(b"HTTP/1.1 200")


def test_silent_connections_without_number_keep_nobody_out(serve: Serve, client_for: Any) -> None:
    emulator = serve(connections=4)
    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(connected(emulator))
        assert client_for(emulator.endpoint).list_datastores()["datastoreSummaries"] == []
        assert len(emulator._server.connections) <= 4


def test_beyond_the_bound_who_asks_waits_until_a_slow_one_is_cut_off(serve: Serve) -> None:
    emulator = serve(connections=2, body_seconds=0.2)
    with connected(emulator) as one, connected(emulator) as other:
        begin(one)
        begin(other)
        with connected(emulator) as waiting:
            waiting.sendall(GET)
            assert read(waiting).startswith(b"HTTP/1.1 200")
        assert ending(one).startswith(b"HTTP/1.1 408")
        assert ending(other).startswith(b"HTTP/1.1 408")


def test_it_stops_while_it_is_full(serve: Serve) -> None:
    emulator = serve(connections=1)
    with connected(emulator) as one:
        begin(one)
        with connected(emulator) as waiting:
            waiting.sendall(GET)
            emulator.close()
            assert ending(waiting) == ending(one) == b""


def test_a_pool_of_a_hundred_connections_is_served(serve: Serve) -> None:
    emulator = serve()
    with ExitStack() as stack:
        pool = [stack.enter_context(connected(emulator)) for _ in range(100)]
        for _ in range(2):
            for connection in pool:
                connection.sendall(GET)
            assert all(read(one).startswith(b"HTTP/1.1 200") for one in pool)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"x" * 70_000, 414),
        (HEAD + b"X: " + b"x" * 70_000, 431),
        (HEAD + b"X: y\r\n" * 200, 431),
        (HEAD + (b"X: " + b"x" * 9_000 + b"\r\n") * 60, 431),
    ],
    ids=["request line", "one header", "many headers", "large headers"],
)
def test_a_head_has_a_bounded_size(serve: Serve, sent: bytes, status: int) -> None:
    with connected(serve()) as connection:
        with suppress(OSError):  # it may be closed before all of it is sent
            connection.sendall(sent + b"\r\n\r\n")
        assert ending(connection).startswith(b"HTTP/1.1 %d " % status)


def test_a_client_that_does_not_read_its_answer_is_cut_off(
    serve: Serve, document: dict[str, Any]
) -> None:
    store, image_set, frame_id = "d" * 32, "e" * 32, "f" * 32
    frame = bytes(16 * 2**20)
    emulator = serve(write_seconds=0.05, connections=1)
    emulator.service.ensure_datastore(store)
    (series,) = document["Study"]["Series"].values()
    next(iter(series["Instances"].values()))["ImageFrames"] = [{"ID": frame_id}]
    emulator.service.load(store, document, image_set_id=image_set)
    emulator.service.keep_frame(store, ImageFrame(frame_id, "image/j2c", frame))
    body = json.dumps({"imageFrameId": frame_id}).encode()
    asked = (
        f"POST /datastore/{store}/imageSet/{image_set}/getImageFrame HTTP/1.1\r\n"
        f"Host: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with connected(emulator) as deaf, connected(emulator) as waiting:
        deaf.sendall(asked + body)
        waiting.sendall(GET)
        assert read(waiting).startswith(b"HTTP/1.1 200")
        assert len(ending(deaf)) < len(frame)
