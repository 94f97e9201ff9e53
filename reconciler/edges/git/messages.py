"""The message of a commit of records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# The body is for people. Beyond this number of lines it states only how many more there are.
_BODY_LINES = 100


@dataclass(frozen=True, slots=True, order=True)
class Moved:
    """One image set whose record changed. `previous` is "" if it was already converged."""

    datastore: str
    image_set_id: str
    previous: str
    version: str

    def __str__(self) -> str:
        step = f"{self.previous} → {self.version}" if self.previous else f"at {self.version}"
        return f"{self.datastore}/{self.image_set_id} {step}"


@dataclass(frozen=True, slots=True)
class Message:
    """A commit message: subject and body for people, `trailers` for programs."""

    subject: str
    body: str
    trailers: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        tail = "\n".join(f"{name}: {value}" for name, value in self.trailers)
        return "\n\n".join(part for part in (self.subject, self.body, tail) if part) + "\n"


def message(
    moved: Iterable[Moved], *, applied_commit: str, plan_digest: str, is_clean: bool | None = None
) -> Message:
    """Write the message of a run's commit: image set IDs and versions, no DICOM value.

    `is_clean` is false if the applied commit does not hold what the plan was made from.
    """
    lines = [str(one) for one in sorted(moved)]
    subject = "Drop records that no manifest asks for"
    if lines:
        one = len(lines) == 1
        noun = "image set at its new version" if one else "image sets at their new versions"
        subject = f"Record {len(lines)} {noun}"
    if len(lines) > _BODY_LINES:
        lines[_BODY_LINES:] = [f"and {len(lines) - _BODY_LINES} more"]
    trailers = (
        ("Applied-Commit", applied_commit),
        ("Applied-Tree", "not clean" if is_clean is False else ""),
        ("Plan-Digest", plan_digest),
    )
    return Message(subject, "\n".join(lines), tuple(pair for pair in trailers if pair[1]))


def message_of_scan() -> Message:
    """Write the message of a commit that only records what a scan saw."""
    return Message("Record a scan of the image sets", "Nothing has changed in them.", ())


def message_of_growth(width: int) -> Message:
    """Write the message of a commit that only moves entries to more and smaller files."""
    return Message(
        f"Name record files by {width} characters",
        "The entries are the same. There are more files now, each with fewer image sets, so that\n"
        "an apply rewrites less.",
        (),
    )
