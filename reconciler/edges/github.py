"""GitHub's REST API, through `gh api`: gh knows tokens, proxies and certificates of the machine.

Source: https://cli.github.com/manual/gh_api and https://cli.github.com/manual/gh_help_environment.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.core.errors import GitHubError
from reconciler.edges.surroundings import absolute_only

# What gh reads. AWS credentials and the token for pushes are not among them.
_VARIABLES = (
    *("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"),
    *("GH_CONFIG_DIR", "HOME", "XDG_CONFIG_HOME", "APPDATA", "SYSTEMROOT", "GITHUB_ACTIONS"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"),
)
_QUIET = {"GH_PROMPT_DISABLED": "1", "GH_NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1"}
# gh ends with this code if it needs a login (https://cli.github.com/manual/gh_help_exit-codes).
_NEEDS_LOGIN = 4
_SECONDS = 300
_SILENT = "It does not say why."
_STATUS = re.compile(r"\(HTTP (\d{3})\)")
_NAME = r"[A-Za-z0-9._-]+"
_ADDRESS = re.compile(
    rf"(?:https?://(?:[^/@]*@)?|ssh://(?:[^/@]*@)?|[^/@:]*@)(?P<host>{_NAME})(?::\d+(?=/))?[:/]"
    rf"(?P<name>{_NAME}/{_NAME}?)(?:\.git)?/?"
)


@dataclass(frozen=True, slots=True)
class GitHub:
    """A repository (`owner/name`) on a host: paths start behind `repos/owner/name/`.

    Without a repository, they start at the root of the API.
    """

    repository: str = ""
    host: str = "github.com"

    def get(self, path: str = "") -> Any:
        """Return the answer to one request. Raises GitHubError."""
        return _parsed(self._run(path), path)[0]

    def pages(self, path: str) -> list[Any]:
        """Return the answers of all pages, each as it is. Raises GitHubError."""
        mark = "&" if "?" in path else "?"
        return _parsed(self._run(f"{path}{mark}per_page=100", "--paginate"), path)

    def download(self, path: str) -> bytes:
        """Return the bytes of a file. Raises GitHubError."""
        return self._run(path)

    def _run(self, path: str, *options: str) -> bytes:
        address = f"repos/{self.repository}/{path}".rstrip("/") if self.repository else path
        command = ["gh", "api", "--hostname", self.host, *options, address]
        try:
            # In the root folder: gh asks git about the current one, which may be a hostile tree.
            done = subprocess.run(  # noqa: S603 - no shell
                command,
                capture_output=True,
                check=False,
                cwd=os.sep,
                env=_environment(os.environ),
                timeout=_SECONDS,
            )
        except FileNotFoundError:
            raise GitHubError(
                "gh, the command line of GitHub, is not installed",
                "Install it from https://cli.github.com, then run `gh auth login`.",
            ) from None
        except (OSError, subprocess.TimeoutExpired):
            raise GitHubError(
                f"gh did not answer for {address}", "Run the command again."
            ) from None
        if done.returncode:
            raise _error(done, address)
        return done.stdout


def repository(address: str, environment: Mapping[str, str] = os.environ) -> GitHub:
    """Return the repository of this job, or that of the address of a remote.

    Raises GitHubError if neither names one.
    """
    name = environment.get("GITHUB_REPOSITORY", "")
    server = environment.get("GITHUB_SERVER_URL", "https://github.com")
    if name:
        return GitHub(name, server.partition("://")[2].strip("/"))
    found = _ADDRESS.fullmatch(address)
    if not found:
        raise GitHubError(
            "the remote of this branch names no repository on GitHub",
            "Set GITHUB_REPOSITORY to its name, for example `hospital/metadata`.",
        )
    return GitHub(found["name"].removesuffix(".git"), found["host"])


def _environment(all_of: Mapping[str, str]) -> dict[str, str]:
    kept = {name: all_of[name] for name in _VARIABLES if name in all_of}
    return {**kept, **_QUIET, "PATH": absolute_only(all_of.get("PATH", os.defpath))}


def _parsed(output: bytes, path: str) -> list[Any]:
    """The JSON values of an output: gh prints the pages of objects one after the other."""
    try:
        found = list(_values(output.decode()))
    except (ValueError, RecursionError):
        found = []
    if not found:
        raise GitHubError(f"GitHub, {path}: the answer is not JSON", "Run the command again.")
    return found


def _values(text: str) -> Iterator[Any]:
    decoder, text = json.JSONDecoder(), text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        yield value
        text = text[end:].lstrip()


def _error(done: subprocess.CompletedProcess[bytes], address: str) -> GitHubError:
    """What to do about a request that failed. gh states the HTTP status on stderr."""
    found = _STATUS.search(done.stderr.decode(errors="replace"))
    status, said = int(found[1]) if found else 0, _sentence(done.stdout)
    if done.returncode == _NEEDS_LOGIN or status == 401:
        message, hint = (
            "gh is not logged in, or its login has expired",
            "Run `gh auth login`. In a workflow, set GH_TOKEN to `${{ github.token }}`.",
        )
    elif status == 429 or "rate limit" in said.lower():
        message, hint = (
            "GitHub refuses more requests for now: its rate limit is reached",
            "Run the command again in an hour.",
        )
    elif status == 403:
        message, hint = (
            f"GitHub refused {address} (HTTP 403): {said}",
            f"The token needs the permission `{_permission(address)}`. In a workflow, add it to "
            "`permissions:` of the job.",
        )
    elif status == 404:
        message, hint = (
            f"GitHub does not find {address} (HTTP 404)",
            f"Check the name. A token without `{_permission(address)}` gets this answer, too.",
        )
    elif status:
        message, hint = f"GitHub, {address}: HTTP {status}. {said}", "Run the command again."
    else:
        message, hint = (
            f"GitHub, {address}: gh got no answer",
            f"Run `gh api {address}` to see why.",
        )
    return GitHubError(message, hint, status=status, said=said)


def _sentence(body: bytes) -> str:
    """GitHub's sentence in the body of a refusal."""
    try:
        answer = json.loads(body)
    except ValueError:
        return _SILENT
    said = answer.get("message") if isinstance(answer, dict) else None
    return said if isinstance(said, str) else _SILENT


def _permission(address: str) -> str:
    """The permission for a path (https://docs.github.com/rest/authentication/
    permissions-required-for-github-apps)."""
    if "/actions/" in address:
        return "actions: read"
    if any(part in ("pulls", "issues") for part in address.split("/")[3:]):
        return "pull-requests: read"
    return "contents: read"
