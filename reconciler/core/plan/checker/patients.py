"""Check, over all actions of a plan, that PatientIDs of different patients become one with consent.

An action alone does not show that: the image sets of a manifest are different actions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.core.errors import Place
from reconciler.core.model.change import Change
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, HazardUse
from reconciler.core.model.value import Value

_PATIENT_ID = 0x00100020


def of_patients(actions: Sequence[Action]) -> tuple[tuple[str, ...], ...]:
    """For each action of a plan, what contradicts its new PatientIDs."""
    before: dict[tuple[str, str], set[str]] = defaultdict(set)
    for action in actions:
        for change in _new_ids(action):
            before[action.datastore_id, _text(change.after)] |= _held(change)
    merging = [
        [
            change
            for change in _new_ids(action)
            if len(before[action.datastore_id, _text(change.after)]) > 1
            or change.image_set_id in action.patient_unproven
        ]
        for action in actions
    ]
    numbers = _numbers(zip(actions, merging, strict=True))
    return tuple(
        tuple(_of_action(action, changes, numbers)) if action.steps else ()
        for action, changes in zip(actions, merging, strict=True)
    )


def _of_action(
    action: Action, merging: Iterable[Change], numbers: Mapping[Place | None, int]
) -> Iterator[str]:
    for change in merging:
        name = change.image_set_id
        uses = _uses(action, name)
        if not uses:
            yield f"{Hazard.MERGES_PATIENTS} of image set {name} is not shown"
        for use in uses:
            if change.manifests and use.place not in change.manifests:
                yield f"consent to {use.hazard} of image set {name} is of another manifest"
            if use.number < numbers[use.place]:
                yield f"consent to {use.hazard} of image set {name} is for fewer patients"


def _numbers(rows: Iterable[tuple[Action, Iterable[Change]]]) -> Mapping[Place | None, int]:
    """The number of PatientIDs that become others by the image sets of each manifest."""
    held: dict[Place | None, set[str]] = defaultdict(set)
    for action, merging in rows:
        for change in merging:
            for use in _uses(action, change.image_set_id):
                held[use.place] |= _held(change)
    return {place: max(1, len(names)) for place, names in held.items()}


def _uses(action: Action, image_set_id: str) -> list[HazardUse]:
    return [
        use
        for use in action.hazards
        if (use.hazard, use.image_set_id) == (Hazard.MERGES_PATIENTS, image_set_id)
    ]


def _new_ids(action: Action) -> Iterator[Change]:
    for change in action.changes:
        if change.tag == _PATIENT_ID and _text(change.after):
            yield change


def _held(change: Change) -> set[str]:
    return {_text(change.before)} - {""}


def _text(value: Value | None) -> str:
    return str(value.raw).strip(" \0") if value is not None and value.raw else ""
