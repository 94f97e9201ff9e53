"""The most that one apply may change: a mistake in a manifest must not reach a whole archive.

A guardrail that is exceeded holds back every action of its data store: which of them is the
mistake, only people can tell. It is raised in reconciler.yaml, in a reviewed commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from reconciler.core.model.change import Block, Op
from reconciler.core.model.plan import Action, Status
from reconciler.core.model.settings import Guardrails

# Below so many recorded image sets a percentage says nothing (octoDNS does the same).
FEWEST_RECORDED = 10


def guarded(
    actions: Sequence[Action], rails: Guardrails, recorded: Iterable[str]
) -> tuple[Action, ...]:
    """The actions of one data store, all held back where a guardrail is exceeded.

    `recorded` are the image sets that the records know.
    """
    exceeded = _exceeded(actions, rails, frozenset(recorded))
    if not exceeded:
        return tuple(actions)
    return tuple(_held(action, exceeded) if action.steps else action for action in actions)


def _exceeded(
    actions: Sequence[Action], rails: Guardrails, recorded: frozenset[str]
) -> list[tuple[str, str]]:
    """What is too much, and the setting that says so."""
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
        what = f"{len(known)} of {len(recorded)} recorded image sets would change"
        found.append((what, f"percent: {rails.percent:g}"))
    # How many instances a series has is not in its change: it is more than any number.
    limit = rails.removed_instances
    if limit is not None and (len(removals) > limit or Op.REMOVE_SERIES in removals):
        what = f"{len(removals)} instances or series would go"
        found.append((what, f"removedInstances: {limit}"))
    return found


def _held(action: Action, exceeded: Iterable[tuple[str, str]]) -> Action:
    blocks = tuple(
        Block(
            action.image_set_id,
            f"{what}, more than `guardrails: {{{setting}}}` allows",
            "If that is meant, raise it in reconciler.yaml in a reviewed commit; or apply fewer "
            "manifests at a time.",
        )
        for what, setting in exceeded
    )
    return replace(action, status=Status.BLOCKED, blocks=(*action.blocks, *blocks), steps=())
