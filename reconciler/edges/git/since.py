"""What changed between two commits: the base of a pull request and the commit that is planned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.core.errors import GitError
from reconciler.edges.git.failures import explained
from reconciler.edges.git.program import command_error
from reconciler.edges.git.repository import Repository, check_owner, repository_of


@dataclass(frozen=True, slots=True)
class Since:
    """The files that differ between a base and the commit that is checked out.

    `before` and `after` are their contents, without those that the commit does not have. `held` are
    the contents of all files of the base. `unreadable` are its links and submodules, and files that
    this clone lacks.
    """

    base: str
    before: Mapping[Path, bytes]
    after: Mapping[Path, bytes]
    held: Mapping[Path, bytes] = field(default_factory=dict, repr=False)
    unreadable: tuple[Path, ...] = ()

    @property
    def changed(self) -> tuple[Path, ...]:
        """The files that were added, changed or removed, sorted."""
        return tuple(sorted({*self.before, *self.after}))


def base_of_test_merge(root: Path) -> str:
    """Return `HEAD^1` if the commit is a merge, as GitHub makes one to test a pull request."""
    with repository_of(root) as repo:
        if repo is None:
            return ""
        try:
            check_owner(repo.tree)
            repo.git.rev_parse("--verify", "--quiet", "HEAD^2^{commit}")
        except command_error():
            return ""
        return "HEAD^1"


def since(
    root: Path,
    ref: str,
    paths: Sequence[Path],
    is_wanted: Callable[[Path], bool] = lambda _: True,
) -> Since | None:
    """Compare some files and folders with another commit. Returns None outside a repository.

    Of files that do not differ, only the contents of the wanted ones are read. Nothing of the other
    commit is written to the working tree, and no program of it runs. Raises `GitError` if the
    repository does not have the commit.
    """
    with repository_of(root) as repo:
        if repo is None:
            return None
        with explained("git rev-parse"):
            check_owner(repo.tree)
        base = commit_of(repo, ref)
        names = [repo.name(path) for path in paths]
        with explained("git ls-tree"):
            old, new = repo.held(base, names), repo.held("HEAD", names)
        differing = {name for name in {*old, *new} if old.get(name) != new.get(name)}
        with explained("git cat-file"):
            wanted = {
                name: row
                for name, row in old.items()
                if name in differing or is_wanted(repo.tree.root / name)
            }
            held = _contents(repo, {name: row for name, row in wanted.items() if _is_file(row)})
            after = _contents(repo, {name: new[name] for name in differing if name in new})
    paths_of = {name: repo.tree.root / name for name in wanted}
    before = {path: held.get(path, b"") for name in differing if (path := paths_of.get(name))}
    lacking = (path for path in paths_of.values() if path not in held)
    return Since(base, before, after, held, tuple(sorted(lacking)))


def differing(root: Path, one: str, other: str, path: Path) -> tuple[Path, ...]:
    """Return the files at or below a path that differ between two commits, sorted.

    Outside a repository there are none. Raises `GitError` if it does not have the commits.
    """
    with repository_of(root) as repo:
        if repo is None:
            return ()
        with explained("git diff-tree"):
            check_owner(repo.tree)
            options = ("-r", "-z", "--name-only", "--no-renames")
            above = repo.name(path)  # the path itself may hold a link
            output = str(repo.git.diff_tree(*options, one, other, "--", above))
    names = sorted(filter(None, output.split("\0")))
    return tuple(path / Path(name).relative_to(above) for name in names)


def _is_file(entry: Sequence[str]) -> bool:
    """Whether an entry of a commit is a regular file: 120000 is a link, 160000 a submodule."""
    return entry[0].startswith("100")


def commit_of(repo: Repository, ref: str) -> str:
    """Return the ID of a commit. Raises `GitError` if the repository does not have it."""
    try:
        return str(
            repo.git.rev_parse("--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        )
    except command_error():
        raise GitError(
            f"this repository has no commit {ref}",
            "Fetch it, or check out more of the history: `fetch-depth: 2` of actions/checkout has "
            "the base of a pull request.",
        ) from None


def _contents(repo: Repository, entries: Mapping[str, Sequence[str]]) -> Mapping[Path, bytes]:
    blobs = {name: rows[0].split()[1] for name, rows in entries.items()}
    found = repo.contents(blobs.values())
    return {repo.tree.root / name: found[blob] for name, blob in blobs.items() if blob in found}
