"""`reconcile import --select … --out FOLDER`: manifests for many image sets, none replaced."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.outside import World, imported, world
from tests.documents import document

FIRST, SECOND, OTHER = "a" * 32, "b" * 32, "c" * 32
SELECT = ("import", "--select", "PatientID=P1", "--level", "study", "--out", "manifests")


@pytest.fixture
def tree(tmp_path: Path, reconcile: Command) -> Iterator[World]:
    """A repository without manifests, and two image sets of one patient and one of another."""
    with world(tmp_path, reconcile) as one:
        for name, patient in ((FIRST, "P1"), (SECOND, "P1"), (OTHER, "P2")):
            made = document(image_set_id=name)
            made["Patient"]["DICOM"]["PatientID"] = patient
            imported(one.emulator, made)
        yield one


def names(tree: World) -> list[str]:
    return sorted(path.stem for path in (tree.root / "manifests").glob("*"))


def test_what_is_written_plans_to_nothing(tree: World) -> None:
    ran = tree.reconcile(*SELECT)
    assert (ran.code, ran.out) == (0, "Wrote 2 manifests to manifests.\n"), ran.err
    assert names(tree) == [FIRST, SECOND]
    path = tree.root / "manifests" / f"{FIRST}.yaml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "SeriesInstanceUID" not in path.read_text()
    assert "2 converged" in tree.reconcile("plan").out


def test_a_manifest_that_is_there_is_left_as_it_is_and_its_document_is_not_read(
    tree: World,
) -> None:
    path = tree.root / "manifests" / f"{FIRST}.yaml"
    path.parent.mkdir()
    path.write_text("# mine\n")
    ran = tree.reconcile(*SELECT)
    assert ran.out == "Wrote 1 manifest to manifests; 1 were there already.\n"
    assert path.read_text() == "# mine\n"


def test_the_limit_holds_and_the_next_run_goes_on(tree: World) -> None:
    ran = tree.reconcile(*SELECT, "--limit", "1")
    assert "There are more than 1: narrow --select, or add --limit." in ran.err
    assert names(tree) == [FIRST]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--select", "PatientID=P1"), "error: --select and --out go together"),
        (("--out", "manifests"), "error: --select and --out go together"),
        ((*SELECT[1:], "--image-set", FIRST), "error: --select does not go with --image-set"),
        ((*SELECT[1:], "--json"), "error: --select does not go with --json"),
        ((*SELECT[1:], "--mask-values"), "error: `reconcile import` prints live values and cannot"),
        (("--select", "PatientID", "--out", "m"), "error: argument 1 is not of the form"),
    ],
)
def test_what_does_not_go_together(tree: World, arguments: tuple[str, ...], message: str) -> None:
    ran = tree.reconcile("import", *arguments)
    assert ran.code == 1
    assert ran.err.startswith(message)
    assert not (tree.root / "manifests").exists()


def test_a_folder_that_cannot_be_written_is_an_error(tree: World) -> None:
    (tree.root / "manifests").write_text("a file")
    ran = tree.reconcile(*SELECT)
    assert ran.code == 1
    assert f"manifests/{FIRST}.yaml: cannot be written" in ran.err
