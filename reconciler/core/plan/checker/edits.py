"""Compare the edits of the calls of an action with the changes that it shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from reconciler.core.dicom.content import key_tag
from reconciler.core.model.address import Level
from reconciler.core.model.change import Change, Op
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, Step
from reconciler.core.plan.checker.requests import RequestEdit, RequestError, decode, json_text

_SETS = (Op.ADD, Op.UPDATE)
_RESTORES = (Op.RESTORE_INSTANCE, Op.RESTORE_SERIES)
_REMOVALS = (Op.REMOVE, Op.REMOVE_INSTANCE, Op.REMOVE_SERIES)


def reverts(action: Action) -> bool:
    """Whether a call of the action is a revert."""
    return any(step.revert_to is not None for step in action.steps)


def of_requests(action: Action) -> Iterator[str]:
    if reverts(action):
        yield from _of_revert(action)
        return
    try:
        edits = [(step, tuple(decode(step))) for step in action.steps]
    except RequestError as error:
        yield f"a request cannot be read: {error}"
        return
    wide = [row for row in edits if row[0].study_wide]
    if wide:
        yield from _of_study(action, wide)
    for member in action.members:
        name = member.image_set_id
        own = [row for row in edits if not row[0].study_wide and row[0].image_set_id == name]
        changes = [
            change
            for change in action.changes
            if change.image_set_id == name and not (wide and is_of_the_study(change))
        ]
        yield from _of_own(name, own, changes)


def _of_revert(action: Action) -> Iterator[str]:
    """A revert is the only call of its image set. Reverts of one study are one action."""
    others = [
        step
        for step in action.steps
        if step.revert_to is None
        or step.updatable
        or step.removable
        or step.force
        or step.study_wide
    ]
    names = [member.image_set_id for member in action.members]
    if others or [step.image_set_id for step in action.steps] != names:
        yield "a revert is combined with other calls or changes"
    if not all(Hazard.REVERTS_VERSION in change.hazards for change in action.changes):
        yield "the call is a revert, but a change does not state it"
    returning = [change for change in action.changes if change.op in _RESTORES]
    if not all(Hazard.RESTORES_INSTANCE in change.hazards for change in returning):
        yield "an instance or series returns, but a change does not state it"


def _of_own(
    name: str, calls: Iterable[tuple[Step, tuple[RequestEdit, ...]]], changes: Collection[Change]
) -> Iterator[str]:
    """The edits sent to one image set are the changes shown, each exactly once."""
    shown = {_needed(change): change for change in changes}
    if len(shown) != len(changes):
        yield f"a change of image set {name} is shown twice"
    sent: list[RequestEdit] = []
    for step, edits in calls:
        sent += edits
        if step.force and not any(shown[edit].force_reasons for edit in edits if edit in shown):
            yield f"force is sent to image set {name} without a reason"
    yield from _unequal(name, sent, shown)


def _of_study(
    action: Action, calls: Iterable[tuple[Step, tuple[RequestEdit, ...]]]
) -> Iterator[str]:
    """A study-wide call makes the same edits on every member; compare them by tag."""
    changes = [change for change in action.changes if is_of_the_study(change)]
    shown = {_by_tag(_needed(change)): change for change in changes}
    reasons = {_by_tag(_needed(change)) for change in changes if change.force_reasons}
    sent: list[RequestEdit] = []
    for step, edits in calls:
        tagged = [_by_tag(edit) for edit in edits]
        sent += tagged
        if step.force and not reasons.intersection(tagged):
            yield "force is sent to the study without a reason"
    yield from _unequal(action.image_set_id, sent, shown)


def _unequal(
    name: str, sent: list[RequestEdit], shown: Mapping[RequestEdit, Change]
) -> Iterator[str]:
    counts = Counter(sent)
    for edit in sorted(counts.keys() | shown.keys()):
        path = edit.shown()
        if edit not in shown:
            yield f"a request to image set {name} makes a change of {path} that is not shown"
        elif counts[edit] != 1:
            yield f"the change of {path} in image set {name} is not in exactly one request"


def is_of_the_study(one: Change | RequestEdit) -> bool:
    """Whether all primary image sets of a study must make this change together."""
    return one.address.level <= Level.STUDY


def _by_tag(edit: RequestEdit) -> RequestEdit:
    tag = key_tag(edit.key)
    key = f"{tag:08X}" if tag is not None else edit.key
    return RequestEdit(edit.address, key, edit.removes, edit.value, edit.vr)


def _needed(change: Change) -> RequestEdit:
    """The edit that a request must hold to make a change."""
    if change.op in _SETS:
        value = json_text(change.after.raw if change.after else None)
        return RequestEdit(
            change.address, change.key, False, value, change.vr if change.send_vr else ""
        )
    if change.op is Op.REMOVE:
        value = json_text(change.before.raw if change.before else None)
        return RequestEdit(change.address, change.key, True, value)
    # Only a revert restores a series or an instance: no request equals this edit.
    return RequestEdit(change.address, "", change.op in _REMOVALS)
