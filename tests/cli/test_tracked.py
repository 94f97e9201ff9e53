"""Files below `.reconcile/` belong to this machine. Those that git tracks are not used.

A pull request could add them: attempts that take a foreign version for one of ours, the data of the
embedded emulator, a saved plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.core.model.key import Key
from reconciler.core.plan import file as plan_file
from reconciler.edges import attempts
from reconciler.edges import git as edges_git
from reconciler.edges.tracked import Tracked
from reconciler.pipeline.local_files import tracked_files
from tests.cli import outside
from tests.cli.conftest import Command
from tests.cli.outside import World, git, imported, manifest, write
from tests.documents import IMAGE_SET_ID, document

DESCRIBED = "present: {{Study: {{DICOM: {{StudyDescription: {}}}}}}}\n"
ADVICE = "Run `git rm -r --cached .reconcile` and commit."


@pytest.fixture
def world(reconcile_at_once: Command, tmp_path: Path) -> Iterator[World]:
    with outside.world(tmp_path, reconcile_at_once) as made:
        imported(made.emulator, document())
        git(made.root, "init", "-q")
        yield made


def track(root: Path, *paths: str) -> None:
    """Commit files that git ignores, as a pull request does."""
    git(root, "add", "--force", *paths)
    git(root, "commit", "-q", "-m", "Add files")


def claimed(world: World) -> Path:
    """The file of an attempt that claims a version which another program made."""
    manifest(world.root, "a.yaml", DESCRIBED.format("CT CHEST"))
    world.apply()
    manifest(world.root, "a.yaml", DESCRIBED.format("CT ABDOMEN"))
    plan = world.root / "plan.json"
    assert world.reconcile("plan", "--out", plan).code == 0
    (action,) = plan_file.loads(plan.read_bytes()).actions
    attempts.begin(world.root, action, Key(bytes(32)))
    study = {"Study": {"DICOM": {"StudyDescription": "CT ABDOMEN"}}}
    write(world.emulator, IMAGE_SET_ID, study)
    manifest(world.root, "a.yaml", DESCRIBED.format("CT HEAD"))
    (file,) = (world.root / attempts.FOLDER).glob("*.json")
    return file.relative_to(world.root)


def test_an_attempt_that_git_tracks_makes_no_drift_ours(world: World) -> None:
    name = claimed(world).as_posix()
    assert world.action()["status"] == "update"
    track(world.root, name)
    assert world.action()["status"] == "drifted"
    ran = world.reconcile("plan")
    assert ran.err.startswith(f"warning: git tracks {name}, so it is not used. ")
    assert ADVICE in ran.err
    ran = world.reconcile("apply", "--auto-approve")
    assert (ran.code, ran.err.startswith("warning: git tracks")) == (1, True)
    assert world.version() == "3"
    with attempts.under_way(world.root, tracked_files(world.root)) as left:
        assert left == ()


@pytest.mark.parametrize("command", ["plan", "search", "apply --auto-approve"])
def test_the_data_of_an_emulator_that_git_tracks_is_not_used(
    reconcile: Command, workspace: Path, command: str
) -> None:
    git(workspace, "init", "-q")
    name = min(path.name for path in (workspace / ".reconcile" / "emulator").iterdir())
    track(workspace, f".reconcile/emulator/{name}")
    ran = reconcile(*command.split())
    assert (ran.code, ran.out) == (1, "")
    assert f"error: git tracks .reconcile/emulator/{name}, so it is not used\n" in ran.err
    assert ADVICE in ran.err
    git(workspace, "rm", "-r", "-q", "--cached", ".reconcile")
    git(workspace, "commit", "-q", "-m", "Remove it")
    assert reconcile("search").code == 0


def test_an_emulator_of_its_own_does_not_use_it_either(reconcile: Command, workspace: Path) -> None:
    git(workspace, "init", "-q")
    track(workspace, ".reconcile/emulator")
    ran = reconcile("emulator", "start", "--port", "0")
    assert ran.code == 1
    assert ran.err.startswith("error: git tracks .reconcile/emulator/")


@pytest.mark.parametrize("command", ["show", "apply"])
def test_a_saved_plan_that_git_tracks_is_not_used(
    reconcile: Command, world: World, command: str
) -> None:
    manifest(world.root, "a.yaml", DESCRIBED.format("CT CHEST"))
    plan = world.root / ".reconcile" / "plan.json"
    assert world.reconcile("plan", "--out", plan).code == 0
    track(world.root, ".reconcile/plan.json")
    ran = world.reconcile(command, plan)
    assert (ran.code, ran.out) == (1, "")
    assert "error: git tracks .reconcile/plan.json, so it is not used\n" in ran.err
    assert world.version() == "1"


def test_a_submodule_counts_and_so_does_another_case(world: World) -> None:
    """A file system may ignore case. `git submodule` adds a folder as one entry."""
    head = "1" * 40
    git(world.root, "update-index", "--add", "--cacheinfo", f"160000,{head},.Reconcile/Attempts")
    tracked = edges_git.tracked(world.root, world.root / ".reconcile")
    assert tracked == Tracked((".Reconcile/Attempts",))
    assert tracked.has(attempts.FOLDER / "x.json")
    assert tracked.below(attempts.FOLDER) == tracked.names
    assert not tracked.has(Path(".reconcile/plan.json"))
    assert tracked.below(Path(".reconcile/emulator")) == ()


def test_files_beside_it_are_none_of_them(world: World) -> None:
    (world.root / ".reconcile2").mkdir()
    (world.root / ".reconcile2" / "a").write_text("")
    (world.root / ".reconcile").mkdir(exist_ok=True)
    (world.root / ".reconcile" / "b").write_text("")
    track(world.root, ".reconcile2/a")
    assert tracked_files(world.root) == Tracked()
    ran = world.reconcile("search")
    assert (ran.code, "git tracks" in ran.err) == (0, False)


def test_outside_a_repository_nothing_is_tracked(tmp_path: Path) -> None:
    (tmp_path / ".reconcile").mkdir()
    assert tracked_files(tmp_path) == Tracked()
