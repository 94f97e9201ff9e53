"""Whether the commit holds files as they are on disk.

The contents are compared: `git status` shows neither ignored files nor edits of files that are
marked with `git update-index --assume-unchanged`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from reconciler.core.errors import GitError
from reconciler.edges.git.content import blob_id, bytes_of
from reconciler.edges.git.failures import explained
from reconciler.edges.git.program import command_error
from reconciler.edges.git.repository import (
    Entries,
    Repository,
    check_owner,
    refuse_settings_of_tree,
    repository_of,
)

_LINK, _SUBMODULE = "120000", "160000"
_KINDS = {_LINK: "a symbolic link", _SUBMODULE: "a submodule"}


def holds(
    root: Path, files: Iterable[Path], is_wanted: Callable[[Path], bool], folder: Path
) -> bool | None:
    """Whether the commit holds these files as they are, and no other wanted file below a folder.

    Returns None outside a repository, and if git rejects it. Raises `GitError` if git uses another
    repository.
    """
    with repository_of(root) as repo:
        if repo is None:
            return None
        try:
            check_owner(repo.tree)
        except command_error():
            return None
        try:
            expected = {repo.name(path): path for path in _with_targets(files)}
            below = repo.name(folder)
            held = repo.held("HEAD", sorted({below, *_beside(below, expected)}))
        except (ValueError, command_error()):  # outside of the tree; before the first commit
            return False
        others = (repo.tree.root / name for name in held.keys() - expected.keys())
        return not any(map(is_wanted, others)) and all(
            _is_held(repo, name, path, held) for name, path in expected.items()
        )


def irregular(root: Path, paths: Iterable[Path]) -> tuple[tuple[Path, str], ...]:
    """Return the links and submodules that the commit has at or below some paths, sorted.

    Each is a path with what is there, in words. Outside a repository there are none.
    """
    with repository_of(root) as repo:
        if repo is None:
            return ()
        with explained("git ls-tree"):
            check_owner(repo.tree)
            held = repo.held("HEAD", sorted({repo.name(path) for path in paths}))
    modes = {name: rows[0].split()[0] for name, rows in held.items()}
    return tuple(
        (repo.tree.root / name, _KINDS[mode])
        for name, mode in sorted(modes.items())
        if mode in _KINDS
    )


def _with_targets(files: Iterable[Path]) -> Iterator[Path]:
    """The files, and the files that the links among them lead to."""
    for path in files:
        yield path
        if path.is_symlink():
            yield Path(os.path.realpath(path))


def _beside(folder: str, names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if folder != "." and not name.startswith(f"{folder}/"))


def _is_held(repo: Repository, name: str, path: Path, held: Entries) -> bool:
    mode, blob, _ = held[name][0].split() if name in held else ("", "", "")
    if path.is_symlink():
        return mode == _LINK and blob == blob_id(os.fsencode(path.readlink()), len(blob))
    content = bytes_of(path)
    if content is None or not mode or mode == _LINK:
        return False
    # `core.autocrlf` changes line endings, which do not matter in YAML.
    same = {blob_id(one, len(blob)) for one in (content, content.replace(b"\r\n", b"\n"))}
    return blob in same or _is_filtered(repo, name, blob, content)


def _is_filtered(repo: Repository, name: str, blob: str, content: bytes) -> bool:
    """Whether a filter of git, such as git-crypt, makes the content of the file from the blob."""
    try:
        refuse_settings_of_tree(repo)
        return repo.filtered(name, blob) == content
    except (GitError, command_error()):
        return False
