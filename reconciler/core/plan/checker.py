"""Check that a finished action does what it shows, independently of the code that builds plans.

A reviewer reads changes, but the service gets requests. So the requests are decoded here and
compared with the changes, byte for byte. Pins, members and hazards must match too. The builder's
code is not used, so that a bug in one of the two, or a forged plan, does not pass the other.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.core.dicom.content import key_tag
from reconciler.core.dicom.dictionary import is_key
from reconciler.core.model.address import PATIENT, STUDY, Address, Level, instance_at, series_at
from reconciler.core.model.change import Change, Op
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, Plan, Status, Step, pins
from reconciler.core.model.value import Json

_SETS = (Op.ADD, Op.UPDATE)
_REMOVALS = (Op.REMOVE, Op.REMOVE_INSTANCE, Op.REMOVE_SERIES)
_SCHEMA_VERSION = 1.1

Section: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True, order=True, repr=False)
class RequestEdit:
    """One edit of a request. `value` and `vr` are JSON texts, or "".

    `key` is "" if a whole series or instance is removed.
    """

    address: Address
    key: str
    removes: bool
    value: str = ""
    vr: str = ""

    def __repr__(self) -> str:
        return f"RequestEdit({self.shown()}, ***)"

    def shown(self) -> str:
        """The path as a message may show it: a key that DICOM does not define may be a name."""
        if not self.key:
            return self.address.shown()
        key = self.key if is_key(self.key) else f"<text({len(self.key)})>"
        return f"{self.address.shown()}/{key}"


class RequestError(Exception):
    """A request that does not have the form of DICOMUpdates. The message holds no value."""


def contradictions(action: Action, payload_bytes: int | None = None) -> tuple[str, ...]:
    """The contradictions within an action, in sentences without values.

    `payload_bytes` is the limit of a call, in bytes after base64; None if it is judged elsewhere.
    """
    found = [*_of_status(action), *_of_members(action), *_of_changes(action)]
    if not found and action.steps:
        found += [*_of_pins(action), *_of_hazards(action), *_of_requests(action)]
        found += _of_sizes(action, payload_bytes)
    return tuple(found)


def contradictions_of_all(
    actions: Sequence[Action], payload_bytes: int | None = None
) -> tuple[tuple[str, ...], ...]:
    """For each action of a plan, how it contradicts itself or another action."""
    counts = Counter(one for action in actions for one in _image_sets(action))
    return tuple(
        (
            *contradictions(action, payload_bytes),
            *(
                f"image set {image_set_id} is in more than one action"
                for datastore_id, image_set_id in sorted(_image_sets(action))
                if counts[datastore_id, image_set_id] > 1
            ),
        )
        for action in actions
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
    if len(names) > 1 and not all(member.is_primary for member in action.members):
        yield "not all image sets of the action are primary"


def _of_changes(action: Action) -> Iterator[str]:
    """Every change has a line that asks for it, and states its drift completely."""
    versions = {member.image_set_id: member.pin for member in action.members}
    reverts = any(step.revert_to is not None for step in action.steps)
    for change in action.changes:
        about = f"of image set {change.image_set_id}"
        if action.steps and change.place is None and not reverts:
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
    if len(names) > 1 and not any(is_wide):
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
    needed |= set(hazards_of_calls(action))
    for hazard, image_set_id in sorted(needed - shown):
        yield f"{hazard} of image set {image_set_id} is not shown"
    for use in action.hazards:
        if not use.consented:
            yield f"the action has calls, but consent to {use.hazard} is missing"


def hazards_of_calls(action: Action) -> Iterator[tuple[Hazard, str]]:
    """The hazards that come from how the calls are made, each with its image set."""
    wide = Counter(step.image_set_id for step in action.steps if step.study_wide)
    own = Counter(step.image_set_id for step in action.steps if not step.study_wide)
    for name in sorted(wide):
        yield Hazard.STUDY_WIDE, name
    for name in sorted(wide.keys() | own.keys()):
        if wide[name] > 1 or own[name] > 1:
            yield Hazard.SPLIT_UPDATE, name


def _of_requests(action: Action) -> Iterator[str]:
    if any(step.revert_to is not None for step in action.steps):
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
            if change.image_set_id == name and not (wide and _is_of_the_study(change))
        ]
        # If the service does not state isPrimary, it may be primary (decision 0002, U25).
        if member.is_primary is not False and any(map(_is_of_the_study, changes)):
            yield "Patient or Study attributes of a primary image set change without its study"
        yield from _of_own(name, own, changes)


def _of_revert(action: Action) -> Iterator[str]:
    step = action.steps[0]
    is_alone = len(action.steps) == len(action.members) == 1
    if not is_alone or step.updatable or step.removable or step.force or step.study_wide:
        yield "a revert is combined with other calls or changes"
    if not all(Hazard.REVERTS_VERSION in change.hazards for change in action.changes):
        yield "the call is a revert, but a change does not state it"


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
    changes = [change for change in action.changes if _is_of_the_study(change)]
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


def _is_of_the_study(change: Change) -> bool:
    return change.address.level <= Level.STUDY


def _by_tag(edit: RequestEdit) -> RequestEdit:
    tag = key_tag(edit.key)
    key = f"{tag:08X}" if tag is not None else edit.key
    return RequestEdit(edit.address, key, edit.removes, edit.value, edit.vr)


def _needed(change: Change) -> RequestEdit:
    """The edit that a request must hold to make a change."""
    if change.op in _SETS:
        value = _text(change.after.raw if change.after else None)
        return RequestEdit(
            change.address, change.key, False, value, change.vr if change.send_vr else ""
        )
    if change.op is Op.REMOVE:
        return RequestEdit(
            change.address, change.key, True, _text(change.before.raw if change.before else None)
        )
    # Only a revert restores a series or an instance: no request equals this edit.
    return RequestEdit(change.address, "", change.op in _REMOVALS)


def decode(step: Step) -> Iterator[RequestEdit]:
    """The edits of the two blobs of a call, in document order. Raises RequestError."""
    for blob, removes in ((step.updatable, False), (step.removable, True)):
        if blob is None:
            continue
        tree = _parsed(blob)
        if tree.get("SchemaVersion") != _SCHEMA_VERSION:
            raise RequestError("SchemaVersion 1.1 is missing")
        _only(tree, "SchemaVersion", "Patient", "Study")
        if "Patient" in tree:
            yield from _section(_mapping(tree, "Patient"), PATIENT, removes)
        if "Study" in tree:
            yield from _study(_mapping(tree, "Study"), removes)


def _study(study: Section, removes: bool) -> Iterator[RequestEdit]:
    yield from _section(study, STUDY, removes, "Series")
    for series, section in _inner(study, "Series"):
        if removes and not section:
            yield RequestEdit(series_at(series), "", True)
            continue
        yield from _section(section, series_at(series), removes, "Instances")
        for instance, inner in _inner(section, "Instances"):
            if removes and not inner:
                yield RequestEdit(instance_at(series, instance), "", True)
            else:
                yield from _section(inner, instance_at(series, instance), removes)


def _section(
    section: Section, address: Address, removes: bool, inner: str = ""
) -> Iterator[RequestEdit]:
    _only(section, "DICOM", "DICOMVRs", inner)
    values = _mapping(section, "DICOM") if "DICOM" in section else {}
    vrs = _mapping(section, "DICOMVRs") if "DICOMVRs" in section else {}
    if not values and not (inner and section.get(inner)):
        raise RequestError(f"{address.shown()} is empty")
    if set(vrs) - set(values) or (removes and vrs):
        raise RequestError(f"{address.shown()} states the VR of an attribute that it does not set")
    for key, value in values.items():
        yield RequestEdit(address, key, removes, _text(value), str(vrs.get(key, "")))


def _inner(section: Section, name: str) -> Iterator[tuple[str, Section]]:
    if name in section:
        sections = _mapping(section, name)
        for key in sections:
            yield key, _mapping(sections, key)


def _mapping(section: Section, name: str) -> Section:
    found = section[name]
    if not isinstance(found, dict):
        raise RequestError("a block of attributes has the wrong form")
    return found


def _only(section: Section, *names: str) -> None:
    if set(section) - set(names):
        raise RequestError("it holds an unknown key")


def _parsed(blob: str) -> Section:
    """Parse a blob. Duplicate keys are refused: which of them the service uses is unknown."""
    try:
        tree = json.loads(blob, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise RequestError("it is not valid JSON") from None
    if not isinstance(tree, dict):
        raise RequestError("it has the wrong form")
    return tree


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RequestError("it holds a key twice")
    return found


def _text(value: Json) -> str:
    """JSON text for comparison, in which 1, 1.0 and true differ."""
    return json.dumps(value, sort_keys=True)
