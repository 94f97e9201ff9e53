"""Check the rules for the primary image sets of a study, as far as a finished plan shows them.

All primary image sets of a study have the same Patient and Study attributes. So these change by a
study-wide call alone, which gives every member the same value. Whether a member without a change
has the value already is not in a plan.

Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/update-image-set-metadata.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from reconciler.core.dicom.canonical import canonical
from reconciler.core.model.change import Change, Op
from reconciler.core.model.plan import Action, Step
from reconciler.core.model.value import Json, Value
from reconciler.core.plan.checker.edits import is_of_the_study, reverts
from reconciler.core.plan.checker.requests import RequestEdit, decode, json_text


def of_study(action: Action) -> Iterator[str]:
    """Check the calls of an action whose requests can be read."""
    shared = [change for change in action.changes if is_of_the_study(change)]
    if reverts(action):
        yield from _of_reverts(shared)
        return
    yield from _of_own_calls(action)
    wide = [step for step in action.steps if step.study_wide]
    if wide:
        yield from _of_wide_calls(wide, {change.image_set_id for change in shared})
        yield from _of_spread([member.image_set_id for member in action.members], shared)


def studies_of(action: Action) -> set[tuple[str, str]]:
    """The data store and the StudyInstanceUID of each study that study-wide calls change."""
    return {
        (step.datastore_id, step.study_instance_uid) for step in action.steps if step.study_wide
    }


def _of_own_calls(action: Action) -> Iterator[str]:
    """Without isPrimary, the image set may be primary all the same (decision 0002, U25)."""
    may_be_primary = {
        member.image_set_id for member in action.members if member.is_primary is not False
    }
    for number, step in enumerate(action.steps, 1):
        own = not step.study_wide and step.image_set_id in may_be_primary
        if own and any(map(is_of_the_study, decode(step))):
            yield (
                f"call {number} changes Patient or Study attributes of a primary image set without "
                "its study"
            )


def _of_wide_calls(calls: Iterable[Step], changed: Collection[str]) -> Iterator[str]:
    for step in calls:
        if not step.study_instance_uid:
            yield "a study-wide call does not state its study"
        if step.image_set_id not in changed:
            yield f"the study-wide call to image set {step.image_set_id} changes nothing of it"


def _of_spread(members: Sequence[str], shared: Iterable[Change]) -> Iterator[str]:
    """One call gives every member the same value, or removes the same value from each of them."""
    for changes in _by_attribute(shared):
        path, first = _shown(changes[0]), changes[0]
        if len({(change.op is Op.REMOVE, _text(change.after)) for change in changes}) > 1:
            yield f"the image sets of the study get different values of {path}"
        elif first.op is Op.REMOVE:
            if sorted(change.image_set_id for change in changes) != list(members):
                yield f"the removal of {path} is not shown for every image set of the study"
            if len({(change.key, _text(change.before)) for change in changes}) > 1:
                yield f"the image sets of the study lose different values of {path}"


def _of_reverts(shared: Iterable[Change]) -> Iterator[str]:
    """Image sets that are reverted together have the same Patient and Study level afterwards."""
    for changes in _by_attribute(shared):
        after = {(change.op is Op.REMOVE, _canonical(change)) for change in changes}
        if len(after) > 1:
            yield f"the image sets of the study are reverted to different {_shown(changes[0])}"


def _by_attribute(changes: Iterable[Change]) -> Iterable[list[Change]]:
    found: dict[object, list[Change]] = defaultdict(list)
    for change in changes:
        found[change.address, change.tag or change.key].append(change)
    return found.values()


def _shown(change: Change) -> str:
    return RequestEdit(change.address, change.key, removes=False).shown()


def _text(value: Value | None) -> str:
    return json_text(value.raw if value else None)


def _canonical(change: Change) -> str:
    after: Json = change.after.raw if change.after else None
    return json_text(canonical(change.vr, after))
