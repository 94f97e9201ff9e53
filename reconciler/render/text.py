"""A plan for the terminal: what would change, what is refused, and the one line that sums it up."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from reconciler.core.escape import escape
from reconciler.core.model.address import PATIENT
from reconciler.core.model.change import Change
from reconciler.core.model.plan import Action, Member, Plan, Status
from reconciler.render.actions import action_lines
from reconciler.render.labels import labelled
from reconciler.render.rows import LISTED
from reconciler.render.style import Look, Style
from reconciler.render.values import duration, plural


def plan_lines(plan: Plan, look: Look, calls: Mapping[str, int] | None = None) -> Iterator[str]:
    """Every action that is worth a look, a blank line between them, then the summary.

    `calls` are the reads that were made for this plan, by operation.
    """
    plan = labelled(plan, look.redact)
    for alike in grouped(action for action in plan.actions if _worth_showing(action)):
        yield from action_lines(alike, look)
        yield ""
    yield look.paint(summary(plan), Style.STRONG)
    yield from _footnotes(plan, look, calls or {})


def _worth_showing(action: Action) -> bool:
    return bool(
        action.status is not Status.CONVERGED or action.notes or action.released or action.blocks
    )


def grouped(actions: Iterable[Action]) -> list[list[Action]]:
    """Actions that differ in their image set alone, together when they are more than a few."""
    alike: dict[object, list[Action]] = {}
    for action in actions:
        alike.setdefault(_signature(action), []).append(action)
    groups: list[list[Action]] = []
    for group in alike.values():
        groups += [group] if len(group) > LISTED else [[action] for action in group]
    return groups


def _signature(action: Action) -> object:
    """All that the rendering of an action shows, without which image set it is about."""
    if len(action.members) > 1:
        return action.image_set_id, action.datastore
    member = action.members[0]
    return (
        action.datastore,
        action.status,
        (member.pin, member.previous_version_id),
        frozenset(Counter(map(_edit, action.changes)).items()),
        tuple(replace(use, image_set_id="") for use in action.hazards),
        tuple(replace(block, image_set_id="") for block in action.blocks),
        tuple(replace(note, image_set_id="") for note in action.notes),
        len(action.steps),
        action.released,
    )


def _edit(change: Change) -> object:
    """A change without where it is made; values by their text, since lists have no hash."""
    return (
        replace(change, image_set_id="", before=None, after=None, address=PATIENT),
        change.address.level,
        repr(change.before.raw) if change.before else "",
        repr(change.after.raw) if change.after else "",
    )


def summary(plan: Plan) -> str:
    """`Plan: 3 image sets to update (3 calls), 1 blocked, 2 converged.`"""
    if not plan.actions:
        return "Plan: nothing is asked; there are no manifests."
    moving = {image_set_id for step in plan.steps for image_set_id, _ in step.expected}
    parts = []
    if moving:
        calls = plural(len(plan.steps), "call")
        parts.append(f"{plural(len(moving), 'image set')} to update ({calls})")
    # Actions with steps are counted by what they move.
    counts = Counter(
        action.status for action in plan.actions if not action.steps for _ in _named(action)
    )
    parts += [f"{counts[status]:,} {word}" for status, word in _COUNTED.items() if counts[status]]
    if not moving and set(counts) == {Status.CONVERGED}:
        return f"Plan: nothing to do, {parts[0]}."
    return f"Plan: {', '.join(parts)}."


_COUNTED = {
    Status.DRIFTED: "drifted and held back",
    Status.BLOCKED: "blocked",
    Status.BUSY: "busy",
    Status.CONVERGED: "converged",
}


def is_pending(plan: Plan) -> bool:
    """Whether anything is not as asked."""
    return any(action.status is not Status.CONVERGED for action in plan.actions)


def next_step(plan: Plan, paths: Iterable[str], look: Look, *, saved: bool) -> list[str]:
    """What to type now: `paths` are the saved plan, or the manifests that were planned."""
    if not plan.steps:
        return []
    command = escape(" ".join(["reconcile apply", *map(shlex.quote, paths)]))
    exactly = "exactly this plan" if saved else "it"
    return ["", f"To apply {exactly}: {look.paint(command, Style.STRONG)}"]


def reads(calls: Mapping[str, int]) -> list[str]:
    """What the plan has read. Only GetImageSetMetadata moves an image set to a dearer tier."""
    made = ", ".join(
        f"{count:,} {operation}" for operation, count in sorted(calls.items()) if count
    )
    return [f"Reads made: {made}."] if made else []


def _named(action: Action) -> list[Member]:
    return [member for member in action.members if member.asked] or list(action.members)


def _footnotes(plan: Plan, look: Look, calls: Mapping[str, int]) -> Iterator[str]:
    unrecorded = sum(
        action.status is Status.CONVERGED and any(not member.recorded for member in _named(action))
        for action in plan.actions
    )
    if unrecorded:
        told = f"{plural(unrecorded, 'converged image set')} not recorded yet: `apply` does it."
        yield look.paint(told, Style.DIM)
    for line in reads(calls):
        yield look.paint(line, Style.DIM)
    if plan.steps and plan.eta_seconds:
        told = f"Applying takes about {duration(plan.eta_seconds)} at the configured quotas."
        yield look.paint(told, Style.DIM)
