"""Trees of commits, as data: which files a folder has, and with which content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from reconciler.edges.git.program import command_error
from reconciler.edges.git.repository import check_owner, repository_of

# The mode of a file of a commit that is no link and no submodule: 100644 or 100755.
_FILE = "100"
_MODE_AND_KIND = len("100644 blob ")


def tree_of(root: Path, folder: Path, commit: str = "HEAD") -> str:
    """Return the ID of the tree of a folder in a commit.

    Returns "" where there is none, outside a repository, and on errors of git.
    """
    with repository_of(root) as repo:
        if repo is None:
            return ""
        try:
            check_owner(repo.tree)
            above = repo.name(folder)
            named = f"{commit}^{{tree}}" if above == "." else f"{commit}:{above}"
            return str(repo.git.rev_parse("--verify", "--quiet", "--end-of-options", named))
        except command_error():
            return ""


def files_in(root: Path, tree: str) -> Mapping[str, str] | None:
    """Return the ID of the content of each file in a tree, by its path there.

    Returns None if this clone does not have the tree, or if it has links or submodules.
    """
    with repository_of(root) as repo:
        if repo is None:
            return None
        try:
            check_owner(repo.tree)
            output = str(repo.git.ls_tree("-r", "-z", "--full-tree", "--end-of-options", tree))
        except command_error():
            return None
    found: dict[str, str] = {}
    for row in output.split("\0"):
        if row:
            blob, _, name = row[_MODE_AND_KIND:].partition("\t")
            if not row.startswith(_FILE):
                return None
            found[name] = blob
    return found


def contents_of(root: Path, blobs: Iterable[str]) -> Mapping[str, bytes] | None:
    """Return contents by their IDs; None if this clone lacks one of them."""
    wanted = set(blobs)
    if not wanted:
        return {}
    with repository_of(root) as repo:
        if repo is None:
            return None
        try:
            found = repo.contents(sorted(wanted))
        except command_error():
            return None
    return found if found.keys() >= wanted else None
