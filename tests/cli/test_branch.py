"""The branch moves on while a commit is applied, or before its job starts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.core.model.outcome import Overtaken, Result
from reconciler.core.model.plan import Action, Basis, Member, Plan, Status, Step
from reconciler.core.model.settings import Settings
from reconciler.edges import git as edge
from reconciler.pipeline.branch import LOOK_SECONDS, PATIENCE_SECONDS, Branch
from tests.cli import outside
from tests.cli.conftest import Command
from tests.cli.outside import STORE, World, git, imported, manifest
from tests.documents import IMAGE_SET_ID, document
from tests.fakes import FakeClock

OTHER_ID = "e" * 32
NAME = """\
allow: [CHANGES_PATIENT_IDENTITY]
present:
  Patient:
    DICOM:
      PatientName: {}
"""


class Host:
    """A bare repository, and a clone in which colleagues commit."""

    def __init__(self, folder: Path) -> None:
        self.bare = folder / "host.git"
        self.clone = folder / "colleague"
        git(folder, "init", "-q", "--bare", "-b", "main", str(self.bare))

    def push(self, file: str, body: str, image_set_id: str = IMAGE_SET_ID) -> str:
        """A colleague pushes a manifest."""
        if not self.clone.exists():
            git(self.bare.parent, "clone", "-q", str(self.bare), self.clone.name)
        git(self.clone, "pull", "-q")
        manifest(self.clone, file, body, image_set_id)
        git(self.clone, "add", ".")
        git(self.clone, "commit", "-q", "-m", file)
        git(self.clone, "push", "-q")
        return git(self.clone, "rev-parse", "HEAD")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.fixture
def tree(tmp_path: Path, host: Host, reconcile: Command) -> Iterator[World]:
    """A clone of `main` with a manifest for each of two image sets, pushed."""
    with outside.world(tmp_path, reconcile) as world:
        imported(world.emulator, document())
        imported(world.emulator, document(image_set_id=OTHER_ID))
        manifest(world.root, "a.yaml", NAME.format("Doe^Pieter"))
        manifest(world.root, "b.yaml", NAME.format("Doe^Pieter"), OTHER_ID)
        (world.root / ".gitignore").write_text(".reconcile/\n")
        git(world.root, "init", "-q", "-b", "main")
        git(world.root, "remote", "add", "origin", str(host.bare))
        git(world.root, "add", ".")
        git(world.root, "commit", "-q", "-m", "ask")
        git(world.root, "push", "-q", "-u", "origin", "main")
        yield world


def pushing(tree: World, code: int = 0) -> str:
    return tree.apply("--record", "commit", "--push", code=code)


def test_what_a_newer_commit_asks_otherwise_is_stale(tree: World, host: Host) -> None:
    host.push("b.yaml", NAME.format("Doe^Petra"), OTHER_ID)
    out = pushing(tree, code=1)
    assert "a newer commit of main changes manifests/b.yaml" in " ".join(out.split())
    assert (tree.version(), tree.version(OTHER_ID)) == ("2", "1")


def test_a_new_manifest_for_the_same_image_set_counts(tree: World, host: Host) -> None:
    host.push("new.yaml", "present:\n  Patient:\n    DICOM: {PatientSex: F}\n", OTHER_ID)
    out = pushing(tree, code=1)
    assert "a newer commit of main changes manifests/new.yaml" in " ".join(out.split())
    assert (tree.version(), tree.version(OTHER_ID)) == ("2", "1")


@pytest.mark.parametrize("between", ["\\x{:02x}", "\\u{:04x}", "\\\n    {:c}"])
def test_an_escaped_id_counts(tree: World, host: Host, between: str) -> None:
    """YAML reads it as the ID (yaml.org/spec/1.2.2, 5.7 and 7.3.1)."""
    hidden = f'"{OTHER_ID[:-1]}{between.format(ord(OTHER_ID[-1]))}"'
    host.push("new.yaml", "present:\n  Patient:\n    DICOM: {PatientSex: F}\n", hidden)
    out = pushing(tree, code=1)
    assert "a newer commit of main changes manifests/new.yaml" in " ".join(out.split())
    assert tree.version(OTHER_ID) == "1"


def test_commits_about_other_image_sets_hinder_nothing(tree: World, host: Host) -> None:
    host.push("new.yaml", NAME.format("Doe^Petra"), "f" * 32)
    pushing(tree)
    assert (tree.version(), tree.version(OTHER_ID)) == ("2", "2")


def test_changed_settings_stop_all_that_is_not_sent(tree: World, host: Host) -> None:
    host.push("new.yaml", NAME.format("Doe^Petra"), "f" * 32)
    with (host.clone / "reconciler.yaml").open("a") as file:
        file.write("redact: all\n")
    git(host.clone, "commit", "-q", "-a", "-m", "settings")
    git(host.clone, "push", "-q")
    out = pushing(tree, code=1)
    assert out.count("a newer commit of main changes reconciler.yaml") == 2
    assert (tree.version(), tree.version(OTHER_ID)) == ("1", "1")


def test_a_job_that_is_started_again_continues(tree: World) -> None:
    """Its commit is the applied one: the records came on top of it."""
    pushing(tree)
    out = pushing(tree)
    assert "nothing to do" in out
    assert (tree.version(), tree.version(OTHER_ID)) == ("2", "2")


def test_an_older_commit_is_not_applied_after_a_newer_one(
    tree: World, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = git(tree.root, "rev-parse", "HEAD")
    newer = host.push("b.yaml", NAME.format("Doe^Petra"), OTHER_ID)
    git(tmp_path, "clone", "-q", str(host.bare), "next")
    monkeypatch.chdir(tmp_path / "next")
    pushing(tree)
    monkeypatch.chdir(tree.root)
    ran = tree.reconcile("apply", "--auto-approve", "--record", "commit", "--push")
    assert ran.code == 1
    assert f"commit {older[:12]} is checked out, but {newer[:12]} of main was applied" in ran.err
    assert "Apply the head of main" in ran.err
    assert tree.version(OTHER_ID) == "2"


def test_a_clone_with_a_part_of_the_history_says_what_to_fetch(
    tree: World, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushing(tree)
    host.push("c.yaml", NAME.format("Doe^Petra"), "f" * 32)
    shutil.rmtree(host.clone)
    address = host.bare.as_uri()
    git(tmp_path, "clone", "-q", "--depth", "1", address, "shallow")
    shallow = tmp_path / "shallow"
    host.push("d.yaml", NAME.format("Doe^Petra"), "d" * 32)
    monkeypatch.chdir(shallow)
    ran = tree.reconcile("apply", "--auto-approve", "--record", "commit", "--push")
    assert ran.code == 1
    assert "`git fetch --unshallow`" in ran.err
    assert "`fetch-depth: 0` of actions/checkout" in ran.err


def followed(tree: World, clock: FakeClock) -> Branch:
    members = (Member(IMAGE_SET_ID, "1"),)
    steps = (Step(STORE, IMAGE_SET_ID, "1", ((IMAGE_SET_ID, "sha256:00"),), updatable="{}"),)
    action = Action("research", STORE, Status.UPDATE, members, (), steps=steps)
    plan = Plan(Basis(edge.head(tree.root), 1), (action,))
    settings = Settings(tree.root, "manifests", ())
    return Branch(settings, plan, edge.Remote("origin", "main"), clock)


STEP = Step(STORE, IMAGE_SET_ID, "1", ((IMAGE_SET_ID, "sha256:00"),), updatable="{}")


def test_the_branch_is_looked_at_every_minute(tree: World, host: Host) -> None:
    clock = FakeClock()
    branch = followed(tree, clock)
    assert branch.overtaken(STEP) is None
    host.push("a.yaml", NAME.format("Doe^Petra"))
    clock.sleep(LOOK_SECONDS - 1)
    assert branch.overtaken(STEP) is None
    clock.sleep(1)
    reason = "a newer commit of main changes manifests/a.yaml"
    assert branch.overtaken(STEP) == Overtaken(Result.STALE, reason)


def test_a_host_that_is_away_for_a_while_hinders_nothing(tree: World, host: Host) -> None:
    clock = FakeClock()
    branch = followed(tree, clock)
    assert branch.overtaken(STEP) is None
    away = host.bare.rename(host.bare.with_name("away.git"))
    clock.sleep(PATIENCE_SECONDS - 1)
    assert branch.overtaken(STEP) is None
    clock.sleep(LOOK_SECONDS)
    found = branch.overtaken(STEP)
    assert found is not None
    assert found.result is Result.STALE
    assert found.reason.startswith(
        "main of origin could not be read for 11 min, so it is not known"
    )
    assert "git fetch origin failed: " in found.reason
    away.rename(host.bare)
    clock.sleep(LOOK_SECONDS)
    assert branch.overtaken(STEP) is None


@pytest.fixture
def detached(tree: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A CI job that has checked out a commit and no branch."""
    for name in ("GITHUB_REPOSITORY", "CI_PROJECT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CI", "true")
    (tree.root / "reconciler.key").write_text("5a" * 32 + "\n")
    git(tree.root, "add", ".")
    git(tree.root, "commit", "-q", "-m", "key")
    git(tree.root, "push", "-q")
    git(tree.root, "checkout", "-q", "--detach")
    (tmp_path / "reviews").mkdir()
    return tree


