"""Git, through GitPython's `repo.git` (its index and traversal are ten times slower).

A run commits the files it wrote and nothing else: whatever else is staged or changed in the work
tree stays as it is.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

from reconciler.core.errors import GitBusyError, GitError
from reconciler.core.model.key import KEY_FILE
from reconciler.edges import worktree
from reconciler.edges.files import is_leftover
from reconciler.edges.surroundings import absolute_only, is_credential
from reconciler.edges.worktree import Worktree

# Who commits where git knows nobody (a fresh CI machine).
FALLBACK_NAME = "reconciler"
FALLBACK_EMAIL = "reconciler@localhost"

# Git sets these for its hooks; inherited, they would point our git at another repository or index.
# As `git rev-parse --local-env-vars` lists them, without the settings that a user may give so.
_HOOK_ENVIRONMENT = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
_ENVIRONMENT = {
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_EDITOR": "true",
    # `git status` takes no lock to write down what it has seen.
    "GIT_OPTIONAL_LOCKS": "0",
    # No object is fetched, and a transport of that name does not exist: an `ext::` remote is a
    # program (git-remote-ext(1)).
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
}
# On the command line they win over every file.
_SETTINGS = (
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "submodule.recurse=false",
    # The id of a commit in full, where git prints what it made.
    "core.abbrev=40",
)
_COMMITTED = re.compile(r"^\[.+? ([0-9a-f]{40,64})\] ", re.MULTILINE)
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
    """The commit that is checked out; "" outside a repository or before the first commit.

    Raises `GitError` for a `.git` that names a folder which is not git's own.
    """
    with _repository(root) as repo:
        if repo is None:
            return ""
        try:
            _check_owner(repo.tree)
            return str(repo.git.rev_parse("--verify", "--quiet", "HEAD^{commit}"))
        except _command_error():
            return ""


def changed(root: Path, paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files below some folders that are not as in the commit, gone ones too.

    Empty outside a repository. Raises `GitError` for a file that git ignores.
    """
    with _repository(root) as repo:
        if repo is None:
            return ()
        with _explained("git status"):
            return tuple(repo.tree.root / name for name in _changed(repo, paths))


def is_ignored(path: Path) -> bool:
    """Whether git would not commit a file: it is outside of any work tree, or ignored.

    False where git cannot tell, and for a file that is tracked although a pattern ignores it.
    """
    folder = path.parent.resolve()
    with _repository(folder) as repo:
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
    with _repository(root) as repo:
        if repo is None:
            return b""
        try:
            _check_owner(repo.tree)
            return repo.content(f"HEAD:{repo.name(path)}")
        except _command_error():
            return b""


def commit(root: Path, paths: Sequence[Path], text: Message) -> str:
    """Commit exactly these files or folders (gone ones too) and return the new commit's id.

    Returns "" when they are as in the commit already. Raises `GitError` outside a repository,
    when a hook refuses or leaves a file out, when another git holds the lock, while a merge is
    under way. After an error the index is as it was before.
    """
    with _repository(root) as repo:
        if repo is None:
            raise GitError(
                f"{root} is not in a git repository, so records cannot be committed",
                "run `git init`, or set `record: {mode: files}` in reconciler.yaml",
            )
        with _explained("git commit"):
            names = _changed(repo, paths)
            if not names:
                return ""
            repo.git.update_environment(**_identity(repo))
            with _trusted_hooks(repo), _staged(repo, names) as staged:
                made = _made(repo, _commit(repo, names, text))
                _check_committed(repo, made, names, staged)
            return made


_KINDS = ("blob", "commit")
# Of each file: its mode and the id of its content, once for every stage of a merge.
_Entries = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Repository:
    """A working tree, and git for it."""

    tree: Worktree
    git: Any

    def name(self, path: Path) -> str:
        """A path as git knows it. A link at its end is the file's own."""
        parent = Path(os.path.realpath(path.parent))
        return (parent / path.name).relative_to(self.tree.root).as_posix()

    def content(self, *arguments: str) -> bytes:
        """The content of a blob."""
        kind = () if "--filters" in arguments else ("blob",)
        told: bytes = self.git.cat_file(
            *kind, *arguments, stdout_as_string=False, strip_newline_in_stdout=False
        )
        return told

    def staged(self, names: Sequence[str]) -> _Entries:
        """What the index holds of some files."""
        return _entries(self.git.ls_files("--stage", "-z", "--", *names))

    def held(self, commit: str, names: Sequence[str]) -> _Entries:
        """What a commit holds of some files, as an index would hold it."""
        return _entries(self.git.ls_tree("-r", "-z", "--full-tree", commit, "--", *names))


def _entries(told: str) -> _Entries:
    """By name, the rows `<mode> <id> <stage>` of ls-files, or `<mode> blob <id>` of ls-tree."""
    found: dict[str, tuple[str, ...]] = {}
    for row in filter(None, told.split("\0")):
        entry, _, name = row.partition("\t")
        mode, kind, blob = entry.split()
        as_in_index = f"{mode} {blob} 0" if kind in _KINDS else entry
        found[name] = (*found.get(name, ()), as_in_index)
    return found


