"""One commit of exactly the files that a run wrote.

Whatever else is staged or changed in the work tree stays as it is.
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
# Who commits where git knows nobody (a fresh CI machine).
FALLBACK_NAME = "reconciler"
FALLBACK_EMAIL = "reconciler@localhost"


def commit(root: Path, paths: Sequence[Path], text: Message) -> str:
    """Commit exactly these files or folders (gone ones too) and return the new commit's id.

    Returns "" when they are as in the commit already. Raises `GitError` outside a repository,
    when a hook refuses or leaves a file out, when another git holds the lock, while a merge is
    under way. After an error the index is as it was before.
    """
    with repository_of(root) as repo:
        if repo is None:
            raise GitError(
                f"{root} is not in a git repository, so records cannot be committed",
                "run `git init`, or set `record: {mode: files}` in reconciler.yaml",
            )
        with explained("git commit"):
            names = changed_names(repo, paths)
            if not names:
                return ""
            repo.git.update_environment(**_identity(repo))
            with _trusted_hooks(repo), _staged(repo, names) as staged:
                made = _made(repo, _commit(repo, names, text))
                check_committed(repo, made, names, staged)
            return made


@contextmanager
def _staged(repo: Repository, names: Sequence[str]) -> Iterator[Entries]:
    """Some files in the index, as they are now; if what follows fails, as they were before.

    A run that is killed leaves them there: the next one finds them.
    """
    head = tip(repo)
    before = repo.staged(names)
    content = {name: bytes_of(repo.tree.root / name) for name in names}
    try:
        repo.git.add("--all", "--", *names)
        staged = repo.staged(names)
        check_staged(repo, staged, content)
        yield staged
    except LeftOutError as error:
        _unstage(repo, error.names, before)
        raise
    except BaseException:
        if tip(repo) == head:
            _unstage(repo, names, before)
        else:  # another run was faster: what it has committed is not taken back
            with suppress(command_error()):
                repo.git.reset("--quiet", "--", *names)
        raise


def _commit(repo: Repository, names: Sequence[str], text: Message) -> str:
    """What git says of the commit that it made."""
    with _copied_index(repo) as index, repo.git.custom_environment(GIT_INDEX_FILE=index):
        return str(repo.git.commit("--only", "-m", str(text), "--", *names))


def _unstage(repo: Repository, names: Sequence[str], before: Entries) -> None:
    """Put the entries of some files in the index back, or take them out.

    Where that fails, the error before it is the one to report.
    """
    with suppress(command_error(), OSError), TemporaryFile() as file:
        nothing = "0" * len(repo.git.hash_object("-t", "tree", os.devnull))
        rows = [f"0 {nothing}\t{name}" for name in names]
        rows += [f"{entry}\t{name}" for name in names for entry in before.get(name, ())]
        file.write("".join(f"{row}\0" for row in rows).encode(errors="surrogateescape"))
        file.seek(0)
        repo.git.update_index("-z", "--index-info", istream=file)


def _made(repo: Repository, told: str) -> str:
    """The commit that git says it made; the tip may be that of another run by now."""
    found = _COMMITTED.search(told)
    return str(repo.git.rev_parse("--verify", f"{found[1] if found else 'HEAD'}^{{commit}}"))


@contextmanager
def _copied_index(repo: Repository) -> Iterator[str]:
    """What git locks while the hooks run, for as long as they like: killed then, it leaves the
    lock behind, and beside the index that would keep everybody from committing.

    The copy has the index's times: by them git tells what was written in the same moment.
    """
    index = repo.tree.root / str(repo.git.rev_parse("--git-path", "index"))
    with TemporaryDirectory(prefix="reconcile-index-") as folder:
        yield shutil.copy2(index, folder)


@contextmanager
def _trusted_hooks(repo: Repository) -> Iterator[None]:
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
        set_options(repo.git, f"core.hooksPath={empty}")
        yield


def _identity(repo: Repository) -> Mapping[str, str]:
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


def _configured(repo: Repository) -> set[str]:
    """Which of the settings that make an identity are there, and not empty."""
    try:
        told = repo.git.config("--get-regexp", r"^(author|committer|user)\.(name|email)$")
    except command_error():
        return set()
    rows = (line.partition(" ") for line in str(told).splitlines())
    return {name for name, _, value in rows if value}
