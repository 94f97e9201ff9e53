"""The adapter of GitHub's API, with a stand-in for gh."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.core.errors import GitHubError
from reconciler.edges.github import GitHub, repository
from tests.edges.github_host import REPOSITORY, Answers

GITHUB = GitHub(REPOSITORY)


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answers:
    return Answers(tmp_path / "gh", monkeypatch)


def test_one_answer_all_pages_and_a_file(answers: Answers) -> None:
    answers.one("", {"default_branch": "main"})
    answers.pages("actions/runs?event=push", {"runs": [1]}, {"runs": [2]})
    answers.file("actions/artifacts/7/zip", b"\x00\xff zip \n")
    assert GITHUB.get() == {"default_branch": "main"}
    assert GITHUB.pages("actions/runs?event=push") == [{"runs": [1]}, {"runs": [2]}]
    assert GITHUB.download("actions/artifacts/7/zip") == b"\x00\xff zip \n"


def test_gh_gets_its_own_tokens_and_no_others(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GH_TOKEN", "AWS_SECRET_ACCESS_KEY", "RECONCILE_PUSH_TOKEN", "GH_DEBUG"):
        monkeypatch.setenv(name, "secret")
    answers.one("", {})
    GitHub(REPOSITORY, "git.hospital.example").get()
    ((host, _, names),) = answers.calls()
    assert host == "git.hospital.example"
    assert "GH_TOKEN" in names
    assert not {"AWS_SECRET_ACCESS_KEY", "RECONCILE_PUSH_TOKEN", "GH_DEBUG"} & set(names)


@pytest.mark.parametrize(
    ("path", "said", "code", "message", "hint"),
    [
        ("", "gh: To use GitHub CLI in a workflow, set GH_TOKEN", 4, "not logged in", "GH_TOKEN"),
        ("", "gh: Bad credentials (HTTP 401)", 1, "not logged in", "gh auth login"),
        (
            "actions/runs/1",
            "gh: Resource not accessible by integration (HTTP 403)",
            1,
            "refused repos/hospital/metadata/actions/runs/1 (HTTP 403)",
            "`actions: read`",
        ),
        (
            "commits/abc/pulls",
            "gh: Resource not accessible by integration (HTTP 403)",
            1,
            "HTTP 403",
            "`pull-requests: read`",
        ),
        ("contents", "gh: Not Found (HTTP 404)", 1, "does not find", "`contents: read`"),
        ("", "gh: API rate limit exceeded for 1 (HTTP 403)", 1, "rate limit", "in an hour"),
        ("", "gh: secondary limit (HTTP 429)", 1, "rate limit", "in an hour"),
        ("", "gh: Server Error (HTTP 502)", 1, "HTTP 502. Server Error", "again"),
    ],
)
def test_an_error_says_what_to_do(
    answers: Answers, path: str, said: str, code: int, message: str, hint: str
) -> None:
    answers.error(path, said, code)
    with pytest.raises(GitHubError) as caught:
        GITHUB.get(path)
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("said", [b"", b"<html>", b'{"cut": ', b"[" * 100_000])
def test_an_answer_that_is_no_json(answers: Answers, said: bytes) -> None:
    answers.file("", said)
    with pytest.raises(GitHubError, match="is not JSON"):
        GITHUB.get()


def test_without_gh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitHubError, match="gh, the command line of GitHub, is not installed"):
        GITHUB.get()


@pytest.mark.parametrize(
    ("address", "name", "host"),
    [
        ("https://github.com/hospital/metadata.git", "hospital/metadata", "github.com"),
        ("https://token@github.com/hospital/meta.data", "hospital/meta.data", "github.com"),
        ("git@github.com:hospital/metadata.git", "hospital/metadata", "github.com"),
        (
            "ssh://git@git.hospital.example:2222/hospital/metadata.git",
            "hospital/metadata",
            "git.hospital.example",
        ),
    ],
)
def test_the_repository_of_an_address(address: str, name: str, host: str) -> None:
    assert repository(address, {}) == GitHub(name, host)


@pytest.mark.parametrize("address", ["", "/srv/host.git", "file:///srv/a/b", "https://a.example/x"])
def test_an_address_that_names_no_repository(address: str) -> None:
    with pytest.raises(GitHubError, match="names no repository"):
        repository(address, {})


def test_a_job_states_its_repository() -> None:
    job = {"GITHUB_REPOSITORY": "a/b", "GITHUB_SERVER_URL": "https://git.hospital.example"}
    assert repository("git@github.com:c/d", job) == GitHub("a/b", "git.hospital.example")
