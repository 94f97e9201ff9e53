"""Asks GitHub for the reviews of merged commits, and accepts those that the plan workflow made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from reconciler.core.errors import GitHubError, ReviewFileError
from reconciler.core.model.key import Key
from reconciler.core.reviewed import archive, transport
from reconciler.core.reviewed import github as answers
from reconciler.core.reviewed.kept import Kept
from reconciler.core.reviewed.transport import Artifact, Host, NoReview, Pull, Run
from reconciler.edges.github import GitHub
from reconciler.pipeline.reviewed import opened

_T = TypeVar("_T")
# How many reasons a pull request without a review shows.
_MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class Search:
    """Where reviews are looked for: a host, its repository, and the key that seals them."""

    github: GitHub
    host: Host
    root: Path
    key: Key


def default_branch(github: GitHub) -> tuple[str, str]:
    """Return the name of the repository, which may have been renamed, and its default branch."""
    return _read(
        lambda one: (str(one["full_name"]), str(one["default_branch"])), github.get(), "repository"
    )


def accepted(
    search: Search, commits: Iterable[str], known: Iterable[int]
) -> tuple[list[Kept], list[NoReview]]:
    """Return the reviews of merged commits, and what gives none.

    `known` are pull requests whose reviews are kept already. Raises GitHubError.
    """
    found: list[Kept] = []
    refused: list[NoReview] = []
    seen = set(known)
    for pull in (*_of_commits(search, commits), *_of_group(search)):
        if isinstance(pull, NoReview):
            refused.append(pull)
        elif pull.number not in seen:
            seen.add(pull.number)
            results = list(_of_pull(search, pull))
            reviews = [one for one in results if isinstance(one, Kept)]
            found += reviews
            if not reviews:
                refused.append(_without(pull, results))
    return found, refused


def _of_commits(search: Search, commits: Iterable[str]) -> Iterator[Pull | NoReview]:
    for commit in commits:
        yield transport.of_pulls(commit, _pulls(search.github, commit), search.host)


def _of_group(search: Search) -> Iterator[Pull | NoReview]:
    """The open pull requests of the group that a merge queue tests."""
    group = search.host.group
    named = [pull for commit in group.commits for pull in _pulls(search.github, commit)]
    if group.pull:
        answer = search.github.get(f"pulls/{group.pull}")
        named.append(_read(answers.pull, answer, "a pull request"))
    found = [pull for pull in named if transport.is_of_group(pull, search.host)]
    if group.commits and not found:
        yield NoReview("the group of the merge queue", "GitHub names no open pull request of it")
    yield from found


def _pulls(github: GitHub, commit: str) -> tuple[Pull, ...]:
    return _read(answers.pulls, github.pages(f"commits/{commit}/pulls"), "pull requests")


def _without(pull: Pull, reasons: Sequence[object]) -> NoReview:
    shown = [str(one) for one in reasons[:_MOST_REASONS]]
    if len(reasons) > _MOST_REASONS:
        shown.append(f"and {len(reasons) - _MOST_REASONS} more")
    why = "; ".join(shown) or f"no run of {transport.PLAN_WORKFLOW} for its last commit"
    return NoReview(f"pull request #{pull.number}", f"it has no review. {why}")


def _of_pull(search: Search, pull: Pull) -> Iterator[Kept | NoReview]:
    fitting: list[Run] = []
    for run in _runs(search.github, pull):
        if reason := transport.refuse_run(run, pull, search.host):
            yield NoReview(f"run {run.number}", reason)
        else:
            fitting.append(run)
    doubt = _doubt(search.github, pull) if fitting else ""
    for run in fitting:
        if reason := _refuse_doubtful(search.github, doubt, run, pull):
            yield NoReview(f"run {run.number}", reason)
        else:
            yield from _of_run(search, pull, run)


def _of_run(search: Search, pull: Pull, run: Run) -> Iterator[Kept | NoReview]:
    artifacts = _artifacts(search.github, run)
    if not artifacts:
        yield NoReview(f"run {run.number}", f"it has no artifact `{transport.ARTIFACT}`")
    for artifact in artifacts:
        what = f"artifact {artifact.number} of run {run.number}"
        if reason := transport.refuse_artifact(artifact, run):
            yield NoReview(what, reason)
            continue
        try:
            yield _downloaded(search, pull, artifact)
        except ReviewFileError as error:
            yield NoReview(what, error.message)


def _runs(github: GitHub, pull: Pull) -> Iterator[Run]:
    seen: set[int] = set()
    queries = [f"head_sha={pull.head}"]
    if pull.merged:
        queries.append(f"head_sha={pull.merged}&event={transport.MERGE_GROUP}")
    for query in queries:
        pages = github.pages(f"actions/runs?{query}")
        for run in _read(answers.runs, pages, "workflow runs"):
            if run.number not in seen:
                seen.add(run.number)
                yield run


def _doubt(github: GitHub, pull: Pull) -> str:
    files = github.pages(f"pulls/{pull.number}/files")
    happened = github.pages(f"issues/{pull.number}/events")
    return transport.doubt(
        _read(answers.changed_files, files, "files"), _read(answers.events, happened, "events")
    )


def _refuse_doubtful(github: GitHub, doubt: str, run: Run, pull: Pull) -> str:
    """Why a run is not enough. The role is asked for only where it decides."""
    role = ""
    is_person = run.started_by and not run.started_by.endswith("[bot]")
    if doubt and run.event != transport.MERGE_GROUP and run.attempt > 1 and is_person:
        answer = github.get(f"collaborators/{quote(run.started_by, safe='')}/permission")
        role = _read(answers.role, answer, "a role")
    return transport.refuse_doubtful(doubt, run, pull, role)


def _artifacts(github: GitHub, run: Run) -> list[Artifact]:
    pages = github.pages(f"actions/runs/{run.number}/artifacts")
    found = _read(answers.artifacts, pages, "artifacts")
    return [one for one in found if one.name == transport.ARTIFACT]


def _downloaded(search: Search, pull: Pull, artifact: Artifact) -> Kept:
    """The review in an artifact. Raises ReviewFileError if it is refused."""
    data = search.github.download(f"actions/artifacts/{artifact.number}/zip")
    content = archive.review_in(data, artifact.digest)
    reviewed = opened(search.root, content, search.key)
    if reviewed.origin.head not in (pull.head, pull.merged):
        raise ReviewFileError(f"it is of commit {reviewed.origin.head}, not of the pull request")
    return Kept(pull.number, content, reviewed)


def _read(make: Callable[[Any], _T], answer: Any, what: str) -> _T:
    """Read an answer of GitHub. Raises GitHubError if a value of it is missing."""
    try:
        return make(answer)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise GitHubError(
            f"GitHub's answer about {what} lacks a value that this version of reconcile needs",
            "Run the command again. If it stays so, report it with the version of the host.",
        ) from None
