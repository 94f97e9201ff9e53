"""Count the image sets of a plan that need no action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from reconciler.core.model.at_base import StatusAtBase
from reconciler.core.model.plan import Action, Status, Unchanged


def counted(
    actions: Iterable[Action],
    attempted: Collection[tuple[str, str]] = (),
    settled: Mapping[tuple[str, str], int] = MappingProxyType({}),
) -> tuple[tuple[Action, ...], tuple[Unchanged, ...]]:
    """The actions that a plan lists, in their order, and the count of the others, sorted.

    `attempted` are the image sets, with the ID of their data store, that attempts of other runs
    name. They have an action: the apply ends their attempts with it. `settled` counts the image
    sets of each data store that were not looked at: they are as recorded.
    """
    kept: list[Action] = []
    counts = Counter(settled)
    for action in actions:
        names = {(action.datastore_id, one.image_set_id) for one in action.members}
        if is_unchanged(action) and names.isdisjoint(attempted):
            counts[action.datastore, action.datastore_id] += len(action.image_sets)
        else:
            kept.append(action)
    return tuple(kept), tuple(
        Unchanged(*store, counts[store]) for store in sorted(counts) if counts[store]
    )


def is_unchanged(action: Action) -> bool:
    """Whether there is nothing to do, to show or to record."""
    return (
        action.status is Status.CONVERGED
        and not (action.notes or action.released or action.blocks or action.hazards)
        and all(one.recorded for one in (*action.members, *action.siblings))
        and _was_so(action)
    )


def _was_so(action: Action) -> bool:
    """Whether it was so at the base, too, if the plan compares with one."""
    then = action.at_base
    return then is None or (then.status is StatusAtBase.CONVERGED and not then.asks_changed)
