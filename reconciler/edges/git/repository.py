"""Finds the repository of a folder, and checks that git uses the same repository."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from threading import RLock
from typing import Any

from reconciler.core.errors import GitError
from reconciler.core.model.key import KEY_FILE
from reconciler.edges import worktree
from reconciler.edges.files import is_leftover
from reconciler.edges.git.program import command_error, git_in, without_hook_environment
from reconciler.edges.worktree import Worktree

_KINDS = ("blob", "commit")
# How many paths at most are named to git one by one.
_FEW = 20
# Threads of an apply look at the branch while records are pushed. A block may hold another one.
_ONE_AT_A_TIME = RLock()
# For each file, its mode and the ID of its content; one entry for each stage of a merge.
Entries = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Repository:
    """A working tree, and the git command for it."""

    tree: Worktree
    git: Any

    def name(self, path: Path) -> str:
        """Return the path relative to the root. A link at its end is not resolved."""
        parent = Path(os.path.realpath(path.parent))
        return (parent / path.name).relative_to(self.tree.root).as_posix()

    def contents(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        """The contents of some blobs by their ids, without those that are not in this clone."""
        wanted = list(dict.fromkeys(blobs))
        if not wanted:
            return {}
        with TemporaryFile() as ids:
            ids.write("".join(f"{blob}\n" for blob in wanted).encode())
            ids.seek(0)
            batch = BytesIO(self._bytes("--batch", istream=ids))
        return dict(_found(batch))

    def filtered(self, name: str, blob: str) -> bytes:
        """The content of a blob as a checkout writes it for a file of that name."""
        return self._bytes("--filters", f"--path={name}", blob)

    def _bytes(self, *arguments: str, **options: Any) -> bytes:
        output: bytes = self.git.cat_file(
            *arguments, stdout_as_string=False, strip_newline_in_stdout=False, **options
        )
        return output

    def output(self, command: str, *arguments: str) -> bytes:
        """The output of a git command, as bytes: for a fleet, decoding it takes as long as git."""
        run = getattr(self.git, command.replace("-", "_"))
        found: bytes = run(*arguments, stdout_as_string=False, strip_newline_in_stdout=False)
        return found

    def staged(self, names: Sequence[str]) -> Entries:
        """Return the index entries of some files or folders."""
        found = _entries(self.git.ls_files("--stage", "-z", "--", *roots(names)))
        return chosen(found, names)

    def tracked(self, folder: Path) -> list[str]:
        """Return the names of index entries at or below a folder, whatever their case."""
        with self.git.custom_environment(GIT_LITERAL_PATHSPECS="0"):
            output = self.git.ls_files("-z", "--", f":(icase,literal){self.name(folder)}")
        return [name for name in str(output).split("\0") if name]

    def held(self, commit: str, names: Sequence[str]) -> Entries:
        """Return the entries of some files or folders in a commit, as those of an index."""
        output = self.git.ls_tree("-r", "-z", "--full-tree", commit, "--", *roots(names))
        return chosen(_entries(output), names)


def roots(names: Sequence[str]) -> Sequence[str]:
    """The folders to name to git for many files: it compares each path with each that is named."""
    return names if len(names) <= _FEW else sorted({os.path.dirname(name) or "." for name in names})  # noqa: PTH120


def chosen(found: Entries, names: Sequence[str]) -> Entries:
    """The entries of some files, or of all files below them if they are folders."""
    if len(names) <= _FEW:
        return found
    wanted = set(names)
    return {name: entry for name, entry in found.items() if is_below(name, wanted)}


def is_below(name: str, wanted: Collection[str]) -> bool:
    """Whether a file, or a folder above it, is among the wanted ones."""
    while name not in wanted:
        # pathlib takes ten times as long, and a commit of records asks for each of its files.
        name, slash, _ = name.rpartition("/")
        if not slash:
            return "." in wanted
    return True


def _covers(row: str, wanted: Iterable[str]) -> bool:
    """Whether a row of git's status is an ignored folder with one of the files in it."""
    return row.startswith("!!") and any(name.startswith(row[3:]) for name in wanted)


