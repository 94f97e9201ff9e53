"""Render a review as text for the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping

from reconciler.core.escape import escape
from reconciler.core.model.first_changes import FirstChanges
from reconciler.core.model.hazard import Hazard
from reconciler.core.review import Review
from reconciler.core.review.phrases import duration, not_clean, plural
from reconciler.render.actions import group_lines
from reconciler.render.style import Look, Style


def plan_lines(review: Review, look: Look, calls: Mapping[str, int] | None = None) -> Iterator[str]:
    """Every group, a blank line between them, then the summary.

    `calls` are the reads that were made for this plan, by operation.
    """
    for group in review.groups:
        yield from group_lines(group, look)
        yield ""
    yield from _shown_once(review, look)
    yield look.paint(review.summary, Style.STRONG)
    for line in _footnotes(review, calls or {}):
        yield look.paint(line, Style.DIM)


def next_step(review: Review, paths: Iterable[str], look: Look, *, saved: bool) -> list[str]:
    """The command to run next. `paths` are the saved plan, or the planned manifests."""
    if not review.totals.calls:
        return []
    command = escape(" ".join(["reconcile apply", *map(shlex.quote, paths)]))
    exactly = "exactly this plan" if saved else "it"
    return ["", f"To apply {exactly}: {look.paint(command, Style.STRONG)}"]


def reads(calls: Mapping[str, int]) -> list[str]:
    """The reads of a plan, as a line.

    They matter: GetImageSetMetadata moves an image set to the Frequent Access tier.
    """
    made = ", ".join(
        f"{count:,} {operation}" for operation, count in sorted(calls.items()) if count
    )
    return [f"Reads made: {made}."] if made else []


def _first_changes(first: FirstChanges) -> str:
    """State what is changed that no record mentions: no run has seen a review of these values."""
    instances = f" ({plural(first.instances, 'instance')})" if first.instances else ""
    found = f"{plural(first.attributes, 'attribute')} of {plural(first.image_sets, 'image set')}"
    return f"First changes (no record yet): {found}{instances}."


def _shown_once(review: Review, look: Look) -> Iterator[str]:
    """The hazards that are shown once for the whole plan, with a count."""
    for one in review.hazards:
        sign, name = (look.paint(text, Style.UPDATE) for text in ("!", one.hazard))
        yield f"{sign} {name}: {one.meaning} ({plural(one.image_sets, 'image set')})"
        yield ""


def _to_explain(review: Review) -> Iterator[str]:
    """Name the hazards without consent as words to explain, once for the whole plan."""
    hazards = (shown for group in review.groups for shown in group.hazards)
    missing = {shown.hazard for shown in hazards if not shown.consented}
    if missing:
        first, *others = (hazard for hazard in Hazard if hazard in missing)
        also = f" (also {', '.join(others)})" if others else ""
        yield f"Before you consent: `reconcile explain {first}`{also}."


def _footnotes(review: Review, calls: Mapping[str, int]) -> Iterator[str]:
    yield from _to_explain(review)
    if review.basis.is_clean is False:
        yield not_clean(review.basis.commit)
    for one in review.unread:
        image_sets = plural(one.image_sets, "image set")
        yield f"Not read: {image_sets} of data store {escape(one.datastore)}."
    if unrecorded := review.totals.unrecorded:
        converged = plural(unrecorded, "converged image set")
        yield f"Not recorded yet: {converged}. Run `reconcile apply`."
    if review.totals.first.attributes:
        yield _first_changes(review.totals.first)
    yield from reads(calls)
    if review.totals.calls and review.eta_seconds:
        yield f"Applying takes about {duration(review.eta_seconds)} at the configured quotas."
