"""`reconcile show REPORT`: the report of a real apply that partly fails, in every format."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from reconciler.edges import schemas
from tests.cli.conftest import Command
from tests.cli.outside import World, imported, manifest, world
from tests.documents import IMAGE_SET_ID, OTHER_ID, document, instance, series

THIRD_ID = "c" * 32
COMMENTS = "present:\n  Patient:\n    DICOM: {PatientComments: a secret note}\n"
NAME = "present:\n  Patient:\n    DICOM: {PatientName: Doe^Pieter}\n"
FORMATS = ["text", "markdown", "html", "json", "github"]


@pytest.fixture
def applied(tmp_path: Path, reconcile_at_once: Command) -> Iterator[World]:
    """One image set is changed, one is stored otherwise, and one lacks consent."""
    with world(tmp_path, reconcile_at_once, keeps_empty=False) as found:
        imported(found.emulator, content(IMAGE_SET_ID, EthnicGroup=None))
        imported(found.emulator, content(OTHER_ID))
        imported(found.emulator, content(THIRD_ID))
        manifest(found.root, "a.yaml", COMMENTS, IMAGE_SET_ID, OTHER_ID)
        manifest(found.root, "b.yaml", NAME, THIRD_ID)
        found.apply("--report", "report.json", code=1)
        yield found


def content(image_set_id: str, **patient: Any) -> dict[str, Any]:
    """A document without an empty attribute, except for those of `patient`."""
    one = instance("1.2.3.4")
    del one["DICOM"]["ImageComments"]
    found = document(series("1.2.3", [one]), image_set_id=image_set_id, patient=patient)
    found["Study"]["DICOM"].update(AccessionNumber="A1", ReferringPhysicianName="Smith^A")
    return found


def show(found: World, *arguments: str) -> str:
    ran = found.reconcile("show", "report.json", *arguments)
    assert (ran.code, ran.err) == (0, ""), ran.err
    return ran.out


def test_the_verdict_comes_first_then_what_failed_then_what_was_applied(applied: World) -> None:
    lines = show(applied).splitlines()
    assert lines[0] == (
        "1 of 3 image sets is as planned and verified. Not as planned: 1 unverified, 1 blocked."
    )
    titles = ["Failed or not verified", "Not sent", "Applied"]
    assert [line for line in lines if line in titles] == titles
    assert f"✓ PatientComments (Patient) added on image set {OTHER_ID}" in lines
    assert "        allow: [CHANGES_PATIENT_IDENTITY]" in lines
    assert any(line.startswith("2 calls in ") for line in lines)


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_has_what_failed_and_no_value(applied: World, format: str) -> None:
    out = show(applied, "--format", format)
    assert IMAGE_SET_ID in out and "unverified" in out and "blocked" in out
    assert "secret" not in out and "Pieter" not in out and "Garcia" not in out


def test_json_is_the_report_itself(applied: World) -> None:
    out = json.loads(show(applied, "--json"))
    assert out == json.loads((applied.root / "report.json").read_text())
    jsonschema_rs.validate(schemas.load("report"), out)


def test_annotations_stand_at_the_lines_of_the_manifests(applied: World) -> None:
    first, second = show(applied, "--format", "github").splitlines()
    assert first.startswith("::error file=manifests/a.yaml,line=9,title=unverified::")
    assert second.startswith("::error file=manifests/b.yaml,line=1,title=blocked::")
    assert "Add to the manifest: allow: [CHANGES_PATIENT_IDENTITY]" in second


def test_a_summary_leaves_out_the_image_sets(applied: World) -> None:
    for arguments in (["--summary"], ["--summary", "--format", "markdown"]):
        out = show(applied, *arguments)
        assert "1 of 3 image sets" in out and IMAGE_SET_ID not in out
    summary = json.loads(show(applied, "--summary", "--json"))
    assert summary["imageSets"] == {"total": 3, "asPlanned": 1}


def test_one_image_set_and_one_data_store_are_shown_alone(applied: World) -> None:
    out = show(applied, "--image-set", OTHER_ID)
    assert out.startswith("The image set is as planned and verified.")
    assert show(applied, "--datastore", "research").startswith("1 of 3 image sets")
    ran = applied.reconcile("show", "report.json", "--datastore", "elsewhere")
    assert (ran.code, ran.out) == (1, "")
    assert "error: the report has no image set of data store elsewhere" in ran.err


def test_a_report_has_no_fingerprints(applied: World) -> None:
    ran = applied.reconcile("show", "report.json", "--fingerprints")
    assert (ran.code, ran.out) == (1, "")
    assert "error: a report holds no DICOM value, so it has no fingerprints" in ran.err


def test_a_report_is_shown_outside_its_repository(
    applied: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = applied.reconcile("show", applied.root / "report.json")
    assert (ran.code, ran.err) == (0, "")
    assert "1 of 3 image sets" in ran.out


def edited(found: World, old: str, new: str) -> str:
    path = found.root / "report.json"
    path.write_text(path.read_text().replace(old, new))
    ran = found.reconcile("show", "report.json")
    assert (ran.code, ran.out) == (1, "")
    return ran.err


def test_a_report_that_is_not_valid_is_an_error(applied: World) -> None:
    err = edited(applied, '"result": "unverified"', '"result": "fine"')
    assert "error: the file does not hold a valid report" in err
    err = edited(applied, '"toolVersion": "0', '"toolVersion": "9')
    assert "error: version 9" in err and "wrote the report" in err


def test_a_report_that_was_cut_is_an_error(applied: World) -> None:
    path = applied.root / "report.json"
    path.write_text(path.read_text()[:500])
    ran = applied.reconcile("show", "report.json")
    assert (ran.code, ran.out) == (1, "")
    assert "error: the report is incomplete or damaged" in ran.err
