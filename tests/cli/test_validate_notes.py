"""`validate` notes the lines that will need force. A note is neither a warning nor an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.documents import IMAGE_SET_ID

SETTINGS = """\
datastores:
  research:
    datastoreId: "12345678901234567890123456789012"
    region: us-east-1
"""
HEAD = (
    f"apiVersion: reconciler/v1\nkind: ImageSet\ndatastore: research\nimageSetId: {IMAGE_SET_ID}\n"
)
ASKED = """\
present:
  Study:
    DICOM: {StudyID: S2, StudyDescription: CHEST}
    Series:
      "*":
        Instances:
          1.2.3:
            DICOM:
              SOPInstanceUID: 1.2.4
              ImageType: [DERIVED, PRIMARY]
              "00091001": ACME
              AnatomicRegionSequence:
                - CodeMeaning: Head
            DICOMVRs: {"00091001": LO}
absent:
  Patient: {DICOM: [OtherPatientIDsSequence, PatientComments]}
  Study: {Series: {"*": {DICOM: [SoftwareVersions]}}}
"""
NOTES = [
    ("7:13", "a change of StudyID (0020,0010) needs `force: true` (identifier)"),
    ("13:15", "a change of SOPInstanceUID (0008,0018) needs `force: true` (identifier)"),
    ("14:15", "a change of ImageType (0008,0008) needs `force: true` (multi-valued attribute)"),
    ("15:15", "a change of (0009,1001) needs `force: true` (private element)"),
    ("16:15", "a change of AnatomicRegionSequence (0008,2218) needs `force: true` (sequence)"),
    ("20:21", "a removal of OtherPatientIDsSequence (0010,1002) needs `force: true` (sequence)"),
    (
        "21:34",
        "a removal of SoftwareVersions (0018,1020) needs `force: true` (multi-valued attribute)",
    ),
]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "manifests").mkdir()
    (tmp_path / "reconciler.yaml").write_text(SETTINGS)
    return tmp_path


def write(root: Path, body: str) -> None:
    (root / "manifests" / "a.yaml").write_text(HEAD + body)


def test_each_line_that_will_need_force_is_noted(reconcile: Command, root: Path) -> None:
    write(root, ASKED)
    ran = reconcile("validate")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "Valid: 1 file for 1 image set.",
        *(f"manifests/a.yaml:{place}: note: {message}" for place, message in NOTES),
    ]


def test_as_json(reconcile: Command, root: Path) -> None:
    write(root, ASKED)
    found = json.loads(reconcile("validate", "--json").out)
    assert (found["valid"], found["problems"]) == (True, [])
    places = [f"{note['place']['line']}:{note['place']['column']}" for note in found["notes"]]
    assert list(zip(places, [note["message"] for note in found["notes"]], strict=True)) == NOTES


def test_with_force_nothing_is_noted(reconcile: Command, root: Path) -> None:
    write(root, ASKED + "force: true\n")
    assert reconcile("validate").out == "Valid: 1 file for 1 image set.\n"
    assert json.loads(reconcile("validate", "--json").out)["notes"] == []


def test_a_rule_decides_about_removals(reconcile: Command, root: Path) -> None:
    (root / "reconciler.yaml").write_text(SETTINGS + "rules: {removalsNeedForce: false}\n")
    write(root, ASKED)
    assert "a removal of" not in reconcile("validate").out


def test_a_list_of_image_sets_has_each_note_once(reconcile: Command, root: Path) -> None:
    listed = f"imageSetIds: [{IMAGE_SET_ID}, {'b' * 32}]\n"
    text = (HEAD + ASKED).replace(f"imageSetId: {IMAGE_SET_ID}\n", listed)
    (root / "manifests" / "a.yaml").write_text(text)
    assert reconcile("validate").out.count("note: ") == len(NOTES)


def test_many_notes_are_counted(reconcile: Command, root: Path) -> None:
    private = "".join(f"              '0009{one:04X}': x\n" for one in range(0x1001, 0x1020))
    write(
        root,
        "present:\n  Study:\n    Series:\n      '*':\n        Instances:\n          '*':\n"
        f"            DICOM:\n{private}",
    )
    lines = reconcile("validate").out.splitlines()
    assert (len(lines), lines[-1]) == (22, "… and 11 more notes: `--json` lists all of them")
    assert len(json.loads(reconcile("validate", "--json").out)["notes"]) == 31


def test_what_needs_no_force_has_no_note(reconcile: Command, root: Path) -> None:
    write(root, "present: {Patient: {DICOM: {PatientComments: seen}}}\n")
    assert reconcile("validate").out == "Valid: 1 file for 1 image set.\n"
