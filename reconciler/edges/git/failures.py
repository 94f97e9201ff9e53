"""What git says when it fails -> our errors, each with what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.core.errors import GitBusyError, GitError
from reconciler.edges.git.program import command_error


@contextmanager
def explained(what: str) -> Iterator[None]:
    try:
        yield
    except command_error() as error:
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
