"""A service that repeats values: in messages, codes, headers and bodies, written in many ways."""

from __future__ import annotations

import base64
import gzip
import html
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

from tests.canary.marks import EARLIER, LISTED, LIVE, STATED, Mark


def echo() -> str:
    """Values before, after and of an earlier version, as a service may repeat them."""
    return " | ".join(way for mark in (LIVE, STATED, LISTED, EARLIER) for way in ways(mark))


def ways(mark: Mark) -> Iterator[str]:
    """Whole, one component, in upper case, cut, and escaped for JSON, HTML, URLs and blobs."""
    whole = json.dumps({"Patient": {"DICOM": {"PatientName": mark.person}}})
    yield from (f"Value '{mark.person}' is not allowed", mark.given, mark.ideographic)
    yield from (mark.person.upper(), f"{mark.word[:6]}…", mark.number, mark.date, mark.text)
    yield from (whole, json.dumps(whole), html.escape(mark.text), quote(mark.person))
    yield from (base64.b64encode(f"{'x' * start}{whole}".encode()).decode() for start in range(3))


@dataclass(frozen=True)
class Answer:
    """What the service answers instead of its answer. Status 0 breaks the connection."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def _refused(status: int, code: str) -> Answer:
    return Answer(status, json.dumps({"message": echo()}).encode(), {"x-amzn-ErrorType": code})


_PAGE = f"<html><body>{html.escape(echo())}</body></html>".encode()
# The answers to an update that echo values.
ANSWERS = {
    "invalid": _refused(400, "ValidationException"),
    "a value as the code": _refused(400, LIVE.word),
    "a value as the code, in the body": Answer(
        400, json.dumps({"__type": LIVE.upper, "message": echo()}).encode()
    ),
    "locked": _refused(409, "ConflictException"),
    "denied": _refused(403, "AccessDeniedException"),
    "not found": _refused(404, "ResourceNotFoundException"),
    "throttled": _refused(429, "ThrottlingException"),
    "broken": _refused(500, "InternalServerException"),
    "a page of a proxy": Answer(502, _PAGE, {"Content-Type": "text/html"}),
    "a page instead of the answer": Answer(200, _PAGE, {"Content-Type": "text/html"}),
    "a header that is none": Answer(
        400, json.dumps({"message": echo()}).encode(), {f"{LIVE.person.split('=')[0]} is": "x"}
    ),
    "another version": Answer(
        200, json.dumps({"latestVersionId": LIVE.word, "imageSetState": LIVE.upper}).encode()
    ),
    "torn": Answer(0),
}
# The answer that an update of every kind gets.
COMMON = "invalid"
# The answers to a read that echo values.
_DOCUMENT = json.dumps({"SchemaVersion": 1.1, "Patient": {"DICOM": {"PatientName": LIVE.person}}})
READS = {
    **{name: ANSWERS[name] for name in ("invalid", "denied", "not found", "a value as the code")},
    "a page": ANSWERS["a page instead of the answer"],
    "a cut document": Answer(200, gzip.compress(_DOCUMENT[:-3].encode())),
    "a key twice": Answer(
        200,
        gzip.compress(
            f'{{"Patient": {{"{LIVE.word}": 1, "{LIVE.word}": "{LIVE.text}"}}}}'.encode()
        ),
    ),
    "another shape": Answer(
        200,
        gzip.compress(
            json.dumps({"Patient": LIVE.person, LIVE.word: {"DICOM": LIVE.text}}).encode()
        ),
    ),
    "not zipped": Answer(200, _DOCUMENT.encode() + b"\xff"),
}


class Front(ThreadingHTTPServer):
    """A proxy before the emulator that answers some calls itself."""

    daemon_threads = True
    behind = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.updates: dict[str, Answer] = {}  # by image set
        self.reads: dict[str, Answer] = {}  # by the last part of the path

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def own_answer(self, path: str) -> Answer | None:
        """The answer that this proxy gives itself."""
        plain = path.partition("?")[0]
        operation = plain.rpartition("/")[2]
        if operation != "updateImageSetMetadata":
            return self.reads.get(operation)
        return next((one for name, one in self.updates.items() if name in plain), None)


@contextmanager
def front(behind: str) -> Iterator[Front]:
    """A proxy that serves in a thread."""
    with Front() as made:
        made.behind = behind
        Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        own = self.server.own_answer(self.path)
        if own is None:
            request = Request(
                self.server.behind + self.path,
                body,
                dict(self.headers.items()),
                method=self.command,
            )
            with urlopen(request) as answered:
                kept = ("Content-Type", "Content-Encoding")
                headers = {name: answered.headers[name] for name in kept if answered.headers[name]}
                own = Answer(answered.status, answered.read(), headers)
        self._send(own)

    def _send(self, answer: Answer) -> None:
        self.close_connection = not answer.status
        if not answer.status:
            return
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    do_POST: Callable[[_Handler], None] = _serve
    do_GET: Callable[[_Handler], None] = _serve

    def log_message(self, format: str, *arguments: Any) -> None:
        """Log nothing."""
