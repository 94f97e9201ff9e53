"""What each stage gives to the next, and to whoever prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.core.errors import (
    ReconcilerError,
)
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.outcome import Landed, Outcome
from reconciler.core.model.plan import Action, Plan


@dataclass(frozen=True, slots=True)
class Checked:
    """Asks without a contradiction. `complete` means that they are all that the manifests ask.

    Else `paths` are the manifests that were selected, relative to the root.
    """

    asks: tuple[ImageSetAsk, ...]
    files: int
    complete: bool
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and the reads that it took by operation."""

    plan: Plan
    calls: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a plan. `held` are the actions that could not even be tried.

    `plan_digest` is keyed, and "" where the repository has no key.
    `problems` is what kept us from recording it (RecordError, GitError): the outcomes hold all
    the same, and the next run records them. `recovered` is what runs that were killed had changed,
    beyond this plan.
    """

    outcomes: tuple[Outcome, ...]
    held: tuple[Action, ...]
    recorded: tuple[Path, ...]
    commit: str
    problems: tuple[ReconcilerError, ...] = field(default=())
    recovered: tuple[Landed, ...] = field(default=())
    plan_digest: str = ""
