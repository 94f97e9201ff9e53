"""Errors of git -> our errors, each with what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.core.errors import GitBusyError, GitError
from reconciler.edges.git.program import command_error


@contextmanager
def explained(command: str, *, of_records: bool = False) -> Iterator[None]:
    """Translate errors of a git command into `GitError`.

    `of_records` says that the command commits records, which are written then.
    """
    try:
        yield
    except command_error() as error:
        output = str(getattr(error, "stderr", "") or error).strip()
        said = output.removeprefix("stderr: ").strip("'\n ")
        kind = GitBusyError if _is_busy(said) else GitError
        hint = _next(said, of_records)
        raise kind(f"{command} failed: {said or 'no reason given'}", hint) from None
    except OSError as error:
        said = f"{error.strerror} ({error.filename})"
        raise GitError(f"{command} failed: {said}", _next(said, of_records)) from None


def _is_busy(said: str) -> bool:
    """Whether git met a lock file, or a branch or an index that another process changed."""
    if ".lock" in said and "exists" in said:
        return True
    # The files were staged: another run whose commit failed has removed them from the index.
    return "cannot lock ref" in said or "did not match any file(s) known to git" in said


_NEXT: tuple[tuple[str, str], ...] = (
    ("not found", "Install git."),
    ("Read-only file system", "Commit where the repository can be written."),
    ("Permission denied", "Fix the permissions."),
    (".lock", "Wait for the other git process. If there is none, delete that lock file."),
    ("dubious ownership", "Declare the folder as safe with the command that git prints."),
    ("during a merge", "Finish or abort the merge."),
    ("No space left", "Free disk space."),
)


def _next(said: str, of_records: bool) -> str:
    """Return what to do next."""
    found = next((hint for sign, hint in _NEXT if sign in said), "")
    if not of_records:
        return f"{found or 'Fix what git reports.'} Then run the command again."
    found = found or "Fix the problem (a hook may have rejected the commit)."
    return (
        f"{found} The records are written: commit them with `git commit -- records`, or run the "
        "command again."
    )
