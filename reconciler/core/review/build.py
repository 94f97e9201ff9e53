"""Make the review of a plan. Decides what renderers show, but not how it looks. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from reconciler.core.model.plan import Plan, Status
from reconciler.core.model.scope import Observation
from reconciler.core.model.settings import Redact
from reconciler.core.review.actions import Finish, ShownActions
from reconciler.core.review.dangers import dangers_of, notes_of, refusals_of
from reconciler.core.review.details import details_of
from reconciler.core.review.fingerprint import FingerprintKey, with_fingerprints
from reconciler.core.review.labels import labelled
from reconciler.core.review.letters import Letters
from reconciler.core.review.mask import View
from reconciler.core.review.model import Review, ShownAction
from reconciler.core.review.overview import Overview
from reconciler.core.review.phrases import observed
from reconciler.core.review.reach import Studies
from reconciler.core.review.rows import Part, rows_of
from reconciler.core.review.totals import Totals, summary, totals_of
from reconciler.core.review.verdict import verdict_of


def review(
    plan: Plan,
    redact: Redact,
    *,
    shows_stated: bool = False,
    retiered: tuple[str, ...] = (),
    observations: tuple[Observation, ...] = (),
    fingerprints: FingerprintKey | None = None,
) -> Review:
    """The review of a plan, masked as `redact` says. For `shows_stated`, see `View`.

    `retiered` are the image sets that the reads for this plan moved to another storage tier, and
    `observations` say how each data store was observed.
    `fingerprints` is the key of the fingerprints of live values, None for a review without them. A
    commit that does not hold the manifests as they were read shows nothing that they state.
    """
    view = View(redact, shows_stated and plan.basis.is_clean is True)
    unlabelled, plan = plan, labelled(plan, redact)
    totals = totals_of(plan, _as_recorded(plan, observations))
    letters, studies = Letters(), Studies(plan.actions)
    overview = cache(lambda: _overview(plan, view, totals, letters))
    finish = _finish(unlabelled, fingerprints)

    def given() -> Letters:
        overview()
        return letters

    actions = ShownActions(plan.actions, view, given, studies, finish)
    return Review(
        basis=plan.basis,
        masked=redact is not Redact.NONE,
        actions=actions,
        unlabelled=ShownActions(plan.actions, view, Letters, studies, finish),
        details=details_of(plan.actions, actions.show),
        released=plan.released,
        unchanged=plan.unchanged,
        totals=totals,
        summary=summary(totals),
        eta_seconds=plan.eta_seconds,
        make_overview=overview,
        is_pending=any(action.status is not Status.CONVERGED for action in plan.actions),
        has_bug=any(block.is_bug for action in plan.actions for block in action.blocks),
        unread=plan.unread,
        selections=plan.selections,
        retiered=retiered,
        observed=observed(observations),
        has_fingerprints=fingerprints is not None,
        stops=plan.stops,
        without_study_wide=plan.without_study_wide,
    )


def _as_recorded(plan: Plan, observations: Iterable[Observation]) -> int:
    """How many image sets of a plan, or of a part of it, were not looked at."""
    unchanged = {one.datastore: one.image_sets for one in plan.unchanged}
    return sum(min(one.as_recorded, unchanged.get(one.datastore, 0)) for one in observations)


def _finish(plan: Plan, key: FingerprintKey | None) -> Finish:
    """Adds fingerprints, if there is a key for them. They are of the values without labels."""
    if key is None:
        return lambda shown: shown
    actions = {(one.datastore_id, one.image_set_id): one for one in plan.actions}

    def finish(shown: ShownAction) -> ShownAction:
        subject = shown.datastore_id, shown.members[0].image_set_id
        return with_fingerprints(shown, actions[subject], key)

    return finish


def _overview(plan: Plan, view: View, totals: Totals, letters: Letters) -> Overview:
    rows = rows_of(plan.actions, view, letters)
    return Overview(
        verdict=verdict_of(plan, totals),
        refusals=refusals_of(plan.actions),
        dangers=dangers_of(plan.actions),
        drift=rows[Part.DRIFT],
        rows=rows[Part.MADE],
        held=rows[Part.HELD],
        notes=notes_of(plan.actions),
    )
