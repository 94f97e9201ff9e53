"""Reaches a remote: with a token where its address is https, and without hooks of the machine."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.core.errors import GitError
from reconciler.edges.git.failures import explained
from reconciler.edges.git.program import command_error, passed_settings, set_options
from reconciler.edges.git.repository import Repository, check_owner, repository_of

# With these alone nothing but a transfer happens: `ext::` would run a program (git-remote-ext(1)).
_PROTOCOLS = "file:git:http:https:ssh"
_ADDRESS = re.compile(r"\S*://\S*")
# Any name does for a token (docs.github.com, Authenticating as a GitHub App installation).
_USER = "x-access-token"
# `ssh://host/path` and `user@host:path`, in which no slash is before the colon; `host::path` names
# a program (git-fetch(1), GIT URLS; gitremote-helpers(7)).
_SSH = re.compile(r"(git\+)?ssh(\+git)?://|[^/:]+:(?!//|:)")


@dataclass(frozen=True, slots=True)
class Remote:
    """A branch of a remote. `token` is for https; without it, git uses what it is configured to."""

    name: str
    branch: str
    token: str = field(default="", repr=False)


@contextmanager
def connected(root: Path, remote: Remote) -> Iterator[Repository]:
    """Yield the repository, allowed to reach its remotes.

    Raises `GitError` outside a repository, and without a remote of that name.
    """
    with repository_of(root) as repo:
        if repo is None:
            raise GitError(
                f"{root} is not in a git repository, so records cannot be pushed",
                "Run `git init` and add a remote, or set `record: {mode: files}`.",
            )
        with explained("git remote"):
            check_owner(repo.tree)
            address = _address(repo, remote)
        # No hook of the machine runs, also none that a pull request could have added.
        set_options(repo.git, f"core.hooksPath={os.devnull}")
        environment = {"GIT_ALLOW_PROTOCOL": _PROTOCOLS}
        if remote.token and address.startswith("https://"):
            environment |= _header(address, remote.token)
        with repo.git.custom_environment(**environment):
            yield repo


def _address(repo: Repository, remote: Remote) -> str:
    return str(repo.git.remote("get-url", remote.name))


def _header(address: str, token: str) -> dict[str, str]:
    """Settings of git that send the token: variables, since a command line is public."""
    secret = base64.b64encode(f"{_USER}:{token}".encode()).decode()
    # The empty value drops the header that actions/checkout keeps in .git/config: GitHub refuses
    # two of them (git-config(1), http.extraHeader).
    values = ("", f"Authorization: Basic {secret}")
    first = passed_settings()
    settings = {"GIT_CONFIG_COUNT": str(first + len(values))}
    for number, value in enumerate(values, start=first):
        settings[f"GIT_CONFIG_KEY_{number}"] = f"http.{address}.extraHeader"
        settings[f"GIT_CONFIG_VALUE_{number}"] = value
    return settings


@contextmanager
def reached(repo: Repository, remote: Remote) -> Iterator[None]:
    """Raise `GitError` with what to do if the remote cannot be reached."""
    try:
        yield
    except command_error() as error:
        address = ""
        with suppress(command_error()):
            address = _address(repo, remote)
        raise GitError(
            f"git fetch {remote.name} failed: {said_by(error)}",
            f"{_check(address, remote)} Then run the command again.",
        ) from None


def said_by(error: Exception) -> str:
    """The lines that git printed, without addresses: they may hold credentials."""
    output = str(getattr(error, "stderr", "") or error)
    text = _ADDRESS.sub("(address)", output.replace("stderr:", "").strip("'\n "))
    return " ".join(filter(None, map(str.strip, text.splitlines()))) or "no reason given"


def _check(address: str, remote: Remote) -> str:
    """What to check, for the kind of the address."""
    shown = f"`git remote get-url {remote.name}` prints its address"
    if address.startswith("https://"):
        if remote.token:
            return f"Check the network, the remote ({shown}) and the token RECONCILE_PUSH_TOKEN."
        return (
            f"Check the network and the remote ({shown}). If it is private, set "
            "RECONCILE_PUSH_TOKEN, or give git the credentials."
        )
    if _SSH.match(address):
        return (
            f"Check the network and the remote ({shown}). It is reached over SSH: this machine "
            "needs a key that the host accepts, and the host in `known_hosts`. "
            "RECONCILE_PUSH_TOKEN is for https:// only."
        )
    if "://" in address and not address.startswith("file://"):
        return (
            f"Check the network and the remote ({shown}). RECONCILE_PUSH_TOKEN is for https:// "
            "only."
        )
    return f"Check that the remote is there, and that you may read it: {shown}."
