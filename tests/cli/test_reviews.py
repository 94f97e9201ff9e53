"""The way of a review from its pull request to the apply after the merge."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.clock import RealClock
from reconciler.cli.run import run
from reconciler.core.model.key import KEY_FILE
from reconciler.core.model.reviewed import REVIEW_SECONDS
from reconciler.core.reviewed.transport import PLAN_WORKFLOW
from tests.cli import outside
from tests.cli.conftest import Command, Ran
from tests.cli.outside import World, git, imported, manifest
from tests.documents import document
from tests.edges.github_host import REPOSITORY, Answers

NAME = """\
allow: [CHANGES_PATIENT_IDENTITY]
present:
  Patient:
    DICOM:
      PatientName: Doe^Pieter
"""
AUTHOR = {"login": "steward"}
BRANCH = "reconcile/reviews"


class Repository:
    """A clone of a bare repository on GitHub, with pull request 12."""

    def __init__(self, world: World, folder: Path, answers: Answers) -> None:
        self.world = world
        self.root = world.root
        self.host = folder / "host.git"
        self.answers = answers
        self.zip = b""
        self.merged = ""
        self._folder = folder
        git(folder, "init", "-q", "--bare", "-b", "main", str(self.host))
        answers.one("", {"full_name": REPOSITORY, "default_branch": "main"})

    def commit(self, message: str = "change") -> str:
        git(self.root, "add", ".")
        git(self.root, "commit", "-q", "-m", message)
        return git(self.root, "rev-parse", "HEAD")

    def request(self, body: str = NAME) -> None:
        """Open the pull request: its head, and the zip that its plan uploads."""
        git(self.root, "checkout", "-q", "-b", "request")
        manifest(self.root, "a.yaml", body)
        self.head = self.commit()
        git(self.root, "checkout", "-q", "--detach", "main")
        git(self.root, "merge", "-q", "--no-ff", "-m", "test merge", "request")
        review = self._folder / "review.json"
        ran = self.world.reconcile("plan", "--review", review, "--base", "main")
        assert ran.code == 0, ran.err
        git(self.root, "checkout", "-q", "main")
        self.review = review.read_bytes()
        self.zip = zipped(("review.json", self.review))

    def merge(self, *options: str) -> str:
        """Merge it, and let GitHub know about it."""
        git(self.root, "merge", "-q", *(options or ("--no-ff",)), "-m", "Merge", "request")
        if "--squash" in options:
            self.commit("Squashed")
        git(self.root, "push", "-q", "origin", "main")
        self.merged = git(self.root, "rev-parse", "HEAD")
        self.known()
        return self.merged

    def known(
        self,
        run: dict[str, Any] | None = None,
        artifact: dict[str, Any] | None = None,
        *,
        files: tuple[str, ...] = ("manifests/a.yaml",),
        events: tuple[str, ...] = (),
    ) -> None:
        """What GitHub answers about the pull request; `run` and `artifact` change their fields."""
        put = self.answers.pages
        for commit in git(self.root, "log", "--first-parent", "--format=%H", "main").split():
            mine = commit == self.merged
            put(f"commits/{commit}/pulls", [self.pull()] if mine else [])
        put(f"actions/runs?head_sha={self.head}", {"workflow_runs": [self.run(**(run or {}))]})
        put(
            f"actions/runs?head_sha={self.merged}&event=merge_group",
            {"workflow_runs": []},
        )
        put("pulls/12/files", [{"filename": name} for name in files])
        put("issues/12/events", [{"event": name} for name in events])
        put("actions/runs/5/artifacts", {"artifacts": [self.artifact(**(artifact or {}))]})
        self.answers.file("actions/artifacts/7/zip", self.zip)

    def group(self, patch: pytest.MonkeyPatch, *options: str) -> None:
        """Let a merge queue test the pull request, which stays open."""
        base = git(self.root, "rev-parse", "main")
        git(self.root, "checkout", "-q", "-b", "group", "main")
        git(self.root, "merge", "-q", *(options or ("--no-ff",)), "-m", "Group", "request")
        if "--squash" in options:
            self.commit("Squashed")
        self.known()
        for commit in git(self.root, "rev-list", "main..HEAD").split():
            mine = "--squash" not in options
            self.answers.pages(f"commits/{commit}/pulls", [self.pull()] if mine else [])
        self.answers.one("pulls/12", self.pull())
        event = self._folder / "event.json"
        ref = f"refs/heads/gh-readonly-queue/main/pr-12-{base}"
        event.write_text(json.dumps({"merge_group": {"base_sha": base, "head_ref": ref}}))
        patch.setenv("CI", "true")
        patch.setenv("GITHUB_EVENT_NAME", "merge_group")
        patch.setenv("GITHUB_EVENT_PATH", str(event))

    def pull(self) -> dict[str, Any]:
        return {
            "number": 12,
            "user": AUTHOR,
            "head": {"sha": self.head},
            "base": {"ref": "main", "repo": {"full_name": REPOSITORY}},
            "merged_at": "2026-11-02T12:00:00Z" if self.merged else None,
            "merge_commit_sha": self.merged or None,
            "state": "closed" if self.merged else "open",
        }

    def run(self, **changed: Any) -> dict[str, Any]:
        return {
            "id": 5,
            "run_attempt": 1,
            "event": "pull_request",
            "path": PLAN_WORKFLOW,
            "head_sha": self.head,
            "head_repository": {"full_name": REPOSITORY},
            "conclusion": "success",
            "run_started_at": "2026-11-02T10:00:00Z",
            "triggering_actor": AUTHOR,
            **changed,
        }

    def artifact(self, **changed: Any) -> dict[str, Any]:
        return {
            "id": 7,
            "name": "review",
            "size_in_bytes": len(self.zip),
            "expired": False,
            "digest": f"sha256:{sha256(self.zip).hexdigest()}",
            "created_at": "2026-11-02T10:05:00Z",
            **changed,
        }

    def reviews(self, *options: str, out: str = "out") -> Ran:
        return self.world.reconcile("reviews", "--out", self._folder / out, *options)

    def written(self, out: str = "out") -> list[str]:
        return sorted(path.name for path in (self._folder / out).iterdir())

    @property
    def name(self) -> str:
        return f"pull-12-{sha256(self.review).hexdigest()}.json"


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in members:
            made.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def repository(
    tmp_path: Path, reconcile: Command, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Repository]:
    with outside.world(tmp_path, reconcile) as world:
        imported(world.emulator, document())
        (world.root / ".gitignore").write_text(".reconcile/\n")
        (world.root / KEY_FILE).write_text("5a" * 32 + "\n")
        (world.root / "manifests").mkdir()
        (world.root / "manifests" / "README.md").write_text("Metadata as it should be.\n")
        git(world.root, "init", "-q", "-b", "main")
        made = Repository(world, tmp_path, Answers(tmp_path / "gh", monkeypatch))
        made.commit("first")
        git(world.root, "remote", "add", "origin", str(made.host))
        git(world.root, "push", "-q", "-u", "origin", "main")
        yield made


@pytest.mark.parametrize("options", [("--no-ff",), ("--squash",), ("--ff-only",)])
def test_the_review_of_a_merged_pull_request_is_accepted(
    repository: Repository, options: tuple[str, ...]
) -> None:
    """However it was merged: a rebase on a branch that did not move on is a fast-forward."""
    repository.request()
    repository.merge(*options)
    ran = repository.reviews("--github")
    assert ran.code == 0, ran.err
    assert repository.written() == [repository.name]
    assert "1 review in " in ran.out
    assert "#12  sha256:" in ran.out
    first = git(repository.root, "rev-list", "--max-parents=0", "HEAD")
    assert ran.err.splitlines() == [
        f"commit {first[:12]}: it has no review, because no pull request has it",
        "What they change stays unreviewed, so `apply --reviewed` leaves it alone.",
    ]


def test_the_plan_of_a_merge_queue_is_accepted(repository: Repository) -> None:
    repository.request()
    merged = repository.merge()
    run = repository.run(event="merge_group", head_sha=merged)
    repository.answers.pages(f"actions/runs?head_sha={repository.head}", {"workflow_runs": []})
    repository.answers.pages(
        f"actions/runs?head_sha={merged}&event=merge_group", {"workflow_runs": [run]}
    )
    repository.answers.pages("pulls/12/files", [{"filename": ".github/workflows/ci.yml"}])
    ran = repository.reviews("--github")
    assert repository.written() == [repository.name], ran.err


@pytest.mark.parametrize("method", ["--no-ff", "--squash"])
def test_a_group_of_a_merge_queue_has_the_reviews_of_its_open_pull_requests(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    repository.request()
    repository.group(monkeypatch, method)
    ran = repository.reviews("--github")
    assert repository.written() == [repository.name], ran.err


def test_an_open_pull_request_that_was_pushed_to_is_not_of_the_group(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.request()
    repository.group(monkeypatch)
    pushed = {**repository.pull(), "head": {"sha": "c" * 40}}
    for commit in git(repository.root, "rev-list", "main..HEAD").split():
        repository.answers.pages(f"commits/{commit}/pulls", [pushed])
    repository.answers.one("pulls/12", pushed)
    repository.answers.pages(f"actions/runs?head_sha={'c' * 40}", {"workflow_runs": []})
    ran = repository.reviews("--github")
    assert repository.written() == []
    assert "pull request #12: it has no review" in ran.err


def test_nothing_is_pushed_for_a_group_of_a_merge_queue(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.request()
    repository.group(monkeypatch)
    ran = repository.reviews("--github", "--push")
    assert ran.code == 1
    assert "`--push` is refused in a job for a pull request or a merge queue" in ran.err
    assert git(repository.host, "branch", "--list", BRANCH) == ""


Arrange = Callable[[Repository], None]


def forged(repository: Repository) -> None:
    """A review whose seal is of another key."""
    held = json.loads(repository.review)
    repository.zip = zipped(("review.json", json.dumps({**held, "nonce": "0"}).encode()))
    repository.known()


def with_two_members(repository: Repository) -> None:
    repository.zip = zipped(("review.json", repository.review), ("plan.json", b"{}"))
    repository.known()


HOSTILE: dict[str, tuple[Arrange, str]] = {
    "fork": (
        lambda one: one.known({"head_repository": {"full_name": "mallory/metadata"}}),
        "run 5: its commit is of mallory/metadata, not hospital/metadata",
    ),
    "another workflow": (
        lambda one: one.known({"path": ".github/workflows/evil.yml"}),
        "run 5: its workflow is .github/workflows/evil.yml",
    ),
    "another event": (
        lambda one: one.known({"event": "workflow_dispatch"}),
        "run 5: its event is workflow_dispatch",
    ),
    "an older head": (
        lambda one: one.known({"head_sha": "a" * 40}),
        "it is of commit aaaaaaaaaaaa",
    ),
    "a failed run": (lambda one: one.known({"conclusion": "failure"}), "it ended with failure"),
    "another digest": (
        lambda one: one.known(None, {"digest": f"sha256:{'0' * 64}"}),
        f"and GitHub states sha256:{'0' * 64}",
    ),
    "another name": (lambda one: one.known(None, {"name": "plan"}), "it has no artifact `review`"),
    "two members": (with_two_members, "it holds 2 files, not one review.json alone"),
    "forged": (forged, "it was edited, or it is of a repository with another reconciler.key"),
    "deleted": (lambda one: one.known(None, {"expired": True}), "its retention time has passed"),
    "an edited workflow": (
        lambda one: one.known(files=("manifests/a.yaml", ".github/workflows/ci.yml")),
        "run 5: it changes .github/workflows/ci.yml, so it needs the plan of a merge queue",
    ),
    "another base": (
        lambda one: one.known(events=("base_ref_changed",)),
        "run 5: its base branch was changed, so it needs",
    ),
}


def test_what_is_not_the_review_is_refused_with_a_reason(repository: Repository) -> None:
    repository.request()
    repository.merge()
    accepted = repository.zip
    for case, (arrange, reason) in HOSTILE.items():
        repository.zip = accepted
        repository.known()
        arrange(repository)
        ran = repository.reviews("--github", "--push", out=case)
        assert (case, ran.code, repository.written(case)) == (case, 0, [])
        assert "pull request #12: it has no review. " in ran.err
        assert reason in ran.err, case
    assert git(repository.host, "branch", "--list", BRANCH) == ""


def test_a_maintainer_may_plan_an_edited_workflow_again(repository: Repository) -> None:
    repository.request()
    repository.merge()
    for by, role in (("boss", "write"), ("steward", "admin"), ("boss", "maintain")):
        again = {"run_attempt": 2, "triggering_actor": {"login": by}}
        repository.known(again, files=(".github/CODEOWNERS",))
        permission = {"permission": "admin" if role == "admin" else "write", "role_name": role}
        repository.answers.one(f"collaborators/{by}/permission", permission)
        assert repository.reviews("--github", out=f"{by} {role}").code == 0
    assert repository.written("boss write") == repository.written("steward admin") == []
    assert repository.written("boss maintain") == [repository.name]


def test_accepted_reviews_outlive_their_artifacts(repository: Repository) -> None:
    """They stand on a branch, which other engines read without GitHub."""
    repository.request()
    repository.merge()
    ran = repository.reviews("--github", "--push")
    commit = git(repository.host, "rev-parse", BRANCH)
    assert f"Pushed to reconcile/reviews: commit {commit[:12]}." in ran.out
    assert git(repository.host, "show", f"{BRANCH}:reviews/{repository.name}").encode() == (
        repository.review.rstrip(b"\n")
    )
    repository.known(None, {"expired": True})
    assert repository.reviews("--github", "--push", out="second").code == 0
    assert repository.written("second") == [repository.name]
    assert git(repository.host, "rev-parse", BRANCH) == commit
    assert repository.reviews(out="third").code == 0
    assert repository.written("third") == [repository.name]


# Another job is faster, and the host refuses our push in words that git does not know.
COMPETES = """\
[ -e competed ] && exit 0
touch competed
unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
export GIT_AUTHOR_NAME=Other GIT_AUTHOR_EMAIL=o@example.org
export GIT_COMMITTER_NAME=Other GIT_COMMITTER_EMAIL=o@example.org
git update-ref refs/heads/reconcile/reviews "$(git commit-tree 'main^{tree}' -m other)"
echo busy, come back later >&2
exit 1
"""


def hook(repository: Repository, script: str) -> None:
    """What the host does before it takes a push."""
    path = repository.host / "hooks" / "pre-receive"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_reviews_are_pushed_on_top_of_what_another_job_pushed(repository: Repository) -> None:
    repository.request()
    repository.merge()
    hook(repository, COMPETES)
    ran = repository.reviews("--github", "--push")
    assert ran.code == 0, ran.err
    assert git(repository.host, "log", "--format=%s", BRANCH).splitlines()[-1] == "other"
    assert repository.written() == [repository.name]
    held = git(repository.host, "ls-tree", "-r", "--name-only", BRANCH).splitlines()
    assert f"reviews/{repository.name}" in held
    assert "manifests/README.md" in held


def test_a_refused_push_says_what_to_do_and_loses_no_review(repository: Repository) -> None:
    repository.request()
    repository.merge()
    hook(repository, "echo GH013: Repository rule violations found >&2; exit 1")
    ran = repository.reviews("--github", "--push")
    assert (ran.code, ran.out) == (1, "")
    assert "git push to origin reconcile/reviews failed: " in ran.err
    assert "GH013: Repository rule violations found" in ran.err
    assert "the token in RECONCILE_PUSH_TOKEN may write contents" in ran.err
    assert "Nothing was applied, and no review is lost" in ran.err
    assert "records" not in ran.err
    hook(repository, "")
    again = repository.reviews("--github", "--push")
    assert (again.code, repository.written()) == (0, [repository.name])


def test_what_others_put_on_the_branch_is_refused(repository: Repository) -> None:
    repository.request()
    repository.merge()
    repository.reviews("--github", "--push")
    git(repository.root, "fetch", "-q", "origin", BRANCH)
    git(repository.root, "checkout", "-q", "-b", "evil", "FETCH_HEAD")
    path = repository.root / "reviews" / repository.name
    path.write_bytes(path.read_bytes() + b" ")
    (repository.root / "reviews" / "other.json").write_text("{}")
    repository.commit()
    git(repository.root, "push", "-q", "origin", f"evil:{BRANCH}")
    git(repository.root, "checkout", "-q", "main")
    ran = repository.reviews(out="second")
    assert repository.written("second") == []
    assert ran.err.count("reconcile did not write it: its name is not its digest") == 2


def test_an_expired_review_is_listed_and_removed(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.request()
    repository.merge()
    repository.reviews("--github", "--push")
    assert run(["reviews", "--push", "--out", str(tmp_path / "second")], Later()) == 0
    assert "pull request #12: its review has expired." in capsys.readouterr().err
    assert repository.written("second") == []
    assert git(repository.host, "ls-tree", "-r", BRANCH) == ""


class Later(RealClock):
    """A clock on which a review has expired."""

    def utc(self) -> float:
        return super().utc() + REVIEW_SECONDS


def test_json(repository: Repository) -> None:
    repository.request()
    repository.merge()
    found = json.loads(repository.reviews("--github", "--json").out)
    digest = f"sha256:{sha256(repository.review).hexdigest()}"
    assert found["reviews"] == [
        {"pullRequest": 12, "file": repository.name, "digest": digest, "isNew": True}
    ]
    assert [one["what"][:7] for one in found["refused"]] == ["commit "]
    assert (found["expired"], found["commit"]) == ([], "")


def test_a_commit_of_records_is_not_looked_up(repository: Repository) -> None:
    repository.request()
    repository.merge()
    assert repository.reviews("--github").code == 0
    review = Path(repository._folder / "out" / repository.name)
    ran = repository.world.reconcile("apply", "--reviewed", review, "--record", "commit")
    assert ran.code == 0, ran.err
    git(repository.root, "push", "-q", "origin", "main")
    before = len(repository.answers.calls())
    ran = repository.reviews("--github", out="second")
    assert ran.err == ""
    asked = [path for _, path, _ in repository.answers.calls()[before:]]
    assert [path for path in asked if "/commits/" in path] == [
        f"repos/{REPOSITORY}/commits/{repository.merged}/pulls?per_page=100"
    ]


def test_a_commit_that_is_not_on_the_default_branch(repository: Repository) -> None:
    repository.request()
    git(repository.root, "checkout", "-q", "request")
    ran = repository.reviews("--github")
    assert ran.code == 1
    assert "which is not on main, the default branch" in ran.err


def test_a_folder_that_holds_files(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old.json").write_text("{}")
    ran = repository.reviews()
    assert ran.code == 1
    assert "is not empty" in ran.err


def test_a_clone_with_a_part_of_the_history(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.request()
    repository.merge()
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository.host}", "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    ran = repository.reviews("--github")
    assert ran.code == 1
    assert "fetch-depth: 0" in ran.err


def test_a_workflow_without_permissions(repository: Repository) -> None:
    repository.request()
    repository.merge()
    path = f"actions/runs?head_sha={repository.head}&per_page=100"
    repository.answers.error(path, "gh: Resource not accessible by integration (HTTP 403)")
    ran = repository.reviews("--github")
    assert ran.code == 1
    assert "`actions: read`" in ran.err


def test_an_answer_that_lacks_a_value(repository: Repository) -> None:
    repository.request()
    repository.merge()
    repository.answers.pages(f"commits/{repository.merged}/pulls", [{"number": 12}])
    ran = repository.reviews("--github")
    assert ran.code == 1
    assert "GitHub's answer about pull requests lacks a value" in ran.err
