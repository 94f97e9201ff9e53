"""Runs git without credentials, and with settings that no file of the tree can change."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from reconciler.core.errors import GitError
from reconciler.edges.surroundings import absolute_only, is_credential
from reconciler.edges.worktree import Worktree

# Git sets these for its hooks. If inherited, they would direct git to another repository or index.
# The list is that of `git rev-parse --local-env-vars`, without the settings of a user.
_HOOK_ENVIRONMENT = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
_ENVIRONMENT = {
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_EDITOR": "true",
    # `git status` takes no lock to refresh the index.
    "GIT_OPTIONAL_LOCKS": "0",
    # Nothing is fetched: an `ext::` remote would run a program (git-remote-ext(1)).
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
}
# Settings on the command line take precedence over all files.
_SETTINGS = (
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "submodule.recurse=false",
    # `git commit` then prints the full ID of the commit.
    "core.abbrev=40",
)


# What strtoul takes as the number of settings (git-config(1), GIT_CONFIG_COUNT).
_COUNT = re.compile(r"\s*\+?[0-9]{1,9}", re.ASCII)


def git_in(tree: Worktree) -> Any:
    """Return the git command for a working tree. Raises `GitError` as `passed_settings` does."""
    passed_settings()
    git = gitpython().Git(str(tree.root))
    set_options(git)
    git.update_environment(**_ENVIRONMENT, **_without_credentials())
    return git


def passed_settings() -> int:
    """Return how many settings of git the environment holds (git-config(1), GIT_CONFIG_COUNT).

    Raises `GitError` if it is no number. Every git command then fails, also those whose failure
    otherwise means that there is no commit or no branch.
    """
    count = os.environ.get("GIT_CONFIG_COUNT") or "0"
    if not _COUNT.fullmatch(count):
        raise GitError(
            "git cannot run: the environment variable GIT_CONFIG_COUNT is not a number",
            "It states how many settings GIT_CONFIG_KEY_0, GIT_CONFIG_KEY_1 and so on there are. "
            "Correct it or unset it, then run the command again.",
        )
    return int(count)


def _without_credentials() -> dict[str, str]:
    """Empty values for credentials, and a search path without the current folder.

    The environment of this process stays as it is: while git runs, a call of the service may renew
    its credentials from it (docs.aws.amazon.com/sdkref: Container credential provider).
    """
    empty = {name: "" for name in os.environ if is_credential(name)}
    return {**empty, "PATH": absolute_only(os.environ.get("PATH", os.defpath))}


def set_options(git: Any, *more: str) -> None:
    """Set options that take precedence over the configuration files of git."""
    git.set_persistent_git_options(c=[*_SETTINGS, *more])


def command_error() -> type[Exception]:
    """Return the exception of GitPython for a failed command or a machine without git."""
    error: type[Exception] = gitpython().CommandError
    return error


def gitpython() -> Any:
    """Import GitPython, which otherwise fails to import on a machine without git."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import git

    return git


@contextmanager
def without_hook_environment() -> Iterator[None]:
    """Remove the variables of git hooks from the environment while git runs.

    GitPython can only add to the environment of git, and an empty GIT_INDEX_FILE is an error. Only
    git reads these variables, so other threads of this process do not miss them.
    """
    kept = {name: os.environ.pop(name) for name in _HOOK_ENVIRONMENT if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)
