"""Whether a pull request may be merged: what its apply would hold back because of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.core.model.guardrail import Stop
from reconciler.core.model.plan import Action, Plan
from reconciler.core.review.at_base import stood
from reconciler.core.review.phrases import plural, stopped

# A run log is no report: the formats of the plan list all of them.
_LISTED = 10


def held_by_merge(plan: Plan) -> tuple[Action, ...]:
    """The actions that a person must free, and that stand otherwise than at the base.

    An action that a person had to free at the base too, and of which the same is asked, is not
    among them: another pull request has to free it. Without a comparison, every action may be the
    doing of this pull request.
    """
    return tuple(action for action in plan.held if action.status.is_error and _is_new(action))


def stopped_by_merge(plan: Plan) -> tuple[Stop, ...]:
    """The guardrails that stop the apply, in data stores where the pull request changes something.

    What the base left to change is the same with and without this pull request.
    """
    changing = {one.datastore_id for one in plan.runnable if _is_new(one)}
    return tuple(one for one in plan.stops if one.datastore_id in changing)


def merge_check_lines(held: Sequence[Action], stops: Sequence[Stop] = ()) -> Iterator[str]:
    """What to print beside the plan; nothing if the pull request may be merged."""
    if stops:
        yield "After the merge, apply would be stopped by a guardrail, and nothing changed:"
        yield from (f"  {stopped(one)}" for one in stops)
        yield "Split the pull request, or raise the limit in a pull request of its own."
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
