"""The contents of files in a commit that is not checked out.

For records, a link, a submodule, and a content that this clone lacks are errors: records that are
not read would make changes look as if no one had ever reviewed them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from reconciler.core.errors import GitError
from reconciler.edges.git.failures import explained
from reconciler.edges.git.program import command_error
from reconciler.edges.git.repository import Repository, repository_of


def contents_at(root: Path, commit: str, paths: Sequence[Path]) -> Mapping[Path, bytes]:
    """Return the contents of some files in a commit, without files that it does not contain."""
    if not (commit and paths):
        return {}
    with repository_of(root) as repo:
        assert repo is not None
        names = {repo.name(path): path for path in paths}
        found = dict(_contents(repo, commit, list(names)))
    return {names[name]: content for name, content in found.items() if name in names}


def readable_at(root: Path, commit: str, paths: Sequence[Path]) -> Mapping[Path, bytes | None]:
    """Like `contents_at`, with None for what is no regular file, or is not in this clone."""
    if not paths:
        return {}
    with repository_of(root) as repo:
        assert repo is not None
        names = {repo.name(path): path for path in paths}
        with explained("git ls-tree"):
            held = repo.held(commit, list(names))
        blobs = {name: blob for name, rows in held.items() if (blob := _regular(rows[0]))}
        contents = _in_clone(repo, blobs.values())
    return {path: contents.get(blobs.get(name, "")) for name, path in names.items() if name in held}


def names_at(root: Path, commit: str, folder: Path) -> tuple[Path, ...]:
    """Return the files that a commit has below a folder, sorted. No content is read."""
    if not commit:
        return ()
    with repository_of(root) as repo:
        assert repo is not None
        above = repo.name(folder)
        with explained("git ls-tree"):
            held = repo.held(commit, [above])
    return tuple(folder / Path(name).relative_to(above) for name in sorted(held))


def files_at(root: Path, commit: str, folder: Path) -> Mapping[Path, bytes]:
    """Return the contents of all files below a folder in a commit."""
    with repository_of(root) as repo:
        assert repo is not None
        above = repo.name(folder)
        found = dict(_contents(repo, commit, [above]))
    return {folder / Path(name).relative_to(above): content for name, content in found.items()}


def _contents(repo: Repository, commit: str, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    with explained("git ls-tree"):
        held = repo.held(commit, names)
    blobs = {name: _blob(name, entries[0], commit) for name, entries in held.items()}
    contents = _in_clone(repo, blobs.values())
    for name, blob in blobs.items():
        if blob not in contents:
            raise GitError(
                f"{name}: this clone does not have its content in commit {commit[:12]}",
                "The clone is a partial one. Fetch that commit without `--filter`.",
            )
        yield name, contents[blob]


def _in_clone(repo: Repository, blobs: Iterable[str]) -> Mapping[str, bytes]:
    try:
        return repo.contents(blobs)
    except command_error():  # in a partial clone: contents are not fetched here
        return {}


def _blob(name: str, entry: str, commit: str) -> str:
    if not (blob := _regular(entry)):
        raise GitError(
            f"{name}: is not a regular file in commit {commit[:12]}",
            "Remove it from that branch: only `reconcile` writes this file.",
        )
    return blob


def _regular(entry: str) -> str:
    """The content of a regular file, "" for others: 120000 is a link, 160000 a submodule."""
    mode, blob, _stage = entry.split()
    return blob if mode.startswith("100") else ""
