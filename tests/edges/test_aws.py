"""The boto3 port: what goes over the wire, and which error of ours each answer becomes."""

from __future__ import annotations

import base64
import gzip
import io
import json
import logging
import re
import shlex
import socket
import ssl
import sys
import threading
import traceback
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.exceptions import SSLError

from reconciler.core.errors import (
    AccessDeniedError,
    ConflictError,
    CredentialsError,
    NoAnswerError,
    NotFoundError,
    RejectedError,
    ServiceError,
    ThrottledError,
    UnreachableError,
    UnreadableError,
)
from reconciler.core.model.plan import Step
from reconciler.core.model.search_filter import Span
from reconciler.core.model.settings import Datastore
from reconciler.core.ports import ImageSets
from reconciler.edges import aws
from reconciler.edges.aws.client import clients
from reconciler.edges.aws.image_sets import BotoImageSets
from reconciler.edges.aws.metadata import MAX_BYTES, MAX_DEPTH, read_document
from reconciler.edges.aws.problems import Target
from reconciler.edges.aws.watch import take_over_logs
from reconciler.edges.debug_log import Event, Facts, line, silent
from tests.documents import DATASTORE_ID, IMAGE_SET_ID, document

SECRET = "Garcia^Gloria"
REQUEST_ID = "160c19d8-15cd-401a-a5ee-894df0c7a013"


