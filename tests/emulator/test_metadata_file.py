"""HealthImaging metadata documents in files: taken as they are, or refused with the reason."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.files.ingest import ingest

OWN_ID = "0123456789abcdef0123456789abcdef"


def document(**top: Any) -> dict[str, Any]:
    return {
        "SchemaVersion": "1.1",
        "DatastoreID": "f" * 32,
        "ImageSetID": OWN_ID,
        "Patient": {"DICOM": {"PatientName": "Doe^Jane"}},
        "Study": {
            "DICOM": {"StudyInstanceUID": "1.2.3", "PatientSize": "1.10"},
            "Series": {
                "1.2.3.0": {
                    "DICOM": {"SeriesNumber": "1 "},
                    "Instances": {"1.2.3.1": {"DICOM": {"PhysicalDeltaX": 0.1, "Rows": 2}}},
                }
            },
        },
        **top,
    }


def text(**top: Any) -> str:
    return json.dumps(document(**top))


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "document.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        text().encode(),
        b" \n" + text().encode(),
        b"\xef\xbb\xbf" + text().encode(),
        gzip.compress(text().encode(), mtime=0),
        json.dumps(document(), indent="\t", ensure_ascii=False).encode(),
    ],
    ids=["plain", "space before", "byte order mark", "gzip, as the service sends it", "indented"],
)
def test_a_document_is_taken_as_it_is(tmp_path: Path, content: bytes) -> None:
    ingested = ingest([write(tmp_path, content)])
    (image_set,) = ingested.image_sets
    assert image_set.image_set_id == OWN_ID
    assert json.dumps(image_set.document) == text()


def test_the_file_may_have_any_name_and_lie_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "blob").write_text(text())
    (image_set,) = ingest([tmp_path]).image_sets
    assert image_set.image_set_id == OWN_ID


def test_a_document_without_an_id_gets_one_of_its_content(tmp_path: Path) -> None:
    given = document()
    del given["ImageSetID"]
    (first,) = ingest([write(tmp_path, json.dumps(given))]).image_sets
    (again,) = ingest([write(tmp_path, json.dumps(given, indent=1))]).image_sets
    given["Patient"]["DICOM"]["PatientName"] = "Other"
    (other,) = ingest([write(tmp_path, json.dumps(given))]).image_sets
    assert len(first.image_set_id) == 32
    assert first.image_set_id == again.image_set_id != other.image_set_id
    assert "ImageSetID" not in first.document


def test_the_same_image_set_twice_keeps_the_first_path(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_text(text(Patient={"DICOM": {"PatientName": name}}))
    ingested = ingest([tmp_path])
    (image_set,) = ingested.image_sets
    assert image_set.document["Patient"]["DICOM"]["PatientName"] == "a"
    assert [problem.path.name for problem in ingested.repeated] == ["b"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "it is not JSON (line 1, column 2)"),
        ("{}", "Study is missing"),
        (text(Patient=None), "Patient is missing"),
        (text(Study={"DICOM": {}}), "Study/Series is missing"),
        (text(Study={"DICOM": {}, "Series": {}}), "it has no series"),
        (text(Study={"DICOM": {}, "Series": {"1": {"DICOM": {}}}}), "Instances is missing"),
        (
            text(Study={"DICOM": {}, "Series": {"1": {"DICOM": {}, "Instances": {"2": {}}}}}),
            "Instances/*/DICOM is missing",
        ),
        (text(ImageSetID="A" * 32), "its ImageSetID is not 32 lower-case letters and digits"),
        (text(ImageSetID=5), "its ImageSetID is not 32 lower-case letters and digits"),
        (text().replace("0.1", "NaN"), "it holds NaN, which JSON does not allow"),
        (text().replace('"Rows"', '"PhysicalDeltaX"'), "the same key twice"),
        (text().replace("Doe^Jane", r"\ud800"), "it is not UTF-8 text"),
        (text().encode().replace(b"Jane", b"J\xe9"), "it is not UTF-8 text"),
        ('{"a":' * 100_000, "it is nested deeper than 250 levels"),
        (gzip.compress(text().encode(), mtime=0)[:-9], "it is not a complete gzip file"),
        (b"\x1f\x8b\0\0", "it is not a complete gzip file"),
        (gzip.compress(b"hello", mtime=0), "it is gzipped, but holds no metadata document"),
        (gzip.compress(b"{" + b" " * 51_000_000, mtime=0), "larger than 50 MB"),
    ],
    ids=lambda one: None if isinstance(one, bytes) or len(one) > 80 else one,
)
def test_what_is_no_document_is_refused(tmp_path: Path, content: str | bytes, reason: str) -> None:
    ingested = ingest([write(tmp_path, content)])
    assert ingested.image_sets == ()
    (problem,) = ingested.refused
    assert reason in problem.reason
    assert "\n" not in problem.reason
    assert "Jane" not in problem.reason
