"""Why the study of a primary image set holds an action back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.core.dicom.shape import misshapen
from reconciler.core.model.change import Block
from reconciler.core.model.diff import Diff
from reconciler.core.model.observed import Observed
from reconciler.core.model.plan import Status
from reconciler.core.plan.study import Study, is_study_level


def moves_study(diff: Diff) -> bool:
    """Whether a study-wide call makes changes of this image set. A revert is never study-wide."""
    return needs_study(diff) and diff.ask.revert is None


def needs_study(diff: Diff) -> bool:
    """Whether this image set can be planned only with its siblings."""
    return diff.is_primary and any(is_study_level(sourced.change) for sourced in diff.changes)


def asks_study(diff: Diff) -> bool:
    """Whether the run asks something of Patient or Study of a primary image set.

    All primary image sets of its study must hold that.
    """
    return diff.is_primary and bool(diff.ask.carried.study_claims)


def with_study(diff: Diff) -> Diff:
    """Block Patient- and Study-level changes of a primary image set whose study is unknown."""
    if not moves_study(diff):
        return diff
    block = Block(
        diff.image_set_id,
        "its document has no StudyInstanceUID, so the other primary image sets of its study cannot "
        "be found",
        "Patient and Study attributes must change in all of them together. Change them on a "
        "non-primary image set, or contact AWS support.",
        diff.ask.place,
    )
    return blocked(diff, block)


def not_all_known(study: Study, image_set_id: str) -> list[Block]:
    """Blocks of a study that may have more members than search listed."""
    if study.unread is not None:
        message = f"the other primary image sets of its study are unknown: {study.unread.message}"
        return [Block(image_set_id, message, study.unread.hint)]
    return [
        Block(
            name,
            "SearchImageSets does not list this image set yet, so other primary image sets of its "
            "study may be missing too",
            "The search index is not up to date: run `reconcile plan` again later.",
        )
        for name in study.unlisted
    ]


def unready(study: Study, diffs: Sequence[Diff]) -> list[Block]:
    """A study changes as a whole: a member that is locked or cannot be read blocks all of it."""
    asked = {diff.image_set_id: diff for diff in diffs}
    blocks = [
        _not_ready(member)
        for member in study.members
        if (member.document is None or member.unread is not None)
        and not _explains(asked.get(member.properties.image_set_id), member)
    ]
    blocks += [
        Block(
            member.properties.image_set_id,
            "the document of this primary image set of the study does not have the "
            f"documented structure at {odd}",
            "A study-wide update changes this image set too. Contact AWS support.",
        )
        for member in study.members
        if member.document is not None
        and member.properties.image_set_id not in asked
        and (odd := misshapen(member.document))
    ]
    return blocks


def with_reverts(diffs: Sequence[Diff]) -> list[Block]:
    """A revert of a member claims its whole content, so the study cannot be given another."""
    return [
        Block(
            diff.image_set_id,
            "a revert cannot be combined with a study-wide update of its study",
            "Apply one of the two manifests first.",
            diff.ask.revert.place,
        )
        for diff in diffs
        if diff.ask.revert is not None
    ]


def _explains(diff: Diff | None, member: Observed) -> bool:
    """Whether the member's own diff explains already why it blocks the study."""
    return diff is not None and (member.unread is None or diff.reading.unread is not None)


def _not_ready(member: Observed) -> Block:
    name, unread = member.properties.image_set_id, member.unread
    if unread is not None:
        message = f"a study-wide call may change this image set of the study: {unread.message}"
        return Block(name, message, unread.hint)
    return Block(
        name,
        f"this primary image set of the study is {member.properties.state}",
        "A study-wide update changes all of them. Run `reconcile plan` again when it is ACTIVE.",
    )


def blocked(diff: Diff, *blocks: Block) -> Diff:
    """The diff with more blocks."""
    if not blocks:
        return diff
    return replace(diff, status=Status.BLOCKED, blocks=(*diff.blocks, *blocks))
