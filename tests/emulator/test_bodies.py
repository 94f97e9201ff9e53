"""Bodies of requests: of a stated length or in chunks, as clients send them and as attackers do."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.emulator.http.connection import BOUNDS, Bounds
from reconciler.emulator.http.options import Listener, Options
from reconciler.emulator.http.server import Emulator

STORE = "d" * 32
SEARCH = f"/datastore/{STORE}/searchImageSets"
POST = f"POST {SEARCH} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()
CHUNKED = b"Transfer-Encoding: chunked\r\n"
END = b"0\r\n\r\n"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("bodies")
    with Emulator(folder, Options(update_seconds=0.0)) as running:
        running.service.ensure_datastore(STORE)
        yield running


def ask(emulator: Emulator, sent: bytes) -> tuple[int, Any]:
    """Send bytes, then nothing more: status and message of the answer. (0, "") without one."""
    port = int(emulator.endpoint.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    if not answer:
        return 0, ""
    body = json.loads(answer.partition(b"\r\n\r\n")[2].splitlines()[0])
    return int(answer.split(b" ", 2)[1]), body.get("message", "")


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


@pytest.mark.parametrize(
    "body",
    [
        chunk(b'{"filters":[') + chunk(b"]}") + END,
        b"".join(chunk(bytes([byte])) for byte in b'{"filters":[]}') + END,
        chunk(b'{"filters":[]}', b';name="value"') + END,
        chunk(b'{"filters":[]}') + b"0\r\nx-amz-trailer: 1\r\nX-Other: 2\r\n\r\n",
        b"00000E\r\n" + b'{"filters":[]}\r\n' + b"000\r\n\r\n",
    ],
    ids=["two chunks", "bytes", "an extension", "trailers", "zeros before the size"],
)
def test_a_body_in_chunks_is_read(emulator: Emulator, body: bytes) -> None:
    status, message = ask(emulator, POST + CHUNKED + b"\r\n" + body)
    assert (status, "at 'searchCriteria.filters'" in message) == (400, True), message


def test_the_connection_stays_open_after_a_body_in_chunks(emulator: Emulator) -> None:
    """The client of the standard library sends an iterable in chunks, as `fetch` of Node does."""
    connection = http.client.HTTPConnection(emulator.endpoint.removeprefix("http://"))
    for _ in range(2):
        connection.request("POST", SEARCH, iter([b"{", b"}"]), encode_chunked=True)
        answer = connection.getresponse()
        assert json.loads(answer.read())["imageSetsMetadataSummaries"] == []
        assert connection.sock is not None
    connection.close()


MALFORMED = {
    "no size": b"\r\n{}\r\n",
    "a sign": b"+2\r\n{}\r\n",
    "a prefix": b"0x2\r\n{}\r\n",
    "no hex": b"g\r\n{}\r\n",
    "a blank before": b" 2\r\n{}\r\n",
    "an underscore": b"0_2\r\n{}\r\n",
    "more than it says": b"2\r\n{}}\r\n" + END,
    "no end of the chunk": b"2\r\n{}0\r\n\r\n",
    "a bare line feed": b"2\n{}\r\n",
    "a bare line feed after the data": b"2\r\n{}\n" + END,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_malformed_chunks_are_refused(emulator: Emulator, body: bytes) -> None:
    status, message = ask(emulator, POST + CHUNKED + b"\r\n" + body)
    assert (status, message) == (400, "The chunks of the request body are malformed.")


HEADERS = {
    "another coding": (b"Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding"),
    "identity": (b"Transfer-Encoding: identity\r\n", "Transfer-Encoding"),
    "chunked twice": (CHUNKED * 2, "Transfer-Encoding"),
    "a length as well": (CHUNKED + b"Content-Length: 2\r\n", "Content-Length"),
    "a length before": (b"Content-Length: 2\r\n" + CHUNKED, "Content-Length"),
    "two lengths": (b"Content-Length: 2\r\nContent-Length: 3\r\n", "Content-Length"),
    "a length that is a list": (b"Content-Length: 2, 2\r\n", "Content-Length"),
    "a length with a sign": (b"Content-Length: +2\r\n", "Content-Length"),
    "a negative length": (b"Content-Length: -2\r\n", "Content-Length"),
    "a length that is too large": (b"Content-Length: 99999999999\r\n", "too large"),
}


@pytest.mark.parametrize(("headers", "named"), HEADERS.values(), ids=HEADERS)
def test_ambiguous_lengths_are_refused(emulator: Emulator, headers: bytes, named: str) -> None:
    """RFC 9112 section 6.3: a reader of the other length takes the rest for another request."""
    hidden = b"DELETE /_emulator/faults HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    status, message = ask(emulator, POST + headers + b"\r\n2\r\n{}\r\n" + END + hidden)
    assert (status, named in message) == (400, True), message


def test_http_1_0_has_no_chunks(emulator: Emulator) -> None:
    head = POST.replace(b"HTTP/1.1", b"HTTP/1.0") + CHUNKED + b"\r\n"
    status, message = ask(emulator, head + chunk(b"{}") + END)
    assert (status, "HTTP/1.1" in message) == (400, True)


TOO_LARGE = {
    "one chunk": [b"4000001\r\n"],
    "sizes beyond 64 bits": [b"ffffffffffffffffff\r\n"],
    "many chunks": [chunk(b" " * 2**20)] * 65,
    "an endless size": [b"0" * 2**16] * 40,
    "an endless extension": [b"2;"] + [b"x" * 2**16] * 40,
    "endless trailers": [b"0\r\n"] + [b"X: y\r\n" * 2**12] * 100,
    "endless chunks of a byte": [b"1\r\n \r\n" * 2**14] * 40,
}


@pytest.mark.parametrize("parts", TOO_LARGE.values(), ids=TOO_LARGE)
def test_chunks_are_bounded(emulator: Emulator, parts: list[bytes]) -> None:
    status, message = ask(emulator, POST + CHUNKED + b"\r\n" + b"".join(parts))
    assert (status, message) == (400, "The request body is too large.")


def test_chunks_that_do_not_come_are_not_waited_for(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    bounds = Bounds(body_seconds=0.05)
    folder = tmp_path_factory.mktemp("slow")
    for body in (b"", b"5", b"5\r\n{}", b"2\r\n{}\r\n", b"2\r\n{}\r\n0\r\n"):
        with Emulator(folder, Options(update_seconds=0.0), Listener(bounds=bounds)) as emulator:
            port = int(emulator.endpoint.rsplit(":", 1)[1])
            with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
                connection.sendall(POST + CHUNKED + b"\r\n" + body)
                assert connection.recv(65_536).startswith(b"HTTP/1.1 408 ")
    assert BOUNDS.body_seconds > bounds.body_seconds


@pytest.mark.parametrize("body", [b"", b"5", b"5\r\n{}", b"2\r\n{}\r\n", b"2\r\n{}\r\n0\r\n"])
def test_a_client_that_goes_away_gets_no_answer(emulator: Emulator, body: bytes) -> None:
    assert ask(emulator, POST + CHUNKED + b"\r\n" + body) == (0, "")
