"""Render a review as text for the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping

from reconciler.core.escape import escape
from reconciler.core.model.first_changes import FirstChanges
from reconciler.core.review import Review
from reconciler.core.review.explain import SHOWN_ONCE
from reconciler.core.review.phrases import (
    duration,
    moved,
    not_clean,
    not_compared,
    not_selected,
    planned_later,
    plural,
    selected,
)
from reconciler.render.details import detail_lines
from reconciler.render.fingerprints import fingerprint_lines
from reconciler.render.overview import (
    beyond_lines,
    danger_lines,
    head_lines,
    overview_lines,
    summary_of,
)
from reconciler.render.style import Look, Style


def plan_lines(review: Review, look: Look, calls: Mapping[str, int] | None = None) -> Iterator[str]:
    """What happens and the dangers, then the actions one by one or by their edits; the totals.

    `calls` are the reads that were made for this plan, by operation.
    """
    yield from beyond_lines(review, look)
    if _is_unplanned(review):
        yield " ".join(review.overview.verdict)
        return
    if review.details:
        yield from head_lines(review.overview, look)
        yield ""
        for detail in review.details:
            yield from detail_lines(detail, look)
            yield ""
        for danger in review.overview.dangers:
            if danger.hazard in SHOWN_ONCE:
                yield from danger_lines(danger, look)
                yield ""
    elif review.is_pending:
        yield from overview_lines(review.overview, look)
        yield ""
    if review.has_fingerprints:
        yield from fingerprint_lines(review.actions, look)
    yield look.paint(review.summary, Style.STRONG)
    for line in _footnotes(review, calls or {}):
        yield look.paint(line, Style.DIM)


def summary_lines(review: Review, look: Look) -> Iterator[str]:
    """Totals and dangers, without any edit."""
    yield from beyond_lines(review, look)
    yield from summary_of(review.overview, look)
    yield ""
    yield look.paint(review.summary, Style.STRONG)


def _is_unplanned(review: Review) -> bool:
    return review.basis.since is not None and bool(review.basis.since.unplanned)


def next_step(calls: int, paths: Iterable[str], look: Look, *, saved: bool) -> list[str]:
    """The command to run next, for a plan with calls. `paths`: the saved plan or the manifests."""
    if not calls:
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


def _to_explain(review: Review) -> Iterator[str]:
    """Name the hazards without consent as words to explain, once for the whole plan."""
    if missing := [one.hazard for one in review.overview.dangers if one.refused]:
        first, *others = missing
        also = f" (also {', '.join(others)})" if others else ""
        yield f"Before you consent: `reconcile explain {first}`{also}."


def _footnotes(review: Review, calls: Mapping[str, int]) -> Iterator[str]:
    yield from _to_explain(review)
    yield from map(escape, planned_later(review.basis.since))
    if problem := not_compared(review.basis.since):
        yield escape(problem)
    if review.basis.is_clean is False:
        yield not_clean(review.basis.commit)
    for one in review.unread:
        image_sets = plural(one.image_sets, "image set")
        yield f"Not read: {image_sets} of data store {escape(one.datastore)}."
    yield from map(escape, selected(review.selections))
    for left_out in review.not_selected:
        yield f"Not selected: {escape(not_selected(left_out))}."
    if unrecorded := review.totals.unrecorded:
        converged = plural(unrecorded, "converged image set")
        yield f"Not recorded yet: {converged}. Run `reconcile apply`."
    if review.totals.first.attributes:
        yield _first_changes(review.totals.first)
    yield from reads(calls)
    yield from map(escape, review.observed)
    if line := moved(review.retiered):
        yield line
    if review.totals.calls and review.eta_seconds:
        yield f"Applying takes about {duration(review.eta_seconds)} at the configured quotas."
