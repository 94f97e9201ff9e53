"""Decides again which actions of a plan may run, before anything is sent."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.core import stale_plan
from reconciler.core.ask.selection import pinned, selected_otherwise
from reconciler.core.errors import (
    InputError,
    PlanFileError,
    ReconcilerError,
    ServiceError,
    StaleError,
    UnreviewedError,
)
from reconciler.core.model.outcome import Outcome, Result
from reconciler.core.model.plan import Action, Plan
from reconciler.core.model.settings import Settings
from reconciler.core.plan.checker import edited
from reconciler.core.plan.file import AGAIN
from reconciler.core.review.phrases import plural
from reconciler.core.reviewed import Judgement, Made, Unreviewed
from reconciler.edges import worktree
from reconciler.pipeline.check import check

# So many manifests at most in a message.
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Holding:
    """The part of a plan that may run, the outcomes of the rest, and problems with recording.

    `made` are versions of lost runs, which the run records.
    """

    plan: Plan
    ended: tuple[Outcome, ...] = ()
    problems: tuple[ReconcilerError, ...] = ()
    made: tuple[Made, ...] = ()


def judged_again(settings: Settings, plan: Plan) -> Holding:
    """Judge a saved plan by today's working tree; the service is not read."""
    root = Path(settings.root)
    if problem := edited(plan) or next(filter(None, map(stale_plan.misjudged, plan.actions)), ""):
        raise PlanFileError(f"the plan file was edited: {problem}", AGAIN)
    _refuse_other_trees(root, plan.basis.paths)
    try:
        checked = check(settings, [root / path for path in plan.basis.paths])
    except InputError as error:
        raise PlanFileError(
            f"the manifests of the saved plan have problems\n{error.message}",
            "Fix the manifests, then make a new plan with `reconcile plan --out FILE`.",
        ) from None
    checked = pinned(checked, plan)
    asks = {(ask.datastore, ask.image_set_id): ask for ask in checked.managed}
    reasons = stale_plan.stale(plan, stale_plan.Today(settings, asks))
    # A selector of today may select what that of the plan did not: only a search can say.
    unsure = selected_otherwise(checked, plan)
    released = tuple(
        one
        for one in plan.released
        if one.datastore not in unsure and (one.datastore, one.image_set_id) not in asks
    )
    ended = [
        (action, reasons[stale_plan.subject(action)])
        for action in plan.actions
        if stale_plan.subject(action) in reasons
    ]
    return without(Holding(replace(plan, released=released)), ended)


def _refuse_other_trees(root: Path, paths: Sequence[str]) -> None:
    """Raise `PlanFileError` for manifests outside the repository.

    Otherwise an edited plan file could name a manifest outside of review, with its own consent.
    """
    tree = worktree.repository(root)
    for path in paths:
        named = Path(os.path.abspath(root / path))  # noqa: PTH100 - reading it checks links
        if not any(named.is_relative_to(one) for one in (tree, Path(os.path.abspath(root)))):  # noqa: PTH100
            raise PlanFileError(
                f"the saved plan was made from {path}, which is not in this repository",
                "Add the manifest to the repository, then make a new plan with "
                "`reconcile plan --out FILE`.",
            )


def without(holding: Holding, ended: Sequence[tuple[Action, str]]) -> Holding:
    """Remove stale actions. A stale action without a call becomes a problem: it is not recorded."""
    return Holding(
        _less(holding.plan, [action for action, _ in ended]),
        (
            *holding.ended,
            *(Outcome(step, Result.STALE, why) for action, why in ended for step in action.steps),
        ),
        (
            *holding.problems,
            *(
                StaleError(f"stale: {why}. It is not recorded as converged", AGAIN)
                for action, why in ended
                if why and not action.steps
            ),
        ),
        holding.made,
    )


def as_reviewed(plan: Plan, judgement: Judgement, made: Sequence[Made]) -> Holding:
    """Remove what no review holds. It is an error only where a merge asks for it."""
    left = judgement.unreviewed
    asked = [one for one in left if one.is_asked]
    files = sorted({place.file for one in asked for place in one.action.places})
    return Holding(
        _less(plan, [one.action for one in left]),
        tuple(
            Outcome(step, Result.UNREVIEWED, one.reason)
            for one in left
            for step in one.action.steps
        ),
        (_unreviewed(asked, files),) if asked else (),
        tuple(made),
    )


def _unreviewed(asked: Sequence[Unreviewed], files: Sequence[str]) -> UnreviewedError:
    names = ", ".join(files[:_SHOWN]) + (
        f" and {len(files) - _SHOWN} more" if files[_SHOWN:] else ""
    )
    image_sets = sum(len(one.action.image_sets) for one in asked)
    return UnreviewedError(
        f"unreviewed: merges ask for a change of {plural(image_sets, 'image set')} "
        f"({names or 'no file named'})",
        "Make a fresh review: open a pull request with `git commit --allow-empty`, or run its plan "
        "again. Then merge it.",
    )


def without_datastores(holding: Holding, errors: Mapping[str, ServiceError]) -> Holding:
    """Remove data stores that cannot be connected to. Nothing of them is sent or recorded."""
    gone = [action for action in holding.plan.actions if action.datastore in errors]
    released = tuple(one for one in holding.plan.released if one.datastore not in errors)
    return Holding(
        replace(_less(holding.plan, gone), released=released),
        (
            *holding.ended,
            *(
                Outcome(step, Result.NOT_ATTEMPTED, f"not sent: {errors[action.datastore].message}")
                for action in gone
                for step in action.steps
            ),
        ),
        (
            *holding.problems,
            *(
                ReconcilerError(f"data store {name}: nothing was sent: {error.message}", error.hint)
                for name, error in errors.items()
            ),
        ),
        tuple(one for one in holding.made if one.datastore not in errors),
    )


def _less(plan: Plan, actions: Sequence[Action]) -> Plan:
    gone = {stale_plan.subject(action) for action in actions}
    left = tuple(action for action in plan.actions if stale_plan.subject(action) not in gone)
    return replace(plan, actions=left)
