"""Trouble with git, one kind a row: what is wrong, what to do next, exit 1, nothing written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from reconciler.core.model.key import KEY_FILE
from reconciler.edges.git.repository import check_owner
from tests.cli import outside
from tests.cli.conftest import Command
from tests.cli.outside import World, git, imported, manifest
from tests.documents import document

COMMENTS = "present:\n  Patient:\n    DICOM:\n      PatientComments: {}\n"
REVIEW = ".reconcile/review.json"
CONFLICT = "<<<<<<< HEAD\n{}=======\n{}>>>>>>> change\n"
APPLY = ("apply", "--auto-approve", "--record", "files")
COMMITTING = ("apply", "--auto-approve", "--record", "commit")
REVIEWED = ("apply", "--reviewed", REVIEW, "--record", "commit")
REVIEWING = ("plan", "--base", "main", "--review", "r.json")


class Trouble(NamedTuple):
    """What happens to a repository, the commands that meet it, and what they say."""

    name: str
    make: Callable[[World], None]
    commands: tuple[tuple[str, ...], ...]
    says: tuple[str, ...]


@pytest.fixture
def world(tmp_path: Path, reconcile: Command) -> Iterator[World]:
    """A repository with records on `main`, a remote, and a review of a change that is merged."""
    with outside.world(tmp_path, reconcile) as found:
        root = found.root
        imported(found.emulator, document())
        (root / ".gitignore").write_text(".reconcile/\n")
        (root / KEY_FILE).write_text("5a" * 32 + "\n")
        manifest(root, "a.yaml", COMMENTS.format("first"))
        git(root, "init", "-q", "-b", "main")
        git(root, "config", "user.name", "Steward")
        git(root, "config", "user.email", "steward@example.org")
        commit(root)
        assert found.reconcile(*COMMITTING).code == 0
        git(root, "checkout", "-q", "-b", "change")
        manifest(root, "a.yaml", COMMENTS.format("second"))
        commit(root)
        ran = found.reconcile("plan", "--base", "main", "--review", REVIEW)
        assert ran.code == 0, ran.err
        git(root, "checkout", "-q", "main")
        git(root, "merge", "-q", "--no-ff", "--no-edit", "change")
        git(root, "init", "-q", "--bare", "-b", "main", "../remote.git")
        git(root, "remote", "add", "origin", "../remote.git")
        git(root, "push", "-q", "-u", "origin", "main")
        yield found


def commit(root: Path) -> None:
    git(root, "add", ".")
    git(root, "commit", "-q", "--allow-empty", "-m", "change")


def state(world: World) -> dict[str, bytes | str]:
    """All that a command could write: files, commits, and the version of the image set."""
    kept: dict[str, bytes | str] = {
        str(path): path.read_bytes()
        for path in sorted(world.root.rglob("*"))
        if path.is_file() and ".git" not in path.parts and path.suffix != ".lock"
    }
    head = world.root / ".git" / "refs" / "heads" / "main"
    return {**kept, "head": head.read_text() if head.exists() else "", "live": world.version()}


def no_repository(world: World) -> None:
    shutil.rmtree(world.root / ".git")


def in_conflict(path: Path) -> None:
    text = path.read_text()
    start, _, rest = text.partition("first" if "first" in text else '"versionId"')
    line = f"{start.splitlines()[-1]}x\n"
    path.write_text(start + "\n" + CONFLICT.format(line, line) + rest)


def conflict_in_manifest(world: World) -> None:
    in_conflict(world.root / "manifests" / "a.yaml")
    commit(world.root)


def the_record(world: World) -> Path:
    (path,) = (world.root / "records").glob("*/??.json")
    return path


def conflict_in_record(world: World) -> None:
    in_conflict(the_record(world))
    commit(world.root)


def edited_record(world: World) -> None:
    path = the_record(world)
    text = path.read_text()
    path.write_text(text.replace('"versionId": "2"', '"versionId": "9"'))
    assert path.read_text() != text
    commit(world.root)


def unclean(world: World) -> None:
    manifest(world.root, "a.yaml", COMMENTS.format("third"))


def detached(world: World) -> None:
    git(world.root, "checkout", "-q", "--detach")


def no_remote(world: World) -> None:
    git(world.root, "remote", "remove", "origin")


def unreachable_remote(world: World) -> None:
    shutil.rmtree(world.root.parent / "remote.git")


def in_the_review(world: World, **fields: str) -> None:
    path = world.root / REVIEW
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def of_another_version(world: World) -> None:
    in_the_review(world, toolVersion="9.9.9")


def of_another_repository(world: World) -> None:
    in_the_review(world, seal="hmac-sha256:" + "0" * 64)


def of_another_branch(world: World) -> None:
    """The base of the review is on no branch that is checked out."""
    git(world.root, "checkout", "-q", "--orphan", "main2")
    commit(world.root)


def no_review(world: World) -> None:
    (world.root / REVIEW).unlink()


def in_a_merge(world: World) -> None:
    git(world.root, "checkout", "-q", "-b", "other", "main^")
    manifest(world.root, "a.yaml", COMMENTS.format("other"))
    commit(world.root)
    git(world.root, "checkout", "-q", "main")
    with pytest.raises(subprocess.CalledProcessError):
        git(world.root, "merge", "-q", "--no-edit", "other")
    manifest(world.root, "a.yaml", COMMENTS.format("third"))
    git(world.root, "add", ".")


TROUBLES = (
    Trouble(
        "no repository",
        no_repository,
        (REVIEWING, REVIEWED, COMMITTING, ("plan", "--base", "main")),
        ("git repository",),
    ),
    Trouble(
        "conflict in a manifest",
        conflict_in_manifest,
        (("validate",), ("plan",), APPLY, REVIEWED),
        ("manifests/a.yaml:", "conflict", "git"),
    ),
    Trouble(
        "conflict in a record",
        conflict_in_record,
        (("plan",), APPLY, REVIEWED),
        ("records/", "conflict", "git"),
    ),
    Trouble(
        "record edited by hand",
        edited_record,
        (("plan",), APPLY, REVIEWED),
        ("records/", "git checkout"),
    ),
    Trouble(
        "unclean tree",
        unclean,
        (REVIEWED, REVIEWING),
        ("the commit does not hold", "Commit or stash"),
    ),
    Trouble(
        "detached head",
        detached,
        ((*REVIEWED, "--push"),),
        ("follows no branch", "git branch --set-upstream-to"),
    ),
    Trouble(
        "unfinished merge",
        in_a_merge,
        (COMMITTING,),
        ("a merge is not finished", "git merge --abort"),
    ),
    Trouble(
        "no remote",
        no_remote,
        ((*REVIEWED, "--push"),),
        ("follows no branch", "git branch --set-upstream-to"),
    ),
    Trouble(
        "review of another version",
        of_another_version,
        (REVIEWED, ("plan", "--check", REVIEW)),
        ("version 9.9.9", "run the plan of the pull request again"),
    ),
    Trouble(
        "review of another repository",
        of_another_repository,
        (REVIEWED, ("plan", "--check", REVIEW)),
        ("of a repository with another reconciler.key", "run the plan of the pull request again"),
    ),
    Trouble(
        "review of another branch",
        of_another_branch,
        (REVIEWED, ("plan", "--check", REVIEW)),
        ("is not before the commit that is checked out", "Check out the branch"),
    ),
    Trouble(
        "no review",
        no_review,
        (REVIEWED, ("plan", "--check", REVIEW)),
        ("review.json: it cannot be read", "reconcile plan --review"),
    ),
)


def test_a_repository_of_another_user(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git then refuses to read its settings; GIT_TEST_ASSUME_DIFFERENT_OWNER is of git's tests."""
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    check_owner.cache_clear()
    before = state(world)
    for command in (REVIEWING, REVIEWED, COMMITTING, ("plan", "--base", "main"), ("plan",)):
        ran = world.reconcile(*command)
        assert ran.code == 1, (command, ran.out)
        assert "dubious ownership" in ran.err, (command, ran.err)
        assert "git config --global --add safe.directory" in ran.err
        assert "records are written" not in ran.err
        assert state(world) == before, command
    check_owner.cache_clear()


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda one: one.name)
def test_it_is_reported_and_nothing_is_written(world: World, trouble: Trouble) -> None:
    trouble.make(world)
    before = state(world)
    for command in trouble.commands:
        ran = world.reconcile(*command)
        assert ran.code == 1, (command, ran.out, ran.err)
        for text in trouble.says:
            assert text in ran.err, (command, ran.err)
        assert state(world) == before, command
