"""The hierarchy of errors, each with its exit code.

No message contains a DICOM value: it names the place, the image set and the attribute.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.core.source import Sources

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_PENDING = 2
EXIT_BUG = 3
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

# Problems of manifests that a command shows if it is not asked for all.
_MOST_SHOWN = 20
# A check stops when it has found more problems than this. A pull request with 100,000 unknown keys
# must not keep a runner busy, and no reader needs more.
MAX_PROBLEMS = 1_000

_GRAVEST_FIRST = (EXIT_BUG, EXIT_ERROR, EXIT_PENDING)


def gravest(codes: Iterable[int]) -> int:
    """The exit code of a command to which several apply; EXIT_OK if none does.

    A signal (130, 143) takes precedence over all of them: the command line decides that.
    """
    found = frozenset(codes)
    return next((code for code in _GRAVEST_FIRST if code in found), EXIT_OK)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file. Line and column count from 1; line 0 means the whole file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, repr=False)
class Replacement:
    """What to write in a file instead of `length` characters of one line, from a place on.

    `holds_value` says that the text may contain a DICOM value. No message contains it.
    """

    place: Place
    length: int
    text: str
    holds_value: bool = False

    def __repr__(self) -> str:
        return f"Replacement(***, {self.place})"

    def applied(self, line: str) -> str:
        """Return the line of the place with the replacement."""
        start = self.place.column - 1
        return f"{line[:start]}{self.text}{line[start + self.length :]}"


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """A problem that the user can fix: its place, a message, and what to do next.

    With `replacement`, the problem is gone. It is None unless there is one obvious way.
    """

    place: Place
    message: str
    hint: str = ""
    replacement: Replacement | None = field(default=None, compare=False)

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}"
        return f"{text}\n    {self.hint}" if self.hint else text


class ReconcilerError(Exception):
    """A problem that a user or an operator can fix. `hint` says what to do next."""

    exit_code = EXIT_ERROR

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n    {self.hint}" if self.hint else self.message


class InputError(ReconcilerError):
    """All problems in manifests or reconciler.yaml, in file order; at most the first MAX_PROBLEMS.

    If there are more, the last diagnostic says so. The message holds the first of them: one wrong
    folder may cause thousands. `sources` are the texts in which they are.
    """

    def __init__(self, diagnostics: tuple[Diagnostic, ...], sources: Sources | None = None) -> None:
        self.sources = sources or Sources()
        found = tuple(sorted(set(diagnostics)))
        self.diagnostics = _first(found) if len(found) > MAX_PROBLEMS else found
        super().__init__("\n".join((*map(str, self.first), *self.left_out)))

    @property
    def first(self) -> tuple[Diagnostic, ...]:
        """The problems that a command shows if it is not asked for all."""
        return self.diagnostics[:_MOST_SHOWN]

    @property
    def counted(self) -> str:
        """`21 problems`, or that there are too many to check all."""
        if len(self.diagnostics) > MAX_PROBLEMS:
            return f"more than {MAX_PROBLEMS:,} problems, so the check stopped"
        return f"{len(self.diagnostics):,} problems"

    @property
    def left_out(self) -> tuple[str, ...]:
        """A sentence about the problems that are not among the first, if there are any."""
        if len(self.diagnostics) <= _MOST_SHOWN:
            return ()
        return (f"These are the first {_MOST_SHOWN}. To see all: reconcile validate --all",)


def _first(found: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """The first problems, and a diagnostic that says that more may follow."""
    shown = found[:MAX_PROBLEMS]
    more = Diagnostic(
        shown[-1].place,
        f"there are more than {MAX_PROBLEMS:,} problems, so the check stopped",
        "Fix the problems above, then check again: more may follow in this file and in others.",
    )
    return (*shown, more)


class PlanFileError(ReconcilerError):
    """A saved plan that is truncated, was edited, or was made by another version."""


class ReviewFileError(ReconcilerError):
    """A review that is truncated, was edited, or is of another repository or version."""


class UnreviewedError(ReconcilerError):
    """Changes that merged commits ask for, and that no review holds."""


class GuardrailError(ReconcilerError):
    """An apply that would change more than the guardrails of reconciler.yaml allow."""


class StaleError(ReconcilerError):
    """An image set that a saved plan shows as converged, but that may have changed since."""


class RecordError(ReconcilerError):
    """A record file that cannot be read or written."""


class LinkError(RecordError):
    """A symbolic link where `reconcile` reads and writes its own files."""


class GitError(ReconcilerError):
    """Git could not make the commit that `record.mode` asks for."""


class GitBusyError(GitError):
    """Another git process holds a lock file in this repository, or died and left it there."""


class GitHubError(ReconcilerError):
    """The program gh, or GitHub itself, refused a request or cannot be used.

    `status` is the HTTP status, 0 if there was no answer. `said` is GitHub's own sentence.
    """

    def __init__(self, message: str, hint: str = "", *, status: int = 0, said: str = "") -> None:
        super().__init__(message, hint)
        self.status = status
        self.said = said


class ServiceError(ReconcilerError):
    """A call of the service failed. `code` is the service's error code.

    `said` is the service's own text. It may contain DICOM values, so `str` and `repr` omit it, and
    only a command that may show values prints it.
    """

    def __init__(
        self, message: str, hint: str = "", *, code: str = "", operation: str = "", said: str = ""
    ) -> None:
        super().__init__(message, hint)
        self.code = code
        self.operation = operation
        self.said = said


class NotFoundError(ServiceError):
    """404. For an update it may also mean a stale version: GetImageSet shows which it is."""


class AccessDeniedError(ServiceError):
    """403: the credentials have no permission for this call on this resource."""


class CredentialsError(ServiceError):
    """Credentials that are missing, wrong or expired: no call can succeed."""


class ConflictError(ServiceError):
    """409: the image set is LOCKED."""


class ThrottledError(ServiceError):
    """429: the account exceeds its request rate; nothing was changed."""


class RejectedError(ServiceError):
    """400 or 402: the service rejects this request; nothing was changed."""


class NoAnswerError(ServiceError):
    """The connection broke or timed out, or the answer was a 5xx: the effect is unknown."""


class UnreachableError(NoAnswerError):
    """No connection was possible: nothing was sent."""


class UnreadableError(ServiceError):
    """An answer that cannot be used: not JSON, too large, too deep, or for another image set."""


def about_one(error: ServiceError) -> bool:
    """Whether the error concerns this image set only.

    Credentials, throttling and an unreachable service concern all image sets.
    """
    return not isinstance(error, CredentialsError | ThrottledError | UnreachableError)
