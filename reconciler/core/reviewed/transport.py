"""Which artifact of a workflow run is accepted as the review of a merged pull request. Pure.

A check by its name, or the newest artifact of a name, proves nothing: any workflow can make either.
So the run has to be of the plan workflow, for the commit that was merged, in this repository.

Sources: https://docs.github.com/rest/actions/workflow-runs, https://docs.github.com/rest/pulls/pulls
and https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

PLAN_WORKFLOW = ".github/workflows/reconcile-pull-request.yml"
# The name of the artifact, and of the only file in it.
ARTIFACT, MEMBER = "review", "review.json"
MERGE_GROUP, PULL_REQUEST = "merge_group", "pull_request"
# An artifact is a zip of one review, and a review of 10,000 image sets has 16 MB.
MOST_ZIPPED = 100_000_000
# GitHub lists at most this number of files of a pull request
# (https://docs.github.com/rest/pulls/pulls#list-pull-requests-files).
_MOST_FILES = 3_000
_WORKFLOWS = ".github/"
# The roles that may decide about workflows (https://docs.github.com/organizations/
# managing-user-access-to-your-organizations-repositories/managing-repository-roles).
_MAINTAINERS = ("maintain", "admin")
_SHORT = 12


@dataclass(frozen=True, slots=True)
class Group:
    """A group of a merge queue, which is not merged yet. `pull` is the one that its branch names.

    `commits` are those that the default branch lacks.
    """

    commits: tuple[str, ...] = ()
    pull: int = 0


@dataclass(frozen=True, slots=True)
class Host:
    """The repository of the host and its default branch. `commits` are merged, newest first."""

    repository: str
    branch: str
    commits: tuple[str, ...]
    group: Group = field(default_factory=Group)


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request. `head` is its last commit, `merged` the commit that it became, or ""."""

    number: int
    author: str
    head: str
    base_branch: str
    base_repository: str
    merged: str
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a workflow. Times are texts of ISO 8601 in UTC, which sort by time."""

    number: int
    attempt: int
    event: str
    path: str
    head: str
    head_repository: str
    conclusion: str
    started_at: str
    started_by: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """An artifact of a run. `digest` is that of the zip (`sha256:…`), "" if the host has none."""

    number: int
    name: str
    size: int
    is_expired: bool
    digest: str
    created_at: str


@dataclass(frozen=True, slots=True)
class NoReview:
    """What gives no review, and why. The changes of the pull request then stay unreviewed."""

    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"


def of_pulls(commit: str, pulls: Sequence[Pull], host: Host) -> Pull | NoReview:
    """Return the pull request that a merged commit comes from."""
    what = f"commit {commit[:_SHORT]}"
    merged = [pull for pull in pulls if not _why_not_pull(pull, host)]
    if len(merged) == 1:
        return merged[0]
    if merged:
        numbers = ", ".join(f"#{pull.number}" for pull in merged)
        return NoReview(what, f"it has no review, because it belongs to pull requests {numbers}")
    reasons = [f"#{pull.number} {_why_not_pull(pull, host)}" for pull in pulls]
    return NoReview(what, "; ".join(["it has no review, because no pull request has it", *reasons]))


def is_of_group(pull: Pull, host: Host) -> bool:
    """Whether an open pull request is part of the group that a merge queue tests.

    GitHub also names pull requests that only share commits with the group, so its last commit must
    be in the group. A squash or a rebase makes new commits: then the branch of the group names it.
    """
    return (
        pull.is_open
        and pull.base_repository.lower() == host.repository.lower()
        and pull.base_branch == host.branch
        and (pull.head in host.group.commits or pull.number == host.group.pull)
    )


def _why_not_pull(pull: Pull, host: Host) -> str:
    if pull.base_repository.lower() != host.repository.lower():
        return f"is a pull request of {pull.base_repository}"
    if not pull.merged:
        return "is not merged"
    if pull.base_branch != host.branch:
        return f"was merged into {pull.base_branch}, not into {host.branch}"
    if pull.merged not in host.commits:
        return f"was merged as {pull.merged[:_SHORT]}, which is not among the commits to apply"
    return ""


def doubt(files: Sequence[str], events: Sequence[str]) -> str:
    """Why the plan workflow of a pull request may be an edited one, "" if it cannot be.

    `files` are those that it changes, under old and new names, `events` what happened to it. A plan
    of a pull request runs the workflow of the merge with its base. While the base was another
    branch, the workflow may have been one that this branch edits.
    """
    changed = next((name for name in files if name.startswith(_WORKFLOWS)), "")
    if changed:
        return f"it changes {changed}"
    if len(files) >= _MOST_FILES:
        return f"it changes {_MOST_FILES:,} files or more, and GitHub does not list all of them"
    if any("base" in event and "chang" in event for event in events):
        return "its base branch was changed"
    return ""


def refuse_run(run: Run, pull: Pull, host: Host) -> str:
    """Why a run cannot have made the review of a pull request, "" if it can."""
    expected = {PULL_REQUEST: pull.head, MERGE_GROUP: pull.merged}.get(run.event)
    if expected is None:
        return f"its event is {run.event}, not {PULL_REQUEST} or {MERGE_GROUP}"
    # The path has a suffix `@branch` where an organization requires the workflow of another place.
    if run.path != PLAN_WORKFLOW:
        return f"its workflow is {run.path}, not {PLAN_WORKFLOW}"
    if run.head_repository.lower() != host.repository.lower():
        return f"its commit is of {run.head_repository or 'a deleted fork'}, not {host.repository}"
    if run.head != expected:
        return f"it is of commit {run.head[:_SHORT]}, not of {expected[:_SHORT]}"
    if run.conclusion != "success":
        return f"it ended with {run.conclusion or 'no conclusion yet'}"
    return ""


def refuse_doubtful(why: str, run: Run, pull: Pull, role: str) -> str:
    """Why a run is not enough for a pull request with a doubt; `role` is that of who started it."""
    if not why or run.event == MERGE_GROUP:
        return ""
    needed = f"{why}, so it needs the plan of a merge queue, or a plan that a maintainer runs again"
    if run.attempt < 2:
        return needed
    if run.started_by == pull.author:
        return f"{needed}. Its author ran it again"
    if role not in _MAINTAINERS:
        return f"{needed}. {run.started_by} ran it again, with the role {role or 'none'}"
    return ""


def refuse_artifact(artifact: Artifact, run: Run) -> str:
    """Why an artifact of a run is not downloaded, "" if it is."""
    if artifact.is_expired:
        return "GitHub has deleted it: its retention time has passed"
    if artifact.created_at < run.started_at:
        return "an earlier attempt of the run made it. Run all jobs again, not only failed jobs"
    if artifact.size > MOST_ZIPPED:
        return f"it has {artifact.size:,} bytes, more than a review can have"
    if not artifact.digest.startswith("sha256:"):
        return "GitHub states no digest for it"
    return ""
