"""Reverts that change Patient or Study level of primary image sets: one action for a study.

A revert is never study-wide: the service does not support includeStudyImageSets with
revertToVersionId. So it is refused unless all primary image sets of the study have the same Patient
and Study attributes after it. The reverts of several members are separate calls, but one action:
without consent to one of them none is sent, and after a call that fails no other is sent. Between
two calls the members differ. The next run finishes: the image sets that are reverted have the
content that the others are reverted to.

Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/update-image-set-metadata.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reconciler.core.dicom.content import Section, canonical_attributes, section_at
from reconciler.core.dicom.shape import misshapen
from reconciler.core.errors import Place
from reconciler.core.model.address import PATIENT, STUDY
from reconciler.core.model.change import Block
from reconciler.core.model.diff import Diff
from reconciler.core.model.observed import Observed
from reconciler.core.model.plan import Action, Member, Status, Step
from reconciler.core.model.settings import Datastore, Settings
from reconciler.core.model.value import Document
from reconciler.core.plan.consent import acceptance_hazards, change_hazards
from reconciler.core.plan.decision import Draft, notes_of, shown_changes
from reconciler.core.plan.member import member_of
from reconciler.core.plan.steps import revert_step
from reconciler.core.plan.study import Study
from reconciler.core.plan.study_blocks import needs_study, not_all_known
from reconciler.core.plan.study_series import series_count, series_note

_NAMED = 3
_LET_REVERT = (
    "`rules: {revertOnPrimary: allow}` in reconciler.yaml allows the revert. More: `reconcile "
    "explain revertOnPrimary`."
)


def reverts_study(diff: Diff) -> bool:
    """Whether this is a revert that changes Patient or Study level of a primary image set."""
    return diff.ask.revert is not None and needs_study(diff)


def revert_draft(
    datastore: Datastore, study: Study, diffs: Sequence[Diff], settings: Settings
) -> Draft:
    """The action of all reverts that change Patient or Study level in one study."""
    diffs = sorted(diffs, key=lambda diff: diff.image_set_id)
    changes = [sourced for diff in diffs for sourced in diff.changes]
    blocks = [*(block for diff in diffs for block in diff.blocks), *_blocks(study, diffs)]
    notes = [note for diff in diffs for note in notes_of(datastore, diff)]
    if not series_count(study).unlisted:
        notes += series_note(study, diffs[0].image_set_id)
    action = Action(
        datastore=datastore.name,
        datastore_id=datastore.datastore_id,
        status=_status(study, diffs),
        members=tuple(map(_member, diffs)),
        changes=shown_changes(changes),
        notes=tuple(notes),
    )
    hazards = change_hazards(changes, diffs, settings.allow)
    hazards += [use for diff in diffs for use in acceptance_hazards(diff)]
    steps = () if blocks else tuple(_step(datastore, diff) for diff in diffs)
    return Draft(action, changes, blocks, hazards, steps, study.documents)


def _status(study: Study, diffs: Sequence[Diff]) -> Status:
    if any(member.properties.state == "LOCKED" for member in study.members):
        return Status.BUSY
    drifted = any(sourced.change.drifted for diff in diffs for sourced in diff.changes)
    return Status.DRIFTED if drifted else Status.UPDATE


def _member(diff: Diff) -> Member:
    assert diff.reading.properties is not None
    return member_of(diff.reading.properties, diff, diff.reading.origin)


def _step(datastore: Datastore, diff: Diff) -> Step:
    properties, revert = diff.reading.properties, diff.ask.revert
    assert properties is not None and revert is not None
    (call,) = diff.calls
    pin = properties.version_id
    return revert_step(datastore.datastore_id, diff.image_set_id, pin, revert, call)


def _blocks(study: Study, diffs: Sequence[Diff]) -> list[Block]:
    """Why the reverts may leave the primary image sets of the study different from each other."""
    first = diffs[0]
    unknown = [
        *not_all_known(study, first.image_set_id),
        *_more_series(study, first.image_set_id),
        *_not_comparable(study, first.image_set_id),
    ]
    if unknown:
        hints = [f"{block.hint} {_LET_REVERT}" for block in unknown]
        place = _place(first)
        return [
            replace(block, hint=hint, place=place)
            for block, hint in zip(unknown, hints, strict=True)
        ]
    return list(_unequal(study, diffs))


def _place(diff: Diff) -> Place | None:
    return diff.ask.revert.place if diff.ask.revert is not None else None


def _more_series(study: Study, image_set_id: str) -> Iterator[Block]:
    count = series_count(study)
    if count.unlisted:
        yield Block(
            image_set_id,
            f"SearchImageSets states {count.stated} series for this study, but the image sets that "
            f"it lists hold {count.held + count.elsewhere}. Another primary image set may be "
            "missing",
            "Run `reconcile plan` again later.",
        )


def _not_comparable(study: Study, image_set_id: str) -> Iterator[Block]:
    for member in study.members:
        if why := _why_not(member):
            yield Block(
                image_set_id,
                f"image set {member.properties.image_set_id} of its study cannot be compared: "
                f"{why}",
                "Run `reconcile plan` again later.",
            )


def _why_not(member: Observed) -> str:
    if member.unread is not None:
        return member.unread.message
    if member.document is None:
        return f"it is {member.properties.state}"
    if odd := misshapen(member.document):
        return f"its document does not have the documented structure at {odd}"
    return ""


def _unequal(study: Study, diffs: Sequence[Diff]) -> Iterator[Block]:
    """Compare the members as they are after all reverts; other members stay as they are."""
    targets = {diff.image_set_id: diff.reading.target for diff in diffs}
    if None in targets.values():
        return  # this revert has blocks of its own
    documents = {**study.documents, **targets}
    after = {name: _shared(found) for name, found in documents.items() if found is not None}
    for diff in diffs:
        own = after[diff.image_set_id]
        others = [name for name, content in sorted(after.items()) if content != own]
        if others:
            yield Block(
                diff.image_set_id,
                "this revert would make Patient or Study attributes differ from those of "
                f"{_names(others)}, in the same study",
                "Revert the other primary image sets of the study, too, to versions with the same "
                "values. Or ask for the old values with `present:`: that changes the whole study "
                f"in one call. {_LET_REVERT}",
                _place(diff),
            )


def _shared(document: Document) -> tuple[Section, Section]:
    """The attributes that all primary image sets of a study share, in canonical form."""
    patient, study = (section_at(document, address) or {} for address in (PATIENT, STUDY))
    return canonical_attributes(patient), canonical_attributes(study)


def _names(image_set_ids: Sequence[str]) -> str:
    noun = "image set" if len(image_set_ids) == 1 else "image sets"
    more = len(image_set_ids) - _NAMED
    rest = f" and {more:,} more" if more > 0 else ""
    return f"{noun} {', '.join(image_set_ids[:_NAMED])}{rest}"
