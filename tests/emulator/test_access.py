"""Which requests are answered: raw sockets play clients, web pages and attackers."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.http.options import Listener, Options
from reconciler.emulator.http.server import Emulator

STORE = "c" * 32
LIST = b"GET /datastore HTTP/1.1"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("access")
    with Emulator(
        folder, Options(update_seconds=0.0), Listener(names=("healthimaging.local",))
    ) as running:
        running.service.ensure_datastore(STORE, "research")
        yield running


def port_of(emulator: Emulator) -> int:
    return int(emulator.endpoint.rsplit(":", 1)[1])


def ask(emulator: Emulator, *lines: bytes, body: bytes = b"") -> tuple[int, bytes]:
    """Send the bytes of a request and read until the server closes: the status and the answer."""
    port = port_of(emulator)
    length = (b"Content-Length: %d" % len(body),) if body else ()
    head = b"\r\n".join((*lines, *length, b"Connection: close", b"", b""))
    head = head.replace(b"{port}", str(port).encode())
    with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as connection:
        connection.sendall(head + body)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    return int(answer.split(b" ", 2)[1]), answer


def message(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])["message"]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:{port}",
        "127.0.0.1",
        "127.0.0.1:9000",  # a container's port is published under another number
        "127.9.9.9:{port}",
        "localhost:{port}",
        "LocalHost:{port}",
        "localhost.:{port}",
        "medical-imaging.localhost:{port}",
        "[::1]:{port}",
        "[::1]",
        "runtime-localhost:{port}",
        "runtime-127.0.0.1:{port}",
        "runtime-medical-imaging.localhost:{port}",
        "healthimaging.local:{port}",
        "runtime-healthimaging.local:{port}",
    ],
)
def test_its_own_names_are_answered(emulator: Emulator, host: str) -> None:
    status, answer = ask(emulator, LIST, b"Host: " + host.encode())
    assert status == 200, answer
    assert STORE.encode() in answer


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:{port}",
        "evil.example",
        "127.0.0.1.evil.example:{port}",
        "localhost.evil.example:{port}",
        "notlocalhost",
        "evil-healthimaging.local",
        "x.healthimaging.local",
        "8.8.8.8:{port}",
        "0.0.0.0:{port}",
        "runtime-evil.example",
        "[2001:db8::1]:{port}",
    ],
)
@pytest.mark.parametrize(
    "line",
    [LIST, b"GET /_emulator/counters HTTP/1.1", b"POST / HTTP/1.1", b"OPTIONS / HTTP/1.1"],
)
def test_no_other_name_is_answered(emulator: Emulator, line: bytes, host: str) -> None:
    """DNS rebinding: the name of a web page's own site resolves to 127.0.0.1."""
    status, answer = ask(emulator, line, b"Host: " + host.encode())
    assert status == 421
    assert STORE.encode() not in answer
    name = host.removesuffix(":{port}").strip("[]")
    assert f"--host-name {name}" in message(answer)


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (b"Host:",),
        (b"Host: a b",),
        (b"Host: <script>",),
        (b"Host: 127.0.0.1:port",),
        (b"Host: evil@127.0.0.1",),
        (b"Host: 127.0.0.1", b"Host: evil.example"),
        (b"Host: 127.0.0.1, evil.example",),
    ],
)
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_a_host_header_is_required(
    emulator: Emulator, version: bytes, lines: tuple[bytes, ...]
) -> None:
    status, answer = ask(emulator, b"GET /datastore HTTP/" + version, *lines)
    assert status == 400
    assert STORE.encode() not in answer
    assert "Host" in message(answer)


FOREIGN = [
    b"Origin: https://evil.example",
    b"Origin: null",
    b"Origin: http://localhost:3000",
    b"Origin: http://127.0.0.1.evil.example:{port}",
    b"Origin: ftp://127.0.0.1:{port}",
    b"Origin: http://127.0.0.1:{port}/path",
    b"Origin: 127.0.0.1:{port}",
    b"Origin:",
    b"Origin: http://127.0.0.1:{port}\r\nOrigin: https://evil.example",
    b"Origin: chrome-extension://abcdef",
    b"Sec-Fetch-Site: cross-site",
    b"Sec-Fetch-Site: same-site",
]


