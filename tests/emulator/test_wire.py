"""The protocol, with requests that no SDK would send."""

from __future__ import annotations

import base64
import http.client
import json
import socket
from typing import Any

import botocore.parsers
import pytest
from botocore.awsrequest import HeadersDict
from botocore.loaders import Loader
from botocore.model import ServiceModel
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator.wire.errors import ApiError
from reconciler.emulator.wire.protocol import Request, medical_imaging

MODEL = ServiceModel(Loader().load_service_model("medical-imaging", "service-2"), "medical-imaging")
DS, IS = "1" * 32, "a" * 32
BASE = f"/datastore/{DS}/imageSet/{IS}"
UPDATE = f"{BASE}/updateImageSetMetadata?latestVersion=1"


@pytest.fixture
def send(store: Any) -> Any:
    address = store.emulator.endpoint.removeprefix("http://")

    def call(
        method: str, target: str, body: Any = b"", **headers: str
    ) -> tuple[int, str, dict[str, Any]]:
        connection = http.client.HTTPConnection(address, timeout=10)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, target, data, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, answer.headers["x-amzn-ErrorType"], json.loads(text or b"{}")

    return call


def blob(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.b64encode(data).decode()


def updates(updatable: Any = None, removable: Any = None) -> dict[str, Any]:
    blobs = {"updatableAttributes": updatable, "removableAttributes": removable}
    return {"DICOMUpdates": {name: blob(value) for name, value in blobs.items() if value}}


NAME = {"Patient": {"DICOM": {"PatientName": "A"}}}
INVALID = {
    "pattern of a path member": ("POST", f"/datastore/{DS[1:]}/searchImageSets", {}, "datastoreId"),
    "upper case": ("POST", f"/datastore/{DS}/imageSet/{'A' * 32}/getImageSet", b"", "imageSetId"),
    "escaped": ("POST", f"/datastore/{DS}/imageSet/..%2F..%2Fx/getImageSet", b"", "imageSetId"),
    "version": ("POST", f"{BASE}/getImageSet?version=x", b"", "versionId"),
    "Arabic digit": ("POST", f"{BASE}/getImageSet?version=%D9%A1", b"", "versionId"),
    "boolean": ("POST", f"{UPDATE}&force=yes", updates(NAME), "force"),
    "missing query member": ("POST", f"{BASE}/updateImageSetMetadata", updates(NAME), "latest"),
    "missing body": ("POST", UPDATE, b"", "updateImageSetMetadataUpdates"),
    "null body": ("POST", UPDATE, b"null", "updateImageSetMetadataUpdates"),
    "no union member": ("POST", UPDATE, {}, "updateImageSetMetadataUpdates"),
    "both union members": (
        "POST", UPDATE, updates(NAME) | {"revertToVersionId": "1"}, "Exactly one"
    ),
    "revert to no number": ("POST", UPDATE, {"revertToVersionId": "-1"}, "revertToVersionId"),
    "revert to a number": ("POST", UPDATE, {"revertToVersionId": 1}, "revertToVersionId"),
    "not base64": (
        "POST", UPDATE, {"DICOMUpdates": {"updatableAttributes": "{}"}}, "updatableAttributes"
    ),
    "empty blob": (
        "POST", UPDATE, {"DICOMUpdates": {"removableAttributes": ""}}, "removableAttributes"
    ),
    "large blob": ("POST", UPDATE, updates(b"x" * 30_001), "updatableAttributes"),
    "neither blob": ("POST", UPDATE, {"DICOMUpdates": {}}, "DICOMUpdates"),
    "maxResults": ("POST", f"{BASE}/listImageSetVersions?maxResults=51", b"", "maxResults"),
    "maxResults text": ("POST", f"{BASE}/listImageSetVersions?maxResults=x", b"", "maxResults"),
    "empty token": ("POST", f"{BASE}/listImageSetVersions?nextToken=", b"", "nextToken"),
    "empty list": ("POST", f"/datastore/{DS}/searchImageSets", {"filters": []}, "filters"),
    "operator": (
        "POST", f"/datastore/{DS}/searchImageSets",
        {"filters": [{"operator": "LIKE", "values": [{"isPrimary": True}]}]}, "operator",
    ),
    "timestamp": (
        "POST", f"/datastore/{DS}/searchImageSets",
        {"filters": [{"operator": "EQUAL", "values": [{"createdAt": "now"}]}]}, "createdAt",
    ),
    "enum in the query": ("GET", "/datastore?datastoreStatus=GONE", b"", "datastoreStatus"),
    "name": ("POST", "/datastore", {"clientToken": "a", "datastoreName": "a b"}, "datastoreName"),
    "list for a string": ("POST", "/datastore", {"clientToken": ["a"]}, "clientToken"),
    "list for a map": ("POST", "/datastore", {"clientToken": "a", "tags": []}, "tags"),
    "map key": ("POST", "/datastore", {"clientToken": "a", "tags": {"aws:x": "1"}}, "tags"),
    "slow pattern": (
        "POST", f"/startDICOMImportJob/datastore/{DS}",
        {"importConfiguration": {"dicomJsonMetadataImportConfiguration": {
            "dicomMetadataMappings": [{"metadataFilePath": "a" * 1000 + "\n"}]}}},
        "metadataFilePath",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("method", "target", "body", "named"), INVALID.values(), ids=INVALID)
def test_validation(send: Any, method: str, target: str, body: Any, named: str) -> None:
    status, code, answer = send(method, target, body)
    assert (status, code) == (400, "ValidationException")
    assert named in answer["message"]


BLOBS = {
    "not JSON": b"{",
    "no object": [],
    "not UTF-8": b'{"Patient":{"DICOM":{"PatientName":"\xff"}}}',
    "NaN": b'{"Patient":{"DICOM":{"PatientName":NaN}}}',
    "other version": {"SchemaVersion": 1.2},
    "boolean version": {"SchemaVersion": True},
    "unknown top": {"Pateint": {}},
    "unknown in Patient": {"Patient": {"PatientName": "A"}},
    "Patient no object": {"Patient": []},
    "DICOM no object": {"Patient": {"DICOM": "A"}},
    "Series no object": {"Study": {"Series": []}},
    "series null": {"Study": {"Series": {"1.2": None}}},
    "instance null": {"Study": {"Series": {"1.2": {"Instances": {"1.3": None}}}}},
    "VRs of nothing": {
        "Study": {"Series": {"1.2": {"Instances": {"1.3": {"DICOMVRs": {"00190001": "DS"}}}}}}
    },
    "same tag twice": {"Patient": {"DICOM": {"PatientName": "A", "00100010": "B"}}},
    "deep": b'{"Patient":{"DICOM":{"PatientName":' + b"[" * 900 + b"]" * 900 + b"}}}",
    "deeper": b"[" * 9000,
}


@pytest.mark.parametrize("value", BLOBS.values(), ids=BLOBS)
@pytest.mark.parametrize("name", ["updatableAttributes", "removableAttributes"])
def test_blobs(store: Any, document: Any, send: Any, name: str, value: Any) -> None:
    image_set = store.load(document, primary=False)
    target = f"/datastore/{store.datastore_id}/imageSet/{image_set}/updateImageSetMetadata"
    body = {"DICOMUpdates": {name: blob(value)}}
    status, code, answer = send("POST", f"{target}?latestVersion=1", body)
    assert (status, code) in ((400, "ValidationException"), (402, "ServiceQuotaExceededException"))
    assert name in answer["message"] or status == 402
    assert store.get(image_set)["versionId"] == "1"


def test_contradictions_in_one_request(store: Any, document: Any, error_of: Any) -> None:
    series, first = "1.2.840.99.5.1", "1.2.840.99.7.1"

    def instance(block: Any) -> Any:
        return {"Study": {"Series": {series: {"Instances": {first: block}}}}}

    pairs = [
        (NAME, {"Patient": {"DICOM": {"00100010": "Doe^Jane"}}}),
        (instance({"DICOM": {"InstanceNumber": "2"}}), instance({})),
        (instance({"DICOM": {"InstanceNumber": "2"}}), {"Study": {"Series": {series: {}}}}),
    ]
    image_set = store.load(document, primary=False)
    for updatable, removable in pairs:
        answer = error_of(store.call, image_set, updatable, removable)
        assert answer[:2] == (400, "ValidationException")


def test_a_missing_schema_version_is_a_switch(
    store_with: Any, document: Any, error_of: Any
) -> None:
    store = store_with(schema_version_required=True)
    image_set = store.load(document, primary=False)
    assert error_of(store.call, image_set, NAME)[:2] == (400, "ValidationException")
    for version in (1.1, "1.1"):
        assert store.updated(image_set, NAME | {"SchemaVersion": version})


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/"),
        ("PUT", "/datastore"),
        ("POST", f"{BASE}/getImageSets"),
        ("POST", f"/datastore/{DS}/imageSet//getImageSet"),
        ("GET", f"/datastore/{DS}/"),
        ("POST", "/_emulator/datastore/x/unload"),
        ("GET", f"/_emulator/datastore/{DS}/load"),
        ("OPTIONS", "/datastore"),
    ],
)
def test_unknown_operations(send: Any, method: str, target: str) -> None:
    status, code, _ = send(method, target)
    assert (status, code) == (404, "UnknownOperationException")


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"a":}', b"[" * 5000])
@pytest.mark.parametrize("target", [UPDATE, "/datastore", f"/datastore/{DS}/searchImageSets"])
def test_malformed_json(send: Any, target: str, body: bytes) -> None:
    status, code, _ = send("POST", target, body)
    assert (status, code) == (400, "SerializationException")


