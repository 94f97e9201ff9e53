"""The action of a study: one study-wide call, then the calls of each image set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.core.dicom.content import STUDY_INSTANCE_UID
from reconciler.core.model.change import Note
from reconciler.core.model.diff import Diff, SourcedChange
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.observed import Observed
from reconciler.core.model.plan import Action, HazardUse, Member, Status, Step
from reconciler.core.model.settings import Datastore, Settings
from reconciler.core.plan.consent import acceptance_hazards, change_hazards, judge
from reconciler.core.plan.decision import Draft, notes_of, shown_changes, too_large
from reconciler.core.plan.member import member_of
from reconciler.core.plan.notes import failed_version
from reconciler.core.plan.patients import patient_id_of
from reconciler.core.plan.split import TooLarge, split
from reconciler.core.plan.split_consent import once_each, split_hazards
from reconciler.core.plan.steps import own_steps, study_steps
from reconciler.core.plan.study import Found, Study, StudyWide, is_study_level, study_wide
from reconciler.core.plan.study_blocks import not_all_known, unready, with_reverts
from reconciler.core.plan.study_series import series_count, series_note


def study_draft(found: Found, study: Study, diffs: Sequence[Diff], settings: Settings) -> Draft:
    """The action of a study whose image sets `diffs` belong to."""
    datastore = found.datastore
    wide = study_wide(study, diffs, found.managed)
    pins = {
        member.properties.image_set_id: member.properties.version_id for member in study.members
    }
    own = {
        diff.image_set_id: [g for g in diff.changes if not is_study_level(g.change)]
        for diff in diffs
    }
    changes = [*wide.changes, *(sourced for some in own.values() for sourced in some)]
    compared = [*diffs, *study.siblings]
    blocks = [*wide.blocks, *(block for diff in compared for block in diff.blocks)]
    blocks += not_all_known(study, wide.anchor)
    blocks += [*unready(study, diffs), *with_reverts(diffs)]
    hazards = change_hazards(changes, diffs, settings.allow)
    hazards += [use for diff in compared for use in acceptance_hazards(diff)]
    hazards += _wide_hazards(study, found.managed, wide, settings)
    steps: tuple[Step, ...] = ()
    if not blocks:
        try:
            steps, split_up = _all_steps(datastore, study, wide, own, pins, settings)
            hazards += split_up
        except TooLarge as large:
            blocks.append(too_large(large, settings))
    by_id = {diff.image_set_id: diff for diff in diffs}
    action = Action(
        datastore=datastore.name,
        datastore_id=datastore.datastore_id,
        status=_study_status(study, changes),
        members=tuple(sorted(_member(study, member, by_id) for member in study.members)),
        changes=shown_changes(
            sorted(
                changes,
                key=lambda g: (g.change.address, g.change.tag or 0, g.change.image_set_id),
            )
        ),
        notes=(
            *(note for diff in diffs for note in notes_of(datastore, diff)),
            *_sibling_notes(datastore, study, by_id),
            *series_note(study, wide.anchor),
        ),
        released=tuple(sorted({path for diff in diffs for path in diff.released})),
        unlisted_series=series_count(study).unlisted,
    )
    return Draft(action, changes, blocks, hazards, steps, study.documents)


def _member(study: Study, member: Observed, asked: Mapping[str, Diff]) -> Member:
    """A member, with what is asked of it as one of the study."""
    name = member.properties.image_set_id
    own = member_of(member.properties, asked.get(name), member.origin)
    if any(one.change.tag == STUDY_INSTANCE_UID for diff in asked.values() for one in diff.changes):
        own = replace(own, study=None)  # afterwards it is another study
    siblings = [diff for diff in study.siblings if diff.image_set_id == name]
    return replace(
        own,
        patient_id=patient_id_of(member.document) if member.document else own.patient_id,
        has_record=own.has_record or any(one.reading.entry for one in siblings),
        requests=tuple(sorted({*own.requests, *(row for one in siblings for row in one.requests)})),
        accepted=tuple(sorted({*own.accepted, *(row for one in siblings for row in one.accepted)})),
    )


def _study_status(study: Study, changes: Sequence[SourcedChange]) -> Status:
    if any(member.properties.state == "LOCKED" for member in study.members):
        return Status.BUSY
    return Status.DRIFTED if any(g.change.drifted for g in changes) else Status.UPDATE


def _sibling_notes(datastore: Datastore, study: Study, asked: Mapping[str, Diff]) -> Iterator[Note]:
    """Notes about failed versions of members that have no diff of their own."""
    for member in study.members:
        name = member.properties.image_set_id
        if member.good_version and name not in asked:
            yield from failed_version(datastore, member.properties, member.good_version)


def _all_steps(
    datastore: Datastore,
    study: Study,
    wide: StudyWide,
    own: Mapping[str, Sequence[SourcedChange]],
    pins: Mapping[str, str],
    settings: Settings,
) -> tuple[tuple[Step, ...], list[HazardUse]]:
    """The study-wide calls, then each member's own calls; and the consent to their number.

    There are no steps if not every member could be read. Raises TooLarge.
    """
    limit = settings.rules.payload_bytes
    calls = split(wide.sent, limit)
    split_up = split_hazards(wide.anchor, calls, wide.changes, settings.allow)
    made = study.calls
    steps: tuple[Step, ...] = ()
    if made is not None:
        steps = study_steps(datastore.datastore_id, wide.anchor, pins, made.wide)
    for image_set_id, sourced in sorted(own.items()):
        mine = split([each.change for each in sourced], limit)
        split_up += split_hazards(image_set_id, mine, sourced, settings.allow, earlier=len(calls))
        if made is not None:
            pin = str(int(pins[image_set_id]) + len(calls))
            steps += own_steps(datastore.datastore_id, image_set_id, pin, made.own[image_set_id])
    return steps, once_each(split_up)


def _wide_hazards(
    study: Study, named: Collection[str], wide: StudyWide, settings: Settings
) -> list[HazardUse]:
    """No consent is needed if manifests name every image set that the call changes.

    Series that no listed image set holds may be in an image set that no manifest names.
    """
    is_named = all(member.properties.image_set_id in named for member in study.members)
    if is_named and not series_count(study).unlisted:
        return [HazardUse(Hazard.STUDY_WIDE, wide.anchor, True)]
    # By change: the consent of a manifest does not cover the changes of another.
    asking = dict.fromkeys(sourced.sources for sourced in wide.changes)
    return [judge(Hazard.STUDY_WIDE, wide.anchor, one, settings.allow) for one in asking]
