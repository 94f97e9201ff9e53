"""Pull requests that bring what git acts on: folders with settings, submodules, pointers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli import outside
from tests.cli.outside import git, manifest
from tests.cli.test_hostile_repository import hostile
from tests.documents import IMAGE_SET_ID
from tests.loop.conftest import RECORDS, Team
from tests.loop.test_plan import NAME

MARK = "gained"
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12\n"


def test_a_git_folder_in_the_tree_is_data(team: Team) -> None:
    """Git takes each folder with HEAD, objects and refs for a repository, and runs what it names.

    Here it is the folder of the manifests, which a pull request may choose.
    """
    mark = team.root.parent / MARK
    team.branch("git")
    folder = team.root / "gain.git"
    hostile(folder, Path(), "ref: refs/heads/main", mark)
    (team.root / ".gitmodules").write_text('[submodule "x"]\n\tpath = x\n\tupdate = !touch x\n')
    (team.root / ".lfsconfig").write_text("[lfs]\n\turl = http://127.0.0.1:9\n")
    manifest(team.root, "name.yaml", NAME.format("Doe^Pieter")).rename(folder / "name.yaml")
    outside.settings(team.root, team.emulator, f"{RECORDS}manifests: gain.git\n")
    number = team.open("git")
    planned = team.planned(number)
    assert planned.conclusion == "success", planned.log
    assert "reconciler.yaml changed" in team.host.comments(number)[0][1]
    applied = team.merged(number)
    assert applied.results["apply"] == "success", applied.log
    assert not mark.exists()
    # A program that runs git in this folder does what it says.
    machine = team.runner.folder / f"run-{planned.id}-plan" / "work" / "gain.git"
    subprocess.run(["git", "status"], cwd=machine, check=False, capture_output=True)
    assert mark.exists()


def submodule(root: Path) -> str:
    """A commit of another repository in the place of a folder of manifests."""
    commit = git(root, "rev-parse", "HEAD")
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{commit},manifests/more")
    git(root, "commit", "-q", "-m", "submodule")
    return "manifests/more"


def lfs_pointer(root: Path) -> str:
    """A manifest whose content is elsewhere."""
    (root / "manifests" / "big.yaml").write_text(POINTER)
    git(root, "add", "manifests")
    git(root, "commit", "-q", "-m", "pointer")
    return "manifests/big.yaml"


def git_file(root: Path) -> str:
    """A name that git itself never writes to a commit. Hosts refuse it, but a mirror may not."""
    blob = git(root, "hash-object", "-w", "reconciler.yaml")
    folder = _tree(root, f"100644 blob {blob}\t.git")
    rows = git(root, "ls-tree", "HEAD").splitlines()
    others = [row for row in rows if not row.endswith("\tmanifests")]
    made = _tree(root, "\n".join([*others, f"040000 tree {folder}\tmanifests"]))
    commit = git(root, "commit-tree", made, "-p", "HEAD", "-m", "change")
    git(root, "update-ref", "HEAD", commit)
    return "manifests/.git"


def _tree(root: Path, rows: str) -> str:
    command = ["git", "mktree"]
    done = subprocess.run(command, cwd=root, input=rows, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.parametrize("bring", [submodule, lfs_pointer, git_file])
def test_a_tree_that_does_not_hold_its_manifests_is_refused(
    team: Team, bring: Callable[[Path], str]
) -> None:
    team.branch("brings")
    manifest(team.root, "name.yaml", NAME.format("Doe^Pieter"))
    git(team.root, "add", "manifests")
    git(team.root, "commit", "-q", "-m", "change")
    name = bring(team.root)
    git(team.root, "push", "-q", "origin", "HEAD:refs/heads/brings")
    number = team.host.open("brings")
    planned = team.planned(number)
    assert planned.results["reconcile"] == "failure"
    assert name in planned.log
    assert "There is no plan of this commit" in team.host.comments(number)[0][1]
    applied = team.merged(number)
    assert applied.results["apply"] == "failure"
    assert name in applied.log
    assert "The apply did not end" in team.host.comments(number)[1][1]
    assert team.version(IMAGE_SET_ID) == "1"
