"""Make the review of a plan. Decides what renderers show, but not how it looks. Pure."""

from __future__ import annotations

from reconciler.core.model.plan import Plan
from reconciler.core.model.settings import Redact
from reconciler.core.review.actions import shown_action
from reconciler.core.review.dangers import dangers_of, notes_of, refusals_of
from reconciler.core.review.details import details_of
from reconciler.core.review.labels import labelled
from reconciler.core.review.letters import Letters
from reconciler.core.review.mask import View
from reconciler.core.review.model import Review
from reconciler.core.review.overview import Overview
from reconciler.core.review.reach import Studies
from reconciler.core.review.rows import rows_of
from reconciler.core.review.totals import Totals, summary, totals_of
from reconciler.core.review.verdict import verdict_of


def review(plan: Plan, redact: Redact, *, shows_stated: bool = False) -> Review:
    """The review of a plan, masked as `redact` says. For `shows_stated`, see `View`.

    A commit that does not hold the manifests as they were read shows nothing that they state.
    """
    view = View(redact, shows_stated and plan.basis.is_clean is True)
    plan = labelled(plan, redact)
    totals = totals_of(plan)
    letters, studies = Letters(), Studies()
    overview = _overview(plan, view, totals, letters)
    actions = tuple(shown_action(action, view, letters, studies) for action in plan.actions)
    pairs = list(zip(plan.actions, actions, strict=True))
    return Review(
        basis=plan.basis,
        masked=redact is not Redact.NONE,
        actions=actions,
        details=details_of(pairs),
        released=plan.released,
        totals=totals,
        summary=summary(totals),
        eta_seconds=plan.eta_seconds,
        overview=overview,
        unread=plan.unread,
    )


def _overview(plan: Plan, view: View, totals: Totals, letters: Letters) -> Overview:
    return Overview(
        verdict=verdict_of(plan, totals),
        refusals=refusals_of(plan.actions),
        dangers=dangers_of(plan.actions),
        drift=rows_of(plan.actions, view, letters, drifted=True),
        rows=rows_of(plan.actions, view, letters, drifted=False),
        notes=notes_of(plan.actions),
    )
