"""Whether the manifests of a plan are committed: the plan, its apply and the records state it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.model.record import RULES_VERSION
from reconciler.emulator.http.server import Emulator
from tests.cli import outside
from tests.cli.conftest import Command
from tests.cli.outside import git, imported, manifest, settings
from tests.documents import document

DESCRIBED = "present: {Study: {DICOM: {StudyDescription: CT CHEST}}}\n"


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[tuple[Path, Emulator]]:
    """A repository with one manifest, not in git yet."""
    with outside.repository(tmp_path) as (root, emulator):
        imported(emulator, document())
        manifest(root, "a.yaml", DESCRIBED)
        (root / ".gitignore").write_text(".reconcile/\n")
        yield root, emulator


def commit(root: Path) -> str:
    """Commit everything; return the commit."""
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "ask")
    return git(root, "rev-parse", "HEAD")


def basis(root: Path, reconcile: Command, *paths: str) -> Any:
    """The basis of a plan, the same in the saved plan and in its outputs."""
    file = root / ".reconcile" / "plan.json"
    printed = json.loads(reconcile("plan", *paths, "--out", file, "--json").out)["basis"]
    assert printed == json.loads(file.read_text())["basis"]
    assert printed == json.loads(reconcile("show", file, "--json").out)["basis"]
    return printed


def test_outside_git_nothing_is_said(tree: tuple[Path, Emulator], reconcile: Command) -> None:
    root, _ = tree
    assert "clean" not in basis(root, reconcile)
    assert "not clean" not in reconcile("plan").out
    ran = reconcile("apply", "--auto-approve", "--json")
    assert json.loads(ran.out)["basis"] == {"commit": ""}


def test_a_clean_tree(tree: tuple[Path, Emulator], reconcile: Command) -> None:
    root, _ = tree
    made = commit(root)
    assert basis(root, reconcile)["clean"] is True
    assert "not clean" not in reconcile("plan").out
    ran = reconcile("apply", "--auto-approve", "--record", "commit", "--json")
    assert json.loads(ran.out)["basis"] == {"commit": made, "clean": True}
    assert "Applied-Tree" not in git(root, "log", "-1", "--format=%B")


@pytest.mark.parametrize("what", ["manifest", "settings", "new", "ignored", "deleted"])
def test_a_tree_that_is_not_clean(
    tree: tuple[Path, Emulator], reconcile: Command, what: str
) -> None:
    root, emulator = tree
    manifest(root, "b.yaml", "present: {Patient: {DICOM: {PatientComments: x}}}\n")
    made = commit(root)
    match what:
        case "manifest":
            manifest(root, "a.yaml", DESCRIBED.replace("CHEST", "HEAD"))
        case "settings":
            settings(root, emulator, "guardrails: {imageSets: 10}\n")
        case "new" | "ignored":
            manifest(root, "c.yaml", "present: {Patient: {DICOM: {PatientSex: O}}}\n"
                     "allow: [CHANGES_PATIENT_IDENTITY]\n")  # fmt: skip
        case "deleted":
            (root / "manifests" / "b.yaml").unlink()
    if what == "ignored":
        (root / ".git" / "info" / "exclude").write_text("c.yaml\n")
    assert basis(root, reconcile)["clean"] is False
    assert basis(root, reconcile, "manifests/a.yaml")["clean"] is False
    line = (
        f"Tree not clean: commit {made[:12]} does not hold the manifests and reconciler.yaml as "
        "this plan read them."
    )
    assert line in reconcile("plan").out
    page = root.parent / "page.md"
    page.touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_STEP_SUMMARY", str(page))
        ran = reconcile("apply", ".reconcile/plan.json", "--record", "commit", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["basis"] == {"commit": made, "clean": False}
    assert line in page.read_text()
    trailers = git(root, "log", "-1", "--format=%(trailers)").splitlines()
    assert trailers[:2] == [f"Applied-Commit: {made}", "Applied-Tree: not clean"]


def test_before_the_first_commit_no_commit_holds_them(
    tree: tuple[Path, Emulator], reconcile: Command
) -> None:
    root, _ = tree
    git(root, "init", "-q")
    found = basis(root, reconcile)
    assert (found["commit"], found["clean"]) == ("", False)
    assert found["rulesVersion"] == RULES_VERSION
    assert "Tree not clean: no commit holds the manifests" in reconcile("plan").out


def test_other_settings_than_reconciler_yaml(
    tree: tuple[Path, Emulator], reconcile: Command
) -> None:
    root, _ = tree
    commit(root)
    other = root / "other.yaml"
    other.write_text((root / "reconciler.yaml").read_text())
    ran = reconcile("plan", "--config", "other.yaml", "--json")
    assert json.loads(ran.out)["basis"]["clean"] is False


def test_the_records_do_not_matter(tree: tuple[Path, Emulator], reconcile: Command) -> None:
    root, _ = tree
    commit(root)
    assert reconcile("apply", "--auto-approve").code == 0
    assert basis(root, reconcile)["clean"] is True