@dataclass
class Wire:
    """A server that gives prepared answers and keeps the requests."""

    endpoint: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, list[str]], bytes, dict[str, str]]] = field(
        default_factory=list
    )

    def answer(self, content: object, status: int = 200, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.answers.append((status, headers, body))

    def refuse(self, status: int, code: str, message: str = "no", times: int = 1) -> None:
        for _ in range(times):
            self.answers.append(
                (status, {"x-amzn-ErrorType": code}, json.dumps({"message": message}).encode())
            )

    def break_off(self) -> None:
        """Take the request and close the connection."""
        self.answers.append((0, {}, b""))


class Server(ThreadingHTTPServer):
    daemon_threads = True
    wire: Wire


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        url, wire = urlsplit(self.path), self.server.wire
        wire.requests.append((url.path, parse_qs(url.query), body, dict(self.headers.items())))
        status, headers, content = wire.answers.pop(0)
        if not status:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response_only(status)
        length = headers.pop("Content_Length", str(len(content)))
        for name, value in {"Content-Length": length, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = length != str(len(content))

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def connected(server: Server) -> ImageSets:
    """One client for all: making one takes half a second."""
    return aws.connect(DATASTORE, endpoint=endpoint_of(server), max_connections=4)


@pytest.fixture(scope="module")
def once(server: Server) -> ImageSets:
    """A port that sends reads once, like updates: boto3 waits for seconds before it tries again."""
    _, writes = clients(DATASTORE.region, endpoint_of(server), 4)
    return BotoImageSets(writes, writes, Target("research", DATASTORE_ID, "", endpoint_of(server)))


@pytest.fixture
def wire(server: Server) -> Wire:
    server.wire = Wire(endpoint_of(server))
    return server.wire


@pytest.fixture
def port(connected: ImageSets, wire: Wire) -> ImageSets:
    return connected


def endpoint_of(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


DATASTORE = Datastore("research", DATASTORE_ID, "us-east-1", endpoint="http://127.0.0.1:1")


def step(**given: Any) -> Step:
    base: dict[str, Any] = {
        "datastore_id": DATASTORE_ID,
        "image_set_id": IMAGE_SET_ID,
        "pin": "1",
        "expected": ((IMAGE_SET_ID, "sha256:0"),),
    }
    return Step(**(base | given))


PROPERTIES = {
    "datastoreId": DATASTORE_ID,
    "imageSetId": IMAGE_SET_ID,
    "versionId": "2",
    "imageSetState": "ACTIVE",
    "imageSetWorkflowStatus": "UPDATE_FAILED",
    "updatedAt": 1700243522.2951,
    "message": "a reason",
    "isPrimary": True,
}
UPDATED = {
    "datastoreId": DATASTORE_ID,
    "imageSetId": IMAGE_SET_ID,
    "latestVersionId": "2",
    "imageSetState": "LOCKED",
}


def test_get(wire: Wire, port: ImageSets) -> None:
    wire.answer(PROPERTIES)
    found = port.get(IMAGE_SET_ID, "2")
    path, query, _, _ = wire.requests[0]
    assert path == f"/datastore/{DATASTORE_ID}/imageSet/{IMAGE_SET_ID}/getImageSet"
    assert query == {"version": ["2"]}
    assert (found.version_id, found.state, found.workflow_status) == (
        "2",
        "ACTIVE",
        "UPDATE_FAILED",
    )
    assert (found.message, found.is_primary, found.updated_at) == (
        "a reason",
        True,
        1700243522.295,
    )


def test_get_without_what_is_optional(wire: Wire, port: ImageSets) -> None:
    wire.answer({"imageSetId": IMAGE_SET_ID, "versionId": "1", "imageSetState": "LOCKED"})
    found = port.get(IMAGE_SET_ID)
    assert wire.requests[0][1] == {}
    assert (found.workflow_status, found.message, found.is_primary) == ("", "", None)
    assert found.updated_at is None


@pytest.mark.parametrize("zipped", [True, False])
def test_metadata_is_read_zipped_or_not(wire: Wire, port: ImageSets, zipped: bool) -> None:
    raw = document(patient={"PatientName": "Müller^Jürgen"})
    body = json.dumps(raw, ensure_ascii=False).encode()
    if zipped:
        wire.answer(gzip.compress(body), Content_Encoding="gzip", Content_Type="application/json")
    else:
        wire.answer(body, Content_Type="application/json")
    assert port.metadata(IMAGE_SET_ID, "1").raw == raw
    assert wire.requests[0][1] == {"version": ["1"]}


def test_metadata_keeps_integers_of_any_size_and_the_kinds_of_numbers(
    wire: Wire, port: ImageSets
) -> None:
    text = '{"a": 18446744073709551617, "b": 1, "c": 1.0, "d": 1e3, "e": "\\ud800"}'
    wire.answer(text.encode())
    raw = port.metadata(IMAGE_SET_ID, "1").raw
    assert raw["a"] == 2**64 + 1
    assert [type(raw[key]) for key in "abcd"] == [int, int, float, float]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", gzip.compress(b"{}", mtime=0)[:-9], b"\x1f\x8bnothing"]
)
def test_metadata_that_is_no_document_is_tried_again(
    wire: Wire, port: ImageSets, body: bytes
) -> None:
    for _ in range(3):
        wire.answer(body)
    with pytest.raises(UnreadableError, match="returned no metadata document"):
        port.metadata(IMAGE_SET_ID, "1")
    assert wire.answers == []


def nested(levels: int) -> bytes:
    """A document of so many objects and lists in each other."""
    lists = levels - 1
    return b'{"Study": ' + b"[" * lists + b"]" * lists + b"}"


def test_the_depth_of_metadata_is_bounded(wire: Wire, port: ImageSets) -> None:
    wire.answer(nested(MAX_DEPTH))
    assert "Study" in port.metadata(IMAGE_SET_ID, "1").raw
    for levels in (MAX_DEPTH + 1, 400, 100_000):
        wire.answer(nested(levels))
        with pytest.raises(UnreadableError, match="nested deeper than 100 levels"):
            port.metadata(IMAGE_SET_ID, "1")
    assert len(wire.requests) == 4  # what is too deep once stays so


NUMBERS = ["18446744073709551616", "-" + "7" * 4300, "5e-324", "1.7976931348623157e+308", "-0.0"]
INEXACT = {
    "NaN": "holds NaN",
    "Infinity": "holds Infinity",
    "-Infinity": "holds -Infinity",
    "1e400": "a number beyond the range of a double",
    "-12.5e-400": "a number beyond the range of a double",
    "7" * 4301: "an integer of more than 4300 digits",
    '{"PatientID": "1", "PatientID": "2"}': "the same attribute twice",
}


@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: text[:20])
def test_numbers_of_metadata_are_kept_exactly(wire: Wire, port: ImageSets, number: str) -> None:
    wire.answer(b'{"Study": [%s]}' % number.encode())
    assert repr(port.metadata(IMAGE_SET_ID, "1").raw) == f"{{'Study': [{number}]}}"


@pytest.mark.parametrize(("value", "reason"), INEXACT.items(), ids=lambda text: text[:20])
def test_metadata_that_cannot_be_kept_exactly_is_refused(
    wire: Wire, port: ImageSets, value: str, reason: str
) -> None:
    """Such a value would be shown, compared and sent back as another value."""
    wire.answer(b'{"Study": [%s]}' % value.encode())
    with pytest.raises(UnreadableError, match=reason) as caught:
        port.metadata(IMAGE_SET_ID, "1")
    assert IMAGE_SET_ID in str(caught.value)
    assert "777" not in str(caught.value)
    assert len(wire.requests) == 1  # the next answer would be the same


def test_the_size_of_metadata_is_bounded_packed_and_unpacked(wire: Wire, port: ImageSets) -> None:
    def zipped(size: int) -> bytes:
        return gzip.compress(b"{" + b" " * (size - 2) + b"}", compresslevel=1)

    wire.answer(zipped(MAX_BYTES))
    assert port.metadata(IMAGE_SET_ID, "1").raw == {}
    for body in (zipped(MAX_BYTES + 1), b" " * (MAX_BYTES + 1)):
        wire.answer(body)
        with pytest.raises(UnreadableError, match="larger than 64 MiB"):
            port.metadata(IMAGE_SET_ID, "1")


def test_no_more_is_unpacked_than_the_bound() -> None:
    """Of 1.6 GB in 1.6 MB."""
    body = io.BytesIO(gzip.compress(b"{}") + gzip.compress(b" " * 1_000_000) * 1_600)
    tracemalloc.start()
    with pytest.raises(UnreadableError, match="larger than"):
        read_document(body, IMAGE_SET_ID, "1")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MAX_BYTES


def test_an_answer_about_something_else_is_not_taken(wire: Wire, port: ImageSets) -> None:
    wire.answer(json.dumps({**document(), "ImageSetID": "0" * 32}).encode())
    with pytest.raises(UnreadableError, match="another image set"):
        port.metadata(IMAGE_SET_ID, "1")
    state = {"imageSetState": "ACTIVE"}
    for answer in (
        {"imageSetId": "0" * 32, "versionId": "1", **state},
        {"imageSetId": IMAGE_SET_ID, "versionId": "2", **state},
        {"imageSetId": IMAGE_SET_ID, "versionId": "one", **state},
    ):
        wire.answer(answer)
        with pytest.raises(UnreadableError, match=IMAGE_SET_ID):
            port.get(IMAGE_SET_ID, "1")


@pytest.mark.parametrize(("said", "primary"), [(True, True), (False, False), (None, None)])
def test_what_does_not_say_whether_it_is_primary_is_not_taken_for_false(
    wire: Wire, port: ImageSets, said: object, primary: bool | None
) -> None:
    wire.answer({**PROPERTIES, "isPrimary": said})
    assert port.get(IMAGE_SET_ID).is_primary is primary


def test_denied_access_to_one_image_set_blames_no_data_store(wire: Wire, port: ImageSets) -> None:
    wire.refuse(403, "AccessDeniedException", "no")
    with pytest.raises(AccessDeniedError) as caught:
        port.get(IMAGE_SET_ID)
    assert "cannot access" not in str(caught.value)
    assert "permissions include this image set" in caught.value.hint


def test_metadata_that_breaks_off_is_read_again(wire: Wire, port: ImageSets) -> None:
    body = gzip.compress(json.dumps(document()).encode())
    wire.answer(body[:-20], Content_Length=str(len(body)))
    wire.answer(body)
    assert port.metadata(IMAGE_SET_ID, "1").raw == document()


def test_versions_are_sorted_by_number_over_all_pages(wire: Wire, port: ImageSets) -> None:
    def row(version: str) -> dict[str, Any]:
        return {
            "imageSetId": IMAGE_SET_ID,
            "versionId": version,
            "imageSetState": "ACTIVE",
            "ImageSetWorkflowStatus": "UPDATED",  # a capital I, here only
        }

    wire.answer({"imageSetPropertiesList": [row("11"), row("10")], "nextToken": "more"})
    wire.answer({"imageSetPropertiesList": [row("9"), row("1")]})
    found = port.versions(IMAGE_SET_ID)
    assert [one.version_id for one in found] == ["1", "9", "10", "11"]
    assert {one.workflow_status for one in found} == {"UPDATED"}
    assert wire.requests[1][1] == {"maxResults": ["50"], "nextToken": ["more"]}


def test_search_pages_and_types(wire: Wire, port: ImageSets) -> None:
    first = {
        "imageSetId": IMAGE_SET_ID,
        "version": 12,
        "updatedAt": 1.700243522295e9,
        "isPrimary": True,
        "DICOMTags": {"DICOMStudyId": "S", "DICOMPatientId": None, "DICOMSeriesNumber": 3},
    }
    wire.answer({"imageSetsMetadataSummaries": [first], "nextToken": "more"})
    wire.answer({"imageSetsMetadataSummaries": [{"imageSetId": "0" * 32}]})
    found = list(port.search((("DICOMStudyInstanceUID", "1.2"),)))
    assert [(one.image_set_id, one.version_id, one.is_primary) for one in found] == [
        (IMAGE_SET_ID, "12", True),
        ("0" * 32, "", None),
    ]
    assert found[0].tags == (("DICOMSeriesNumber", "3"), ("DICOMStudyId", "S"))
    assert found[0].updated_at == 1700243522.295
    path, query, body, _ = wire.requests[1]
    assert path == f"/datastore/{DATASTORE_ID}/searchImageSets"
    assert query == {"maxResults": ["50"], "nextToken": ["more"]}
    assert json.loads(body) == {
        "filters": [{"operator": "EQUAL", "values": [{"DICOMStudyInstanceUID": "1.2"}]}],
        "sort": {"sortField": "createdAt", "sortOrder": "ASC"},
    }


def test_search_sends_spans_as_the_bounds_of_between(wire: Wire, port: ImageSets) -> None:
    for filters, bounds in (
        ([("createdAt", Span(1767225599, 1769904001))], [1767225599, 1769904001]),
        (
            [("DICOMStudyDateAndTime", Span("20040119", "20040120"))],
            [
                {"DICOMStudyDate": "20040119", "DICOMStudyTime": "000000"},
                {"DICOMStudyDate": "20040120", "DICOMStudyTime": "000000"},
            ],
        ),
    ):
        ((name, _),) = filters
        wire.answer({"imageSetsMetadataSummaries": []})
        assert list(port.search(tuple(filters))) == []
        (sent,) = json.loads(wire.requests[-1][2])["filters"]
        assert sent == {"operator": "BETWEEN", "values": [{name: bound} for bound in bounds]}


def test_search_keeps_every_member_of_a_summary(wire: Wire, port: ImageSets) -> None:
    row = {
        "imageSetId": IMAGE_SET_ID,
        "createdAt": 1.700243522295e9,
        "lastAccessedAt": 1.7002435e9,
        "storageTier": "ARCHIVE_INSTANT_ACCESS",
    }
    wire.answer({"imageSetsMetadataSummaries": [row]})
    (found,) = port.search()
    assert (found.created_at, found.last_accessed_at) == (1700243522.295, 1700243500.0)
    assert found.storage_tier == "ARCHIVE_INSTANT_ACCESS"


@pytest.mark.parametrize(
    ("header", "date"),
    [
        ("Fri, 17 Nov 2023 17:52:02 GMT", 1700243522.0),
        ("Fri, 17 Nov 2023 19:52:02 +0200", 1700243522.0),
        ("Fri, 17 Nov 2023 17:52:02 -0000", None),
        ("Fri, 17 Nov 2023 17:52:02 +99999999999999999999", None),
        ("Fri, 31 Nov 2023 17:52:02 GMT", None),
        ("17 Nov 99999 17:52:02 GMT", None),
        ("1700243522", None),
        ("", None),
    ],
)
def test_a_page_has_the_date_of_its_answer(
    wire: Wire, port: ImageSets, header: str, date: float | None
) -> None:
    wire.answer({"imageSetsMetadataSummaries": []}, Date=header)
    assert [page.date for page in port.pages()] == [date]


def test_a_page_without_a_date_has_none(wire: Wire, port: ImageSets) -> None:
    wire.answer({"imageSetsMetadataSummaries": []})
    assert [page.date for page in port.pages()] == [None]


@pytest.mark.parametrize("tokens", ["aa", "aba", "abcb"])
@pytest.mark.parametrize("operation", ["SearchImageSets", "ListImageSetVersions"])
def test_pages_that_go_in_a_circle_end(
    wire: Wire, port: ImageSets, operation: str, tokens: str
) -> None:
    rows: dict[str, Any] = {"imageSetsMetadataSummaries": [], "imageSetPropertiesList": []}
    for token in tokens + "xyz":
        wire.answer({**rows, "nextToken": token})
    wire.answer(rows)
    with pytest.raises(
        UnreadableError, match=f"{operation}: .* the same nextToken again"
    ) as caught:
        if operation == "SearchImageSets":
            list(port.pages())
        else:
            port.versions(IMAGE_SET_ID)
    assert "Run the command again" in caught.value.hint
    assert len(wire.requests) == len(tokens)


def test_a_search_goes_on_where_it_failed(wire: Wire, once: ImageSets) -> None:
    wire.answer({"imageSetsMetadataSummaries": [], "nextToken": "second"})
    wire.refuse(429, "ThrottlingException")
    wire.answer({"imageSetsMetadataSummaries": [None], "nextToken": "wrong"})
    wire.answer({"imageSetsMetadataSummaries": [{"imageSetId": IMAGE_SET_ID}]})
    pages = once.pages()
    assert next(pages).rows == ()
    with pytest.raises(ThrottledError):
        next(pages)
    with pytest.raises(NoAnswerError):
        next(pages)
    assert [page.rows[0].image_set_id for page in pages] == [IMAGE_SET_ID]
    tokens = [query.get("nextToken") for _, query, _, _ in wire.requests]
    assert tokens == [None, ["second"], ["second"], ["second"]]


def test_update_sends_exactly_the_planned_bytes(wire: Wire, port: ImageSets) -> None:
    wire.answer(UPDATED)
    updatable, removable = '{"Patient":{"DICOM":{"PatientName":"Ü^1.10"}}}', '{"Study":{}}'
    assert port.update(step(updatable=updatable, removable=removable, pin="7")) == "2"
    path, query, body, _ = wire.requests[0]
    assert path == f"/datastore/{DATASTORE_ID}/imageSet/{IMAGE_SET_ID}/updateImageSetMetadata"
    assert query == {"latestVersion": ["7"]}
    sent = json.loads(body)["DICOMUpdates"]
    assert base64.b64decode(sent["updatableAttributes"]).decode() == updatable
    assert base64.b64decode(sent["removableAttributes"]).decode() == removable


def test_update_sends_flags_only_when_they_are_set(wire: Wire, port: ImageSets) -> None:
    wire.answer(UPDATED)
    port.update(step(removable="{}", force=True, study_wide=True))
    _, query, body, _ = wire.requests[0]
    assert query == {"latestVersion": ["1"], "force": ["true"], "includeStudyImageSets": ["true"]}
    assert set(json.loads(body)["DICOMUpdates"]) == {"removableAttributes"}


def test_a_revert_sends_nothing_else(wire: Wire, port: ImageSets) -> None:
    wire.answer(UPDATED)
    port.update(step(revert_to="1", pin="3"))
    assert json.loads(wire.requests[0][2]) == {"revertToVersionId": "1"}


ANSWERS = [
    (404, "ResourceNotFoundException", NotFoundError),
    (403, "AccessDeniedException", AccessDeniedError),
    (409, "ConflictException", ConflictError),
    (400, "ValidationException", RejectedError),
    (402, "ServiceQuotaExceededException", RejectedError),
    (429, "ThrottlingException", ThrottledError),
    (500, "InternalServerException", NoAnswerError),
    (503, "ServiceUnavailable", NoAnswerError),
    (502, "", NoAnswerError),
    (418, "SomethingNewException", RejectedError),
    (403, "ExpiredTokenException", CredentialsError),
    (403, "InvalidSignatureException", CredentialsError),
    (400, "UnrecognizedClientException", CredentialsError),
]


@pytest.mark.parametrize(("status", "code", "kind"), ANSWERS)
def test_every_answer_to_an_update_is_one_of_ours_and_is_not_sent_again(
    wire: Wire, port: ImageSets, status: int, code: str, kind: type[ServiceError]
) -> None:
    wire.refuse(status, code, "the reason")
    with pytest.raises(ServiceError) as caught:
        port.update(step(updatable="{}"))
    assert type(caught.value) is kind
    assert caught.value.operation == "UpdateImageSetMetadata"
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("status", "code"), [(429, "ThrottlingException"), (500, "InternalServerException")]
)
def test_a_read_is_tried_again(wire: Wire, port: ImageSets, status: int, code: str) -> None:
    wire.refuse(status, code)
    wire.answer(PROPERTIES)
    assert port.get(IMAGE_SET_ID).version_id == "2"


