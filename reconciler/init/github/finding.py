"""What `reconcile init --check --github` finds out about one subject."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a subject stands."""

    OK = "ok"
    WRONG = "wrong"
    UNSEEN = "cannot see"
    NOT_OFFERED = "not offered"


@dataclass(frozen=True, slots=True)
class Finding:
    """One subject: a sentence, and lines that fix it or take its place."""

    subject: str
    state: State
    message: str
    fix: tuple[str, ...] = ()


def is_complete(findings: Iterable[Finding]) -> bool:
    """Whether nothing is wrong and everything could be seen."""
    return not {State.WRONG, State.UNSEEN} & {one.state for one in findings}
