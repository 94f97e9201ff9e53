"""Whether git holds a file as it was written: a filter or a hook may have changed it."""

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
    """What git has taken must give back the file: a filter may have made something else of it."""
    for name, expected in content.items():
        taken = _taken(repo, name, staged.get(name, ()), expected)
        if taken == expected:
            continue
        if bytes_of(repo.tree.root / name) != expected:
            raise GitBusyError(f"git commit failed: another run writes {name}", "run again")
        raise GitError(
            f"git commit failed: {name} would not be in the commit as it was written",
            "see which filter .gitattributes names for it: the records are written",
        )


def _taken(
    repo: Repository, name: str, entries: Sequence[str], expected: bytes | None
) -> bytes | None:
    """The content that a file would have when it is checked out again; None without a file."""
    if len(entries) != 1:
        return None
    _mode, blob, _stage = entries[0].split()
    if expected is not None and blob == _blob_id(expected, len(blob)):
        return expected
    # `core.autocrlf` gives other ends of lines, and those mean nothing in JSON.
    given = repo.filtered(name, blob)
    return given if given == expected else given.replace(b"\r\n", b"\n")


def _blob_id(content: bytes, length: int) -> str:
    """As git names a content where no filter changes it (git-hash-object(1))."""
    make = hashlib.sha1 if length == 40 else hashlib.sha256
    return make(b"blob %d\0" % len(content) + content).hexdigest()


def check_committed(repo: Repository, made: str, names: Sequence[str], staged: Entries) -> None:
    """A hook may have taken files out of the commit, or changed them there.

    Git reads the files once more as it commits, so that another run's newer record may be in it.
    """
    held = repo.held(made, names)
    left_out = [
        name
        for name in names
        if held.get(name) != staged.get(name) and not _is_as_on_disk(repo, name, held.get(name, ()))
    ]
    if left_out:
        raise LeftOutError(
            f"the commit {made[:12]} does not hold {_listed(left_out)} as written",
            "see which hook of git changes commits: the records are written, "
            "`git commit -- records` commits them",
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
