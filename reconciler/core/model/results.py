"""The results of the stages, for the next stage and for the renderers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from reconciler.core.errors import ReconcilerError
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.outcome import Landed, Outcome
from reconciler.core.model.plan import Action, Plan


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
