"""Runs git without credentials, and with settings that no file of the tree can change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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


def git_in(tree: Worktree) -> Any:
    git = gitpython().Git(str(tree.root))
    set_options(git)
    git.update_environment(**_ENVIRONMENT)
    return git


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
def sanitised() -> Iterator[None]:
    """Remove credentials, the current folder and the variables of git hooks from the environment.

    GitPython can only add to the environment of git. So the environment of this process is changed
    while git runs; no call of the service that reads it is in progress then.
    """
    gone = [name for name in os.environ if name in _HOOK_ENVIRONMENT or is_credential(name)]
    kept = {name: os.environ.pop(name) for name in gone}
    path = os.environ.pop("PATH", os.defpath)
    os.environ["PATH"] = absolute_only(path)
    try:
        yield
    finally:
        os.environ.update(kept, PATH=path)
