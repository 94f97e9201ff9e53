"""Questions about the history of the commit that is checked out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.errors import GitError
from reconciler.core.model.reviewed import Origin
from reconciler.edges.git.failures import explained
from reconciler.edges.git.program import command_error
from reconciler.edges.git.repository import Repository, check_owner, repository_of
from reconciler.edges.git.since import commit_of


def origin(root: Path, base: str) -> Origin:
    """Return the commits of a review: what is planned must be the merge with the base.

    The head is the second parent of a merge that a CI system made of the base and the head, else
    the commit itself. Raises `GitError` if the commit lacks commits of the base: it would lack
    newer manifests, and the plan would call what they ask released.
    """
    with repository_of(root) as repo:
        if repo is None:
            raise GitError("a review is of a commit, and this is no git repository", _INIT)
        with explained("git rev-parse"):
            check_owner(repo.tree)
        found = commit_of(repo, base)
        if not _is_ancestor(repo, found):
            raise GitError(
                f"the commit that is checked out lacks commits of its base, {found}",
                f"Plan the merge: in CI check out the test merge of the pull request, elsewhere "
                f"run `git merge {base}` first.",
            )
        with explained("git rev-parse"):
            commit, *parents = str(repo.git.rev_list("--parents", "--max-count=1", "HEAD")).split()
            tree = str(repo.git.rev_parse("--verify", "HEAD^{tree}"))
    is_merge = len(parents) == 2 and parents[0] == found
    return Origin(parents[1] if is_merge else commit, found, tree)


def has_commit(root: Path, commit: str) -> bool:
    """Whether a commit is the one that is checked out, or before it; False if it is not known."""
    with repository_of(root) as repo:
        if repo is None:
            return False
        with explained("git rev-parse"):
            check_owner(repo.tree)
        return _is_ancestor(repo, commit)


def is_before(root: Path, earlier: str, later: str) -> bool:
    """Whether a commit is another one, or before it; False if this clone lacks either."""
    with repository_of(root) as repo:
        return repo is not None and _is_ancestor(repo, earlier, later)


def is_shallow(root: Path) -> bool:
    """Whether the clone has a part of the history only."""
    with repository_of(root) as repo:
        if repo is None:
            return False
        with explained("git rev-parse"):
            return str(repo.git.rev_parse("--is-shallow-repository")) == "true"


def contents_since(
    root: Path, base: str, paths: Sequence[Path], tips: Sequence[str] = ("HEAD",)
) -> tuple[bytes, ...]:
    """Return the contents that some files had in each commit since `base` that changed any of them.

    `tips` are the commits that the history is read from. The base itself is not among them.
    Commits that are not in this clone give nothing.
    """
    with repository_of(root) as repo:
        if repo is None:
            return ()
        try:
            check_owner(repo.tree)
            names = [repo.name(path) for path in paths]
            options = ("--no-show-signature", "--format=%H", "-m")
            log = str(repo.git.log(*options, *tips, f"^{base}", "--", *names))
            blobs = [
                blob
                for commit in dict.fromkeys(log.split())
                for blob in _blobs(repo, commit, names)
            ]
        except command_error():
            return ()
        return tuple(repo.contents(blobs).values())


def on_line(root: Path, commits: Collection[str], tip: str = "HEAD") -> tuple[str, ...]:
    """Return those of some commits that are on the line of a commit, newest first.

    Only its first parents count: they have one order. What was applied on a branch of its own says
    nothing about other branches that were merged.
    """
    with repository_of(root) as repo:
        if repo is None or not commits:
            return ()
        try:
            check_owner(repo.tree)
            line = str(repo.git.rev_list("--first-parent", tip))
        except command_error():
            return ()
    return tuple(commit for commit in line.splitlines() if commit in commits)


@dataclass(frozen=True, slots=True)
class Merged:
    """A commit of the branch, with the files that it changed there."""

    commit: str
    files: tuple[Path, ...]


def merged(root: Path, last: str, after: int) -> tuple[Merged, ...]:
    """Return the commits of the branch from `last` on, newest first; `last` is among them.

    Without `last`, those that were committed after a time, in seconds since 1970. Commits of merged
    branches are not among them.
    """
    span = ("HEAD", "--not", f"{last}^@") if last else (f"--since=@{after} +0000", "HEAD")
    with repository_of(root) as repo:
        if repo is None:
            return ()
        with explained("git log"):
            check_owner(repo.tree)
            output = repo.git.log(
                *("--no-show-signature", "--first-parent", "--diff-merges=first-parent"),
                *("--name-only", "--no-renames", "-z", "--format=%x00%x00%H"),
                *span,
            )
        rows = (row.strip("\0") for row in str(output).split(_BETWEEN))
        return tuple(_merged(row, repo.tree.root) for row in rows if row)


def commits_beyond(root: Path, commit: str) -> tuple[str, ...]:
    """Return the commits that are checked out and not part of a commit, with all their parents."""
    with repository_of(root) as repo:
        if repo is None:
            return ()
        with explained("git rev-list"):
            check_owner(repo.tree)
            output = repo.git.rev_list("HEAD", f"^{commit}")
    return tuple(str(output).split())


# No file name is empty, so two null bytes stand only before a commit.
_BETWEEN = "\0\0"


def _merged(row: str, root: Path) -> Merged:
    commit, *names = row.split("\0")
    return Merged(commit, tuple(root / name.removeprefix("\n") for name in names))


def _blobs(repo: Repository, commit: str, names: Sequence[str]) -> list[str]:
    return [rows[0].split()[1] for rows in repo.held(commit, names).values()]


def _is_ancestor(repo: Repository, commit: str, later: str = "HEAD") -> bool:
    try:
        repo.git.merge_base("--is-ancestor", "--end-of-options", commit, later)
    except command_error():  # status 1: no; 128: the repository does not have the commit
        return False
    return True


_INIT = "Run `git init`, then commit reconciler.yaml and the manifests."
