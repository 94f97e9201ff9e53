"""`validate` warns of what is allowed but hardly meant; `--strict` refuses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.outside import HEAD, STORE
from tests.documents import IMAGE_SET_ID


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository without manifests; the test stands in it."""
    (tmp_path / "reconciler.yaml").write_text(
        f"datastores: {{research: {{datastoreId: '{STORE}', region: us-east-1}}}}\n"
    )
    (tmp_path / "manifests").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def manifest(tree: Path, *lines: str, name: str = "a.yaml", level: str = "Patient") -> None:
    body = "".join(f"      {line}\n" for line in lines)
    text = f"{HEAD}imageSetId: {IMAGE_SET_ID}\npresent:\n  {level}:\n    DICOM:\n{body}"
    (tree / "manifests" / name).write_text(text, encoding="utf-8")


def test_values_inside_of_sequences_have_warnings(tree: Path, reconcile: Command) -> None:
    item = "{PatientID: '7', IssuerOfPatientID: 7\u201d, TypeOfPatientID: TEXT, '00090010': x}"
    manifest(tree, f"OtherPatientIDsSequence: [{item}]")
    (found,) = json.loads(reconcile("validate", "--json").out)["warnings"]
    assert found["message"] == (
        "IssuerOfPatientID (0010,0021): the value has typographic quotation marks"
    )


def test_the_first_two_values_of_an_image_type_are_terms(tree: Path, reconcile: Command) -> None:
    instances = "{1.2: {Instances: {1.3: {DICOM: {ImageType: [DERIVED, %s, %s]}}}}}"
    head = f"{HEAD}imageSetId: {IMAGE_SET_ID}\nforce: true\npresent: {{Study: {{Series: "
    for values, code in ((("DERIVED", "VENDOR"), 0), (("SECONDARY", "VENDOR"), 0), (("X", "Y"), 1)):
        text = f"{head}{instances % values}}}}}\n"
        (tree / "manifests" / "a.yaml").write_text(text)
        assert reconcile("validate", "--strict").code == code


def test_warnings_are_printed_and_strict_refuses_them(tree: Path, reconcile: Command) -> None:
    manifest(tree, "PatientSex: FEMALE", "PatientName: Meier, Anna", "PatientBirthDate: 29990101")
    ran = reconcile("validate")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "Valid: 1 file for 1 image set, 3 warnings.",
        "manifests/a.yaml:8:7: warning: PatientSex (0010,0040): the value is not a defined term of "
        "the standard",
        "    Defined are: M, F, O.",
        "manifests/a.yaml:9:7: warning: PatientName (0010,0010): a comma in a family name "
        "separates no components",
        "    Write `Family^Given`, not `Family, Given`.",
        "manifests/a.yaml:10:7: warning: PatientBirthDate (0010,0030): the date is in the future",
        "    Check the year.",
    ]
    assert reconcile("validate", "--strict").code == 1
    ran = reconcile("validate", "--strict", "--json")
    assert (ran.code, len(json.loads(ran.out)["warnings"])) == (1, 3)


@pytest.mark.parametrize(
    ("line", "warned"),
    [
        ("StudyDescription: CT CHEST #2", True),
        ("StudyDescription: CT CHEST # a note", False),
        ("StudyDescription: 'CT CHEST' #2", False),
        ("StudyDescription: CT CHEST#2", False),
        ("StudyDescription: 'CT CHEST #2'", False),
    ],
)
def test_text_that_yaml_cuts_off(tree: Path, reconcile: Command, line: str, warned: bool) -> None:
    manifest(tree, line, level="Study")
    out = reconcile("validate").out
    place = "manifests/a.yaml:8:25: warning: YAML takes the text after ` #` for a comment"
    assert (place in out) is warned


def test_files_that_ask_for_nothing(tree: Path, reconcile: Command) -> None:
    manifest(tree, "PatientID: '7'")
    (tree / "manifests" / "empty.yaml").write_text("# later\n")
    (tree / "manifests" / "FIX.YAML").write_text("kind: ImageSet\n")
    (tree / "manifests" / "fix.yaml.txt").write_text("kind: ImageSet\n")
    out = reconcile("validate").out
    assert "manifests/empty.yaml: warning: is empty" in out
    for name in ("FIX.YAML", "fix.yaml.txt"):
        assert f"manifests/{name}: warning: is skipped: only files" in out


def test_warnings_about_files_are_those_of_the_selected_paths(
    tree: Path, reconcile: Command
) -> None:
    manifest(tree, "PatientID: '7'")
    other = tree / "manifests" / "other"
    other.mkdir()
    (other / "FIX.YAML").write_text("")
    (other / "b.yaml").write_text("")
    fix, b = "manifests/other/FIX.YAML", "manifests/other/b.yaml"
    for paths, warned in (
        ((), [fix, b]),
        (("manifests/a.yaml",), []),
        ((b,), [b]),
        (("manifests/other",), [fix, b]),
        ((fix,), [fix]),  # named, it is read, and it is empty
    ):
        found = json.loads(reconcile("validate", "--json", *paths).out)["warnings"]
        assert sorted(one["place"]["file"] for one in found) == warned


@pytest.mark.parametrize(
    "value",
    ["<text(10)>", "<text(9-16)>", "<PN text(9-16)>", "<A: CS>", "<DA>", "<masked 1>", "<list(3)>"],
)
def test_a_copied_mask_is_an_error(tree: Path, reconcile: Command, value: str) -> None:
    manifest(tree, f"PatientID: '{value}'")
    ran = reconcile("validate")
    assert ran.code == 1
    assert "8:18: PatientID (0010,0020): the value stands for a masked value" in ran.err


def test_masks_are_errors_wherever_a_value_or_a_uid_stands(tree: Path, reconcile: Command) -> None:
    text = (
        f"{HEAD}imageSetId: {IMAGE_SET_ID}\n"
        "present:\n"
        "  Patient: {DICOM: {PatientComments: (empty), OtherPatientNames: [A, <text(1)>]}}\n"
        "  Study: {Series: {<masked 1>: {DICOM: {Modality: CT}}}}\n"
        "absent: {Study: {DICOM: {StudyID: <text(3)>}, Series: [<text(9)>]}}\n"
    )
    (tree / "manifests" / "a.yaml").write_text(text)
    problems = json.loads(reconcile("validate", "--json").out)["problems"]
    assert [(one["place"]["line"], one["message"].split(" stands")[0]) for one in problems] == [
        (6, "PatientComments (0010,4000): the value"),
        (6, "OtherPatientNames (0010,1001): the value"),
        (7, "the UID"),
        (8, "StudyID (0020,0010): the value"),
        (8, "the UID"),
    ]


@pytest.mark.parametrize("value", ["<b>", "text(10)", "a <DA> b", "<Doe^Anna>"])
def test_other_values_in_brackets_are_values(tree: Path, reconcile: Command, value: str) -> None:
    manifest(tree, f"PatientID: '{value}'")
    assert reconcile("validate").code == 0


@pytest.mark.parametrize("code", [0x202A, 0x202E, 0x2066, 0x2069])
def test_characters_that_turn_the_direction_are_refused(
    tree: Path, reconcile: Command, code: int
) -> None:
    manifest(tree, f"PatientID: 7{chr(code)}")
    ran = reconcile("validate")
    assert ran.code == 1
    assert f"manifests/a.yaml:8:19: U+{code:04X} turns the direction of text" in ran.err