def test_a_body_that_does_not_come(send: Any, store: Any) -> None:
    host, port = store.emulator.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"POST /datastore HTTP/1.1\r\nContent-Length: 10\r\n\r\n{")
    assert send("GET", "/datastore")[0] == 200


@pytest.mark.parametrize("name", MODEL.operation_names)
def test_every_operation_has_a_route(name: str) -> None:
    operation = MODEL.operation_model(name)
    path = operation.http["requestUri"]
    for member in operation.input_shape.members.values():
        if member.serialization.get("location") == "uri":
            wire_name = member.serialization["name"]
            value = "arn%3Ax" if wire_name == "resourceArn" else DS
            path = path.replace(f"{{{wire_name}}}", value)
    request = Request(operation.http["method"], path, b"{}")
    try:
        found, _ = medical_imaging().parse(request)
    except ApiError as error:
        assert error.code == "ValidationException"
    else:
        assert found == name


def test_error_codes_are_the_model_s() -> None:
    parser = botocore.parsers.create_parser("rest-json")
    for shape in MODEL.error_shapes:
        response = medical_imaging().serialize_error(ApiError(shape.name, "why"))
        assert response.status == shape.metadata["error"]["httpStatusCode"]
        parsed = parser.parse(
            {
                "status_code": response.status,
                "headers": HeadersDict(response.headers),
                "body": response.body,
            },
            MODEL.operation_model("GetImageSet").output_shape,
        )
        assert parsed["Error"] == {"Code": shape.name, "Message": "why"}


@given(st.text(max_size=40), st.binary(max_size=60), st.sampled_from(["GET", "POST", "DELETE"]))
def test_any_request_is_parsed_or_refused(path: str, body: bytes, method: str) -> None:
    for target in (f"/{path}", f"{UPDATE}&{path}", f"/tags/{path}", f"/datastore/{path}"):
        try:
            medical_imaging().parse(Request(method, target, body))
        except ApiError as error:
            assert error.code.endswith("Exception")
