"""Git, through GitPython's `repo.git` (its index and traversal are ten times slower).

A run commits the files it wrote and nothing else: whatever else is staged or changed in the work
tree stays as it is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from reconciler.errors import GitBusyError, GitError
from reconciler.files import is_leftover
from reconciler.model.key import KEY_FILE

# Who commits where git knows nobody (a fresh CI machine).
FALLBACK_NAME = "reconciler"
FALLBACK_EMAIL = "reconciler@localhost"

# Git sets these for its hooks; inherited, they would point our git at another repository or index.
_HOOK_ENVIRONMENT = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
)
# A body is for people: beyond this many lines it tells how many more there are.
_BODY_LINES = 100


@dataclass(frozen=True, slots=True, order=True)
class Moved:
    """One image set whose record changed. `previous` is "" where it was only found converged."""

    datastore: str
    image_set_id: str
    previous: str
    version: str

    def __str__(self) -> str:
        step = f"{self.previous} → {self.version}" if self.previous else f"at {self.version}"
        return f"{self.datastore}/{self.image_set_id} {step}"


@dataclass(frozen=True, slots=True)
class Message:
    """A commit message: for people above, `trailers` for programs below."""

    subject: str
    body: str
    trailers: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        tail = "\n".join(f"{name}: {value}" for name, value in self.trailers)
        return "\n\n".join(part for part in (self.subject, self.body, tail) if part) + "\n"


def message(moved: Iterable[Moved], *, applied_commit: str, plan_digest: str) -> Message:
    """The message of a run's commit. It holds image set ids and versions, no DICOM value."""
    lines = [str(one) for one in sorted(moved)]
    subject = "Drop records that no manifest asks for"
    if lines:
        one = len(lines) == 1
        what = "image set at its new version" if one else "image sets at their new versions"
        subject = f"Record {len(lines)} {what}"
    if len(lines) > _BODY_LINES:
        lines[_BODY_LINES:] = [f"and {len(lines) - _BODY_LINES} more"]
    trailers = (("Applied-Commit", applied_commit), ("Plan-Digest", plan_digest))
    return Message(subject, "\n".join(lines), tuple(pair for pair in trailers if pair[1]))


def head(root: Path) -> str:
    """The commit that is checked out; "" outside a repository or before the first commit."""
    with _sanitised():
        repo = _repository(root)
        if repo is None:
            return ""
        try:
            return str(repo.git.rev_parse("--verify", "--quiet", "HEAD^{commit}"))
        except _command_error():
            return ""


