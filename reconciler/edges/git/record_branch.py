"""The record branch: a branch that holds the default branch and the records on top of it.

Its tip is read without network, from the ref where git keeps the branch of the remote
(`refs/remotes/origin/reconcile/records`), and from the local branch of that name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reconciler.core.errors import GitError
from reconciler.edges.git.failures import explained
from reconciler.edges.git.program import command_error
from reconciler.edges.git.repository import Repository, check_owner, repository_of

_ORIGIN = "origin"


@dataclass(frozen=True, slots=True)
class Tips:
    """The commits of the record branch, "" where there is none.

    `remote` is the name of the remote, `tracked` its branch as it was fetched last. `local` is the
    local branch.
    """

    remote: str
    tracked: str
    local: str

    @property
    def all(self) -> tuple[str, ...]:
        """The commits, each once."""
        return tuple(dict.fromkeys(filter(None, (self.tracked, self.local))))


def record_tips(root: Path, branch: str) -> Tips:
    """Return what this clone knows of the record branch. Raises `GitError` outside a repository."""
    with repository_of(root) as repo:
        if repo is None:
            raise GitError(
                f"{root} is not in a git repository, so there is no branch {branch} of records",
                "Run `git init`, or set `record: {mode: files}` in reconciler.yaml.",
            )
        with explained("git rev-parse"):
            check_owner(repo.tree)
        remote = default_remote(repo)
        tracked = _commit(repo, _tracking(remote, branch)) if remote else ""
        return Tips(remote, tracked, _commit(repo, f"refs/heads/{branch}"))


def current_branch(root: Path) -> str:
    """Return the branch that is checked out, "" where a commit is, or outside a repository."""
    with repository_of(root) as repo:
        if repo is None:
            return ""
        try:
            check_owner(repo.tree)
            return str(repo.git.symbolic_ref("--quiet", "--short", "HEAD"))
        except command_error():
            return ""


def heads(root: Path, *commits: str) -> tuple[str, ...]:
    """Return the commits that are not before another of them, in their order."""
    wanted = tuple(dict.fromkeys(filter(None, commits)))
    if len(wanted) < 2:
        return wanted
    with repository_of(root) as repo:
        assert repo is not None
        with explained("git merge-base"):
            found = str(repo.git.merge_base("--independent", *wanted)).split()
    return tuple(one for one in wanted if one in found)


def common_ancestor(root: Path, one: str, other: str) -> str:
    """Return the best commit that two commits descend from, "" if this clone knows none."""
    with repository_of(root) as repo:
        assert repo is not None
        try:
            return str(repo.git.merge_base(one, other))
        except command_error():  # unrelated, or a shallow clone
            return ""


def track(root: Path, remote: str, branch: str, commit: str) -> None:
    """Note the commit of the remote's branch, as `git fetch` does."""
    with repository_of(root) as repo:
        assert repo is not None
        with explained("git update-ref"):
            repo.git.update_ref(_tracking(remote, branch), commit)


def move_branch(root: Path, branch: str, commit: str, expected: str) -> None:
    """Move the local branch from one commit to another; `expected` is "" for a new branch.

    Raises `GitBusyError` if another run has moved it meanwhile.
    """
    with repository_of(root) as repo:
        assert repo is not None
        with explained("git update-ref"):
            repo.git.update_ref(f"refs/heads/{branch}", commit, expected or "0" * len(commit))


def _tracking(remote: str, branch: str) -> str:
    return f"refs/remotes/{remote}/{branch}"


def default_remote(repo: Repository) -> str:
    """Return the only remote, else `origin`; "" if there is neither."""
    names = str(repo.git.remote()).split()
    return names[0] if len(names) == 1 else next((one for one in names if one == _ORIGIN), "")


def _commit(repo: Repository, ref: str) -> str:
    try:
        return str(repo.git.rev_parse("--verify", "--quiet", f"{ref}^{{commit}}"))
    except command_error():
        return ""
