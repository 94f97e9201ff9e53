"""GitHub's API through `gh`, the command line of GitHub, which keeps the credentials.

No token passes through this process, and no message repeats what `gh` prints, except GitHub's own
sentence on a refusal.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import Any

from reconciler.core.errors import ReconcilerError
from reconciler.edges.surroundings import is_credential

# cli.github.com/manual/gh_help_exit-codes
_NEEDS_LOGIN = 4
_UNAUTHORIZED = 401
_STATUS = re.compile(r"\(HTTP (\d{3})\)")
_OF_GH = ("GH_", "GITHUB_")
_SILENT = "It does not say why."
_PATIENCE_SECONDS = 60.0
# Without questions, colours and notices of updates (cli.github.com/manual/gh_help_environment).
_QUIET = {"GH_PROMPT_DISABLED": "1", "GH_NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1"}


class GitHubError(ReconcilerError):
    """A call of GitHub's API that did not succeed.

    `status` is the HTTP status, 0 if there was no answer. `said` is GitHub's own sentence.
    """

    def __init__(self, message: str, hint: str = "", *, status: int = 0, said: str = "") -> None:
        super().__init__(message, hint)
        self.status = status
        self.said = said


class GitHub:
    """GitHub's API, as the account that `gh` is logged in with."""

    def get(self, path: str) -> Any:
        """The answer to GET of a path such as `repos/OWNER/NAME`. Raises GitHubError."""
        done = _run(path)
        if done.returncode:
            raise _error(path, done)
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise GitHubError(f"GitHub, {path}: the answer is not JSON") from None


def _run(path: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("gh")
    if program is None:
        raise GitHubError(
            "gh, the command line of GitHub, is not installed",
            "Install it from https://cli.github.com, then run `gh auth login`.",
        )
    try:
        return subprocess.run(  # noqa: S603 - gh, with arguments of our own
            [program, "api", "--method", "GET", path],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise GitHubError(
            f"GitHub, {path}: no answer in {_PATIENCE_SECONDS:.0f} seconds", "Try again later."
        ) from None


def _environment() -> dict[str, str]:
    """The environment of gh, with its own credentials and no others."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_OF_GH) or not is_credential(name)
    }
    return {**kept, **_QUIET}


def _error(path: str, done: subprocess.CompletedProcess[str]) -> GitHubError:
    found = _STATUS.search(done.stderr)
    status = int(found[1]) if found else 0
    if done.returncode == _NEEDS_LOGIN or status == _UNAUTHORIZED:
        return GitHubError(
            "gh is not logged in, or its login has expired",
            "Run `gh auth login`. In a job, set GH_TOKEN.",
            status=_UNAUTHORIZED,
        )
    if not status:
        hint = f"Run `gh api {path}` to see why."
        return GitHubError(f"GitHub, {path}: gh got no answer", hint)
    said = _sentence(done.stdout)
    return GitHubError(f"GitHub, {path}: HTTP {status}. {said}", status=status, said=said)


def _sentence(body: str) -> str:
    """GitHub's sentence in the body of a refusal."""
    try:
        answer: Any = json.loads(body)
    except ValueError:
        return _SILENT
    said = answer.get("message") if isinstance(answer, dict) else None
    return said if isinstance(said, str) else _SILENT