def changed(root: Path, paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files below some folders that are not as in the commit, gone ones too.

    Empty outside a repository. Raises `GitError` for a file that git ignores.
    """
    with _sanitised():
        repo = _repository(root)
        if repo is None:
            return ()
        with _explained("git status"):
            return tuple(Path(name) for name in _changed(repo, paths))


def is_ignored(path: Path) -> bool:
    """Whether git would not commit a file: it is outside of any work tree, or ignored.

    False where git cannot tell, and for a file that is tracked although a pattern ignores it.
    """
    folder = path.parent.resolve()
    with _sanitised():
        repo = _repository(folder)
        if repo is None:
            return True
        try:
            # It takes no literal pathspecs, and needs none: an absolute path has no magic.
            with repo.git.custom_environment(GIT_LITERAL_PATHSPECS="0"):
                repo.git.check_ignore("--quiet", "--", str(folder / path.name))
        except _command_error():  # status 1 where it is not ignored
            return False
        return True


def committed(root: Path, path: Path) -> bytes:
    """The content of a file in the commit; b"" where it has none."""
    with _sanitised():
        repo = _repository(root)
        if repo is None:
            return b""
        name = path.resolve().relative_to(Path(repo.working_tree_dir).resolve()).as_posix()
        try:
            content: bytes = repo.git.show(
                f"HEAD:{name}", stdout_as_string=False, strip_newline_in_stdout=False
            )
        except _command_error():
            return b""
        return content


def commit(root: Path, paths: Sequence[Path], text: Message) -> str:
    """Commit exactly these files or folders (gone ones too) and return the new commit's id.

    Returns "" when they are as in the commit already. Raises `GitError` outside a repository,
    when a hook refuses, when another git holds the lock, while a merge is under way.
    """
    with _sanitised():
        repo = _repository(root)
        if repo is None:
            raise GitError(
                f"{root} is not in a git repository, so records cannot be committed",
                "run `git init`, or set `record: {mode: files}` in reconciler.yaml",
            )
        with _explained("git commit"):
            changed = _changed(repo, paths)
            if not changed:
                return ""
            repo.git.update_environment(**_identity(repo))
            repo.git.add("--all", "--", *changed)
            with _copied_index(repo) as index, repo.git.custom_environment(GIT_INDEX_FILE=index):
                repo.git.commit("--only", "--quiet", "-m", str(text), "--", *changed)
            return str(repo.git.rev_parse("HEAD"))


@contextmanager
def _copied_index(repo: Any) -> Iterator[str]:
    """What git locks while the hooks run, for as long as they like: killed then, it leaves the
    lock behind, and beside the index that would keep everybody from committing.

    The copy has the index's times: by them git tells what was written in the same moment.
    """
    index = Path(repo.working_dir) / str(repo.git.rev_parse("--git-path", "index"))
    with TemporaryDirectory(prefix="reconcile-index-") as folder:
        yield shutil.copy2(index, folder)


def _changed(repo: Any, paths: Sequence[Path]) -> list[str]:
    """The files below `paths` that differ from the commit, as absolute paths."""
    status = repo.git.status(
        *("--porcelain", "--no-renames", "--untracked-files=all", "--ignored=matching", "-z"),
        *("--", *map(str, paths)),
    )
    rows = [row for row in status.split("\0") if row]
    ignored = [row[3:] for row in rows if row.startswith("!!")]
    if ignored:
        raise GitError(
            f"{ignored[0]} is git-ignored, so it cannot be committed",
            f"take records/ and {KEY_FILE} out of .gitignore, "
            "or set `record: {mode: files}` in reconciler.yaml",
        )
    files = [Path(repo.working_tree_dir) / row[3:] for row in rows]
    return [str(file) for file in files if not is_leftover(file.name)]


def _repository(root: Path) -> Any:
    """The repository around `root`, None where there is none."""
    git = _gitpython()
    try:
        repo = git.Repo(root, search_parent_directories=True)
    except (git.InvalidGitRepositoryError, git.NoSuchPathError):
        return None
    if repo.working_tree_dir is None:
        return None
    repo.git.update_environment(**_ENVIRONMENT)
    return repo


_ENVIRONMENT = {
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_EDITOR": "true",
    # `git status` takes no lock to write down what it has seen.
    "GIT_OPTIONAL_LOCKS": "0",
}


def _identity(repo: Any) -> Mapping[str, str]:
    """Who commits, where neither git nor the environment knows."""
    configured = _configured(repo)
    environment = {}
    for role in ("author", "committer"):
        for what, fallback in (("name", FALLBACK_NAME), ("email", FALLBACK_EMAIL)):
            variable = f"GIT_{role}_{what}".upper()
            known = os.environ.get(variable) or (what == "email" and os.environ.get("EMAIL"))
            if not known and not configured & {f"{role}.{what}", f"user.{what}"}:
                environment[variable] = fallback
    return environment


def _configured(repo: Any) -> set[str]:
    """Which of the settings that make an identity are there, and not empty."""
    try:
        told = repo.git.config("--get-regexp", r"^(author|committer|user)\.(name|email)$")
    except _command_error():
        return set()
    rows = (line.partition(" ") for line in str(told).splitlines())
    return {name for name, _, value in rows if value}


def _command_error() -> type[Exception]:
    """What GitPython raises for a command that fails, or for a machine without git."""
    error: type[Exception] = _gitpython().CommandError
    return error


def _gitpython() -> Any:
    """GitPython, which by itself refuses to be imported on a machine without git."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import git

    return git


@contextmanager
def _sanitised() -> Iterator[None]:
    """Without what git tells its hooks: GitPython can add to the environment, not take away."""
    kept = {name: os.environ.pop(name) for name in _HOOK_ENVIRONMENT if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except _command_error() as error:
        told = str(getattr(error, "stderr", "") or error).strip()
        said = told.removeprefix("stderr: ").strip("'\n ")
        kind = GitBusyError if _is_busy(said) else GitError
        raise kind(f"{what} failed: {said or 'no reason given'}", _next(said)) from None
    except OSError as error:
        said = f"{error.strerror} ({error.filename})"
        raise GitError(f"{what} failed: {said}", _next(said)) from None


def _is_busy(said: str) -> bool:
    """A lock file, or a branch that moved under us."""
    return (".lock" in said and "exists" in said) or "cannot lock ref" in said


_NEXT: tuple[tuple[str, str], ...] = (
    ("not found", "install git; "),
    ("Read-only file system", "commit where the repository can be written; "),
    ("Permission denied", "mend the permissions; "),
    (".lock", "another git is at work, or one died: wait, or delete that lock file; "),
    ("dubious ownership", "tell git that the folder is safe, as it says; "),
    ("during a merge", "finish or abort the merge; "),
    ("No space left", "make room on the disk; "),
)


def _next(said: str) -> str:
    """What to do about it; the records themselves are written already."""
    found = next((hint for sign, hint in _NEXT if sign in said), "mend that (a hook refused?); ")
    return f"{found}the records are written: `git commit -- records`, or run again"
