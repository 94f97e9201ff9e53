"""Which repository a folder belongs to, and which links lead out of it.

Git itself takes any folder with `HEAD`, `objects` and `refs` for a repository, and obeys the
`config` in it, which can name programs. A commit can carry such a folder. It cannot carry a `.git`,
so only a `.git` is believed (https://git-scm.com/docs/git-config, safe.bareRepository).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from reconciler.core.errors import GitError, LinkError
from reconciler.edges.files import read_regular

GIT = ".git"
# The folders in which a pull request could put links that a run would follow.
_OURS = (("records",), ("manifests",), (".reconcile",))
# Where git keeps what a `.git` file names: git-worktree(1), gitsubmodules(7).
_LINKED = ("worktrees", "modules")
_GIT_FILE = b"gitdir: "


@dataclass(frozen=True, slots=True)
class Worktree:
    """A working tree, and the folder of its repository; both without links."""

    root: Path
    git_dir: Path

    def holds(self, path: Path) -> bool:
        """Whether a file is one of the tree's, which a pull request can change."""
        real = _real(path)
        return real.is_relative_to(self.root) and not real.is_relative_to(self.root / GIT)


def find(start: Path) -> Worktree | None:
    """The working tree around a folder: the nearest folder with a `.git`, at or above it.

    None where there is none, or where it names nothing. Raises `GitError` for a `.git` that names a
    folder which is not git's own.
    """
    root = _root(start)
    return _named(root) if root else None


def repository(start: Path) -> Path:
    """The folder of the working tree around a folder; the folder itself where there is none."""
    return _root(start) or _real(start)


def first_link(root: Path, path: Path) -> Path | None:
    """The first symbolic link on the way from a folder down to a path, which may be missing."""
    current = root
    for part in path.relative_to(root).parts:
        current /= part
        if current.is_symlink():
            return current
    return None


def refuse_links(root: Path, *paths: Path) -> None:
    """Raise `LinkError` where a way down from a folder to a path goes over a symbolic link.

    For what only `reconcile` writes: a commit could hold the link, and a later run would read or
    write where it leads.
    """
    for path in paths:
        link = first_link(root, path)
        if link:
            name = link.relative_to(root).as_posix()
            raise LinkError(
                f"{name} is a symbolic link",
                f"Only `reconcile` writes there, and it follows no link. Remove it: `rm {name}`, "
                f"and `git rm --cached {name}` if it was committed.",
            )


def refuse_links_below(root: Path, folder: Path) -> None:
    """As `refuse_links`, for a folder and everything in it."""
    refuse_links(root, folder)
    for where, folders, files in os.walk(folder):
        refuse_links(root, *(Path(where) / name for name in sorted((*folders, *files))))


def refuse_links_of_ours(root: Path, path: Path) -> None:
    """As `refuse_links`, for a path that a user gives, if it is in one of our folders."""
    named = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
    for base in (Path(os.path.abspath(root)), _real(root)):  # noqa: PTH100
        if named.is_relative_to(base) and named.relative_to(base).parts[:1] in _OURS:
            refuse_links(base, named)


def leads_out(start: Path, path: Path) -> bool:
    """Whether a path of the repository around `start` is, by links, one outside of it.

    Git's own folder and ours count as outside. A path that is outside without links leads nowhere.
    """
    root = repository(start)
    named = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
    lexical = (root, Path(os.path.abspath(start)))  # noqa: PTH100
    if not any(named.is_relative_to(one) for one in lexical):
        return False
    is_ours = ".reconcile" in _real(path).parts[len(root.parts) :]
    return is_ours or not Worktree(root, root / GIT).holds(path)


def _root(start: Path) -> Path | None:
    folder = _real(start)
    return next((one for one in (folder, *folder.parents) if _has_git(one)), None)


def _has_git(folder: Path) -> bool:
    """A `.git` folder without content is passed over, as git does."""
    git = folder / GIT
    return os.path.lexists(git) and (git.is_symlink() or not git.is_dir() or _is_git_dir(git))


def _is_git_dir(folder: Path) -> bool:
    return all(os.path.lexists(folder / name) for name in ("HEAD", "objects", "refs"))


def _named(root: Path) -> Worktree | None:
    git = root / GIT
    if git.is_dir() and not git.is_symlink():
        return Worktree(root, git)
    target = str(git.readlink()) if git.is_symlink() else _content(git)
    git_dir = _real(root / target)
    if not target or not git_dir.is_dir():
        return None
    if git_dir.is_relative_to(root) or not _is_linked(git_dir):
        raise GitError(
            f"{git} names the repository {target}, where git itself puts none",
            "It may name a folder below `.git/worktrees/` or `.git/modules/` outside this tree. "
            "If you trust the folder that it names, move that folder to `.git`.",
        )
    return Worktree(root, git_dir)


def _content(git: Path) -> str:
    """What a `.git` file names; "" where it names nothing or cannot be read."""
    try:
        content = read_regular(git) or b""
    except OSError:
        return ""
    if not content.startswith(_GIT_FILE):
        return ""
    return os.fsdecode(content.removeprefix(_GIT_FILE).rstrip(b"\r\n"))


def _is_linked(git_dir: Path) -> bool:
    """Whether it is below `.git/worktrees` or `.git/modules` of a repository."""
    above = git_dir.parts[:-1]
    return any(one == GIT and below in _LINKED for one, below in pairwise(above))


def _real(path: Path) -> Path:
    """Without links. Unlike Path.resolve, which raises where links go in a circle."""
    return Path(os.path.realpath(path))
