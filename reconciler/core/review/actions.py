"""Copy a plan's actions field by field for output: values masked, without their digests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from reconciler.core.lookalikes import difference
from reconciler.core.model.change import Change
from reconciler.core.model.plan import Action, Member, Step
from reconciler.core.model.settings import Redact
from reconciler.core.model.value import Json, Value, canonical_json
from reconciler.core.review.letters import Letters
from reconciler.core.review.mask import View
from reconciler.core.review.model import ShownAction, ShownChange, ShownMember, ShownStep
from reconciler.core.review.names import changed_components
from reconciler.core.review.parts import parts_of
from reconciler.core.review.reach import Studies, studies_of
from reconciler.core.review.shown import ShownPart, ShownValue, show, show_creator

_STUDY_INSTANCE_UID = 0x0020000D


Finish: TypeAlias = Callable[[ShownAction], ShownAction]


class ShownActions:
    """The actions of a plan in its order, each shown anew whenever it is read.

    Most outputs read none of them, and none needs all at once. It holds the plan's values, as the
    plan itself does, so it prints none of them.
    """

    __slots__ = ("_actions", "_finish", "_letters", "_studies", "_view")

    def __init__(
        self, actions: Sequence[Action], view: View, letters: Letters, finish: Finish
    ) -> None:
        """Keys and paths are labelled already (`labels`), and so are values (`letters`).

        `finish` is applied to each action that is shown.
        """
        self._finish = finish
        self._actions = actions
        self._view = view
        self._letters = letters
        self._studies = Studies(actions)

    def __iter__(self) -> Iterator[ShownAction]:
        return map(self.show, self._actions)

    def __repr__(self) -> str:
        return f"ShownActions({len(self._actions)})"

    def show(self, action: Action) -> ShownAction:
        """One action of the plan."""
        return self._finish(_action(action, self._view, self._letters, self._studies))


def _action(action: Action, view: View, letters: Letters, studies: Studies) -> ShownAction:
    uids = studies_of(action)
    raised: dict[str, int] = {}
    for step in action.steps:
        for name in dict(step.expected):
            raised[name] = raised.get(name, 0) + 1
    return ShownAction(
        datastore=action.datastore,
        datastore_id=action.datastore_id,
        status=action.status,
        digest=action.digest,
        members=tuple(
            [
                _member(
                    action,
                    member,
                    str(int(member.pin or 0) + raised.get(member.image_set_id, 0)),
                    studies.number(uids[member.image_set_id]),
                    _uid(uids[member.image_set_id], view.redact),
                )
                for member in action.members
            ]
        ),
        hazards=action.hazards,
        blocks=action.blocks,
        notes=action.notes,
        released=action.released,
        changes=tuple([shown_change(one, view, letters.of(one)) for one in action.changes]),
        steps=tuple([_step(step, view.redact) for step in action.steps]),
        unlisted_series=action.unlisted_series,
        patient_unproven=action.patient_unproven,
        at_base=action.at_base,
    )


def _member(
    action: Action, member: Member, version_to_come: str, study: int, uid: ShownValue | None
) -> ShownMember:
    own = (step for step in action.steps if step.image_set_id == member.image_set_id)
    return ShownMember(
        image_set_id=member.image_set_id,
        pin=member.pin,
        version_to_come=version_to_come,
        revert_to=next((step.revert_to for step in own if step.revert_to), None),
        is_primary=member.is_primary,
        asked=member.asked,
        previous_version_id=member.previous_version_id,
        updated_at=member.updated_at,
        created_at=member.created_at,
        recorded=member.recorded,
        origin_version_id=member.origin_version_id,
        arn=member.arn,
        is_whole=member.is_whole,
        study=study,
        study_instance_uid=uid,
    )


def _uid(study_instance_uid: str, redact: Redact) -> ShownValue | None:
    return show(study_instance_uid, _STUDY_INSTANCE_UID, redact) if study_instance_uid else None


def shown_change(change: Change, view: View, label: str = "") -> ShownChange:
    """A change whose keys are labelled already."""
    redact = view.redact
    before, after = _value(change.before, change.tag, redact), _after(change, view)
    return ShownChange(
        image_set_id=change.image_set_id,
        op=change.op,
        address=change.address,
        key=change.key,
        tag=change.tag,
        vr=change.vr,
        before=before,
        after=after,
        place=change.place,
        send_vr=change.send_vr,
        drifted=change.drifted,
        consent_versions=change.consent_versions,
        baseline=change.baseline,
        force_reasons=change.force_reasons,
        hazards=change.hazards,
        manifests=change.manifests,
        creator=show_creator(change.creator.raw, redact) if change.creator else None,
        parts=_parts(change, redact),
        components=_components(change, before, after),
        differs_in=_differs_in(change, redact),
        label=label,
    )


def _differs_in(change: Change, redact: Redact) -> str:
    """Name the difference of values that look the same, also if they are masked.

    A reviewer who opens the line of the manifest would take the change for none. With the manifest,
    the name gives the live value away, but so does every attribute that the plan does not change:
    its live value is the value of its line. `redact: all` has no exception.
    """
    if redact is Redact.ALL or change.before is None or change.after is None:
        return ""
    before, after = change.before.raw, change.after.raw
    if _is_ascii(before) and _is_ascii(after):
        return ""
    return difference(_text(before), _text(after))


def _is_ascii(raw: Json) -> bool:
    """Whether a value has ASCII text alone, as nearly all values have."""
    if isinstance(raw, str):
        return raw.isascii()
    if isinstance(raw, list):
        return all(map(_is_ascii, raw))
    if isinstance(raw, dict):
        return "".join(raw).isascii() and all(map(_is_ascii, raw.values()))
    return True


def _text(raw: Json) -> str:
    return raw if isinstance(raw, str) else canonical_json(raw).decode("utf-8", "replace")


def _parts(change: Change, redact: Redact) -> tuple[ShownPart, ...]:
    if change.vr != "SQ" or change.before is None or change.after is None:
        return ()
    return parts_of(change.before.raw, change.after.raw, redact)


def _components(
    change: Change, before: ShownValue | None, after: ShownValue | None
) -> tuple[str, ...]:
    if change.vr != "PN" or change.before is None or change.after is None:
        return ()
    if before is None or before.is_masked or after is None or after.is_masked:
        return ()
    return changed_components(change.before.raw, change.after.raw)


def _after(change: Change, view: View) -> ShownValue | None:
    """The new value. `redact: all` has no exception."""
    is_shown = view.shows_stated and change.is_stated and view.redact is Redact.IDENTIFYING
    return _value(change.after, change.tag, Redact.NONE if is_shown else view.redact)


def _value(value: Value | None, tag: int | None, redact: Redact) -> ShownValue | None:
    return None if value is None else show(value.raw, tag, redact)


def _step(step: Step, redact: Redact) -> ShownStep:
    return ShownStep(
        datastore_id=step.datastore_id,
        image_set_id=step.image_set_id,
        pin=step.pin,
        updatable=_payload(step.updatable, redact),
        removable=_payload(step.removable, redact),
        revert_to=step.revert_to,
        force=step.force,
        study_wide=step.study_wide,
        study_instance_uid=show(step.study_instance_uid, _STUDY_INSTANCE_UID, redact)
        if step.study_wide
        else None,
        raises=tuple(image_set_id for image_set_id, _ in step.expected),
    )


def _payload(text: str | None, redact: Redact) -> ShownValue | None:
    return None if text is None else show(text, None, redact)
