"""Reads settings of a repository from GitHub's API. What GitHub refuses is an answer, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from reconciler.core.errors import GitHubError
from reconciler.init.answers import Repository
from reconciler.init.github.finding import Finding, State

NOT_THERE = 404
ASK = ("Ask an administrator of the repository to run this command.",)
_REFUSED = frozenset({403, NOT_THERE})


class Reads(Protocol):
    """GitHub's API, as far as it is read here."""

    def get(self, path: str) -> Any:
        """The answer to GET. Raises GitHubError."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What GitHub answers instead of a setting."""

    status: int
    said: str

    @property
    def is_for_another_plan(self) -> bool:
        """Whether the plan of the owner lacks the feature: "Upgrade to GitHub Pro or …"."""
        return "upgrade to" in self.said.lower()


@dataclass(frozen=True, slots=True)
class Reader:
    """A repository on GitHub, and the branch that is applied."""

    github: Reads
    repository: Repository
    branch: str

    @property
    def base(self) -> str:
        """The path of the repository in GitHub's API."""
        return f"repos/{self.repository}"

    def read(self, path: str) -> Any:
        """An answer, or the Refusal. Raises GitHubError if GitHub cannot be reached."""
        try:
            return self.github.get(path)
        except GitHubError as error:
            if error.status not in _REFUSED or "rate limit" in error.said.lower():
                raise
            return Refusal(error.status, error.said)


def refused(subject: str, refusal: Refusal, instead: tuple[str, ...]) -> Finding:
    if refusal.is_for_another_plan:
        message = "GitHub does not offer it for this repository and plan"
        return Finding(subject, State.NOT_OFFERED, message, instead)
    message = f"GitHub answers HTTP {refusal.status}: only administrators may read it"
    return Finding(subject, State.UNSEEN, message, ASK)


def fields(value: Any) -> dict[str, Any]:
    """The fields of an answer; none if it has another form."""
    return value if isinstance(value, dict) else {}
