"""Copy a plan's actions field by field for output: values masked, without their digests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import orjson

from reconciler.core.lookalikes import difference
from reconciler.core.model.change import Change
from reconciler.core.model.plan import Action, Member, Step
from reconciler.core.model.settings import Redact
from reconciler.core.model.value import Json, canonical_json
from reconciler.core.review.letters import Letters
from reconciler.core.review.mask import View
from reconciler.core.review.model import ShownAction, ShownChange, ShownMember, ShownStep
from reconciler.core.review.names import changed_components
from reconciler.core.review.parts import parts_of
from reconciler.core.review.reach import Studies, studies_of
from reconciler.core.review.shown import ShownPart, ShownValue, show, show_creator

_STUDY_INSTANCE_UID = 0x0020000D
# A member of an enum takes longer to read than a function to call, in Python 3.11.
_IDENTIFYING, _ALL, _NONE = Redact.IDENTIFYING, Redact.ALL, Redact.NONE

# All that is shown is made with arguments by position, which takes a fifth of the time.

Finish: TypeAlias = Callable[[ShownAction], ShownAction]


class ShownActions:
    """The actions of a plan in its order, each shown anew whenever it is read.

    Most outputs read none of them, and none needs all at once. It holds the plan's values, as the
    plan itself does, so it prints none of them.
    """

    __slots__ = ("_actions", "_finish", "_letters", "_studies", "_view")

    def __init__(
        self,
        actions: Sequence[Action],
        view: View,
        letters: Callable[[], Letters],
        studies: Studies,
        finish: Finish,
    ) -> None:
        """Keys and paths are labelled already (`labels`). `letters` gives the labels of values.

        `finish` is applied to each action that is shown.
        """
        self._finish = finish
        self._actions = actions
        self._view = view
        self._letters = letters
        self._studies = studies

    def __iter__(self) -> Iterator[ShownAction]:
        view, letters, studies, finish = self._view, self._letters(), self._studies, self._finish
        return (finish(_action(one, view, letters, studies)) for one in self._actions)

    def __repr__(self) -> str:
        return f"ShownActions({len(self._actions)})"

    def show(self, action: Action) -> ShownAction:
        """One action of the plan."""
        return self._finish(_action(action, self._view, self._letters(), self._studies))


def _action(action: Action, view: View, letters: Letters, studies: Studies) -> ShownAction:
    uids = studies_of(action)
    raised: dict[str, int] = {}
    for step in action.steps:
        for name in dict(step.expected):
            raised[name] = raised.get(name, 0) + 1
    members = [
        _member(
            action,
            member,
            str(int(member.pin or 0) + raised.get(member.image_set_id, 0)),
            studies.number(uids[member.image_set_id]),
            _uid(uids[member.image_set_id], view.redact),
        )
        for member in action.members
    ]
    return ShownAction(
        action.datastore,
        action.datastore_id,
        action.status,
        action.digest,
        tuple(members),
        action.hazards,
        action.blocks,
        action.notes,
        action.released,
        tuple([shown_change(one, view, letters.of(one)) for one in action.changes]),
        tuple([_step(step, view.redact) for step in action.steps]),
        action.unlisted_series,
        action.patient_unproven,
        action.at_base,
    )


def _member(
    action: Action, member: Member, version_to_come: str, study: int, uid: ShownValue | None
) -> ShownMember:
    image_set_id = member.image_set_id
    targets = [
        step.revert_to
        for step in action.steps
        if step.revert_to and step.image_set_id == image_set_id
    ]
    return ShownMember(
        image_set_id,
        member.pin,
        version_to_come,
        targets[0] if targets else None,
        member.is_primary,
        member.asked,
        member.previous_version_id,
        member.updated_at,
        member.created_at,
        member.recorded,
        member.origin_version_id,
        member.arn,
        member.is_whole,
        study,
        uid,
    )


def _uid(study_instance_uid: str, redact: Redact) -> ShownValue | None:
    return show(study_instance_uid, _STUDY_INSTANCE_UID, redact) if study_instance_uid else None


def shown_change(change: Change, view: View, label: str = "") -> ShownChange:
    """A change whose keys are labelled already."""
    redact, tag, creator = view.redact, change.tag, change.creator
    before = None if change.before is None else show(change.before.raw, tag, redact)
    after = None if change.after is None else show(change.after.raw, tag, _of_new(change, view))
    return ShownChange(
        change.image_set_id,
        change.op,
        change.address,
        change.key,
        tag,
        change.vr,
        before,
        after,
        change.place,
        change.send_vr,
        change.drifted,
        change.consent_versions,
        change.baseline,
        change.force_reasons,
        change.hazards,
        change.manifests,
        show_creator(creator.raw, redact) if creator else None,
        _parts(change, redact) if change.vr == "SQ" else (),
        _components(change, before, after) if change.vr == "PN" else (),
        _differs_in(change, redact),
        label,
    )


def _of_new(change: Change, view: View) -> Redact:
    """How a new value is masked. `redact: all` has no exception."""
    is_shown = view.shows_stated and change.is_stated and view.redact is _IDENTIFYING
    return _NONE if is_shown else view.redact


def _differs_in(change: Change, redact: Redact) -> str:
    """Name the difference of values that look the same, also if they are masked.

    A reviewer who opens the line of the manifest would take the change for none. With the manifest,
    the name gives the live value away, but so does every attribute that the plan does not change:
    its live value is the value of its line. `redact: all` has no exception.
    """
    if redact is _ALL or change.before is None or change.after is None:
        return ""
    before, after = change.before.raw, change.after.raw
    if isinstance(before, str) and isinstance(after, str):  # as nearly all values are
        is_ascii = before.isascii() and after.isascii()
    else:
        is_ascii = _is_ascii(before) and _is_ascii(after)
    if is_ascii:
        return ""
    return difference(_text(before), _text(after))


def _is_ascii(raw: Json) -> bool:
    """Whether a value has ASCII text alone, as nearly all values have."""
    try:
        return orjson.dumps(raw).isascii()
    except TypeError:  # A number of more than 64 bits, or text that is no Unicode.
        return _text(raw).isascii()


def _text(raw: Json) -> str:
    return raw if isinstance(raw, str) else canonical_json(raw).decode("utf-8", "replace")


def _parts(change: Change, redact: Redact) -> tuple[ShownPart, ...]:
    if change.before is None or change.after is None:
        return ()
    return parts_of(change.before.raw, change.after.raw, redact)


def _components(
    change: Change, before: ShownValue | None, after: ShownValue | None
) -> tuple[str, ...]:
    if change.before is None or change.after is None:
        return ()
    if before is None or before.is_masked or after is None or after.is_masked:
        return ()
    return changed_components(change.before.raw, change.after.raw)


def _step(step: Step, redact: Redact) -> ShownStep:
    study = step.study_instance_uid
    return ShownStep(
        step.datastore_id,
        step.image_set_id,
        step.pin,
        _payload(step.updatable, redact),
        _payload(step.removable, redact),
        step.revert_to,
        step.force,
        step.study_wide,
        show(study, _STUDY_INSTANCE_UID, redact) if step.study_wide else None,
        tuple([image_set_id for image_set_id, _ in step.expected]),
    )


def _payload(text: str | None, redact: Redact) -> ShownValue | None:
    return None if text is None else show(text, None, redact)
