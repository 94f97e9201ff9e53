"""Make the review of a plan. Decides what renderers show, but not how it looks. Pure."""

from __future__ import annotations

from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Plan
from reconciler.core.model.settings import Redact
from reconciler.core.review.actions import shown_action
from reconciler.core.review.explain import MEANING
from reconciler.core.review.groups import groups_of
from reconciler.core.review.labels import labelled
from reconciler.core.review.model import PlanHazard, Review
from reconciler.core.review.totals import Totals, summary, totals_of


def review(plan: Plan, redact: Redact) -> Review:
    """The review of a plan, masked as `redact` says."""
    plan = labelled(plan, redact)
    actions = tuple(shown_action(action, redact) for action in plan.actions)
    totals = totals_of(plan)
    return Review(
        basis=plan.basis,
        masked=redact is not Redact.NONE,
        actions=actions,
        groups=groups_of(zip(plan.actions, actions, strict=True)),
        released=plan.released,
        totals=totals,
        summary=summary(totals),
        eta_seconds=plan.eta_seconds,
        unread=plan.unread,
        hazards=_shown_once(totals),
    )


def _shown_once(totals: Totals) -> tuple[PlanHazard, ...]:
    hazard = Hazard.HISTORY_KEEPS_VALUES
    return (PlanHazard(hazard, MEANING[hazard], totals.history),) if totals.history else ()
