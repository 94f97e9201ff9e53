"""What happens if a plan is applied, in sentences: the first thing that a reviewer reads."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.model.plan import Plan, Status
from reconciler.core.review import at_base
from reconciler.core.review.phrases import duration, plural
from reconciler.core.review.reach import Count
from reconciler.core.review.totals import COUNTED, Totals

# Why image sets without calls stay as they are. What is converged is no such reason.
_STAYS = (Status.BLOCKED, Status.DRIFTED, Status.BUSY)


def verdict_of(plan: Plan, totals: Totals) -> tuple[str, ...]:
    """The sentences, without a full list of anything."""
    return tuple(_sentences(plan, totals))


def _sentences(plan: Plan, totals: Totals) -> Iterator[str]:
    since = plan.basis.since
    if since is not None and since.unplanned:
        yield "Plans begin after this merge."
        yield f"A plan takes its settings from the base of the pull request: {since.unplanned}."
        yield "Until then, `reconcile validate` checks the settings and the manifests."
        return
    if totals.raised:
        where = Count()
        for action in plan.actions:
            if action.steps:
                where.add_action(action)
        reach = where.reach()
        several = reach.studies and reach.image_sets > 1
        studies = f" of {plural(reach.studies, 'study')}" if several else ""
        time = f", about {duration(plan.eta_seconds)}" if plan.eta_seconds else ""
        calls = plural(totals.calls, "call")
        verb = "changes" if reach.image_sets == 1 else "change"
        yield f"{plural(reach.image_sets, 'image set')}{studies} {verb} ({calls}{time})."
    else:
        yield "Nothing changes."
    yield from at_base.changing(plan)
    counts = dict(totals.standing)
    stays = [f"{counts[one]:,} {COUNTED[one]}" for one in _STAYS if counts.get(one)]
    if totals.unread:
        stays.append(f"{totals.unread:,} not read")
    if stays:
        yield f"Left as they are: {', '.join(stays)}."
    yield from at_base.standing(plan)
    if converged := counts.get(Status.CONVERGED):
        verb = "holds" if converged == 1 else "hold"
        yield f"{plural(converged, 'image set')} already {verb} what is asked."
    if since is not None:
        yield from at_base.released_by(since.released)
