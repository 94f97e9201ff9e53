"""Whether a pull request may be merged: what its apply would hold back because of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.core.model.plan import Action, Plan
from reconciler.core.review.at_base import stood
from reconciler.core.review.phrases import plural

# A run log is no report: the formats of the plan list all of them.
_LISTED = 10


def held_by_merge(plan: Plan) -> tuple[Action, ...]:
    """The actions that a person must free, and that stand otherwise than at the base.

    An action that a person had to free at the base too, and of which the same is asked, is not
    among them: another pull request has to free it. Without a comparison, every action may be the
    doing of this pull request.
    """
    return tuple(action for action in plan.held if action.status.is_error and _is_new(action))


def merge_check_lines(held: Sequence[Action]) -> Iterator[str]:
    """What to print beside the plan; nothing if the pull request may be merged."""
    if not held:
        return
    count = sum(len(action.image_sets) for action in held)
    yield f"After the merge, apply would not change {plural(count, 'image set')}:"
    for action in held[:_LISTED]:
        then = stood(action.status, action.at_base)
        yield f"  {action.status}: image set {action.image_set_id} {then}".rstrip()
    if len(held) > _LISTED:
        yield f"  … and {plural(len(held) - _LISTED, 'more action')}"
    yield "The plan states why, and what to do next. Push a commit that does it."


def _is_new(action: Action) -> bool:
    then = action.at_base
    return then is None or then.asks_changed or str(then.status) != str(action.status)
