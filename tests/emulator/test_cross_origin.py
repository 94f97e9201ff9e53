"""Web pages of origins that `--allow-origin` names, as browsers call: preflight, request, answer.

What a browser does is described in https://fetch.spec.whatwg.org/#http-cors-protocol.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.emulator.http.access import access
from reconciler.emulator.http.options import Listener, Options
from reconciler.emulator.http.server import Emulator

STORE = "e" * 32
VIEWER = "http://localhost:3000"
SITE = "https://viewer.example"
SEARCH = f"/datastore/{STORE}/searchImageSets"
# What the JavaScript SDK sends from a browser.
SENT = (
    "amz-sdk-invocation-id,amz-sdk-request,authorization,content-type,x-amz-content-sha256,"
    "x-amz-date,x-amz-user-agent"
)
Answer = tuple[int, dict[str, str], Any]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    listener = Listener(origins=(VIEWER, SITE))
    folder = tmp_path_factory.mktemp("origins")
    with Emulator(folder, Options(update_seconds=0.0), listener) as running:
        running.service.ensure_datastore(STORE)
        yield running


def send(emulator: Emulator, method: str, target: str, body: bytes = b"", **headers: str) -> Answer:
    """Status, headers in small letters, and body of an answer."""
    connection = http.client.HTTPConnection(emulator.endpoint.removeprefix("http://"), timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, target, body, named)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    found = {name.lower(): value for name, value in answer.getheaders()}
    return answer.status, found, json.loads(text) if text else None


def preflight(emulator: Emulator, origin: str, *, method: str = "POST", sent: str = SENT) -> Answer:
    return send(
        emulator, "OPTIONS", SEARCH, Origin=origin, Sec_Fetch_Site="cross-site",
        Access_Control_Request_Method=method, Access_Control_Request_Headers=sent,
    )  # fmt: skip


def words(text: str) -> set[str]:
    return {word.strip().lower() for word in text.split(",")}


def test_a_page_of_an_origin_that_is_named(emulator: Emulator) -> None:
    for origin in (VIEWER, SITE):
        status, allowed, _ = preflight(emulator, origin)
        assert status == 200  # an "ok status": 200 to 299
        assert allowed["access-control-allow-origin"] == origin
        assert "POST" in allowed["access-control-allow-methods"]
        assert words(allowed["access-control-allow-headers"]) == words(SENT)
        assert "access-control-allow-credentials" not in allowed
        status, found, body = send(
            emulator, "POST", SEARCH, b"{}", Origin=origin, Sec_Fetch_Site="cross-site"
        )
        assert (status, body["imageSetsMetadataSummaries"]) == (200, [])
        assert found["access-control-allow-origin"] == origin
        assert "origin" in words(found["vary"])


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_every_method_of_the_service_is_allowed(emulator: Emulator, method: str) -> None:
    _, allowed, _ = preflight(emulator, VIEWER, method=method)
    assert method in allowed["access-control-allow-methods"].split(", ")


def test_a_page_sees_errors_and_headers_of_the_answer(emulator: Emulator) -> None:
    """Without these headers a browser hides the answer, and the SDK reports a network error."""
    unknown = f"/datastore/{STORE}/imageSet/{'0' * 32}/getImageSetMetadata"
    cases = [(unknown, 404, b"{}"), ("/datastore/X", 404, b""), (SEARCH, 400, b"{")]
    for target, expected, body in cases:
        status, found, _ = send(emulator, "POST", target, body, Origin=VIEWER)
        assert (status, found["access-control-allow-origin"]) == (expected, VIEWER)
        exposed = words(found["access-control-expose-headers"])
        assert {"x-amzn-errortype", "x-amzn-requestid", "content-encoding"} <= exposed
    status, found, _ = send(emulator, "POST", SEARCH, Origin=VIEWER, Content_Length="1, 2")
    assert (status, found["access-control-allow-origin"]) == (400, VIEWER)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example", "null", "*", "", "http://localhost", "http://localhost:3001",
        "https://localhost:3000", "http://localhost:3000.evil.example", "http://localhost:3000/",
        "http://x.localhost:3000", "http://127.0.0.1:3000", "https://viewer.example.evil.example",
        "https://viewer.example:444", "http://viewer.example", "https://evil.example?https://viewer.example",
        f"{VIEWER}, {SITE}", "https://viewer.example@evil.example",
    ],
)  # fmt: skip
def test_no_other_origin_is_answered(emulator: Emulator, origin: str) -> None:
    for status, found, body in (
        preflight(emulator, origin),
        send(emulator, "POST", SEARCH, b"{}", Origin=origin),
        send(emulator, "GET", "/datastore", Origin=origin, Sec_Fetch_Site="same-origin"),
    ):
        assert status == 403
        assert not [name for name in found if name.startswith("access-control-")]
        assert STORE not in json.dumps(body)


def test_the_default_port_may_be_left_out() -> None:
    with_port = access((), ["https://viewer.example:443"])
    assert with_port == access((), ["https://VIEWER.example"])


def test_a_second_origin_spoils_the_first(emulator: Emulator) -> None:
    port = emulator.endpoint.rsplit(":", 1)[1]
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=20)
    connection.putrequest("GET", "/datastore")
    connection.putheader("Origin", VIEWER)
    connection.putheader("Origin", "https://evil.example")
    connection.endheaders()
    assert connection.getresponse().status == 403
    connection.close()


def test_a_name_that_resolves_to_this_machine_stays_refused(emulator: Emulator) -> None:
    """DNS rebinding: the page is of an origin that is named, its host name is not."""
    for origin in (VIEWER, "http://evil.example"):
        status, found, _ = send(emulator, "POST", SEARCH, b"{}", Origin=origin, Host="evil.example")
        assert status == 421
        assert "access-control-allow-origin" not in found


def test_what_a_page_fetches_without_an_origin_stays_refused(emulator: Emulator) -> None:
    """An image or a form of a page of any site; a browser sends no origin with it."""
    status, _, _ = send(emulator, "GET", "/datastore", Sec_Fetch_Site="cross-site")
    assert status == 403


def test_the_next_request_of_a_connection_is_judged_anew(emulator: Emulator) -> None:
    connection = http.client.HTTPConnection(emulator.endpoint.removeprefix("http://"), timeout=20)
    connection.request("GET", "/datastore", headers={"Origin": VIEWER})
    assert connection.getresponse().read()
    connection.request("GET", "/datastore")
    answer = connection.getresponse()
    assert answer.read()
    assert answer.getheader("Access-Control-Allow-Origin") is None
    connection.close()


@pytest.mark.parametrize("sent", ["x y", "a,,b", "a;b", "a\tb", "é", "a:b", "x" * 5000])
def test_names_of_headers_are_not_repeated_unless_they_are_names(
    emulator: Emulator, sent: str
) -> None:
    _, found, _ = preflight(emulator, VIEWER, sent=sent)
    assert "access-control-allow-headers" not in found


def test_a_folded_line_splits_no_answer(emulator: Emulator) -> None:
    connection = http.client.HTTPConnection(emulator.endpoint.removeprefix("http://"), timeout=20)
    connection.putrequest("OPTIONS", SEARCH)
    connection.putheader("Origin", VIEWER)
    connection.putheader("Access-Control-Request-Method", "POST")
    connection.putheader("Access-Control-Request-Headers", "x-a,", "Set-Cookie: a=b")  # folded
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.getheader("Access-Control-Allow-Headers") is None
    assert answer.getheader("Set-Cookie") is None
    connection.close()


def test_options_that_are_no_preflight_are_no_operation(emulator: Emulator) -> None:
    assert send(emulator, "OPTIONS", SEARCH, Origin=VIEWER)[0] == 404
    assert send(emulator, "OPTIONS", SEARCH, Access_Control_Request_Method="POST")[0] == 404


@pytest.mark.parametrize(
    "origin",
    ["*", "null", "", "localhost:3000", "http://", "http://localhost:3000/", "http://a b",
     "ftp://localhost", "http://*.example", "http://localhost:3000/path", "file://"],
)  # fmt: skip
def test_what_is_no_origin_is_not_taken(origin: str) -> None:
    with pytest.raises(ValueError, match="^" + origin.replace("*", r"\*") + "$"):
        access((), [origin])


def test_the_refusal_names_the_option(emulator: Emulator) -> None:
    _, _, body = send(emulator, "GET", "/datastore", Origin="http://localhost:4200")
    assert "--allow-origin http://localhost:4200" in body["message"]
    for origin in ("null", "http://localhost:3000/<script>"):
        _, _, body = send(emulator, "GET", "/datastore", Origin=origin)
        assert origin not in body["message"]
