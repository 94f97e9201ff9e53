"""Find the contradictions within an action and between the actions of a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, Plan, Status, pins
from reconciler.core.plan.checker.consents import of_consents, of_drift, of_manifests
from reconciler.core.plan.checker.edits import of_requests, reverts
from reconciler.core.plan.checker.patients import of_patients
from reconciler.core.plan.checker.studies import of_study, studies_of


def contradictions(action: Action, payload_bytes: int | None = None) -> tuple[str, ...]:
    """The contradictions within an action, in sentences without values.

    `payload_bytes` is the limit of a call, in bytes after base64; None if it is judged elsewhere.
    """
    found = [*_of_status(action), *_of_members(action), *_of_changes(action)]
    found += [*of_drift(action), *of_manifests(action)]
    if not found and action.steps:
        found += [*_of_pins(action), *_of_hazards(action), *of_requests(action)]
        found += _of_sizes(action, payload_bytes)
    if not found and action.steps:
        found += [*of_study(action), *of_consents(action)]
    return tuple(found)


def contradictions_of_all(
    actions: Sequence[Action], payload_bytes: int | None = None
) -> tuple[tuple[str, ...], ...]:
    """For each action of a plan, how it contradicts itself or another action."""
    counts = Counter(one for action in actions for one in _image_sets(action))
    studies = Counter(one for action in actions for one in studies_of(action))
    return tuple(
        (
            *contradictions(action, payload_bytes),
            *patients,
            *(
                "another action changes the same study"
                for one in sorted(studies_of(action))
                if studies[one] > 1
            ),
            *(
                f"image set {image_set_id} is in more than one action"
                for datastore_id, image_set_id in sorted(_image_sets(action))
                if counts[datastore_id, image_set_id] > 1
            ),
        )
        for action, patients in zip(actions, of_patients(actions), strict=True)
    )


def _image_sets(action: Action) -> set[tuple[str, str]]:
    return {(action.datastore_id, member.image_set_id) for member in action.members}


def edited(plan: Plan) -> str:
    """The first contradiction of a saved plan, "" if there is none.

    An action that `plan` itself held back for a contradiction may keep it: nothing of it is sent.
    """
    for action, found in zip(plan.actions, contradictions_of_all(plan.actions), strict=True):
        if found and not action.is_held_by_a_bug:
            return f"image set {action.image_set_id}: {found[0]}"
    return ""


def _of_status(action: Action) -> Iterator[str]:
    if action.steps and (not action.status.is_runnable or action.blocks):
        yield "the action has calls, but it is held back"
    if action.steps and not action.changes:
        yield "the action has calls, but shows no change"
    if action.status is Status.CONVERGED and (action.changes or action.blocks):
        yield "the action is converged, but shows changes"
    if any(change.drifted for change in action.changes) and action.status is Status.UPDATE:
        yield "a value drifted, but the status of the action does not state it"


def _of_members(action: Action) -> Iterator[str]:
    names = [member.image_set_id for member in action.members]
    if names != sorted(set(names)):
        yield "the image sets of the action are not sorted, or an image set is listed twice"
    shown = {change.image_set_id for change in action.changes}
    shown |= {use.image_set_id for use in action.hazards}
    if not shown <= set(names):
        yield "the action shows an image set that is not part of it"
    of_a_study = len(names) > 1 or any(step.study_wide for step in action.steps)
    if of_a_study and not all(member.is_primary for member in action.members):
        yield "not all image sets of the action are primary"


def _of_changes(action: Action) -> Iterator[str]:
    """Every change has a line that asks for it, and states its drift completely."""
    versions = {member.image_set_id: member.pin for member in action.members}
    for change in action.changes:
        about = f"of image set {change.image_set_id}"
        if action.steps and change.place is None and not reverts(action):
            yield f"no manifest line asks for a change {about}"
        states_drift = Hazard.OVERWRITES_DRIFT in change.hazards
        permits = versions.get(change.image_set_id) in change.consent_versions
        if not change.drifted == states_drift == permits == bool(change.consent_versions):
            yield f"the drift of a change {about} is not stated in full"
        if change.drifted and not change.baseline:
            yield f"a change {about} drifted, but nothing is recorded of it"


def _of_sizes(action: Action, payload_bytes: int | None) -> Iterator[str]:
    for number, step in enumerate(action.steps, 1):
        blobs = filter(None, (step.updatable, step.removable))
        size = sum(4 * -(-len(blob.encode("utf-8", "surrogatepass")) // 3) for blob in blobs)
        if payload_bytes is not None and size > payload_bytes:
            yield f"call {number} has {size:,} bytes, more than the limit of {payload_bytes:,}"


def _of_pins(action: Action) -> Iterator[str]:
    names = [member.image_set_id for member in action.members]
    current = {member.image_set_id: member.pin for member in action.members}
    if not all(pin.isdecimal() for pin in current.values()):
        yield "an image set has no version number"
        return
    is_wide = [step.study_wide for step in action.steps]
    if is_wide != sorted(is_wide, reverse=True):
        yield "a study-wide call comes after another call"
    if len(names) > 1 and not any(is_wide) and not reverts(action):
        yield "the action has several image sets, but no study-wide call"
    for number, (step, before) in enumerate(zip(action.steps, pins(action), strict=True), 1):
        moved = [name for name, _ in step.expected]
        if step.datastore_id != action.datastore_id:
            yield f"call {number} goes to another data store"
        if moved != (names if step.study_wide else [step.image_set_id]):
            yield f"call {number} changes other image sets than those of the action"
        elif step.image_set_id not in current or step.pin != current[step.image_set_id]:
            yield f"call {number} expects another version than the plan"
        current.update({name: str(int(pin) + 1) for name, pin in before.items()})


def _of_hazards(action: Action) -> Iterator[str]:
    """Every hazard of a change and of a call is shown, and has consent."""
    shown = {(use.hazard, use.image_set_id) for use in action.hazards}
    needed = {
        (hazard, change.image_set_id) for change in action.changes for hazard in change.hazards
    }
    needed |= {(Hazard.STUDY_WIDE, step.image_set_id) for step in action.steps if step.study_wide}
    for hazard, image_set_id in sorted(needed - shown):
        yield f"{hazard} of image set {image_set_id} is not shown"
    for use in action.hazards:
        if not use.consented:
            yield f"the action has calls, but consent to {use.hazard} is missing"