@contextmanager
def _staged(repo: _Repository, names: Sequence[str]) -> Iterator[_Entries]:
    """Some files in the index, as they are now; if what follows fails, as they were before.

    A run that is killed leaves them there: the next one finds them.
    """
    head = _tip(repo)
    before = repo.staged(names)
    content = {name: _bytes_of(repo.tree.root / name) for name in names}
    try:
        repo.git.add("--all", "--", *names)
        staged = repo.staged(names)
        _check_staged(repo, staged, content)
        yield staged
    except _LeftOutError as error:
        _unstage(repo, error.names, before)
        raise
    except BaseException:
        if _tip(repo) == head:
            _unstage(repo, names, before)
        else:  # another run was faster: what it has committed is not taken back
            with suppress(_command_error()):
                repo.git.reset("--quiet", "--", *names)
        raise


def _commit(repo: _Repository, names: Sequence[str], text: Message) -> str:
    """What git says of the commit that it made."""
    with _copied_index(repo) as index, repo.git.custom_environment(GIT_INDEX_FILE=index):
        return str(repo.git.commit("--only", "-m", str(text), "--", *names))


class _LeftOutError(GitError):
    """A commit was made, but without some of its files."""

    def __init__(self, message: str, hint: str, names: Sequence[str]) -> None:
        super().__init__(message, hint)
        self.names = names


def _unstage(repo: _Repository, names: Sequence[str], before: _Entries) -> None:
    """Put the entries of some files in the index back, or take them out.

    Where that fails, the error before it is the one to report.
    """
    with suppress(_command_error(), OSError), TemporaryFile() as file:
        nothing = "0" * len(repo.git.hash_object("-t", "tree", os.devnull))
        rows = [f"0 {nothing}\t{name}" for name in names]
        rows += [f"{entry}\t{name}" for name in names for entry in before.get(name, ())]
        file.write("".join(f"{row}\0" for row in rows).encode(errors="surrogateescape"))
        file.seek(0)
        repo.git.update_index("-z", "--index-info", istream=file)


def _check_staged(repo: _Repository, staged: _Entries, content: Mapping[str, bytes | None]) -> None:
    """What git has taken must give back the file: a filter may have made something else of it."""
    for name, expected in content.items():
        taken = _taken(repo, name, staged.get(name, ()), expected)
        if taken == expected:
            continue
        if _bytes_of(repo.tree.root / name) != expected:
            raise GitBusyError(f"git commit failed: another run writes {name}", "run again")
        raise GitError(
            f"git commit failed: {name} would not be in the commit as it was written",
            "see which filter .gitattributes names for it: the records are written",
        )


def _taken(
    repo: _Repository, name: str, entries: Sequence[str], expected: bytes | None
) -> bytes | None:
    """The content that a file would have when it is checked out again; None without a file."""
    if len(entries) != 1:
        return None
    _mode, blob, _stage = entries[0].split()
    if expected is not None and blob == _blob_id(expected, len(blob)):
        return expected
    # `core.autocrlf` gives other ends of lines, and those mean nothing in JSON.
    given = repo.content("--filters", f"--path={name}", blob)
    return given if given == expected else given.replace(b"\r\n", b"\n")


def _blob_id(content: bytes, length: int) -> str:
    """As git names a content where no filter changes it (git-hash-object(1))."""
    make = hashlib.sha1 if length == 40 else hashlib.sha256
    return make(b"blob %d\0" % len(content) + content).hexdigest()


def _check_committed(repo: _Repository, made: str, names: Sequence[str], staged: _Entries) -> None:
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
        raise _LeftOutError(
            f"the commit {made[:12]} does not hold {_listed(left_out)} as written",
            "see which hook of git changes commits: the records are written, "
            "`git commit -- records` commits them",
            left_out,
        )


def _is_as_on_disk(repo: _Repository, name: str, entries: Sequence[str]) -> bool:
    now = _bytes_of(repo.tree.root / name)
    return now is not None and _taken(repo, name, entries, now) == now


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more}"


def _made(repo: _Repository, told: str) -> str:
    """The commit that git says it made; the tip may be that of another run by now."""
    found = _COMMITTED.search(told)
    return str(repo.git.rev_parse("--verify", f"{found[1] if found else 'HEAD'}^{{commit}}"))


def _tip(repo: _Repository) -> str:
    """The commit that is checked out, "" before the first."""
    try:
        return str(repo.git.rev_parse("--verify", "--quiet", "HEAD"))
    except _command_error():
        return ""


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


@contextmanager
def _copied_index(repo: _Repository) -> Iterator[str]:
    """What git locks while the hooks run, for as long as they like: killed then, it leaves the
    lock behind, and beside the index that would keep everybody from committing.

    The copy has the index's times: by them git tells what was written in the same moment.
    """
    index = repo.tree.root / str(repo.git.rev_parse("--git-path", "index"))
    with TemporaryDirectory(prefix="reconcile-index-") as folder:
        yield shutil.copy2(index, folder)


