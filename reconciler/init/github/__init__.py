"""`reconcile init --check --github`: read the settings of a repository on GitHub and judge them.

Some settings are for administrators only, and some depend on the plan of the owner. Both are
reported: what cannot be read, and what takes the place of what is not offered.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.core.errors import GitHubError
from reconciler.init.answers import Repository
from reconciler.init.github import environments, jobs, repository
from reconciler.init.github.finding import Finding
from reconciler.init.github.reading import NOT_THERE, Reader, fields


def findings(reader: Reader, about: dict[str, Any], review_seconds: float) -> Iterator[Finding]:
    """Every subject, in the order in which to fix them.

    `about` is what GitHub says about the repository, `review_seconds` how long a review is valid.
    Raises GitHubError if GitHub cannot be reached.
    """
    visibility = repository.visibility_of(about)
    is_private = visibility != "public"
    plan = "enterprise" if visibility == "internal" else _plan(reader, about)
    yield repository.visibility(reader, visibility)
    yield repository.default_branch(reader, about)
    rules = repository.read_rules(reader)
    yield repository.branch_rules(reader, rules)
    yield repository.merge_queue(rules, is_private, plan)
    yield repository.auto_merge(reader, about, rules)
    yield repository.code_owners(reader)
    yield environments.apply_environment(reader)
    yield environments.approve_environment(reader, is_private, plan)
    yield jobs.token(reader)
    if is_private:
        yield jobs.forks(reader)
    yield jobs.subject_claim(reader)
    yield jobs.retention(reader, review_seconds)


def numbered(about: dict[str, Any]) -> Repository | None:
    """The repository with the numbers that GitHub gave it and its owner."""
    owner = fields(about.get("owner"))
    names = owner.get("login"), about.get("name"), owner.get("id"), about.get("id")
    return None if None in names else Repository(*map(str, names))


def read_about(reader: Reader) -> dict[str, Any]:
    """What GitHub says about the repository. Raises GitHubError if GitHub does not show it."""
    try:
        return fields(reader.github.get(reader.base))
    except GitHubError as error:
        if error.status != NOT_THERE:
            raise
        raise GitHubError(
            f"GitHub has no repository {reader.repository}, or your account cannot see it",
            "Check the name. `gh auth status` shows the account.",
            status=error.status,
        ) from None


def _plan(reader: Reader, about: dict[str, Any]) -> str:
    """`free`, `team`, `enterprise` …; `user` for a person; "" if the account may not see it."""
    if fields(about.get("owner")).get("type") == "User":
        return "user"
    answer = reader.read(f"orgs/{reader.repository.owner}")
    return str(fields(fields(answer).get("plan")).get("name", ""))