@pytest.mark.parametrize("header", FOREIGN)
def test_a_web_page_of_another_site_changes_nothing(emulator: Emulator, header: bytes) -> None:
    """A form or a `fetch` posts without a preflight, and needs no answer to do harm."""
    lines = (b"POST /datastore HTTP/1.1", b"Host: 127.0.0.1:{port}", b"Content-Type: text/plain")
    body = b'{"clientToken": "t", "datastoreName": "planted"}'
    before = emulator.service.call("ListDatastores", {})
    status, answer = ask(emulator, *lines, header, body=body)
    assert status == 403
    assert "web page" in message(answer)
    assert emulator.service.call("ListDatastores", {}) == before
    faults = (b"PUT /_emulator/faults HTTP/1.1", b"Host: 127.0.0.1:{port}")
    assert ask(emulator, *faults, header, body=b'{"faults": [{"kind": "throttle"}]}')[0] == 403
    assert ask(emulator, LIST, b"Host: 127.0.0.1:{port}")[0] == 200


def test_a_preflight_of_another_site_gets_no_permission(emulator: Emulator) -> None:
    status, answer = ask(
        emulator,
        b"OPTIONS /datastore HTTP/1.1",
        b"Host: 127.0.0.1:{port}",
        b"Origin: https://evil.example",
        b"Access-Control-Request-Method: POST",
    )
    assert status == 403
    assert b"access-control-allow" not in answer.lower()


@pytest.mark.parametrize(
    "header",
    [
        b"Origin: http://127.0.0.1:{port}",
        b"Origin: http://localhost:{port}",
        b"Origin: http://healthimaging.local:{port}",
        b"Sec-Fetch-Site: same-origin",
        b"Sec-Fetch-Site: none",
    ],
)
def test_its_own_origin_is_not_foreign(emulator: Emulator, header: bytes) -> None:
    assert ask(emulator, LIST, b"Host: 127.0.0.1:{port}", header)[0] == 200


def test_what_is_refused_is_answered_though_its_body_is_still_sent(emulator: Emulator) -> None:
    lines = (b"POST /datastore HTTP/1.1", b"Host: evil.example")
    assert ask(emulator, *lines, body=b" " * (8 * 2**20))[0] == 421


def test_what_is_refused_is_not_asked_for_its_body(emulator: Emulator) -> None:
    for host, first in ((b"Host: evil.example", b" 421 "), (b"Host: 127.0.0.1", b" 100 ")):
        lines = (b"POST /datastore HTTP/1.1", host, b"Content-Length: 9", b"Expect: 100-continue")
        with closing(socket.create_connection(("127.0.0.1", port_of(emulator)), 20)) as connection:
            connection.sendall(b"\r\n".join((*lines, b"", b"")))
            assert connection.recv(65_536).startswith(b"HTTP/1.1" + first)


def test_the_address_that_was_reached_is_a_name_of_a_server_on_every_address(
    tmp_path: Path,
) -> None:
    with Emulator(tmp_path, listener=Listener(host="0.0.0.0")) as emulator:
        for host, status in ((b"0.0.0.0:{port}", 200), (b"127.0.0.1", 200), (b"8.8.8.8", 421)):
            assert ask(emulator, LIST, b"Host: " + host)[0] == status, host


def test_the_name_that_it_listens_on_is_its_own(tmp_path: Path) -> None:
    name = socket.gethostname()
    try:
        emulator = Emulator(tmp_path, listener=Listener(host=name))
    except OSError:
        pytest.skip("this machine does not resolve its own name")
    with emulator:
        address = str(emulator._server.server_address[0])
        with closing(socket.create_connection((address, port_of(emulator)), timeout=20)) as one:
            one.sendall(LIST + b"\r\nHost: " + name.encode() + b"\r\nConnection: close\r\n\r\n")
            assert one.recv(65_536).startswith(b"HTTP/1.1 200")


def test_boto3_is_answered_under_a_name_that_was_given(
    emulator: Emulator, client_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with two lines in the hosts file: `runtime-` is put before the name."""
    real = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **named: Any) -> Any:
        ours = str(host).endswith("healthimaging.local")
        return real("127.0.0.1" if ours else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    client = client_for(f"http://healthimaging.local:{port_of(emulator)}")
    assert [one["datastoreId"] for one in client.list_datastores()["datastoreSummaries"]] == [STORE]
    other = client_for(f"http://x.healthimaging.local:{port_of(emulator)}")
    with pytest.raises(Exception, match=r"--host-name x\.healthimaging\.local"):
        other.list_datastores()
