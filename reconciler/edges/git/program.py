"""How git is run: without credentials, and by settings that no file of the tree can change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from reconciler.edges.surroundings import absolute_only, is_credential
from reconciler.edges.worktree import Worktree

# Git sets these for its hooks; inherited, they would point our git at another repository or index.
# As `git rev-parse --local-env-vars` lists them, without the settings that a user may give so.
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
    # `git status` takes no lock to write down what it has seen.
    "GIT_OPTIONAL_LOCKS": "0",
    # No object is fetched, and a transport of that name does not exist: an `ext::` remote is a
    # program (git-remote-ext(1)).
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
}
# On the command line they win over every file.
_SETTINGS = (
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "submodule.recurse=false",
    # The id of a commit in full, where git prints what it made.
    "core.abbrev=40",
)


def git_in(tree: Worktree) -> Any:
    git = gitpython().Git(str(tree.root))
    set_options(git)
    git.update_environment(**_ENVIRONMENT)
    return git


def set_options(git: Any, *more: str) -> None:
    """What git is to obey, whatever its files say."""
    git.set_persistent_git_options(c=[*_SETTINGS, *more])


def command_error() -> type[Exception]:
    """What GitPython raises for a command that fails, or for a machine without git."""
    error: type[Exception] = gitpython().CommandError
    return error


def gitpython() -> Any:
    """GitPython, which by itself refuses to be imported on a machine without git."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import git

    return git


@contextmanager
def sanitised() -> Iterator[None]:
    """Without credentials, the current folder, and what git tells its hooks.

    GitPython can add to the environment of git, not take away. So ours is changed while git runs,
    which is when no call of the service is under way that could read it.
    """
    gone = [name for name in os.environ if name in _HOOK_ENVIRONMENT or is_credential(name)]
    kept = {name: os.environ.pop(name) for name in gone}
    path = os.environ.pop("PATH", os.defpath)
    os.environ["PATH"] = absolute_only(path)
    try:
        yield
    finally:
        os.environ.update(kept, PATH=path)