def test_every_throttle_of_a_read_is_told(server: Server, wire: Wire) -> None:
    """The SDK would retry by itself, and the pacing would not slow down."""
    told: list[str] = []
    port = aws.connect(DATASTORE, endpoint=endpoint_of(server), on_throttle=told.append)
    wire.refuse(429, "ThrottlingException")
    wire.refuse(500, "InternalServerException")
    wire.answer(PROPERTIES)
    port.get(IMAGE_SET_ID)
    assert told == ["GetImageSet"]


def test_a_connection_that_breaks_after_the_send_is_no_answer(wire: Wire, port: ImageSets) -> None:
    wire.break_off()
    with pytest.raises(NoAnswerError) as caught:
        port.update(step(updatable="{}"))
    assert not isinstance(caught.value, UnreachableError)
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (ssl.SSLError("bad record mac"), NoAnswerError),
        (ssl.SSLCertVerificationError("self-signed"), UnreachableError),
    ],
)
def test_tls_that_breaks_after_the_send_is_no_answer(
    wire: Wire, cause: Exception, kind: type[ServiceError]
) -> None:
    """Only what a certificate is refused for is sure not to have been sent."""

    def breaks(**_: Any) -> None:
        raise SSLError(endpoint_url=wire.endpoint, error=Exception(cause))

    reads, writes = clients("us-east-1", wire.endpoint, 1)
    writes.meta.events.register("before-send", breaks)
    port = BotoImageSets(reads, writes, Target("research", DATASTORE_ID, "", wire.endpoint))
    with pytest.raises(ServiceError) as caught:
        port.update(step(updatable="{}"))
    assert type(caught.value) is kind


