"""One tree of everything that can go wrong, and the exit code of each.

No message here ever carries a DICOM value: a message names the place, the image set and the
attribute, and the reader looks the value up where it stands.
"""

from __future__ import annotations

from dataclasses import dataclass

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_PENDING = 2
EXIT_BUG = 3
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a file: line and column count from 1, 0 means "the whole file"."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """One problem the user can mend: where it is, what it is, what to do next."""

    place: Place
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}"
        return f"{text}\n    {self.hint}" if self.hint else text


class ReconcilerError(Exception):
    """Something a user or an operator can mend. `hint` says what to do next."""

    exit_code = EXIT_ERROR

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n    {self.hint}" if self.hint else self.message


class InputError(ReconcilerError):
    """Problems in files that people wrote, all of them at once, in file order."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.diagnostics = tuple(sorted(set(diagnostics)))
        super().__init__("\n".join(str(diagnostic) for diagnostic in self.diagnostics))


class PlanFileError(ReconcilerError):
    """A saved plan that is truncated, was edited, or was made by another version."""


class StaleError(ReconcilerError):
    """What a saved plan shows as converged, and what is not recorded because that is not sure."""


class PlanBugError(ReconcilerError):
    """A plan of our own that contradicts itself: nothing of that action is sent."""

    exit_code = EXIT_BUG


class RecordError(ReconcilerError):
    """A record file that cannot be read or written."""


class LinkError(RecordError):
    """A symbolic link where `reconcile` reads and writes its own files."""


class GitError(ReconcilerError):
    """Git could not do what `record.mode` asks for."""


class GitBusyError(GitError):
    """Another git is at work in this repository (or died there): it holds a lock file."""


class ServiceError(ReconcilerError):
    """The service (or the way to it) said no. `code` is the service's own error code.

    `said` is the service's own text. It may echo DICOM values, so it is in no `str` and no `repr`,
    and only a command that may show values prints it.
    """

    def __init__(
        self, message: str, hint: str = "", *, code: str = "", operation: str = "", said: str = ""
    ) -> None:
        super().__init__(message, hint)
        self.code = code
        self.operation = operation
        self.said = said


class NotFoundError(ServiceError):
    """404. On an update this may also be a stale pin: GetImageSet tells them apart."""


class AccessDeniedError(ServiceError):
    """403: these credentials may not make this call for this resource."""


class CredentialsError(ServiceError):
    """Credentials that are missing, wrong or expired: no call can succeed."""


class ConflictError(ServiceError):
    """409: the image set is LOCKED."""


class ThrottledError(ServiceError):
    """429: more calls a second than the account may make; nothing was done."""


class RejectedError(ServiceError):
    """400 or 402: the service refuses this request; nothing was done."""


class NoAnswerError(ServiceError):
    """The connection broke, timed out or ended in a 5xx: whether it took effect is unknown."""


class UnreachableError(NoAnswerError):
    """No connection could be made at all: nothing was sent."""


class UnreadableError(ServiceError):
    """An answer that cannot be used: no JSON, too large, too deep, or of another image set."""


def about_one(error: ServiceError) -> bool:
    """Whether a read of one image set that failed says nothing about those of the others.

    Credentials, throttling and a service that cannot be reached concern all of them.
    """
    return not isinstance(error, CredentialsError | ThrottledError | UnreachableError)
