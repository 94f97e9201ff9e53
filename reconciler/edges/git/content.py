"""Checks that git stores a file as it was written: a filter or a hook may change it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.core.errors import GitBusyError, GitError
from reconciler.edges.git.repository import Entries, Repository


class LeftOutError(GitError):
    """A commit was made, but without some of its files."""

    def __init__(self, message: str, hint: str, names: Sequence[str]) -> None:
        super().__init__(message, hint)
        self.names = names


def check_staged(repo: Repository, staged: Entries, content: Mapping[str, bytes | None]) -> None:
    """Check that each staged file will be checked out unchanged: a filter may alter it."""
    for name, expected in content.items():
        taken = _taken(repo, name, staged.get(name, ()), expected)
        if taken == expected:
            continue
        # The file was staged: another run whose commit failed has removed it from the index.
        is_removed = expected is not None and name not in staged
        if is_removed or bytes_of(repo.tree.root / name) != expected:
            raise _another_run(name)
        raise GitError(
            f"git commit failed: a filter of git would change {name}",
            "Remove the filter for this file in .gitattributes. The records are written.",
        )


def _another_run(name: str) -> GitBusyError:
    message = f"git commit failed: another run writes {name}"
    return GitBusyError(message, "Run the command again.")


def _taken(
    repo: Repository, name: str, entries: Sequence[str], expected: bytes | None
) -> bytes | None:
    """Return the content that a checkout of the file would have; None if it is not in the index."""
    if len(entries) != 1:
        return None
    _mode, blob, _stage = entries[0].split()
    if expected is not None and blob == blob_id(expected, len(blob)):
        return expected
    # `core.autocrlf` changes line endings, which do not matter in JSON.
    given = repo.filtered(name, blob)
    return given if given == expected else given.replace(b"\r\n", b"\n")


def blob_id(content: bytes, length: int) -> str:
    """Return the ID that git gives to unfiltered content (git-hash-object(1))."""
    make = hashlib.sha1 if length == 40 else hashlib.sha256
    return make(b"blob %d\0" % len(content) + content).hexdigest()


def check_committed(repo: Repository, made: str, names: Sequence[str], staged: Entries) -> None:
    """Check that no hook removed files from the commit or changed them in it.

    Git reads the files again during the commit, so it may contain a newer record of another run.
    """
    held = repo.held(made, names)
    left_out = [
        name
        for name in names
        if held.get(name) != staged.get(name) and not _is_as_on_disk(repo, name, held.get(name, ()))
    ]
    for name in left_out:
        # Since it was staged, another run wrote the file, perhaps more than once.
        now = bytes_of(repo.tree.root / name)
        if now is not None and _taken(repo, name, staged.get(name, ()), now) != now:
            raise _another_run(name)
    if left_out:
        raise LeftOutError(
            f"commit {made[:12]} does not contain {_listed(left_out)} as written",
            "Find the git hook that changes commits. The records are written; commit them with "
            "`git commit -- records`.",
            left_out,
        )


def _is_as_on_disk(repo: Repository, name: str, entries: Sequence[str]) -> bool:
    now = bytes_of(repo.tree.root / name)
    return now is not None and _taken(repo, name, entries, now) == now


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more}"


def bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
