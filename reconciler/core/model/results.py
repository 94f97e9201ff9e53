"""The results of the stages, for the next stage and for the renderers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from reconciler.core.errors import Diagnostic, ReconcilerError, ServiceError
from reconciler.core.model.form import Asks
from reconciler.core.model.outcome import Landed, Outcome
from reconciler.core.model.plan import Action, Later, Plan
from reconciler.core.model.scope import Observation
from reconciler.core.model.selector import Selector


@dataclass(frozen=True, slots=True)
class Checked:
    """Asks without a contradiction, of all manifests.

    `paths` are the manifests that were selected, relative to the root; () for all of them. `files`
    counts the selected files. `read` are the names of all manifest files, relative to the root.
    `warnings` are about their text, not about the values in it. `later` are image sets of data
    stores that the settings lack, and those that a pull request proposes have. `is_clean` says
    whether the commit holds all of them as they were read; None if that is still to be found out.
    What `selectors` ask is not in `managed` before their searches (`ask.selection.expanded`).
    """

    managed: Asks
    files: int
    paths: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    later: tuple[Later, ...] = ()
    is_clean: bool | None = None
    selectors: tuple[Selector, ...] = ()

    @property
    def asks(self) -> Asks:
        """The asks of which the run carries something."""
        return self.managed.carried()

    @property
    def datastores(self) -> frozenset[str]:
        """The data stores of which the run carries something."""
        selected = {one.datastore for one in self.selectors if one.ask.is_whole}
        return frozenset(one.datastore for one in self.asks.found) | selected


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and the number of read calls by operation.

    `errors` are those of the data stores in `Plan.unread`, in the same order. `retiered` are the
    image sets that the reads moved to the Frequent Access tier, as far as the service states it.
    `observed` says how each data store was observed.
    """

    plan: Plan
    calls: Mapping[str, int]
    errors: tuple[ServiceError, ...] = ()
    retiered: tuple[str, ...] = ()
    observed: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """Where the records of an apply are.

    `branch` has their commit: `origin/main`, or `reconcile/records` of this clone; "" for the
    branch that is checked out. `missing` are (image set, version) that are applied and could not be
    published. `waiting` counts the image sets of which the record branch states more than the
    default branch; None where no pull request is to merge it.
    """

    branch: str = ""
    is_pushed: bool = False
    missing: tuple[tuple[str, str], ...] = ()
    waiting: int | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """The result of an apply.

    `recorded` are the changed files below the root. `commit` is "" if there is no new commit.
    `problems` are the reasons why something is not recorded; the outcomes are still valid, and the
    next run records them. `recovered` are versions that an interrupted run made outside this plan.
    `plan_digest` is keyed; it is "" if the repository has no key. `aside` are actions that the plan
    holds back, and that an apply of reviewed changes was not to execute. `left_over` counts
    reviewed changes that the plan did not have. `unrecorded` are the image sets whose records could
    not be written. `sent` counts the calls that were made, in `seconds`. `published` states where
    the records are.
    """

    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    recorded: tuple[PurePath, ...] = ()
    commit: str = ""
    problems: tuple[ReconcilerError, ...] = field(default=())
    recovered: tuple[Landed, ...] = field(default=())
    plan_digest: str = ""
    aside: tuple[Action, ...] = ()
    left_over: int = 0
    unrecorded: tuple[str, ...] = ()
    sent: int = 0
    seconds: float = 0.0
    published: Published = Published()

    @property
    def held(self) -> tuple[Action, ...]:
        """The actions that the plan itself holds back, of those that were to be executed."""
        aside = {(action.datastore_id, action.image_set_id) for action in self.aside}
        return tuple(
            action
            for action in self.plan.held
            if (action.datastore_id, action.image_set_id) not in aside
        )
