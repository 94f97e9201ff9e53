"""Render the outcomes of an apply as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from pathlib import PurePath

from reconciler.core.escape import escape
from reconciler.core.model.key import KEY_FILE
from reconciler.core.model.outcome import Landed, Outcome, Result
from reconciler.core.model.plan import Action
from reconciler.core.model.results import Applied
from reconciler.core.model.settings import Redact
from reconciler.core.review.phrases import plural
from reconciler.render.style import Look, Style

_SIGN: dict[Result, tuple[str, Style]] = {
    Result.CONVERGED: ("✓", Style.ADD),
    Result.ALREADY_CONVERGED: ("✓", Style.ADD),
    Result.CONFLICT: ("✗", Style.ERROR),
    Result.FAILED: ("✗", Style.ERROR),
    Result.UNVERIFIED: ("✗", Style.ERROR),
    Result.UNRESOLVED: ("?", Style.UPDATE),
    Result.BLOCKED: ("✗", Style.ERROR),
    Result.STALE: ("✗", Style.ERROR),
    Result.NOT_ATTEMPTED: ("·", Style.UPDATE),
}
_NEXT: dict[Result, str] = {
    Result.CONFLICT: "Another process changed the image set. Run `reconcile plan` again.",
    Result.FAILED: "Fix the error above, then run `reconcile plan` again.",
    Result.UNVERIFIED: "Check the image set before you change it again.",
    Result.UNRESOLVED: "Run the same command again to find out how the update ended.",
    Result.STALE: "The saved plan is out of date. Make a new plan with `reconcile plan --out`.",
    Result.NOT_ATTEMPTED: "Run the same command again to continue.",
}


def event_line(outcome: Outcome) -> str:
    """`converged  image set ea92…  version 1 → 2`."""
    versions = ", ".join(
        f"{landed.previous_version_id} → {landed.version_id}" for landed in outcome.landed[:1]
    )
    moved = f"version {versions}" if versions else f"at version {outcome.step.pin}"
    more = len(outcome.landed) - 1
    others = f", and {plural(more, 'image set')} of its study" if more > 0 else ""
    return f"{outcome.result:<17}  image set {outcome.step.image_set_id}  {moved}{others}"


def outcome_lines(outcome: Outcome, look: Look) -> Iterator[str]:
    """The lines of one outcome: the result and its message, with the hint on its own line.

    The service's own text may echo DICOM values, so it is shown only where values are shown.
    """
    sign, style = _SIGN[outcome.result]
    yield f"{look.paint(sign, style)} {event_line(outcome)}"
    for line in outcome.message.split("\n") if outcome.message else ():
        yield f"    {escape(line.strip())}"
    if outcome.said and look.redact is Redact.NONE:
        yield f"    the service says: {escape(outcome.said)}"


def report_lines(applied: Applied, look: Look) -> Iterator[str]:
    """The end of a report: recovered versions, held actions, advice, totals and records."""
    for landed in applied.recovered:
        yield f"{look.paint('✓', Style.ADD)} {_recovered(landed)}"
    for action in applied.held:
        yield from _held(action, look)
    yield from _advice({outcome.result for outcome in applied.outcomes}, look)
    yield look.paint(_summary(applied), Style.STRONG)
    yield from _records(applied.recorded, applied.commit)


def _recovered(landed: Landed) -> str:
    moved = f"version {landed.previous_version_id} → {landed.version_id}"
    return f"{'recovered':<17}  image set {landed.image_set_id}  {moved}, by an interrupted run"


def _held(action: Action, look: Look) -> Iterator[str]:
    """An action that the plan held back, with the reasons. A bug comes with its hint."""
    sign = look.paint("✗", Style.ERROR) if action.status.is_error else look.paint("·", Style.UPDATE)
    yield f"{sign} {action.status:<17}  image set {action.image_set_id}"
    reasons = ((block.message, block.hint if block.is_bug else "") for block in action.blocks)
    for text in dict.fromkeys(text for reason in reasons for text in reason if text):
        yield f"    {escape(text)}"
    for use in action.hazards:
        if not use.consented:
            yield f"    {use.hazard} needs consent: {use.consent}"


def _advice(results: Set[Result], look: Look) -> Iterator[str]:
    for result, text in _NEXT.items():
        if result in results:
            yield look.paint(f"{result}: {text}", Style.DIM)


def counts(applied: Applied) -> list[str]:
    """`3 converged`, `1 blocked`: in the order of `Result`, held actions last."""
    results = Counter(outcome.result for outcome in applied.outcomes)
    words = Counter({str(result): results[result] for result in Result if results[result]})
    words.update(sorted(str(action.status) for action in applied.held))
    return [f"{count:,} {word}" for word, count in words.items()]


def _summary(applied: Applied) -> str:
    parts = counts(applied)
    return f"Apply: {', '.join(parts)}." if parts else "Apply: nothing to do."


def _records(recorded: Sequence[PurePath], commit: str) -> Iterator[str]:
    records = [path for path in recorded if path.name != KEY_FILE]
    text = f"Recorded in {plural(len(records), 'file')} below records/"
    if len(records) < len(recorded):
        text = f"{text}, with a new {KEY_FILE}"
    if commit and not recorded:
        yield f"Committed the records of an earlier run, commit {commit[:12]}."
    elif commit:
        yield f"{text}, commit {commit[:12]}."
    elif recorded:
        yield f"{text}."