def test_an_answer_that_is_no_text_is_no_answer(wire: Wire, port: ImageSets) -> None:
    """botocore raises what Python raises for it."""
    wire.answer(gzip.compress(b"{}"))
    with pytest.raises(NoAnswerError):
        port.get(IMAGE_SET_ID)
    wire.answer(b"\xff\xfe")
    with pytest.raises(NoAnswerError):
        port.update(step(updatable="{}"))


def test_an_answer_that_is_not_json_is_no_answer(wire: Wire, port: ImageSets) -> None:
    wire.answer(b"<html>a proxy says hello</html>")
    with pytest.raises(NoAnswerError):
        port.update(step(updatable="{}"))


@pytest.mark.parametrize("answer", [[], {**UPDATED, "imageSetState": {"": 1}, "createdAt": SECRET}])
def test_an_answer_with_values_of_other_types_is_no_answer(
    wire: Wire, port: ImageSets, answer: object
) -> None:
    """botocore raises what Python raises for them."""
    for call in (
        lambda: port.update(step(updatable="{}")),
        lambda: port.get(IMAGE_SET_ID),
    ):
        wire.answer(answer)
        with pytest.raises(NoAnswerError) as caught:
            call()
        assert "Garcia" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("operation", ["SearchImageSets", "ListImageSetVersions"])
