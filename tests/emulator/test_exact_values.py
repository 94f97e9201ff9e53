"""What a document holds is kept exactly, or refused with a 400: over HTTP, and in files."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.files.ingest import ingest

IMAGE_SET = "c" * 32
DEEP = b'[{"PurposeOfReferenceCodeSequence":'

KEPT = {
    "64 bits": b"18446744073709551615",
    "65 bits": b"18446744073709551616",
    "negative": b"-170141183460469231731687303715884105728",
    "4300 digits": b"7" * 4300,
    "smallest double": b"5e-324",
    "largest double": b"1.7976931348623157e308",
    "negative zero": b"-0.0",
    "zero in other words": b"0.000e-5000",
    "120 sequences": DEEP * 120 + b"null" + b"}]" * 120,
}
REFUSED = {
    "NaN": (b"NaN", "NaN"),
    "Infinity": (b"Infinity", "Infinity"),
    "-Infinity": (b"-Infinity", "-Infinity"),
    "an overflow": (b"1e400", "a number beyond the range of a double"),
    "a negative overflow": (b"-1e400", "a number beyond the range of a double"),
    "an underflow": (b"12.5e-400", "a number beyond the range of a double"),
    "5000 digits": (b"7" * 5000, "an integer of more than 4300 digits"),
    "900 lists": (b"[" * 900 + b"]" * 900, "nested deeper than"),
    "9000 lists": (b"[" * 9000 + b"]" * 9000, "nested deeper than"),
    "a key twice": (b'[{"PatientID":"1","PatientID":"2"}]', "the same key twice"),
    "half a character": (b'"\\ud83d"', "not UTF-8"),
}


def with_value(document: dict[str, Any], value: bytes) -> bytes:
    """The document, with this JSON in each instance."""
    (series,) = document["Study"]["Series"].values()
    for block in series["Instances"].values():
        block["DICOM"]["SelectorUVValue"] = "here"
    return json.dumps(document).encode().replace(b'"here"', value)


def load(store: Any, document: bytes) -> tuple[int, str]:
    """Status and body of the emulator's answer to the request that `emulator load` sends."""
    connection = http.client.HTTPConnection(store.emulator.endpoint.removeprefix("http://"))
    target = f"/_emulator/datastore/{store.datastore_id}/load"
    body = b'{"imageSetId":"%s","document":%s}' % (IMAGE_SET.encode(), document)
    connection.request("POST", target, body)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def stored(store: Any) -> bytes:
    answer = store.client.get_image_set_metadata(**store.of(IMAGE_SET))
    return gzip.decompress(answer["imageSetMetadataBlob"].read())


@pytest.mark.parametrize("value", KEPT.values(), ids=KEPT)
def test_it_is_loaded_and_kept(store: Any, document: dict[str, Any], value: bytes) -> None:
    given = with_value(document, value)
    for _ in range(2):  # the same document again changes nothing
        assert load(store, given)[0] == 200
    written = json.loads(stored(store))["Study"]["Series"]
    assert repr(written) == repr(json.loads(given)["Study"]["Series"])
    after = store.updated(IMAGE_SET, {"Study": {"DICOM": {"StudyDescription": "B"}}})
    assert repr(after["Study"]["Series"]) == repr(written)


def test_documents_differ_in_the_last_digit(store: Any, document: dict[str, Any]) -> None:
    assert load(store, with_value(document, b"123456789012345678901234567890"))[0] == 200
    assert load(store, with_value(document, b"123456789012345678901234567891"))[0] == 409


def test_an_update_keeps_every_digit(store: Any, document: dict[str, Any]) -> None:
    image_set = store.load(document, primary=False)
    number = 2**70 + 1
    blob = {"Study": {"DICOM": {"PatientWeight": number}}}
    after = store.updated(image_set, blob, force=True)
    assert after["Study"]["DICOM"]["PatientWeight"] == number


@pytest.mark.parametrize(("value", "reason"), REFUSED.values(), ids=REFUSED)
def test_it_is_not_loaded(
    store: Any, document: dict[str, Any], tmp_path: Path, value: bytes, reason: str
) -> None:
    given = with_value(document, value)
    status, text = load(store, given)
    assert (status, reason in text) == (400, True), text
    assert store.client.search_image_sets(datastoreId=store.datastore_id)[
        "imageSetsMetadataSummaries"
    ] == []  # fmt: skip
    (tmp_path / "document.json").write_bytes(given)
    ingested = ingest([tmp_path])
    assert ingested.image_sets == ()
    (problem,) = ingested.refused
    assert reason in problem.reason


@pytest.mark.parametrize(("value", "reason"), REFUSED.values(), ids=REFUSED)
def test_an_update_of_it_is_refused(
    store: Any, document: dict[str, Any], error_of: Any, value: bytes, reason: str
) -> None:
    image_set = store.load(document, primary=False)
    blob = b'{"Study":{"DICOM":{"PatientWeight":%s}}}' % value
    if len(base64.b64encode(blob)) > 10_000:  # the quota of the payload comes first
        blob = blob.replace(value, value[:3000] + value[-3000:])
    status, code, message = error_of(store.call, image_set, blob.decode())
    assert (status, code) == (400, "ValidationException")
    assert reason in message
    assert store.get(image_set)["versionId"] == "1"
