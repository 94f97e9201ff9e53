"""What happens if a plan is applied, in sentences: the first thing that a reviewer reads."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.model.plan import Plan, Status
from reconciler.core.review import at_base
from reconciler.core.review.phrases import duration, plural, stopped
from reconciler.core.review.reach import studies_of
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
    yield from _stopped(plan)
    if totals.raised:
        yield _changing(plan, totals)
        yield from _alone(plan)
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
    if totals.as_recorded:
        verb = "is" if totals.as_recorded == 1 else "are"
        yield f"{plural(totals.as_recorded, 'image set')} {verb} as recorded."
    if since is not None:
        yield from at_base.released_by(since.released)


def _stopped(plan: Plan) -> Iterator[str]:
    """Which guardrails stop the apply: then it sends nothing at all."""
    if plan.stops:
        yield "Apply would be stopped by a guardrail."
        yield from (f"In {stopped(one)}." for one in plan.stops)
        yield "Split the change, or raise the limit in a commit of its own."


def _changing(plan: Plan, totals: Totals) -> str:
    """`64 image sets of 8 studies change (8 calls, about 28 s).`"""
    studies = _studies(plan) if totals.raised > 1 else 0
    of_studies = f" of {plural(studies, 'study')}" if studies else ""
    calls = _cost(totals.calls, plan.eta_seconds)
    verb = "changes" if totals.raised == 1 else "change"
    without = "Without the guardrail, " if plan.stops else ""
    return f"{without}{plural(totals.raised, 'image set')}{of_studies} {verb} ({calls})."


def _alone(plan: Plan) -> Iterator[str]:
    if (found := plan.without_study_wide) is not None:
        yield f"Without study-wide calls it would be {_cost(found.calls, found.eta_seconds)}."


def _cost(calls: int, seconds: float) -> str:
    """`8 calls, about 28 s`."""
    time = f", about {duration(seconds)}" if seconds else ""
    return f"{plural(calls, 'call')}{time}"


def _studies(plan: Plan) -> int:
    """The number of studies of the image sets that change, as far as the plan states them."""
    found: set[str] = set()
    for action in plan.actions:
        if action.steps:
            studies = studies_of(action)
            found.update([studies.get(name, "") for name in action.image_sets])
    return len(found - {""})
