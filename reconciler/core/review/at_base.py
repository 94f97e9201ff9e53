"""How actions stood at the base, in words: a reviewer sees what the pull request itself causes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from reconciler.core.model.at_base import AtBase, StatusAtBase
from reconciler.core.model.plan import Action, Plan, Released, Status
from reconciler.core.review.phrases import plural
from reconciler.core.review.reach import NAMED

NEW, SAME, UNKNOWN = "new", "as at the base", "unknown at the base"

_WORDS = {
    StatusAtBase.CONVERGED: "converged",
    StatusAtBase.UPDATE: "to update",
    StatusAtBase.DRIFTED: "drifted",
    StatusAtBase.BUSY: "busy",
    StatusAtBase.BLOCKED: "blocked",
    StatusAtBase.UNMANAGED: "not managed",
    StatusAtBase.UNKNOWN: "unknown",
}


def mark(at_base: AtBase | None, *, was_at_base: bool) -> str:
    """Whether a refusal of an action is new; "" if nothing is known of the base."""
    if at_base is None:
        return ""
    if at_base.status is StatusAtBase.UNKNOWN:
        return UNKNOWN
    return SAME if was_at_base else NEW


def together(marks: Mapping[str, str]) -> str:
    """The marks of a refusal by image set, as one: `3 new, 12 as at the base`."""
    counts = Counter(marks.values())
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{counts[one]:,} {one}" for one in (NEW, SAME, UNKNOWN) if counts[one])


def stood(status: Status, at_base: AtBase | None) -> str:
    """`(at the base: converged)`; "" if nothing is known of the base."""
    if at_base is None:
        return ""
    if str(at_base.status) == str(status):
        return "(at the base, too)"
    return f"(at the base: {_WORDS[at_base.status]})"


def changing(plan: Plan) -> Iterator[str]:
    """Which of the image sets that change would do so without the pull request."""
    found = _image_sets([action for action in plan.actions if action.steps])
    pending = [one for one in found if _is_pending(one)]
    if pending:
        verb = "was" if len(pending) == 1 else "were"
        subject = _some(len(pending), len(found), verb)
        yield f"{subject} to change before this pull request, too."


def standing(plan: Plan) -> Iterator[str]:
    """Which of the image sets that stay as they are did so before the pull request."""
    actions = [one for one in plan.actions if not one.steps and one.status is not Status.CONVERGED]
    found = [one for one in _image_sets(actions) if one is not None]
    if not found:
        return
    held = sum(one.status.is_held for one in found)
    unknown = sum(one.status is StatusAtBase.UNKNOWN for one in found)
    verb = "was" if held == 1 else "were"
    if held:
        yield f"{_some(held, len(found), verb)} held back before this pull request, too."
    elif not unknown:
        subject = "It was not" if len(found) == 1 else "None of them was"
        yield f"{subject} held back before this pull request."
    if unknown:
        subject = "Whether it was so before"
        if len(found) > 1:
            subject = f"For {unknown:,} of them this"
        yield f"{subject} is unknown: the base asks for what this plan did not read."


def released_by(found: Sequence[Released]) -> Iterator[str]:
    """The image sets that only the base manages, by ID, as far as they are few."""
    if not found:
        return
    names = ", ".join(one.image_set_id for one in found[:NAMED])
    more = f" and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
    values = "its values stay" if len(found) == 1 else "their values stay"
    yield (
        f"This pull request releases {plural(len(found), 'image set')} ({names}{more}): no "
        f"manifest asks for {'it' if len(found) == 1 else 'them'} any more, and {values}."
    )


def _some(count: int, total: int, verb: str) -> str:
    """`12 of these 40 image sets were`; `It was` or `All of them were` where that says it all."""
    if count < total:
        return f"{count:,} of these {total:,} image sets {verb}"
    return f"It {verb}" if total == 1 else f"All of them {verb}"


def _image_sets(actions: Sequence[Action]) -> list[AtBase | None]:
    """For each image set of some actions, how its action stood at the base."""
    return [action.at_base for action in actions for _ in action.image_sets]


def _is_pending(one: AtBase | None) -> bool:
    return one is not None and one.status is StatusAtBase.UPDATE and not one.asks_changed
