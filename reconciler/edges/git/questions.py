"""Read-only questions about a repository."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.edges.git.failures import explained
from reconciler.edges.git.program import command_error
from reconciler.edges.git.repository import changed_names, check_owner, repository_of
from reconciler.edges.tracked import Tracked


def head(root: Path) -> str:
    """Return the commit that is checked out; "" outside a repository or before the first commit.

    Raises `GitError` for a `.git` that names a folder where git itself creates no repository.
    """
    with repository_of(root) as repo:
        if repo is None:
            return ""
        try:
            check_owner(repo.tree)
            return str(repo.git.rev_parse("--verify", "--quiet", "HEAD^{commit}"))
        except command_error():
            return ""


def changed(root: Path, paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return the files below some folders that differ from the commit, removed files included.

    Returns () outside a repository. Raises `GitError` for a file that git ignores.
    """
    with repository_of(root) as repo:
        if repo is None:
            return ()
        with explained("git status"):
            return tuple(repo.tree.root / name for name in changed_names(repo, paths))


def is_ignored(path: Path) -> bool:
    """Whether git would not commit a file: it is outside of any working tree, or ignored.

    Returns False on errors of git, and for a tracked file that matches a pattern in .gitignore.
    """
    folder = path.parent.resolve()
    with repository_of(folder) as repo:
        if repo is None:
            return True
        try:
            # check-ignore does not support literal pathspecs. An absolute path needs none.
            with repo.git.custom_environment(GIT_LITERAL_PATHSPECS="0"):
                repo.git.check_ignore("--quiet", "--", str(folder / path.name))
        except command_error():  # exit status 1: not ignored
            return False
        return True


def committed(root: Path, paths: Sequence[Path]) -> Mapping[Path, bytes]:
    """Return the contents of some files in the commit, without files that it does not contain.

    Raises `GitError` if git rejects this repository.
    """
    with repository_of(root) as repo:
        if repo is None:
            return {}
        with explained("git rev-parse"):
            check_owner(repo.tree)
        names = {repo.name(path): path for path in paths}
        try:
            held = repo.held("HEAD", list(names))
        except command_error():  # before the first commit
            return {}
        blobs = {name: entries[0].split()[1] for name, entries in held.items() if name in names}
        with explained("git cat-file"):
            contents = repo.contents(blobs.values())
        return {names[name]: contents[blob] for name, blob in blobs.items() if blob in contents}


def committed_below(root: Path, folder: Path, commit: str = "HEAD") -> tuple[bytes, ...]:
    """Return the contents of all files that a commit has below a folder.

    Returns none outside a repository and on errors of git.
    """
    with repository_of(root) as repo:
        if repo is None:
            return ()
        try:
            check_owner(repo.tree)
            held = repo.held(commit, [repo.name(folder)])
            return tuple(repo.contents(rows[0].split()[1] for rows in held.values()).values())
        except command_error():
            return ()


def known_files(root: Path, folder: Path) -> tuple[Path, ...]:
    """Return the files below a folder that the commit contains, also if they are not checked out.

    Raises `GitError` if git rejects this repository.
    """
    with repository_of(root) as repo:
        if repo is None:
            return ()
        with explained("git rev-parse"):
            check_owner(repo.tree)
        try:
            held = repo.held("HEAD", [repo.name(folder)])
        except command_error():  # before the first commit
            return ()
        return tuple(repo.tree.root / name for name in sorted(held))


def tracked(root: Path, folder: Path) -> Tracked:
    """Return the files at or below a folder that git tracks, whatever the case of their names.

    Outside a repository there are none. Raises `GitError` if git rejects this repository.
    """
    with repository_of(root) as repo:
        if repo is None:
            return Tracked()
        with explained("git ls-files"):
            check_owner(repo.tree)
            names = repo.tracked(folder)
    base = Path(os.path.realpath(root))
    return Tracked(tuple(os.path.relpath(repo.tree.root / name, base) for name in names))


def trailers_of_addition(root: Path, path: Path, name: str) -> frozenset[str]:
    """Return the values of a trailer in the commits that added a file.

    Returns none outside a repository and on errors of git.
    """
    with repository_of(root) as repo:
        if repo is None:
            return frozenset()
        options = ("--no-show-signature", "--diff-filter=A", "--format=%B")
        try:
            check_owner(repo.tree)
            log = str(repo.git.log(*options, "--", repo.name(path)))
        except command_error():
            return frozenset()
    start = f"{name}: "
    lines = log.splitlines()
    return frozenset(line.removeprefix(start) for line in lines if line.startswith(start))
