"""Guardrails bound what one apply may change: a mistake must not reach a whole archive.

An exceeded guardrail holds back every action of its data store: only a person can decide which of
them is the mistake. It is raised in reconciler.yaml, in a reviewed commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from reconciler.core.model.change import Block, Op
from reconciler.core.model.plan import Action, Status
from reconciler.core.model.settings import Guardrails

# Below this number of recorded image sets, `percent` is not checked (as in octoDNS).
FEWEST_RECORDED = 10


def guarded(
    actions: Sequence[Action], rails: Guardrails, recorded: Iterable[str]
) -> tuple[Action, ...]:
    """The actions of one data store, all held back if a guardrail is exceeded.

    `recorded` are the image sets that the records know.
    """
    exceeded = _exceeded(actions, rails, frozenset(recorded))
    if not exceeded:
        return tuple(actions)
    return tuple(_held(action, exceeded) if action.steps else action for action in actions)


def _exceeded(
    actions: Sequence[Action], rails: Guardrails, recorded: frozenset[str]
) -> list[tuple[str, str]]:
    """Each exceeded amount, with its setting."""
    moved = {name for action in actions for step in action.steps for name, _ in step.expected}
    removals = [
        change.op
        for action in actions
        if action.steps
        for change in action.changes
        if change.op in (Op.REMOVE_INSTANCE, Op.REMOVE_SERIES)
    ]
    known = moved & recorded
    found = []
    if rails.image_sets is not None and len(moved) > rails.image_sets:
        found.append((f"{len(moved)} image sets would change", f"imageSets: {rails.image_sets}"))
    if (
        rails.percent is not None
        and len(recorded) >= FEWEST_RECORDED
        and 100 * len(known) > rails.percent * len(recorded)
    ):
        amount = f"{len(known)} of {len(recorded)} recorded image sets would change"
        found.append((amount, f"percent: {rails.percent:g}"))
    # A change does not state how many instances a series has: it exceeds any number.
    limit = rails.removed_instances
    if limit is not None and (len(removals) > limit or Op.REMOVE_SERIES in removals):
        amount = f"{len(removals)} instances or series would be removed"
        found.append((amount, f"removedInstances: {limit}"))
    return found


def _held(action: Action, exceeded: Iterable[tuple[str, str]]) -> Action:
    blocks = tuple(
        Block(
            action.image_set_id,
            f"{amount}, more than `guardrails: {{{setting}}}` allows",
            "If this is intended, raise the limit in reconciler.yaml in a reviewed commit. Or "
            "apply fewer manifests at a time.",
        )
        for amount, setting in exceeded
    )
    return replace(action, status=Status.BLOCKED, blocks=(*action.blocks, *blocks), steps=())