def test_a_list_with_a_null_is_no_answer(wire: Wire, port: ImageSets, operation: str) -> None:
    wire.answer({"imageSetsMetadataSummaries": [None], "imageSetPropertiesList": [None]})
    with pytest.raises(NoAnswerError, match=operation):
        if operation == "SearchImageSets":
            list(port.search())
        else:
            port.versions(IMAGE_SET_ID)


def test_the_clients_parse_answers_with_our_parser(wire: Wire) -> None:
    """Only botocore would make a datetime. So this fails if it has no parser factory any more."""
    for client in clients(DATASTORE.region, wire.endpoint, 1):
        wire.answer(PROPERTIES)
        found = client.get_image_set(datastoreId=DATASTORE_ID, imageSetId=IMAGE_SET_ID)
        assert found["updatedAt"] == PROPERTIES["updatedAt"]
        assert found["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_an_endpoint_that_does_not_answer_names_itself_and_the_key() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        port = aws.connect(DATASTORE, endpoint=endpoint)
        with pytest.raises(UnreachableError) as caught:
            port.update(step(updatable="{}"))
    assert f"endpoint {endpoint} does not answer" in caught.value.message
    assert "datastores.research.endpoint in reconciler.yaml" in caught.value.hint


@pytest.mark.parametrize("endpoint", ["not a url", "http://127.0.0.1:99999", "http://[::1"])
def test_an_endpoint_that_is_no_url_names_the_key(endpoint: str) -> None:
    with pytest.raises(RejectedError, match=r"datastores\.research\.endpoint"):
        aws.connect(DATASTORE, endpoint=endpoint)


@pytest.mark.parametrize(
    ("status", "code"), [(403, "AccessDeniedException"), (404, "ResourceNotFoundException")]
)
def test_a_missing_data_store_names_both_causes(
    wire: Wire, port: ImageSets, status: int, code: str
) -> None:
    wire.refuse(status, code)
    with pytest.raises(ServiceError) as caught:
        list(port.search())
    assert DATASTORE_ID in caught.value.message
    assert "does not exist, or the credentials have no permission for it" in caught.value.message
    assert "datastoreId" in caught.value.hint


def test_a_missing_image_set_is_named(wire: Wire, port: ImageSets) -> None:
    wire.refuse(404, "ResourceNotFoundException", "no such thing")
    named = rf"{IMAGE_SET_ID} in data store research.*it does not exist"
    with pytest.raises(NotFoundError, match=named):
        port.get(IMAGE_SET_ID)


@pytest.mark.parametrize(("status", "code"), [(status, code) for status, code, _ in ANSWERS])
@pytest.mark.parametrize("operation", ["update", "search"])
def test_the_services_own_text_is_in_no_message(
    wire: Wire, once: ImageSets, status: int, code: str, operation: str
) -> None:
    """It may echo values. The code and our own sentence say what happened."""
    wire.refuse(status, code, f"{SECRET} is not allowed")
    with pytest.raises(ServiceError) as caught:
        if operation == "update":
            once.update(step(updatable="{}"))
        else:
            list(once.search())
    error = caught.value
    shown = "".join(traceback.format_exception(error)) + f"{error!r}{error.message}{error.hint}"
    assert "Garcia" not in shown
    assert code in shown or "credentials" in shown
    assert error.said in ("", f"{SECRET} is not allowed")


@pytest.mark.parametrize("code", [f"{SECRET} 1970", "Garcia", "GARCIA", "19700101"])
def test_a_code_that_is_no_code_is_not_printed(wire: Wire, port: ImageSets, code: str) -> None:
    """A value as the code: with signs that no code has, and as one word."""
    wire.refuse(400, code)
    with pytest.raises(RejectedError, match="HTTP 400") as caught:
        port.update(step(updatable="{}"))
    assert code not in f"{caught.value}{caught.value.code}"


def test_what_boto3_refuses_is_told_without_the_value(port: ImageSets) -> None:
    with pytest.raises(RejectedError) as caught:
        list(port.search((("DICOMPatientName", SECRET),)))
    error = caught.value
    assert SECRET not in str(error)
    assert error.__suppress_context__ and error.__cause__ is None


def test_bodies_stay_out_of_logs_at_debug(
    wire: Wire, port: ImageSets, caplog: pytest.LogCaptureFixture
) -> None:
    wire.answer(UPDATED)
    with caplog.at_level(logging.DEBUG):
        port.update(step(updatable=json.dumps({"Patient": {"DICOM": {"PatientName": SECRET}}})))
    assert SECRET not in caplog.text
    assert base64.b64encode(SECRET.encode()).decode()[:12] not in caplog.text


def test_the_words_of_a_refusal_stay_out_of_logs_at_debug(
    wire: Wire, port: ImageSets, caplog: pytest.LogCaptureFixture
) -> None:
    """The service quotes values that break a constraint."""
    wire.refuse(
        400,
        "ValidationException",
        f"1 validation error detected: Value '{SECRET}' at 'revertToVersionId' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: \\d+",
    )
    with caplog.at_level(logging.DEBUG), pytest.raises(RejectedError) as caught:
        port.update(step(updatable="{}"))
    assert SECRET not in caplog.text
    assert SECRET not in f"{caught.value}{caught.value!r}"
    assert SECRET in caught.value.said


def test_a_header_that_cannot_be_parsed_is_not_quoted(
    wire: Wire, port: ImageSets, caplog: pytest.LogCaptureFixture
) -> None:
    """urllib3 warns of it with all that follows, and Python prints warnings to stderr."""
    headers = {f"{SECRET} said so": "no header"}
    wire.answers.append((200, headers, json.dumps(PROPERTIES).encode()))
    port.get(IMAGE_SET_ID)
    assert "Garcia" not in caplog.text


def test_the_debug_log_has_every_request_and_no_value(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    """A throttled read, its retry, a refused update that quotes the value, and no connection."""
    lines: list[str] = []

    def log(event: Event, facts: Facts) -> None:
        lines.append(line(event, facts))

    port = aws.connect(DATASTORE, endpoint=wire.endpoint, log=log)
    wire.refuse(429, "ThrottlingException", SECRET)
    wire.answer(PROPERTIES, x_amzn_RequestId=REQUEST_ID)
    port.get(IMAGE_SET_ID)
    wire.refuse(400, "Garcia", SECRET)
    with pytest.raises(RejectedError):
        port.update(step(updatable=json.dumps({"Patient": {"DICOM": {"PatientName": SECRET}}})))
    wire.break_off()
    with pytest.raises(NoAnswerError):
        port.update(step(updatable="{}"))
    calls = [re.sub(r" ms=\d+$", "", one) for one in lines if one.startswith("call ")]
    about = f"imageSet={IMAGE_SET_ID}"
    assert calls == [
        f"call operation=GetImageSet {about} attempt=1 httpStatus=429 error=ThrottlingException",
        f"call operation=GetImageSet {about} attempt=2 httpStatus=200 state=ACTIVE "
        f"requestId={REQUEST_ID}",
        f"call operation=UpdateImageSetMetadata {about} versionId=1 attempt=1 httpStatus=400 "
        "error=(hidden)",
        f"call operation=UpdateImageSetMetadata {about} versionId=1 attempt=1 "
        "error=ConnectionClosedError",
    ]
    assert any(one.startswith("connection host=127.0.0.1 port=") for one in lines)
    assert "Garcia" not in "".join(lines)
    assert capsys.readouterr() == ("", "")
    take_over_logs(silent)


def test_an_emulator_never_gets_the_users_credentials_profile_or_proxy(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREALKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "REALTOKEN")
    monkeypatch.setenv("AWS_PROFILE", "does-not-exist")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    wire.answer(PROPERTIES)
    aws.connect(DATASTORE, endpoint=wire.endpoint).get(IMAGE_SET_ID)
    headers = str(wire.requests[0][3])
    assert "Credential=emulator/" in headers
    assert "REAL" not in headers


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


REAL = Datastore("research", DATASTORE_ID, "us-east-1")


@pytest.mark.usefixtures("no_credentials")
def test_aws_without_credentials_says_whose_fault_and_what_next() -> None:
    with pytest.raises(CredentialsError, match="no AWS credentials") as caught:
        aws.connect(REAL).get(IMAGE_SET_ID)
    assert "aws sso login" in caught.value.hint


@pytest.mark.usefixtures("no_credentials")
def test_half_of_a_key_pair_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREALKEY")
    with pytest.raises(CredentialsError, match="incomplete"):
        aws.connect(REAL).get(IMAGE_SET_ID)


@pytest.mark.usefixtures("no_credentials")
def test_a_profile_that_does_not_exist_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(CredentialsError, match="profile"):
        aws.connect(REAL)
    with pytest.raises(CredentialsError, match="profile"):
        aws.caller_account(REAL)


EXPIRED_KEYS = (
    '{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "s", "SessionToken": "t", '
    '"Expiration": "2001-01-01T00:00:00Z"}'
)


@pytest.mark.usefixtures("no_credentials")
@pytest.mark.parametrize(
    ("program", "told"),
    [
        ((sys.executable, "-c", f"print({EXPIRED_KEYS!r})"), "have expired"),
        ((sys.executable, "-c", "print('Open your browser')"), "cannot be read"),
        ((sys.executable, "-c", "print('{\"Version\": 1}')"), "cannot be read"),
        (("/nonexistent/helper",), "cannot be read"),
    ],
    ids=["expired", "no-json", "no-keys", "no-program"],
)
def test_a_program_that_gives_out_no_credentials_is_no_bug_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: tuple[str, ...], told: str
) -> None:
    """`credential_process`: botocore lets through whatever Python raises for it."""
    profile = tmp_path / "config"
    profile.write_text(f"[default]\ncredential_process = {shlex.join(program)}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(profile))
    for call in (
        lambda: aws.connect(REAL).get(IMAGE_SET_ID),
        lambda: aws.connect(REAL).update(step(updatable="{}")),
        lambda: aws.caller_account(REAL),
    ):
        with pytest.raises(CredentialsError, match=told) as caught:
            call()
        assert "Sign in again" in caught.value.hint


NEW_KEYS = """
import datetime, json, time
end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=60)
keys = {"AccessKeyId": f"A{time.time_ns()}", "SecretAccessKey": "s", "SessionToken": "t"}
print(json.dumps({"Version": 1, "Expiration": end.isoformat(), **keys}))
"""


@pytest.mark.usefixtures("no_credentials")
def test_credentials_that_are_about_to_expire_are_asked_for_anew(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An apply lasts for hours. Both clients, that of reads and that of updates."""
    profile = tmp_path / "config"
    program = shlex.join((sys.executable, "-c", f"exec({NEW_KEYS!r})"))
    profile.write_text(f"[default]\ncredential_process = {program}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(profile))
    monkeypatch.setenv("AWS_ENDPOINT_URL_MEDICAL_IMAGING", wire.endpoint)
    monkeypatch.setenv("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")
    port = aws.connect(REAL)
    for answer in (PROPERTIES, PROPERTIES, UPDATED, UPDATED):
        wire.answer(answer)
    for _ in range(2):
        port.get(IMAGE_SET_ID)
    for _ in range(2):
        port.update(step(updatable="{}"))
    keys = {headers["Authorization"].split("/")[0] for _, _, _, headers in wire.requests}
    assert len(keys) == 4


@pytest.mark.usefixtures("no_credentials")
def test_the_callers_account_comes_from_sts(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREALKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", wire.endpoint)
    wire.answer(
        b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>"
        b"</GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
    assert aws.caller_account(REAL) == "123456789012"


@pytest.mark.usefixtures("no_credentials")
def test_on_aws_the_host_is_the_data_plane_of_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection is made: the request is caught on its way out."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREALKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    hosts: list[str] = []

    class CaughtError(Exception):
        """The request."""

    def catch(request: Any, **_: Any) -> None:
        hosts.append(urlsplit(request.url).netloc)
        raise CaughtError

    for client in clients("eu-west-1", None, 4):
        client.meta.events.register("before-send", catch)
        with pytest.raises(CaughtError):
            client.get_image_set(datastoreId=DATASTORE_ID, imageSetId=IMAGE_SET_ID)
    assert hosts == ["runtime-medical-imaging.eu-west-1.amazonaws.com"] * 2
