"""Which run and which artifact are accepted as the review of a merged pull request."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from reconciler.core.errors import ReviewFileError
from reconciler.core.reviewed import archive, github
from reconciler.core.reviewed.transport import (
    MERGE_GROUP,
    PLAN_WORKFLOW,
    Artifact,
    Group,
    Host,
    NoReview,
    Pull,
    Run,
    doubt,
    is_of_group,
    of_pulls,
    refuse_artifact,
    refuse_doubtful,
    refuse_run,
)

HEAD, MERGED, OTHER = "a" * 40, "b" * 40, "c" * 40
HOST = Host("hospital/metadata", "main", (MERGED,))
PULL = Pull(12, "steward", HEAD, "main", "hospital/metadata", MERGED)
STARTED = "2026-11-02T10:00:00Z"
RUN = Run(
    1, 1, "pull_request", PLAN_WORKFLOW, HEAD, "Hospital/metadata", "success", STARTED, "steward"
)
ARTIFACT = Artifact(7, "review", 1_000, False, "sha256:00", "2026-11-02T10:05:00Z")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"event": "workflow_dispatch"}, "its event is workflow_dispatch"),
        ({"event": "pull_request_target"}, "its event is pull_request_target"),
        ({"event": "push"}, "its event is push"),
        ({"path": ".github/workflows/evil.yml"}, "its workflow is .github/workflows/evil.yml"),
        ({"path": f"{PLAN_WORKFLOW}@refs/heads/evil"}, "its workflow is "),
        ({"head_repository": "mallory/metadata"}, "its commit is of mallory/metadata"),
        ({"head_repository": ""}, "its commit is of a deleted fork"),
        ({"head": OTHER}, "it is of commit cccccccccccc, not of aaaaaaaaaaaa"),
        ({"head": MERGED}, "it is of commit bbbbbbbbbbbb, not of aaaaaaaaaaaa"),
        ({"event": MERGE_GROUP}, "it is of commit aaaaaaaaaaaa, not of bbbbbbbbbbbb"),
        ({"event": MERGE_GROUP, "head": MERGED}, ""),
        ({"conclusion": "failure"}, "it ended with failure"),
        ({"conclusion": "action_required"}, "it ended with action_required"),
        ({"conclusion": ""}, "it ended with no conclusion yet"),
    ],
)
def test_a_run(change: dict[str, Any], reason: str) -> None:
    assert refuse_run(replace(RUN, **change), PULL, HOST).startswith(reason or "\0") is bool(reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"is_expired": True}, "GitHub has deleted it"),
        ({"created_at": "2026-11-02T09:59:59Z"}, "an earlier attempt of the run made it"),
        ({"size": 100_000_001}, "it has 100,000,001 bytes"),
        ({"digest": ""}, "GitHub states no digest"),
        ({"digest": "md5:00"}, "GitHub states no digest"),
    ],
)
def test_an_artifact(change: dict[str, Any], reason: str) -> None:
    found = refuse_artifact(replace(ARTIFACT, **change), RUN)
    assert found.startswith(reason or "\0") is bool(reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"base_repository": "mallory/metadata"}, "#12 is a pull request of mallory/metadata"),
        ({"merged": ""}, "#12 is not merged"),
        ({"base_branch": "other"}, "#12 was merged into other, not into main"),
        ({"merged": OTHER}, "#12 was merged as cccccccccccc, which is not among the commits"),
    ],
)
def test_the_pull_request_of_a_commit(change: dict[str, Any], reason: str) -> None:
    pull = replace(PULL, **change)
    found = of_pulls(MERGED, [pull], HOST)
    if reason:
        assert isinstance(found, NoReview)
        assert reason in str(found)
    else:
        assert found == pull


def test_a_commit_without_a_pull_request_and_with_two() -> None:
    none = of_pulls(MERGED, [], HOST)
    assert str(none) == "commit bbbbbbbbbbbb: it has no review, because no pull request has it"
    two = of_pulls(MERGED, [PULL, replace(PULL, number=13)], HOST)
    assert "pull requests #12, #13" in str(two)


@pytest.mark.parametrize(
    ("files", "events", "reason"),
    [
        (["manifests/a.yaml", "github/a", "docs/.github/a"], ["labeled", "head_ref_deleted"], ""),
        (["manifests/a.yaml", ".github/CODEOWNERS"], [], "it changes .github/CODEOWNERS"),
        (["a"] * 3_000, [], "it changes 3,000 files or more"),
        ([], ["base_ref_changed"], "its base branch was changed"),
        ([], ["automatic_base_change_succeeded"], "its base branch was changed"),
    ],
)
def test_a_doubt_about_the_workflow(files: list[str], events: list[str], reason: str) -> None:
    assert doubt(files, events).startswith(reason or "\0") is bool(reason)


@pytest.mark.parametrize(
    ("why", "change", "role", "reason"),
    [
        ("", {}, "", ""),
        ("it changes .github/a", {}, "admin", "needs the plan of a merge queue"),
        ("it changes .github/a", {"event": MERGE_GROUP}, "", ""),
        ("it changes .github/a", {"attempt": 2, "started_by": "boss"}, "maintain", ""),
        ("it changes .github/a", {"attempt": 2, "started_by": "boss"}, "admin", ""),
        ("it changes .github/a", {"attempt": 2, "started_by": "boss"}, "write", "the role write"),
        ("it changes .github/a", {"attempt": 2, "started_by": ""}, "", "the role none"),
        ("it changes .github/a", {"attempt": 2}, "admin", "Its author ran it again"),
    ],
)
def test_a_doubtful_run(why: str, change: dict[str, Any], role: str, reason: str) -> None:
    found = refuse_doubtful(why, replace(RUN, **change), PULL, role)
    assert (reason in found) if reason else found == ""


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as made:
        for name, content in members:
            # The time of the file is a fixed one: all workers of pytest collect the same tests.
            made.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return buffer.getvalue()


def digest(data: bytes) -> str:
    return f"sha256:{sha256(data).hexdigest()}"


def test_the_review_in_a_zip() -> None:
    data = zipped(("review.json", b"{}"))
    assert archive.review_in(data, digest(data)) == b"{}"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (zipped(), "it holds 0 files"),
        (zipped(("review.json", b"1"), ("plan.json", b"2")), "it holds 2 files"),
        (zipped(("review.json", b"1"), ("review.json/", b"")), "it holds 2 files"),
        (zipped(("other.json", b"1")), "not one review.json alone"),
        (zipped(("/review.json", b"1")), "not one review.json alone"),
        (zipped(("../review.json", b"1")), "not one review.json alone"),
        (zipped(("review.json/x", b"1")), "not one review.json alone"),
        (zipped(("review.json", b"1"))[:-30], "not a complete zip file"),
        (zipped(("review.json", b"1"), method=zipfile.ZIP_BZIP2), "in a way that GitHub does not"),
        (b"", "not a complete zip file"),
        (b"PK\5\6", "not a complete zip file"),
    ],
)
def test_a_zip_that_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ReviewFileError, match=reason):
        archive.review_in(data, digest(data))


def test_a_zip_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_BYTES", 1_000)
    data = zipped(("review.json", b"0" * 1_001))
    with pytest.raises(ReviewFileError, match="larger than a review can be"):
        archive.review_in(data, digest(data))


def test_bytes_with_another_digest() -> None:
    with pytest.raises(ReviewFileError, match="GitHub states sha256:00"):
        archive.review_in(zipped(("review.json", b"{}")), "sha256:00")


def test_a_renamed_file_counts_under_both_names() -> None:
    pages = [[{"filename": "a", "previous_filename": ".github/b"}], [{"filename": "c"}]]
    assert github.changed_files(pages) == ("a", ".github/b", "c")


@pytest.mark.parametrize(
    ("answer", "role"),
    [
        ({"permission": "admin", "role_name": "owners"}, "admin"),
        ({"permission": "write", "role_name": "maintain"}, "maintain"),
        ({"permission": "write", "role_name": "write"}, "write"),
    ],
)
def test_the_role_of_a_person(answer: dict[str, str], role: str) -> None:
    assert github.role(answer) == role


def test_accounts_and_forks_that_were_deleted() -> None:
    pull = {
        "number": 12,
        "user": None,
        "head": {"sha": HEAD},
        "base": {"ref": "main", "repo": {"full_name": "hospital/metadata"}},
        "merged_at": None,
        "merge_commit_sha": MERGED,
        "state": "closed",
    }
    assert github.pulls([[pull]]) == (replace(PULL, author="", merged=""),)


@pytest.mark.parametrize(
    ("change", "is_part"),
    [
        ({}, True),
        ({"head": OTHER}, False),  # it shares commits with the group, or was pushed to since
        ({"head": OTHER, "number": 13}, True),  # a squash: the branch of the group names it
        ({"is_open": False}, False),
        ({"base_branch": "stable"}, False),
        ({"base_repository": "mallory/metadata"}, False),
    ],
)
def test_an_open_pull_request_of_a_merge_queue(change: dict[str, Any], is_part: bool) -> None:
    host = replace(HOST, group=Group((MERGED, HEAD), 13))
    pull = replace(PULL, merged="", is_open=True)
    assert is_of_group(replace(pull, **change), host) is is_part
    assert not is_of_group(replace(pull, **change), HOST)


def test_a_group_is_not_checked_against_its_own_plan() -> None:
    pull = replace(PULL, merged="", is_open=True)
    assert refuse_run(replace(RUN, event=MERGE_GROUP, head=MERGED), pull, HOST)
    assert refuse_run(RUN, pull, HOST) == ""