REVIEWED = ("apply", "--reviewed", "../reviews", "--record", "files")


def test_a_job_without_a_branch_is_refused(detached: World) -> None:
    """It could not see what newer commits ask."""
    ran = detached.reconcile(*REVIEWED)
    assert (ran.code, detached.version()) == (1, "1")
    assert "follows no branch of a remote, so newer commits cannot be looked for" in ran.err
    assert "git checkout -B main && git branch --set-upstream-to origin/main" in ran.err


def test_a_person_without_a_branch_is_not_refused(
    detached: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI")
    assert "follows no branch" not in detached.reconcile(*REVIEWED).err


@pytest.mark.parametrize(
    "variables",
    [
        {"GITHUB_REPOSITORY": "team/records", "GITHUB_REF": "refs/heads/main"},
        {"CI_PROJECT_URL": "https://gitlab.com/team/records", "CI_COMMIT_BRANCH": "main"},
    ],
)
def test_a_job_that_states_its_branch_follows_it(
    detached: World, host: Host, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    host.push("b.yaml", NAME.format("Doe^Petra"), OTHER_ID)
    out = pushing(detached, code=1)
    assert "a newer commit of main changes manifests/b.yaml" in " ".join(out.split())
    assert (detached.version(), detached.version(OTHER_ID)) == ("2", "1")
    assert "records" in git(host.bare, "ls-tree", "--name-only", "main")


def test_a_branch_of_its_own_is_not_taken_for_that_of_the_job(
    detached: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "team/records")
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    git(detached.root, "checkout", "-q", "-b", "alone")
    ran = detached.reconcile(*REVIEWED)
    assert (ran.code, detached.version()) == (1, "1")
    assert "follows no branch" in ran.err


def reviewed(tree: World) -> Path:
    """A review of both changes, from a pull request that is merged and pushed."""
    git(tree.root, "checkout", "-q", "-b", "change")
    (tree.root / "reconciler.key").write_text("5a" * 32 + "\n")
    git(tree.root, "add", ".")
    git(tree.root, "commit", "-q", "-m", "key")
    review = tree.root.parent / "review.json"
    ran = tree.reconcile("plan", "--base", "main", "--review", review)
    assert ran.code == 0, ran.err
    git(tree.root, "checkout", "-q", "main")
    git(tree.root, "merge", "-q", "--ff-only", "change")
    git(tree.root, "push", "-q")
    return review


def merged(tree: World, review: Path, code: int = 0) -> str:
    """What the apply prints that a merge starts, on one line."""
    ran = tree.reconcile("apply", "--reviewed", review, "--record", "commit", "--push")
    assert ran.code == code, ran.out + ran.err
    return " ".join(ran.out.split())


def test_what_a_newer_merge_supersedes_does_not_fail_the_run(tree: World, host: Host) -> None:
    """The apply of the newer commit decides: it sees to all that earlier ones have left."""
    review = reviewed(tree)
    host.push("b.yaml", NAME.format("Doe^Petra"), OTHER_ID)
    out = merged(tree, review)
    assert "superseded" in out
    assert "a newer commit of main changes manifests/b.yaml" in out
    assert "Apply: 1 converged, 1 superseded." in out
    assert "the apply of the newer commit decides" in out
    assert (tree.version(), tree.version(OTHER_ID)) == ("2", "1")


def test_changed_settings_supersede_all_that_is_not_sent(tree: World, host: Host) -> None:
    review = reviewed(tree)
    host.push("new.yaml", NAME.format("Doe^Petra"), "f" * 32)
    with (host.clone / "reconciler.yaml").open("a") as file:
        file.write("redact: all\n")
    git(host.clone, "commit", "-q", "-a", "-m", "settings")
    git(host.clone, "push", "-q")
    assert "Apply: 2 superseded." in merged(tree, review)


def test_a_force_pushed_branch_supersedes_nothing(tree: World, host: Host) -> None:
    """No apply of the branch sees to a commit that is not on it any more."""
    review = reviewed(tree)
    host.push("b.yaml", NAME.format("Doe^Petra"), OTHER_ID)
    git(host.clone, "reset", "-q", "--soft", "HEAD~2")
    git(host.clone, "commit", "-q", "--amend", "-m", "another history")
    git(host.clone, "push", "-q", "--force")
    out = merged(tree, review, code=1)
    assert "main does not contain commit" in out
    assert "the branch was force-pushed" in out
    assert "Apply: 1 converged, 1 stale." in out
    assert tree.version(OTHER_ID) == "1"


def test_a_newer_commit_without_settings_supersedes_nothing(tree: World, host: Host) -> None:
    """No apply of that commit is possible."""
    review = reviewed(tree)
    host.push("new.yaml", NAME.format("Doe^Petra"), "f" * 32)
    git(host.clone, "rm", "-q", "reconciler.yaml")
    git(host.clone, "commit", "-q", "-m", "remove")
    git(host.clone, "push", "-q")
    out = merged(tree, review, code=1)
    assert out.count("a newer commit of main removes reconciler.yaml") >= 2
    assert (tree.version(), tree.version(OTHER_ID)) == ("1", "1")


@pytest.mark.parametrize(
    "text",
    [
        "Change b (#2) [skip ci]",
        "Change b (#2)\n\n* Try it [No CI]\n\n* Ask",
        "Change b (#2)\n\n\nskip-checks: true",
    ],
)
def test_a_newer_commit_that_starts_no_job_supersedes_nothing(
    tree: World, host: Host, text: str
) -> None:
    """A squash merge takes over the message of each commit of its pull request."""
    review = reviewed(tree)
    host.push("b.yaml", NAME.format("Doe^Petra"), OTHER_ID)
    git(host.clone, "commit", "-q", "--amend", "-m", text)
    git(host.clone, "push", "-q", "--force")
    newer = git(host.clone, "rev-parse", "HEAD")
    out = merged(tree, review, code=1)
    assert "a newer commit of main changes manifests/b.yaml, and perhaps no apply comes" in out
    assert f"the message of {newer[:12]} keeps CI jobs from starting" in out
    assert (tree.version(), tree.version(OTHER_ID)) == ("2", "1")


def test_a_commit_of_a_merged_branch_keeps_no_job_from_starting(tree: World, host: Host) -> None:
    """Hosts look at the commit that was pushed, which is the merge."""
    review = reviewed(tree)
    git(tree.root.parent, "clone", "-q", str(host.bare), host.clone.name)
    git(host.clone, "checkout", "-q", "-b", "b")
    manifest(host.clone, "b.yaml", NAME.format("Doe^Petra"), OTHER_ID)
    git(host.clone, "commit", "-q", "-a", "-m", "Try it [skip ci]")
    git(host.clone, "checkout", "-q", "main")
    git(host.clone, "merge", "-q", "--no-ff", "-m", "Merge b", "b")
    git(host.clone, "push", "-q")
    assert "Apply: 1 converged, 1 superseded." in merged(tree, review)


@pytest.mark.parametrize("kind", ["link", "submodule"])
def test_a_manifest_that_cannot_be_read_there_may_ask_for_anything(
    tree: World, host: Host, kind: str
) -> None:
    """A link, or a submodule: it is not taken for a remote that does not answer."""
    host.push("new.yaml", NAME.format("Doe^Petra"), "f" * 32)
    (host.clone / "manifests" / "new.yaml").unlink()
    if kind == "link":
        (host.clone / "manifests" / "new.yaml").symlink_to("a.yaml")
        git(host.clone, "add", ".")
    else:
        row = f"160000,{git(host.clone, 'rev-parse', 'HEAD')},manifests/new.yaml"
        git(host.clone, "update-index", "--cacheinfo", row)
    git(host.clone, "commit", "-q", "-m", kind)
    git(host.clone, "push", "-q")
    out = " ".join(pushing(tree, code=1).split())
    assert "a newer commit of main changes manifests/new.yaml, which cannot be read there" in out
    assert (tree.version(), tree.version(OTHER_ID)) == ("1", "1")


def test_what_is_not_pushed_yet_is_not_applied(tree: World) -> None:
    """Its records would state what no manifest of the branch asks."""
    manifest(tree.root, "b.yaml", NAME.format("Doe^Petra"), OTHER_ID)
    git(tree.root, "commit", "-q", "-a", "-m", "ask otherwise")
    out = " ".join(pushing(tree, code=1).split())
    assert "has another manifests/b.yaml" in out
    assert "or the commit is not pushed yet" in out
    assert (tree.version(), tree.version(OTHER_ID)) == ("2", "1")
