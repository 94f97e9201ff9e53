"""`validate --format github`: problems at the lines of a pull request."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.outside import git
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
VALID = "present: {Patient: {DICOM: {PatientComments: seen}}}\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "reconciler.yaml").write_text(SETTINGS)
    (tmp_path / "manifests").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_problem_is_an_annotation_and_stands_in_the_log(tree: Path, reconcile: Command) -> None:
    manifest = HEAD + "present: {Patient: {DICOM: {PatientNam: Doe}}}\n"
    (tree / "manifests" / "a.yaml").write_text(manifest)
    ran = reconcile("validate", "--format", "github")
    assert ran.code == 1
    assert ran.out.startswith("::error file=manifests/a.yaml,line=5,title=Not valid::")
    assert "PatientNam" in ran.out
    assert "manifests/a.yaml:5" in ran.err


def test_a_problem_of_a_whole_file_has_no_line(tree: Path, reconcile: Command) -> None:
    (tree / "manifests" / "a.yaml").write_bytes(b"\xff\xfe\x00")
    ran = reconcile("validate", "--format", "github")
    assert ran.code == 1
    assert "line=0" not in ran.out


def test_a_warning_is_an_annotation(tree: Path, reconcile: Command) -> None:
    manifest = HEAD + 'present: {Patient: {DICOM: {PatientName: "Meier, Anna"}}}\n'
    (tree / "manifests" / "a.yaml").write_text(manifest)
    ran = reconcile("validate", "--format", "github")
    assert ran.code == 0
    assert ran.out.startswith("::warning file=manifests/a.yaml,line=5,title=Unusual::")


def test_a_file_cannot_add_a_command(tree: Path, reconcile: Command) -> None:
    (tree / "manifests" / "a%0A::error::,title=x.yaml").write_text("kind: no\n")
    ran = reconcile("validate", "--format", "github")
    assert ran.code == 1
    assert all(
        line.startswith("::error file=manifests/a%250A%3A%3A") for line in ran.out.splitlines()
    )


def test_at_most_ten_problems_are_annotations(tree: Path, reconcile: Command) -> None:
    for number in range(12):
        (tree / "manifests" / f"{number}.yaml").write_text("kind: no\n")
    ran = reconcile("validate", "--format", "github")
    lines = ran.out.splitlines()
    assert len(lines) == 10
    assert lines[-1].endswith("in these files: see the log of this step.")


def test_a_valid_file_has_no_annotation(tree: Path, reconcile: Command) -> None:
    (tree / "manifests" / "a.yaml").write_text(HEAD + VALID)
    ran = reconcile("validate", "--format", "github")
    assert (ran.code, ran.out) == (0, "")


def test_two_formats_exclude_each_other(tree: Path, reconcile: Command) -> None:
    ran = reconcile("validate", "--json", "--format", "github")
    assert (ran.code, "ask for different formats" in ran.err) == (1, True)


@pytest.mark.parametrize("at_the_root", [True, False])
def test_files_are_named_from_the_root_of_the_repository(
    tree: Path, reconcile: Command, at_the_root: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub looks for them there; people read them from the folder of reconciler.yaml."""
    folder = tree / "imaging" / "a: b"
    folder.mkdir(parents=True)
    (tree / "reconciler.yaml").rename(folder / "reconciler.yaml")
    (tree / "manifests").rename(folder / "manifests")
    git(tree, "init", "-q")
    config = ("--config", folder / "reconciler.yaml") if at_the_root else ()
    monkeypatch.chdir(tree if at_the_root else folder)
    file = "file=imaging/a%3A b/manifests/a.yaml,line=5,"
    manifest = HEAD + "present: {Patient: {DICOM: {PatientNam: Doe}}}\n"
    (folder / "manifests" / "a.yaml").write_text(manifest)
    wrong = reconcile("validate", "--format", "github", *config)
    assert wrong.out.startswith(f"::error {file}title=Not valid::")
    assert wrong.err.startswith("error: manifests/a.yaml:5")
    manifest = HEAD + 'present: {Patient: {DICOM: {PatientName: "Meier, Anna"}}}\n'
    (folder / "manifests" / "a.yaml").write_text(manifest)
    unusual = reconcile("validate", "--format", "github", *config)
    assert unusual.out.startswith(f"::warning {file}title=Unusual::")
    (folder / "reconciler.yaml").write_text("datastores: 1\n")
    settings = reconcile("validate", "--format", "github", *config)
    assert settings.out.startswith("::error file=imaging/a%3A b/reconciler.yaml,line=1,")
