"""Render the outcomes of an apply as Markdown for a GitHub Actions run, without DICOM values.

GitHub shows what a job appends to the file that GITHUB_STEP_SUMMARY names, up to 1 MiB a step
(docs.github.com: Adding a job summary).
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.escape import escape
from reconciler.core.model.outcome import Landed
from reconciler.core.review import AppliedReview
from reconciler.core.review.applied import ShownHeld, ShownOutcome
from reconciler.core.review.phrases import not_clean, not_read

# At most so many rows for converged steps, the others are counted. All other steps get a row.
LISTED = 50
# The limit for all rows: GitHub shows no summary above 1 MiB.
MOST_BYTES = 900 * 1024


def step_summary(review: AppliedReview) -> str:
    """The whole text. For any number of steps it is below GitHub's size limit."""
    return "\n".join([*_lines(review), ""])


def _lines(review: AppliedReview) -> Iterator[str]:
    yield "### reconcile apply"
    yield ""
    totals = [f"{count:,} {word}" for word, count in review.counts]
    totals += [f"{len(review.recovered):,} recovered"] if review.recovered else []
    yield f"**{', '.join(totals)}**" if totals else "Nothing to do."
    yield from _table(review)
    if review.basis.is_clean is False:
        yield ""
        yield not_clean(review.basis.commit)
    if review.records.commit:
        yield ""
        yield f"Recorded in commit {review.records.commit}."
    for one in review.unread:
        yield ""
        yield f"> **Not read:** {_cell(not_read(one))} {_cell(one.hint)}"
    for problem in review.problems:
        yield ""
        yield f"> **Not recorded:** {_cell(problem.message)} {_cell(problem.hint)}"


def _table(review: AppliedReview) -> Iterator[str]:
    outcomes, more = review.shortened(LISTED)
    total = sum(len(outcome.members) for outcome in outcomes)
    total += bool(more) + len(review.held) + len(review.recovered)
    if not total:
        return
    yield ""
    yield "| outcome | image set | version | |"
    yield "|---|---|---|---|"
    left = MOST_BYTES
    # Rows that do not fit are not even made: a message of the service may be long.
    for number, row in enumerate(_rows(review, outcomes, more)):
        left -= len(row.encode()) + 1
        if left < 0:
            yield f"| | and {total - number:,} more | | |"
            return
        yield row


def _rows(review: AppliedReview, outcomes: tuple[ShownOutcome, ...], more: int) -> Iterator[str]:
    for outcome in outcomes:
        yield from _rows_of(outcome)
    if more:
        yield f"| converged | and {more:,} more | | |"
    yield from map(_held, review.held)
    yield from map(_recovered, review.recovered)


def _rows_of(outcome: ShownOutcome) -> Iterator[str]:
    """A row for each image set of the call, the first with the message."""
    text = _cell(outcome.message)
    for member in outcome.members:
        version = f"{member.pin} → {member.version_id}" if member.version_id else member.pin
        yield f"| {outcome.result} | `{member.image_set_id}` | {version} | {text} |"
        text = ""


def _versions(landed: Landed) -> str:
    return f"{landed.previous_version_id} → {landed.version_id}"


def _recovered(landed: Landed) -> str:
    name = f"`{landed.image_set_id}`"
    return f"| recovered | {name} | {_versions(landed)} | by an interrupted run |"


def _held(held: ShownHeld) -> str:
    reasons = [reason.message for reason in held.reasons]
    reasons += [f"needs {line}" for line in held.consents]
    text = _cell("; ".join(reasons))
    return f"| {held.status} | `{held.image_set_id}` | {held.pin} | {text} |"


def _cell(text: str) -> str:
    """Escape text for a table cell; it may hold a message of the service."""
    clean = escape(" ".join(text.split()))
    for special in "\\`|<>[]*_#":
        clean = clean.replace(special, f"\\{special}")
    return clean
