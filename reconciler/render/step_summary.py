"""Render the outcomes of an apply as Markdown for a GitHub Actions run, without DICOM values.

GitHub shows what a job appends to the file that GITHUB_STEP_SUMMARY names, up to 1 MiB a step
(docs.github.com: Adding a job summary).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.core.escape import escape
from reconciler.core.model.outcome import Landed, Outcome
from reconciler.core.model.plan import Action
from reconciler.core.model.results import Applied
from reconciler.render.outcomes import counts

# At most so many rows for converged steps, the others are counted. All other steps get a row.
LISTED = 50
# The limit for all rows: GitHub shows no summary above 1 MiB.
MOST_BYTES = 900 * 1024


def step_summary(applied: Applied) -> str:
    """The whole text. For any number of steps it is below GitHub's size limit."""
    return "\n".join([*_lines(applied), ""])


def _lines(applied: Applied) -> Iterator[str]:
    yield "### reconcile apply"
    yield ""
    totals = counts(applied)
    totals += [f"{len(applied.recovered):,} recovered"] if applied.recovered else []
    yield f"**{', '.join(totals)}**" if totals else "Nothing to do."
    yield from _table(applied)
    if applied.commit:
        yield ""
        yield f"Recorded in commit {applied.commit}."
    for problem in applied.problems:
        yield ""
        yield f"> **Not recorded:** {_cell(problem.message)} {_cell(problem.hint)}"


def _table(applied: Applied) -> Iterator[str]:
    rows = [
        *_rows(applied.outcomes),
        *map(_held, applied.held),
        *map(_recovered, applied.recovered),
    ]
    if not rows:
        return
    yield ""
    yield "| outcome | image set | version | |"
    yield "|---|---|---|---|"
    left = MOST_BYTES
    for number, row in enumerate(rows):
        left -= len(row.encode()) + 1
        if left < 0:
            yield f"| | and {len(rows) - number:,} more | | |"
            return
        yield row


def _rows(outcomes: Sequence[Outcome]) -> Iterator[str]:
    good = [outcome for outcome in outcomes if outcome.result.is_good]
    listed = {id(outcome) for outcome in good[:LISTED]}
    for outcome in outcomes:
        if not outcome.result.is_good or id(outcome) in listed:
            yield _row(outcome)
    if len(good) > LISTED:
        yield f"| converged | and {len(good) - LISTED:,} more | | |"


def _row(outcome: Outcome) -> str:
    step = outcome.step
    moved = ", ".join(
        f"{landed.previous_version_id} → {landed.version_id}" for landed in outcome.landed[:1]
    )
    more = len(outcome.landed) - 1
    name = f"`{step.image_set_id}`" + (f" and {more} of its study" if more > 0 else "")
    return f"| {outcome.result} | {name} | {moved or step.pin} | {_cell(outcome.message)} |"


def _recovered(landed: Landed) -> str:
    moved = f"{landed.previous_version_id} → {landed.version_id}"
    return f"| recovered | `{landed.image_set_id}` | {moved} | by an interrupted run |"


def _held(action: Action) -> str:
    reasons = [block.message for block in action.blocks]
    reasons += [f"needs {use.consent}" for use in action.hazards if not use.consented]
    text = "; ".join(dict.fromkeys(reasons))
    return (
        f"| {action.status} | `{action.image_set_id}` | {action.members[0].pin} | {_cell(text)} |"
    )


def _cell(text: str) -> str:
    """Escape text for a table cell; it may hold a message of the service."""
    clean = escape(" ".join(text.split()))
    for special in "\\`|<>[]*_#":
        clean = clean.replace(special, f"\\{special}")
    return clean
