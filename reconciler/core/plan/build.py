"""Build the actions of a plan from diffs and studies: consent is judged, steps are made."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.model.diff import Diff
from reconciler.core.model.observed import Properties
from reconciler.core.model.plan import Action, HazardUse, Member, Status, Step
from reconciler.core.model.settings import Datastore, Permission, Settings
from reconciler.core.plan.consent import acceptance_hazards, change_hazards, with_whole_lines
from reconciler.core.plan.decision import (
    Draft,
    decided,
    notes_of,
    shown_changes,
    too_large,
)
from reconciler.core.plan.member import member_of, sibling_of
from reconciler.core.plan.merges import with_patients
from reconciler.core.plan.notes import with_notes
from reconciler.core.plan.split import TooLarge, split
from reconciler.core.plan.split_consent import split_hazards
from reconciler.core.plan.steps import own_steps, revert_step
from reconciler.core.plan.study import Found, Study
from reconciler.core.plan.study_action import study_draft
from reconciler.core.plan.study_blocks import moves_study, with_study
from reconciler.core.plan.study_revert import revert_draft, reverts_study


def build(found: Found, settings: Settings) -> tuple[Action, ...]:
    """The actions of one data store, sorted by image set."""
    actions = [decided(draft) for draft in with_patients(_drafts(found, settings), found.patients)]
    actions = with_notes(with_whole_lines(actions, found.diffs), found.diffs)
    return tuple(sorted(actions, key=lambda action: (action.datastore, action.image_set_id)))


def _drafts(found: Found, settings: Settings) -> list[Draft]:
    by_id = {diff.image_set_id: diff for diff in found.diffs}
    drafts: list[Draft] = []
    siblings: dict[str, tuple[Member, ...]] = {}
    for study in found.studies:
        asked = [
            by_id[member.properties.image_set_id]
            for member in study.members
            if member.properties.image_set_id in by_id
        ]
        together = _together(found, study, asked, settings)
        drafts += [draft for _, draft in together]
        for diff in (diff for some, _ in together for diff in some):
            del by_id[diff.image_set_id]
        siblings |= _siblings(study, [diff for diff in asked if diff.image_set_id in by_id])
    for name, diff in by_id.items():
        drafts.append(
            _single_draft(found.datastore, with_study(diff), siblings.get(name, ()), settings)
        )
    return drafts


def _together(
    found: Found, study: Study, asked: Sequence[Diff], settings: Settings
) -> list[tuple[Sequence[Diff], Draft]]:
    """The image sets of a study that change together, with their action."""
    if any(map(moves_study, asked)) or any(map(_is_action, study.siblings)):
        return [(asked, study_draft(found, study, asked, settings))]
    reverting = [diff for diff in asked if reverts_study(diff)]
    if reverting and settings.rules.revert_on_primary != Permission.ALLOW:
        return [(reverting, revert_draft(found.datastore, study, reverting, settings))]
    return []


def _is_action(sibling: Diff) -> bool:
    """Whether something must be done, or decided, about a member of which no manifest asks it."""
    return bool(sibling.changes or sibling.blocks)


def _siblings(study: Study, asked: Sequence[Diff]) -> dict[str, tuple[Member, ...]]:
    """The members to record with the first image set that was found converged with its study."""
    first = next((one for one in asked if one.study and one.status is Status.CONVERGED), None)
    if first is None:
        return {}
    return {first.image_set_id: tuple(map(sibling_of, study.siblings))}


def _single_draft(
    datastore: Datastore, diff: Diff, siblings: tuple[Member, ...], settings: Settings
) -> Draft:
    properties = diff.reading.properties
    known = properties or Properties(diff.image_set_id, "", "")
    hazards = change_hazards(diff.changes, [diff], settings.allow) + acceptance_hazards(diff)
    blocks = list(diff.blocks)
    steps: tuple[Step, ...] = ()
    if diff.changes and not blocks:
        try:
            steps, split_up = _diff_steps(datastore, diff, known.version_id, settings)
            hazards += split_up
        except TooLarge as large:
            blocks.append(too_large(large, settings))
    action = Action(
        datastore=datastore.name,
        datastore_id=datastore.datastore_id,
        status=diff.status,
        members=(member_of(known, diff, diff.reading.origin),),
        changes=shown_changes(diff.changes),
        notes=notes_of(datastore, diff),
        released=diff.released,
        siblings=siblings,
    )
    document = diff.reading.document or diff.reading.target
    documents = {diff.image_set_id: document} if document is not None else {}
    return Draft(action, diff.changes, blocks, hazards, steps, documents)


def _diff_steps(
    datastore: Datastore, diff: Diff, pin: str, settings: Settings
) -> tuple[tuple[Step, ...], list[HazardUse]]:
    """The calls for one image set, and the consent to their number. Raises TooLarge."""
    name = diff.image_set_id
    if not diff.calls:
        split([one.change for one in diff.changes], settings.rules.payload_bytes)
        raise AssertionError("only a change that is too large has no call")
    if diff.ask.revert is not None:
        (call,) = diff.calls
        return (revert_step(datastore.datastore_id, name, pin, diff.ask.revert, call),), []
    steps = own_steps(datastore.datastore_id, name, pin, diff.calls)
    calls = [call.changes for call in diff.calls]
    return steps, split_hazards(name, calls, diff.changes, settings.allow)
