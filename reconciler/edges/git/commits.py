"""Commits exactly the files that a run wrote.

All other staged or changed files stay as they are.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from reconciler.core.errors import GitError
from reconciler.edges.git.content import LeftOutError, bytes_of, check_committed, check_staged
from reconciler.edges.git.failures import explained
from reconciler.edges.git.messages import Message
from reconciler.edges.git.program import command_error, set_options
from reconciler.edges.git.repository import Entries, Repository, changed_names, repository_of, tip

_COMMITTED = re.compile(r"^\[.+? ([0-9a-f]{40,64})\] ", re.MULTILINE)
# The author if git has no identity, as on a new CI machine.
FALLBACK_NAME = "reconciler"
FALLBACK_EMAIL = "reconciler@localhost"


def commit(root: Path, paths: Sequence[Path], text: Message) -> str:
    """Commit exactly these files or folders, removed files included; return the ID of the commit.

    Returns "" if they have not changed, or if another run commits them meanwhile. Raises `GitError`
    outside a repository, if a hook rejects the commit or leaves a file out, if another git process
    holds the lock, and during a merge. After an error the index is as before.
    """
    with repository_of(root) as repo:
        if repo is None:
            raise _no_repository(root)
        with explained("git commit", of_records=True):
            names = changed_names(repo, paths)
            if not names:
                return ""
            repo.git.update_environment(**identity(repo))
            try:
                return _commit_checked(repo, names, text)
            except command_error():
                if changed_names(repo, paths):
                    raise
                return ""  # another run has committed these files meanwhile


def check_committable(root: Path, paths: Sequence[Path]) -> None:
    """Raise `GitError` if these files or folders cannot be committed, before they are written.

    Hooks and filters decide later.
    """
    with repository_of(root) as repo:
        if repo is None:
            raise _no_repository(root)
        with explained("git status"):
            changed_names(repo, paths)
            if (repo.tree.git_dir / "MERGE_HEAD").exists():
                raise GitError(
                    "records cannot be committed: a merge is not finished",
                    "Run `git commit` to finish the merge, or `git merge --abort`. Then run the "
                    "command again.",
                )


def _no_repository(root: Path) -> GitError:
    return GitError(
        f"{root} is not in a git repository, so records cannot be committed",
        "Run `git init`, or set `record: {mode: files}` in reconciler.yaml.",
    )


def _commit_checked(repo: Repository, names: Sequence[str], text: Message) -> str:
    """Commit some files, and check that the commit holds them as they are."""
    with _trusted_hooks(repo), _staged(repo, names) as staged:
        head = tip(repo)
        held = repo.held(head, names) if head else {}
        if all(staged.get(name) == held.get(name) for name in names):
            return ""  # another run has committed them, and the index lacked them
        made = _made(repo, _commit(repo, names, text))
        check_committed(repo, made, names, staged)
    return made


@contextmanager
def _staged(repo: Repository, names: Sequence[str]) -> Iterator[Entries]:
    """Stage some files; after an error, restore their entries in the index.

    A killed run leaves them staged; the next run commits them.
    """
    head = tip(repo)
    before = repo.staged(names)
    content = {name: bytes_of(repo.tree.root / name) for name in names}
    try:
        _add(repo, names)
        staged = repo.staged(names)
        check_staged(repo, staged, content)
        yield staged
    except LeftOutError as error:
        _unstage(repo, error.names, before)
        raise
    except BaseException:
        if tip(repo) == head:
            _unstage(repo, names, before)
        else:  # another run made a commit in between: do not undo its files
            with suppress(command_error()):
                repo.git.reset("--quiet", "--", *names)
        raise


def _add(repo: Repository, names: Sequence[str]) -> None:
    """Stage some files, removed ones included."""
    with TemporaryFile() as file:
        file.write("".join(f"{name}\0" for name in names).encode(errors="surrogateescape"))
        file.seek(0)
        repo.git.update_index("--add", "--remove", "-z", "--stdin", istream=file)


def _commit(repo: Repository, names: Sequence[str], text: Message) -> str:
    """Make the commit; return the output of git."""
    with _copied_index(repo) as index, repo.git.custom_environment(GIT_INDEX_FILE=index):
        return str(repo.git.commit("--only", "-m", str(text), "--", *names))


def _unstage(repo: Repository, names: Sequence[str], before: Entries) -> None:
    """Restore the index entries of some files, or remove them.

    Errors here are ignored: the earlier error is reported.
    """
    with suppress(command_error(), OSError), TemporaryFile() as file:
        nothing = "0" * len(repo.git.hash_object("-t", "tree", os.devnull))
        rows = [f"0 {nothing}\t{name}" for name in names]
        rows += [f"{entry}\t{name}" for name in names for entry in before.get(name, ())]
        file.write("".join(f"{row}\0" for row in rows).encode(errors="surrogateescape"))
        file.seek(0)
        repo.git.update_index("-z", "--index-info", istream=file)


def _made(repo: Repository, output: str) -> str:
    """Return the commit in the output of git: HEAD may already be a commit of another run."""
    found = _COMMITTED.search(output)
    return str(repo.git.rev_parse("--verify", f"{found[1] if found else 'HEAD'}^{{commit}}"))


@contextmanager
def _copied_index(repo: Repository) -> Iterator[str]:
    """Yield a copy of the index for git to lock while hooks run.

    A git process that is killed during a hook leaves its lock file. On the real index, that lock
    would block all later commits. The copy keeps the times of the index, which git needs to detect
    files that changed in the same moment (https://git-scm.com/docs/racy-git).
    """
    index = repo.tree.root / str(repo.git.rev_parse("--git-path", "index"))
    with TemporaryDirectory(prefix="reconcile-index-") as folder:
        yield shutil.copy2(index, folder)


@contextmanager
def _trusted_hooks(repo: Repository) -> Iterator[None]:
    """Disable hooks that are files of the working tree, by `core.hooksPath` or a link.

    A pull request can change these hooks. All other hooks belong to the user and stay enabled.
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
        set_options(repo.git, f"core.hooksPath={empty}")
        yield


def identity(repo: Repository) -> Mapping[str, str]:
    """Return the fallback identity for each part that neither git nor the environment states."""
    configured = _configured(repo)
    environment = {}
    for role in ("author", "committer"):
        for part, fallback in (("name", FALLBACK_NAME), ("email", FALLBACK_EMAIL)):
            variable = f"GIT_{role}_{part}".upper()
            known = os.environ.get(variable) or (part == "email" and os.environ.get("EMAIL"))
            if not known and not configured & {f"{role}.{part}", f"user.{part}"}:
                environment[variable] = fallback
    return environment


def _configured(repo: Repository) -> set[str]:
    """Return the identity settings of git that are not empty."""
    try:
        output = repo.git.config("--get-regexp", r"^(author|committer|user)\.(name|email)$")
    except command_error():
        return set()
    rows = (line.partition(" ") for line in str(output).splitlines())
    return {name for name, _, value in rows if value}
