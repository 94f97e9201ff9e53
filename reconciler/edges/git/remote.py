"""A branch of a remote repository: what it holds, and commits on top of it.

Commits are made from git's own objects, without the working tree and its index, so the files of a
person stay as they are. No hook of this machine runs: the host's rules for the branch decide
(decision 0003).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO

from reconciler.core.errors import GitError
from reconciler.edges.git.commits import identity
from reconciler.edges.git.connection import Remote, connected, reached, said_by
from reconciler.edges.git.failures import explained
from reconciler.edges.git.messages import Message
from reconciler.edges.git.program import command_error
from reconciler.edges.git.record_branch import default_remote
from reconciler.edges.git.repository import Repository, check_owner, repository_of

# Where the tips of the branch and of the default branch are kept. No ref of a person is moved.
_TIP, _DEFAULT = "refs/reconciler/tip", "refs/reconciler/default"
# What git prints if another push was faster (git-push(1), --force-with-lease; receive-pack).
_OVERTAKEN = ("stale info", "fetch first", "cannot lock ref", "failed to update ref")


def upstream(root: Path) -> tuple[str, str]:
    """Return the remote and the branch that the current branch follows; ("", "") if none."""
    with repository_of(root) as repo:
        if repo is None:
            return "", ""
        try:
            check_owner(repo.tree)
            full = str(repo.git.rev_parse("--symbolic-full-name", "@{upstream}"))
            head = str(repo.git.symbolic_ref("--quiet", "--short", "HEAD"))
            remote = str(repo.git.config("--get", f"branch.{head}.remote"))
        except command_error():
            return "", ""
    prefix = f"refs/remotes/{remote}/"
    return (remote, full.removeprefix(prefix)) if full.startswith(prefix) else ("", "")


def main_remote(root: Path) -> str:
    """Return the only remote, else `origin`: where git fetches from, too, if nothing is stated.

    Returns "" if there is none, and outside a repository.
    """
    with repository_of(root) as repo:
        if repo is None:
            return ""
        try:
            check_owner(repo.tree)
            return default_remote(repo)
        except command_error():
            return ""


def fetch(root: Path, remote: Remote) -> str:
    """Fetch the branch; return the commit at its tip, "" if the remote has no such branch.

    Raises `GitError` if the remote cannot be reached.
    """
    return _fetch(root, remote, f"refs/heads/{remote.branch}", _TIP)


def fetch_default(root: Path, remote: Remote) -> str:
    """Fetch the default branch of the remote; return the commit at its tip, "" if it has none yet.

    Raises `GitError` if the remote cannot be reached.
    """
    return _fetch(root, remote, "HEAD", _DEFAULT)


def address(root: Path, name: str) -> str:
    """Return the address of a remote, "" if there is none of that name."""
    with repository_of(root) as repo:
        if repo is None:
            return ""
        try:
            check_owner(repo.tree)
            return str(repo.git.remote("get-url", "--", name))
        except command_error():
            return ""


def fetched_default(root: Path) -> str:
    """Return the commit that `fetch_default` fetched last, or ""."""
    with repository_of(root) as repo:
        if repo is None:
            return ""
        try:
            return str(repo.git.rev_parse("--verify", "--quiet", _DEFAULT))
        except command_error():
            return ""


def _fetch(root: Path, remote: Remote, name: str, kept: str) -> str:
    with connected(root, remote) as repo, reached(repo, remote):
        listed = str(repo.git.ls_remote(remote.name, name)).splitlines()
        if not any(line.split("\t")[-1] == name for line in listed):
            return ""
        span = f"+{name}:{kept}"
        repo.git.fetch("--quiet", "--no-tags", "--no-write-fetch-head", remote.name, span)
        return str(repo.git.rev_parse("--verify", kept))


def commit_onto(
    root: Path,
    base: str,
    files: Mapping[Path, bytes],
    text: Message,
    parents: Sequence[str] | None = None,
) -> str:
    """Make a commit of some files on top of another commit; return its ID, "" if nothing differs.

    `base` is "" for the first commit of a branch. `parents` are those of the commit, if it has
    others than the base. An empty content removes the file.
    """
    with repository_of(root) as repo:
        assert repo is not None
        with explained("git commit-tree"), TemporaryDirectory(prefix="reconcile-index-") as folder:
            check_owner(repo.tree)
            repo.git.update_environment(**identity(repo))
            with repo.git.custom_environment(GIT_INDEX_FILE=str(Path(folder) / "index")):
                if base:
                    repo.git.read_tree(base)
                _place(repo, files, Path(folder))
                tree = str(repo.git.write_tree())
            if base and tree == str(repo.git.rev_parse(f"{base}^{{tree}}")):
                return ""
            above = parents if parents is not None else [base] if base else []
            options = [part for one in above for part in ("-p", one)]
            signed = ("-S",) if _signs(repo) else ()
            return str(repo.git.commit_tree(tree, *options, *signed, "-m", str(text)))


def _place(repo: Repository, files: Mapping[Path, bytes], folder: Path) -> None:
    """Put files into the index that is in use: two runs of git, however many they are.

    `git fast-import` writes many contents as one file (git-fast-import(1)).
    """
    kept = {repo.name(path): content for path, content in sorted(files.items()) if content}
    marks = folder / "marks"
    with TemporaryFile() as stream, TemporaryFile() as rows:
        _write(stream, (_blob(number, one) for number, one in enumerate(kept.values(), start=1)))
        repo.git.fast_import("--quiet", f"--export-marks={marks}", istream=stream)
        # A line of the file is `:1 <id>`, in any order.
        blobs = dict(line.split() for line in marks.read_text().splitlines())
        nothing = "0" * len(repo.git.hash_object("-t", "tree", os.devnull))
        gone = (f"0 {nothing}\t{repo.name(path)}\0" for path in files if not files[path])
        put = (
            f"100644 {blobs[f':{number}']}\t{name}\0" for number, name in enumerate(kept, start=1)
        )
        _write(rows, (row.encode(errors="surrogateescape") for row in (*gone, *put)))
        repo.git.update_index("-z", "--index-info", istream=rows)


def _blob(number: int, content: bytes) -> bytes:
    return b"blob\nmark :%d\ndata %d\n%b\n" % (number, len(content), content)


def _write(file: IO[bytes], parts: Iterable[bytes]) -> None:
    file.writelines(parts)
    file.seek(0)


def _signs(repo: Repository) -> bool:
    """Whether commits are signed: `git commit-tree` does not read `commit.gpgSign` itself."""
    try:
        return str(repo.git.config("--type=bool", "--get", "commit.gpgSign")) == "true"
    except command_error():
        return False


def push(root: Path, remote: Remote, commit: str, expected: str) -> bool:
    """Push a commit to the branch; return False if the branch is not at `expected` any more.

    It may then be at the commit: the answer of the host can get lost. Raises `GitError` if the host
    refuses the push for another reason, such as a protected branch.
    """
    with connected(root, remote) as repo:
        span = f"{commit}:refs/heads/{remote.branch}"
        lease = f"--force-with-lease=refs/heads/{remote.branch}:{expected}"
        try:
            repo.git.push("--quiet", "--no-verify", lease, remote.name, span)
        except command_error() as error:
            said = said_by(error)
            if any(sign in said for sign in _OVERTAKEN) or _has_moved(repo, remote, expected):
                return False
            raise GitError(
                f"git push to {remote.name} {remote.branch} failed: {said}",
                "The changes are applied, and the records are not pushed. The next run records "
                "them. If the host protects the branch, allow this job to push it, or let records "
                "go to a branch of their own: `record: {mode: branch}`.",
            ) from None
    return True


def _has_moved(repo: Repository, remote: Remote, expected: str) -> bool:
    """Whether the branch is not at `expected`: a host may refuse a late push in words of its own.

    False if the remote does not answer.
    """
    try:
        listed = str(repo.git.ls_remote(remote.name, f"refs/heads/{remote.branch}"))
    except command_error():
        return False
    return (listed.split("\t")[0] if listed else "") != expected