def _entries(output: str) -> Entries:
    """Parse the rows `<mode> <id> <stage>` of ls-files, or `<mode> blob <id>` of ls-tree."""
    found: dict[str, tuple[str, ...]] = {}
    for row in filter(None, output.split("\0")):
        entry, _, name = row.partition("\t")
        mode, kind, blob = entry.split()
        as_in_index = f"{mode} {blob} 0" if kind in _KINDS else entry
        found[name] = (*found.get(name, ()), as_in_index)
    return found


def _found(batch: BytesIO) -> Iterator[tuple[str, bytes]]:
    """By id, what `git cat-file --batch` has: `<id> blob <size>`, the content, a line end.

    `<id> missing` for a blob that a partial clone lacks, or for the commit of a submodule.
    """
    while answer := batch.readline().split():
        if len(answer) == 3:
            blob, _kind, size = answer
            yield blob.decode(), batch.read(int(size))
            batch.readline()


@contextmanager
def repository_of(root: Path) -> Iterator[Repository | None]:
    """Yield the repository of a folder, None if there is none. Git runs in this block only.

    Raises `GitError` for a `.git` that names a folder where git itself creates no repository.
    """
    tree = worktree.find(root)
    if tree is None:
        yield None
        return
    with _ONE_AT_A_TIME, without_hook_environment():
        git = git_in(tree)
        git.update_environment(GIT_DIR=str(tree.git_dir), GIT_WORK_TREE=str(tree.root))
        yield Repository(tree, git)


@cache
def check_owner(tree: Worktree) -> None:
    """Let git find the repository itself: only then does it check the owner (safe.directory).

    Raises GitPython's CommandError if git refuses, and `GitError` if it finds another repository.
    """
    found = str(git_in(tree).rev_parse("--absolute-git-dir"))
    if os.path.realpath(found) != str(tree.git_dir):
        raise GitError(
            f"git uses the repository {found} for {tree.root}, not {tree.git_dir}",
            "Check with `git status` whether the repository is damaged.",
        )


def tip(repo: Repository) -> str:
    """Return the commit that is checked out, "" before the first commit."""
    try:
        return str(repo.git.rev_parse("--verify", "--quiet", "HEAD"))
    except command_error():
        return ""


def changed_names(repo: Repository, paths: Sequence[Path]) -> list[str]:
    """Return the files below `paths` that differ from the commit, relative to the root."""
    check_owner(repo.tree)
    refuse_settings_of_tree(repo)
    wanted = list(map(repo.name, paths))
    status = repo.git.status(
        *("--porcelain", "--no-renames", "--untracked-files=all", "--ignored=matching", "-z"),
        *("--ignore-submodules=all", "--", *roots(wanted)),
    )
    rows = [row for row in status.split("\0") if row]
    if len(wanted) > _FEW:
        files = set(wanted)
        rows = [row for row in rows if is_below(row[3:], files) or _covers(row, wanted)]
    ignored = [row[3:] for row in rows if row.startswith("!!")]
    if ignored:
        raise GitError(
            f"{ignored[0]} is git-ignored, so it cannot be committed",
            f"Remove records/ and {KEY_FILE} from .gitignore, or set `record: {{mode: files}}` in "
            "reconciler.yaml.",
        )
    names = dict.fromkeys(row[3:] for row in rows)
    return [name for name in names if not is_leftover(Path(name).name)]


def refuse_settings_of_tree(repo: Repository) -> None:
    """Raise `GitError` if git reads settings from a file of the tree.

    Settings can name programs. With `include.path`, or HOME in the tree, a pull request could
    change them.
    """
    output = repo.git.config("--list", "--show-origin", "--name-only", "--includes", "-z")
    for origin in sorted({row for row in output.split("\0") if row.startswith("file:")}):
        path = repo.tree.root / origin.removeprefix("file:")
        if repo.tree.holds(path):
            raise GitError(
                f"git reads settings from {path}, which is in the working tree",
                "A pull request could change them. Remove `include.path` from .git/config, or set "
                "HOME to a folder outside the tree.",
            )
