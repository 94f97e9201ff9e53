"""Finds the repository of a folder, and symbolic links that lead out of it.

Git accepts any folder with `HEAD`, `objects` and `refs` as a repository and reads its `config`,
which can name programs. A commit can contain such a folder, but it cannot contain `.git`. So only
`.git` is trusted (https://git-scm.com/docs/git-config, safe.bareRepository).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from reconciler.core.errors import GitError, LinkError
from reconciler.edges.files import read_regular

GIT = ".git"
# The folders in which a pull request could add links that a run would follow.
_OURS = (("records",), ("manifests",), (".reconcile",))
# Where git keeps the folders that a `.git` file names: git-worktree(1), gitsubmodules(7).
_LINKED = ("worktrees", "modules")
_GIT_FILE = b"gitdir: "


@dataclass(frozen=True, slots=True)
class Worktree:
    """A working tree and the `.git` folder of its repository, both as paths without links."""

    root: Path
    git_dir: Path

    def holds(self, path: Path) -> bool:
        """Whether a file belongs to the tree, so that a pull request can change it."""
        real = _real(path)
        return real.is_relative_to(self.root) and not real.is_relative_to(self.root / GIT)


def find(start: Path) -> Worktree | None:
    """Find the working tree of a folder: the nearest folder at or above it with a `.git`.

    Returns None if there is no `.git` or if it names no folder. Raises `GitError` for a `.git` that
    names a folder where git itself creates no repository.
    """
    root = _root(start)
    return _named(root) if root else None


def repository(start: Path) -> Path:
    """Return the root of the working tree of a folder; the folder itself if there is none."""
    return _root(start) or _real(start)


def folder_in(start: Path) -> str:
    """Return the path of a folder from the root of its working tree; "" for the root itself."""
    found = _real(start).relative_to(repository(start)).as_posix()
    return "" if found == "." else found


def first_link(root: Path, path: Path) -> Path | None:
    """Return the first symbolic link between a folder and a path, or None."""
    current = root
    for part in path.relative_to(root).parts:
        current /= part
        if current.is_symlink():
            return current
    return None


def refuse_links(root: Path, *paths: Path) -> None:
    """Raise `LinkError` if there is a symbolic link between a folder and one of the paths.

    Use it for files that only `reconcile` writes. A commit could contain the link, and a later run
    would read or write its target.
    """
    for path in paths:
        link = first_link(root, path)
        if link:
            name = link.relative_to(root).as_posix()
            raise LinkError(
                f"{name} is a symbolic link",
                f"`reconcile` follows no links there. Remove it with `rm {name}`. If it was "
                f"committed, also run `git rm --cached {name}`.",
            )


def refuse_links_below(root: Path, folder: Path) -> None:
    """Apply `refuse_links` to a folder and everything in it."""
    refuse_links(root, folder)
    for where, folders, files in os.walk(folder):
        refuse_links(root, *(Path(where) / name for name in sorted((*folders, *files))))


def refuse_links_of_ours(root: Path, path: Path) -> None:
    """Apply `refuse_links` to a path from the user, if it is in one of the folders in `_OURS`."""
    named = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
    for base in (Path(os.path.abspath(root)), _real(root)):  # noqa: PTH100
        if named.is_relative_to(base) and named.relative_to(base).parts[:1] in _OURS:
            refuse_links(base, named)


def leads_out(start: Path, path: Path) -> bool:
    """Whether a path inside the repository of `start` leads outside of it by symbolic links.

    `.git` and `.reconcile` count as outside. For a path that is outside anyway, returns False.
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
    """Whether a folder has a `.git`. An empty `.git` folder is ignored, as git does."""
    git = folder / GIT
    return os.path.lexists(git) and (git.is_symlink() or not git.is_dir() or _is_git_dir(git))


def _is_git_dir(folder: Path) -> bool:
    return all(os.path.lexists(folder / name) for name in ("HEAD", "objects", "refs"))


def _named(root: Path) -> Worktree | None:
    git = root / GIT
    if git.is_dir() and not git.is_symlink():
        return Worktree(root, git)
    target = str(git.readlink()) if git.is_symlink() else _named_folder(git)
    git_dir = _real(root / target)
    if not target or not git_dir.is_dir():
        return None
    if git_dir.is_relative_to(root) or not _is_linked(git_dir):
        raise GitError(
            f"{git} names the repository {target}, where git itself creates none",
            "Only folders below `.git/worktrees/` or `.git/modules/` outside this tree are "
            "allowed. If you trust the folder, move it to `.git`.",
        )
    return Worktree(root, git_dir)


def _named_folder(git: Path) -> str:
    """Return the folder that a `.git` file names; "" if it names none or cannot be read."""
    try:
        content = read_regular(git) or b""
    except OSError:
        return ""
    if not content.startswith(_GIT_FILE):
        return ""
    return os.fsdecode(content.removeprefix(_GIT_FILE).rstrip(b"\r\n"))


def _is_linked(git_dir: Path) -> bool:
    """Whether a folder is below `.git/worktrees` or `.git/modules` of a repository."""
    above = git_dir.parts[:-1]
    return any(one == GIT and below in _LINKED for one, below in pairwise(above))


def _real(path: Path) -> Path:
    """Resolve all links. Unlike this, Path.resolve raises an error for a loop of links."""
    return Path(os.path.realpath(path))
