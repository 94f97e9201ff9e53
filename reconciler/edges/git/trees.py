"""Trees of commits, as data: which files a folder has, and with which content."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from reconciler.edges.git.program import command_error
from reconciler.edges.git.repository import Repository, check_owner, repository_of

# The mode of a file of a commit that is no link and no submodule: 100644 or 100755.
_FILE = "100"
# git-config(1): with these, git reads a file again if anything of its status has changed.
_STRICT = ("core.trustctime=true", "core.checkStat=default")


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


@dataclass(frozen=True)
class Tree:
    """The files of a tree, by their paths there.

    `vouched` are those of which git knows that the working tree has them as the tree has them: the
    index has the same content, git compares their contents as ever, and their times and sizes are
    those that git saw when it read them. `count` is the number of all files.
    """

    vouched: frozenset[str]
    count: int
    listing: str = field(repr=False)

    @cached_property
    def blobs(self) -> Mapping[str, str]:
        """The ID of the content of each file."""
        parts = (row.partition("\t") for row in _rows(self.listing))
        return {name: entry.rpartition(" ")[2] for entry, _, name in parts}


def files_in(root: Path, folder: Path, tree: str) -> Tree | None:
    """Read a tree that a folder of the working tree had, or has.

    Returns None if this clone does not have it, or if it has links or submodules.
    """
    with repository_of(root) as repo:
        if repo is None:
            return None
        try:
            check_owner(repo.tree)
            listing = _output(repo, "ls-tree", "-r", "-z", "--full-tree", "--end-of-options", tree)
            held = _in_tree(listing)
            if not all(row.startswith(_FILE) for row in held):
                return None
            same = held & _in_index(repo, folder)
            return Tree(frozenset(row[row.index("\t") + 1 :] for row in same), len(held), listing)
        except command_error():
            return None


def _in_tree(listing: str) -> frozenset[str]:
    """The files of a tree, each as `<mode> <id>`, a tab, and its path there."""
    rows = _rows(listing)
    if listing.count(" blob ") == len(rows):  # for a fleet, one by one takes ten times as long
        return frozenset(_rows(listing.replace(" blob ", " ")))
    return frozenset(row.replace(" blob ", " ", 1) for row in rows)


def _in_index(repo: Repository, folder: Path) -> frozenset[str]:
    """The files below a folder of which the index states what the working tree has, likewise.

    A file with a flag is left out: git does not compare what is skip-worktree or assume-unchanged,
    and says nothing about it.
    """
    above = repo.name(folder)
    where = ("--", above)
    prefix = "" if above == "." else f"{above}/"
    flagged = {
        row[2:] for row in _rows(_output(repo, "ls-files", "-v", "-z", *where)) if row[:2] != "H "
    }
    repo.git(c=_STRICT)  # for the next command
    differing = _rows(_output(repo, "diff-files", "--name-only", "-z", "--no-renames", *where))
    left_out = {name.removeprefix(prefix) for name in flagged.union(differing)}
    staged = _output(repo, "ls-files", "--stage", "-z", *where)
    rows = _rows(staged)
    # Only entries of stage 0 lose it. The others are equal to no row of a tree.
    if staged.count("\t") == len(rows):
        found = frozenset(_rows(staged.replace(f" 0\t{prefix}", "\t")))
    else:
        found = frozenset(row.replace(f" 0\t{prefix}", "\t", 1) for row in rows)
    if not left_out:
        return found
    return frozenset(row for row in found if row[row.index("\t") + 1 :] not in left_out)


def _rows(output: str) -> list[str]:
    return output.removesuffix("\0").split("\0") if output else []


def _output(repo: Repository, command: str, *arguments: str) -> str:
    return os.fsdecode(repo.output(command, *arguments))


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
