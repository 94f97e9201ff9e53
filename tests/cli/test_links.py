"""Links: nothing is read or written outside the repository because a commit holds a link."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import DATASTORE_ID, Command

DATES = "manifests/acr-nema-dates.yaml"
APPLY = ("apply", DATES, "--auto-approve")
RECORDS = f"records/{DATASTORE_ID}"
Outside = Callable[[str], Path]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of the machine that is no part of the repository."""
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


def replaced(path: Path, target: Path) -> None:
    """A link in the place of a folder, whose content is moved to where it leads."""
    if path.is_dir():
        path.rename(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


@pytest.mark.parametrize("name", ["records", RECORDS, f"{RECORDS}/ac.json"])
@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("command", [("plan", DATES), APPLY])
def test_a_link_among_the_records_is_refused(
    reconcile: Command,
    workspace: Path,
    outside: Path,
    name: str,
    exists: bool,
    command: tuple[str, ...],
) -> None:
    target = outside / "target"
    if exists and not name.endswith(".json"):
        target.mkdir()
    elif exists:
        target.write_text("{}")
    replaced(workspace / name, target)
    ran = reconcile(*command)
    assert ran.code == 1
    assert ran.err.startswith(f"error: {name} is a symbolic link\n")
    assert "git rm --cached" in ran.err
    assert target.exists() == exists
    assert not target.is_dir() or not list(target.iterdir())


@pytest.mark.parametrize(
    "name",
    [
        ".reconcile",
        ".reconcile/emulator",
        ".reconcile/emulator/emulator.sqlite3",
        ".reconcile/.gitignore",
        ".reconcile/attempts",
        ".reconcile/attempts/x.json",
    ],
)
def test_a_link_in_our_own_folder_is_refused(
    reconcile: Command, workspace: Path, outside: Path, name: str
) -> None:
    path = workspace / name
    if path.is_file():
        path.unlink()
    replaced(path, outside / "target")
    for command in (("plan", DATES), APPLY):
        ran = reconcile(*command)
        assert ran.code == 1
        assert ran.err.startswith(f"error: {name} is a symbolic link\n")
    assert not (outside / "target").is_file()


@pytest.mark.parametrize("name", ["manifests", "manifests/one.yaml", "manifests/deep/one.yaml"])
@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("paths", [False, True])
def test_a_manifest_outside_is_refused(
    reconcile: Command, workspace: Path, outside: Path, name: str, exists: bool, paths: bool
) -> None:
    target = outside / "target"
    if not name.endswith(".yaml") and not exists:
        (workspace / name).rename(outside / "elsewhere")
    if name.endswith(".yaml") and exists:
        target.write_text("a: b\n")
    replaced(workspace / name, target)
    ran = reconcile("validate", *([name] if paths else []))
    assert ran.code == 1
    assert ran.err.startswith(
        f"error: {name}: is a symbolic link to a place outside the repository\n"
    )


def test_a_manifest_in_a_folder_that_is_a_link_is_refused_by_name_too(
    reconcile: Command, workspace: Path, outside: Path
) -> None:
    (outside / "one.yaml").write_text("a: b\n")
    (workspace / "manifests" / "deep").symlink_to(outside)
    ran = reconcile("validate", "manifests/deep/one.yaml")
    assert ran.code == 1
    assert "is a symbolic link to a place outside the repository" in ran.err


@pytest.mark.parametrize("target", [".git/config", ".reconcile/x.yaml"])
def test_what_is_no_part_of_the_tree_is_no_manifest(
    reconcile: Command, workspace: Path, target: str
) -> None:
    (workspace / ".git").mkdir()
    for name in ("HEAD", "objects", "refs", "config"):
        (workspace / ".git" / name).write_text("")
    (workspace / "manifests" / "one.yaml").symlink_to(workspace / target)
    ran = reconcile("validate")
    assert ran.code == 1
    assert "manifests/one.yaml: is a symbolic link to a place outside the repository" in ran.err


def test_a_manifest_may_be_a_link_inside_the_repository(
    reconcile: Command, workspace: Path
) -> None:
    shared = workspace / "shared.yaml"
    (workspace / DATES).rename(shared)
    (workspace / DATES).symlink_to("../shared.yaml")
    assert reconcile("validate").code == 0
    (workspace.parent / ".git").mkdir()
    for name in ("HEAD", "objects", "refs"):
        (workspace.parent / ".git" / name).write_text("")
    shared.rename(workspace.parent / "shared.yaml")
    (workspace / DATES).unlink()
    (workspace / DATES).symlink_to("../../shared.yaml")
    assert reconcile("validate").code == 0


@pytest.mark.parametrize("folder", [".reconcile/plans", "records/plans", "manifests/plans"])
def test_no_plan_or_report_is_written_through_a_link(
    reconcile: Command, workspace: Path, outside: Path, folder: str
) -> None:
    (workspace / folder).parent.mkdir(exist_ok=True)
    (workspace / folder).symlink_to(outside)
    ran = reconcile("plan", DATES, "--out", f"{folder}/plan.json")
    assert (ran.code, list(outside.iterdir())) == (1, [])
    assert f"error: {folder} is a symbolic link\n" in ran.err
    ran = reconcile(*APPLY, "--report", f"{folder}/report.json")
    assert (ran.code, list(outside.iterdir())) == (1, [])
    assert not (workspace / "records" / DATASTORE_ID).exists()  # nothing was sent
    ran = reconcile("apply", f"{folder}/plan.json")
    assert ran.code == 1
    assert f"error: {folder} is a symbolic link\n" in ran.err
