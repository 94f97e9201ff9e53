"""The results of the stages, for the next stage and for the renderers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from reconciler.core.errors import (
    EXIT_BUG,
    EXIT_ERROR,
    EXIT_PENDING,
    ReconcilerError,
    gravest,
)
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.outcome import Landed, Outcome, Result
from reconciler.core.model.plan import Action, Plan, Status


@dataclass(frozen=True, slots=True)
class Checked:
    """Asks without contradictions. `complete` means that they are the asks of all manifests.

    Otherwise `paths` are the selected manifests, relative to the root.
    """

    asks: tuple[ImageSetAsk, ...]
    files: int
    complete: bool
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and the number of read calls by operation."""

    plan: Plan
    calls: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Applied:
    """The result of an apply.

    `recorded` are the changed files below the root. `commit` is "" if there is no new commit.
    `problems` are the reasons why something is not recorded; the outcomes are still valid, and the
    next run records them. `recovered` are versions that an interrupted run made outside this plan.
    `plan_digest` is keyed; it is "" if the repository has no key.
    """

    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    recorded: tuple[PurePath, ...] = ()
    commit: str = ""
    problems: tuple[ReconcilerError, ...] = field(default=())
    recovered: tuple[Landed, ...] = field(default=())
    plan_digest: str = ""

    @property
    def held(self) -> tuple[Action, ...]:
        """The actions that the plan itself holds back."""
        return self.plan.held

    @property
    def exit_code(self) -> int:
        """3 after a bug, else 1 after an error, else 2 if work is left to do."""
        return gravest(self._exit_codes())

    def _exit_codes(self) -> Iterator[int]:
        yield from (problem.exit_code for problem in self.problems)
        yield from (EXIT_BUG for action in self.held if action.is_held_by_a_bug)
        ends: list[Result | Status] = [
            *(outcome.result for outcome in self.outcomes),
            *(action.status for action in self.held),
        ]
        yield from (EXIT_ERROR for end in ends if end.is_error)
        yield from (EXIT_PENDING for end in ends if end.is_pending)
