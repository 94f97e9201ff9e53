"""Validation messages, word by word: constraints of the model, all of them, and which values."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from reconciler.emulator.wire.errors import ApiError
from reconciler.emulator.wire.protocol import Request, medical_imaging
from reconciler.emulator.wire.validation import Violation, _violations

MODEL = ServiceModel(Loader().load_service_model("medical-imaging", "service-2"), "medical-imaging")
DS, IS = "1" * 32, "a" * 32
IMAGE_SET = f"/datastore/{DS}/imageSet/{IS}"
ARN = f"arn%3Aaws%3Amedical-imaging%3Aus-east-1%3A000000000000%3Adatastore%2F{DS}"
SECRET = "Garcia^Gloria"
TAG_KEY = (
    "[Member must have length less than or equal to 128, "
    "Member must have length greater than or equal to 1, "
    "Member must satisfy regular expression pattern: (?!aws:)[a-zA-Z+-=._:/]+]"
)
FAILED = "failed to satisfy constraint: Member must"


def message(method: str, target: str, body: Any = b"") -> str:
    """The message of the ValidationException that a request gets."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(ApiError) as caught:
        medical_imaging().parse(Request(method, target, data))
    assert caught.value.code == "ValidationException"
    return caught.value.message


MESSAGES: dict[str, tuple[str, str, Any, list[str]]] = {
    # Recorded in AWS's JavaScript integration test of GetDatastore.
    "a pattern": (
        "GET", "/datastore/DATASTORE_ID", b"",
        [f"Value 'DATASTORE_ID' at 'datastoreId' {FAILED} satisfy regular expression pattern: "
         "[0-9a-z]{32}"],
    ),
    "an escaped value": (
        "GET", "/datastore/a%2Fb%20c", b"",
        [f"Value 'a/b c' at 'datastoreId' {FAILED} satisfy regular expression pattern: "
         "[0-9a-z]{32}"],
    ),
    "a length": (
        "POST", "/datastore", {"clientToken": "a" * 65},
        [f"Value '{'a' * 65}' at 'clientToken' {FAILED} have length less than or equal to 64"],
    ),
    "two constraints of one value": (
        "POST", "/datastore", {"clientToken": "a", "datastoreName": ""},
        [f"Value '' at 'datastoreName' {FAILED} have length greater than or equal to 1",
         f"Value '' at 'datastoreName' {FAILED} satisfy regular expression pattern: "
         "[A-Za-z0-9._/#-]+"],
    ),
    "two values": (
        "POST", "/datastore/X/imageSet/Y/getImageSet?version=1", b"",
        [f"Value 'X' at 'datastoreId' {FAILED} satisfy regular expression pattern: [0-9a-z]{{32}}",
         f"Value 'Y' at 'imageSetId' {FAILED} satisfy regular expression pattern: [0-9a-z]{{32}}"],
    ),
    "nothing where a value is required": (
        "POST", f"/startDICOMImportJob/datastore/{DS}", {"clientToken": "a", "inputS3Uri": "s3://a"},
        [f"Value null at 'dataAccessRoleArn' {FAILED} not be null",
         f"Value 's3://a' at 'inputS3Uri' {FAILED} satisfy regular expression pattern: "
         r"s3://[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9](/.*)?",
         f"Value null at 'outputS3Uri' {FAILED} not be null"],
    ),
    "an enum": (
        "GET", "/datastore?datastoreStatus=GONE", b"",
        [f"Value 'GONE' at 'datastoreStatus' {FAILED} satisfy enum value set: "
         "[CREATING, CREATE_FAILED, ACTIVE, DELETING, DELETED]"],
    ),
    "a number that is too large": (
        "GET", "/datastore?maxResults=51", b"",
        [f"Value '51' at 'maxResults' {FAILED} have value less than or equal to 50"],
    ),
    "a number that is too small": (
        "GET", "/datastore?maxResults=0", b"",
        [f"Value '0' at 'maxResults' {FAILED} have value greater than or equal to 1"],
    ),
    "the keys of a map": (
        "POST", "/datastore", {"clientToken": "a", "tags": {"aws:x": "1", "b": "2"}},
        ["Value '{aws:x=1, b=2}' at 'tags' failed to satisfy constraint: "
         f"Map keys must satisfy constraint: {TAG_KEY}"],
    ),
    "the values of a map": (
        "POST", "/datastore", {"clientToken": "a", "tags": {"b": "2" * 257}},
        [f"Value '{{b={'2' * 257}}}' at 'tags' failed to satisfy constraint: "
         "Map value must satisfy constraint: [Member must have length less than or equal to 256, "
         "Member must have length greater than or equal to 0]"],
    ),
    "an item of a list": (
        "DELETE", f"/tags/{ARN}?tagKeys=a&tagKeys=aws:b", b"",
        [f"Value '[a, aws:b]' at 'tagKeys' {FAILED} satisfy constraint: {TAG_KEY}"],
    ),
    "a member of an item": (
        "POST", f"/startDICOMImportJob/datastore/{DS}",
        {"clientToken": "a", "inputS3Uri": "s3://abc/", "outputS3Uri": "s3://abc/",
         "dataAccessRoleArn": "arn:aws:iam::000000000000:role/import",
         "importConfiguration": {"dicomJsonMetadataImportConfiguration": {
             "dicomMetadataMappings": [{"studyInstanceUID": "1.2", "metadataFilePath": ""}]}}},
        [f"Value '' at 'importConfiguration.dicomJsonMetadataImportConfiguration."
         f"dicomMetadataMappings.1.member.metadataFilePath' {FAILED} have length greater than or "
         "equal to 1",
         f"Value '' at 'importConfiguration.dicomJsonMetadataImportConfiguration."
         f"dicomMetadataMappings.1.member.metadataFilePath' {FAILED} satisfy regular expression "
         "pattern: [a-zA-Z0-9!-~]+([a-zA-Z0-9!-~ ]*[a-zA-Z0-9!-~]+)*"],
    ),
    "a sensitive value": (
        "POST", f"/datastore/{DS}/searchImageSets",
        {"filters": [{"operator": "EQUAL", "values": [{"DICOMPatientId": SECRET * 50}]}]},
        ["Value at 'searchCriteria.filters.1.member.values.1.member.dICOMPatientId' "
         f"{FAILED} have length less than or equal to 512"],
    ),
    "a value in a sensitive structure": (
        "POST", f"/datastore/{DS}/searchImageSets",
        {"filters": [{"operator": SECRET, "values": [{"isPrimary": True}]}]},
        [f"Value at 'searchCriteria.filters.1.member.operator' {FAILED} satisfy enum value set: "
         "[EQUAL, BETWEEN]"],
    ),
    "a list of sensitive values": (
        "POST", f"/datastore/{DS}/searchImageSets",
        {"filters": [{"operator": "EQUAL", "values": [{"DICOMPatientId": SECRET}] * 3}]},
        [f"Value at 'searchCriteria.filters.1.member.values' {FAILED} have length less than or "
         "equal to 2"],
    ),
    "nothing in a sensitive structure": (
        "POST", f"/datastore/{DS}/searchImageSets",
        {"filters": [{"operator": "EQUAL"}]},
        [f"Value at 'searchCriteria.filters.1.member.values' {FAILED} not be null"],
    ),
    "a sensitive blob": (
        "POST", f"{IMAGE_SET}/updateImageSetMetadata?latestVersion=1",
        {"DICOMUpdates": {
            "updatableAttributes": base64.b64encode(SECRET.encode() * 3000).decode()}},
        ["Value at 'updateImageSetMetadataUpdates.dICOMUpdates.updatableAttributes' "
         f"{FAILED} have length less than or equal to 30000"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("method", "target", "body", "errors"), MESSAGES.values(), ids=MESSAGES)
def test_the_message_is_the_service_s(
    method: str, target: str, body: Any, errors: list[str]
) -> None:
    noun = "error" if len(errors) == 1 else "errors"
    found = message(method, target, body)
    assert found == f"{len(errors)} validation {noun} detected: {'; '.join(errors)}"
    assert SECRET not in found


@pytest.mark.parametrize(
    "name", [name for name in MODEL.shape_names if MODEL.shape_for(name).metadata.get("sensitive")]
)
def test_no_value_of_a_sensitive_shape_is_quoted(name: str) -> None:
    shape = MODEL.shape_for(name)
    values: dict[str, Any] = {"string": SECRET * 30_000, "blob": b"", "integer": 2**40}
    value = values.get(shape.type_name, {"filters": []})
    found: list[Violation] = list(_violations(shape, value, "there", is_hidden=False))
    assert found
    assert [one.value for one in found] == [None] * len(found)