@contextmanager
def _trusted_hooks(repo: _Repository) -> Iterator[None]:
    """Without the hooks that are files of the tree, by `core.hooksPath` or a link.

    A pull request can change those; the others are the user's own.
    """
    folder = repo.tree.root / str(repo.git.rev_parse("--git-path", "hooks"))
    hooks = sorted(folder.iterdir()) if folder.is_dir() else []
    trusted = [hook for hook in hooks if not repo.tree.holds(hook)]
    if trusted == hooks:
        yield
        return
    with TemporaryDirectory(prefix="reconcile-hooks-") as empty:
        for hook in trusted:
            (Path(empty) / hook.name).symlink_to(hook.resolve())
        _set(repo.git, f"core.hooksPath={empty}")
        yield


def _changed(repo: _Repository, paths: Sequence[Path]) -> list[str]:
    """The files below `paths` that differ from the commit, by their names in the repository."""
    _check_owner(repo.tree)
    _refuse_settings_of_tree(repo)
    status = repo.git.status(
        *("--porcelain", "--no-renames", "--untracked-files=all", "--ignored=matching", "-z"),
        *("--ignore-submodules=all", "--", *map(repo.name, paths)),
    )
    rows = [row for row in status.split("\0") if row]
    ignored = [row[3:] for row in rows if row.startswith("!!")]
    if ignored:
        raise GitError(
            f"{ignored[0]} is git-ignored, so it cannot be committed",
            f"take records/ and {KEY_FILE} out of .gitignore, "
            "or set `record: {mode: files}` in reconciler.yaml",
        )
    names = dict.fromkeys(row[3:] for row in rows)
    return [name for name in names if not is_leftover(Path(name).name)]


def _refuse_settings_of_tree(repo: _Repository) -> None:
    """Settings name programs. `include.path`, or HOME in the tree, would let a pull request do so.

    Raises `GitError`.
    """
    told = repo.git.config("--list", "--show-origin", "--name-only", "--includes", "-z")
    for origin in sorted({row for row in told.split("\0") if row.startswith("file:")}):
        path = repo.tree.root / origin.removeprefix("file:")
        if repo.tree.holds(path):
            raise GitError(
                f"git reads settings from {path}, which is in the working tree",
                "a pull request could change them: take out the `include.path` in .git/config, "
                "or set HOME to a folder outside; the records are written",
            )


@contextmanager
def _repository(root: Path) -> Iterator[_Repository | None]:
    """The repository around a folder, None where there is none; git runs in this block only.

    Raises `GitError` for a `.git` that names a folder which is not git's own.
    """
    tree = worktree.find(root)
    if tree is None:
        yield None
        return
    with _sanitised():
        git = _git(tree)
        git.update_environment(GIT_DIR=str(tree.git_dir), GIT_WORK_TREE=str(tree.root))
        yield _Repository(tree, git)


@cache
def _check_owner(tree: Worktree) -> None:
    """Let git find the repository itself: only then it checks whose it is (safe.directory).

    GitPython's CommandError where it refuses, `GitError` where it finds another one.
    """
    found = str(_git(tree).rev_parse("--absolute-git-dir"))
    if os.path.realpath(found) != str(tree.git_dir):
        raise GitError(
            f"git takes {found} for the repository of {tree.root}, not {tree.git_dir}",
            "see whether `git status` works there: the repository may be damaged",
        )


def _git(tree: Worktree) -> Any:
    git = _gitpython().Git(str(tree.root))
    _set(git)
    git.update_environment(**_ENVIRONMENT)
    return git


def _set(git: Any, *more: str) -> None:
    """What git is to obey, whatever its files say."""
    git.set_persistent_git_options(c=[*_SETTINGS, *more])


def _identity(repo: _Repository) -> Mapping[str, str]:
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


def _configured(repo: _Repository) -> set[str]:
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
    """Without credentials, the current folder, and what git tells its hooks.

    GitPython can add to the environment of git, not take away. So ours is changed while git runs,
    which is when no call of the service is under way that could read it.
    """
    gone = [name for name in os.environ if name in _HOOK_ENVIRONMENT or is_credential(name)]
    kept = {name: os.environ.pop(name) for name in gone}
    path = os.environ.pop("PATH", os.defpath)
    os.environ["PATH"] = absolute_only(path)
    try:
        yield
    finally:
        os.environ.update(kept, PATH=path)


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
    ("Permission denied", "fix the permissions; "),
    (".lock", "another git is at work, or one died: wait, or delete that lock file; "),
    ("dubious ownership", "tell git that the folder is safe, as it says; "),
    ("during a merge", "finish or abort the merge; "),
    ("No space left", "make room on the disk; "),
)


def _next(said: str) -> str:
    """What to do about it; the records themselves are written already."""
    found = next(
        (hint for sign, hint in _NEXT if sign in said), "fix that (a hook may have refused); "
    )
    return f"{found}the records are written: `git commit -- records`, or run again"
