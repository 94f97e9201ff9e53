"""Trees of commits, as data: which files a folder has, and with which content."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from reconciler.edges.git.program import command_error
from reconciler.edges.git.repository import Repository, check_owner, repository_of

# The mode of a file of a commit that is no link and no submodule: 100644 or 100755.
_FILE = b"100"
_MODE = b"100644 "
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
    those that git saw when it read them.
    """

    vouched: frozenset[str]
    rows: Collection[bytes] = field(repr=False)

    @cached_property
    def blobs(self) -> Mapping[str, str]:
        """The ID of the content of each file."""
        return {_name(row): row[len(_MODE) : row.index(b"\t")].decode() for row in self.rows}


def files_in(root: Path, folder: Path, tree: str) -> Tree | None:
    """Read a tree that a folder of the working tree had, or has.

    Returns None if this clone does not have it, or if it has links or submodules.
    """
    with repository_of(root) as repo:
        if repo is None:
            return None
        try:
            check_owner(repo.tree)
            output = repo.output("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", tree)
            rows = [row.replace(b" blob ", b" ", 1) for row in output.split(b"\0") if row]
            if not all(row.startswith(_FILE) for row in rows):
                return None
            held = frozenset(rows)
            return Tree(frozenset(map(_name, held & _in_index(repo, folder))), held)
        except command_error():
            return None


def _in_index(repo: Repository, folder: Path) -> frozenset[bytes]:
    """The rows of files below a folder of which the index states what the working tree has.

    A file with a flag is left out: git does not compare what is skip-worktree or assume-unchanged,
    and says nothing about it.
    """
    above = repo.name(folder)
    where = ("--", above)
    prefix = b"" if above == "." else os.fsencode(above) + b"/"
    rows = repo.output("ls-files", "-v", "-z", *where).split(b"\0")
    flagged = {row[2:] for row in rows if row[:2] != b"H "}
    repo.git(c=_STRICT)  # for the next command
    differing = repo.output("diff-files", "--name-only", "-z", "--no-renames", *where)
    left_out = flagged.union(differing.split(b"\0"))
    found = set()
    for row in repo.output("ls-files", "--stage", "-z", *where).split(b"\0"):
        entry, _, name = row.partition(b"\t")
        if entry.endswith(b" 0") and name not in left_out:
            found.add(entry[:-2] + b"\t" + name[len(prefix) :])
    return frozenset(found)


def _name(row: bytes) -> str:
    return os.fsdecode(row[row.index(b"\t") + 1 :])


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
