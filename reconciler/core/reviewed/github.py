"""Answers of GitHub's REST API -> the values that decide about a review.

Source: https://github.com/github/rest-api-description, the schemas `pull-request-simple`,
`workflow-run`, `artifact` and `diff-entry`. A value that is missing is a KeyError.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.core.reviewed.transport import Artifact, Pull, Run


def pulls(pages: Sequence[Any]) -> tuple[Pull, ...]:
    """The pull requests of a commit."""
    return tuple(map(_pull, _rows(pages)))


def pull(answer: Any) -> Pull:
    """One pull request."""
    return _pull(answer)


def runs(pages: Sequence[Any]) -> tuple[Run, ...]:
    """The workflow runs of a commit."""
    return tuple(_run(row) for page in pages for row in page["workflow_runs"])


def artifacts(pages: Sequence[Any]) -> tuple[Artifact, ...]:
    """The artifacts of a run."""
    return tuple(_artifact(row) for page in pages for row in page["artifacts"])


def changed_files(pages: Sequence[Any]) -> tuple[str, ...]:
    """The files that a pull request changes, a renamed file under both names."""
    return tuple(
        str(row[name])
        for row in _rows(pages)
        for name in ("filename", "previous_filename")
        if name == "filename" or row.get(name)
    )


def events(pages: Sequence[Any]) -> tuple[str, ...]:
    """What happened to a pull request (https://docs.github.com/rest/using-the-rest-api/
    issue-event-types)."""
    return tuple(str(row["event"]) for row in _rows(pages))


def role(answer: Any) -> str:
    """The role of a person in the repository.

    A role that an organization defines has a name of its own; `permission` then is the built-in one
    that it extends, where `maintain` counts as `write`.
    """
    return "admin" if answer["permission"] == "admin" else str(answer["role_name"])


def _rows(pages: Sequence[Any]) -> Iterator[Any]:
    return (row for page in pages for row in page)


def _pull(row: Any) -> Pull:
    return Pull(
        int(row["number"]),
        _login(row["user"]),
        str(row["head"]["sha"]),
        str(row["base"]["ref"]),
        _full_name(row["base"]["repo"]),
        str(row["merge_commit_sha"] or "") if row["merged_at"] else "",
        row["state"] == "open",
    )


def _run(row: Any) -> Run:
    return Run(
        int(row["id"]),
        int(row["run_attempt"]),
        str(row["event"]),
        str(row["path"]),
        str(row["head_sha"]),
        _full_name(row["head_repository"]),
        str(row["conclusion"] or ""),
        str(row["run_started_at"]),
        _login(row["triggering_actor"]),
    )


def _artifact(row: Any) -> Artifact:
    return Artifact(
        int(row["id"]),
        str(row["name"]),
        int(row["size_in_bytes"]),
        bool(row["expired"]),
        str(row.get("digest") or ""),
        str(row["created_at"]),
    )


def _full_name(repository: Any) -> str:
    """`owner/name`, "" for a fork that was deleted."""
    return str(repository["full_name"]) if repository else ""


def _login(user: Any) -> str:
    """A name, "" for an account that was deleted."""
    return str(user["login"]) if user else ""
