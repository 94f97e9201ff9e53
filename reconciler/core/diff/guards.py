"""Checks that need all changes of an image set: primary image sets, last instances, UIDs in use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from reconciler.core.dicom.content import (
    KEY_UIDS,
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    instances,
    series,
    uid_value,
)
from reconciler.core.model.address import Level, instance_at, series_at
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.change import Block, Change, Op
from reconciler.core.model.diff import Reading
from reconciler.core.model.settings import Permission, Rules
from reconciler.core.model.value import Document


def guard(
    ask: ImageSetAsk, reading: Reading, changes: Sequence[Change], rules: Rules
) -> list[Block]:
    """Return every block that depends on more than one attribute."""
    assert reading.document is not None and reading.properties is not None
    blocks = (
        list(_last_of_all(reading.document, changes))
        if rules.remove_last != Permission.ALLOW
        else []
    )
    if ask.revert is None:
        blocks += _taken_uids(reading.document, changes)
    if reading.properties.is_primary:
        blocks += primary_blocks(changes, rules)
    if reading.properties.is_primary is None:
        blocks += _maybe_primary(ask, changes, rules)
    if ask.revert is None:
        return blocks
    # The changes of a revert have no line of their own: the revert asks for all of them.
    return [replace(block, place=ask.revert.place) for block in blocks]


def _refuse(change: Change, message: str, hint: str) -> Block:
    return Block(change.image_set_id, message, hint, change.place, change.path())


def primary_blocks(changes: Sequence[Change], rules: Rules) -> Iterator[Block]:
    """Refuse changes that AWS's page of 2025 forbids; it may have changed (decision 0002, U11).

    Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/update-image-set-metadata.html
    """
    for change in changes:
        if change.tag in KEY_UIDS and rules.uids_on_primary != Permission.ALLOW:
            yield _refuse(
                change,
                f"{change.key} of a primary image set cannot be changed",
                "Copy the image set to a non-primary image set first. If you know that your "
                "service accepts the change, set `rules: {uidsOnPrimary: allow}` in "
                "reconciler.yaml. More: `reconcile explain uidsOnPrimary`.",
            )
        elif change.address.level is Level.SERIES and rules.series_on_primary != Permission.ALLOW:
            whole = change.op in (Op.REMOVE_SERIES, Op.RESTORE_SERIES)
            yield _refuse(
                change,
                "a series of a primary image set cannot be removed or restored"
                if whole
                else "Series-level attributes of a primary image set cannot be changed",
                "Change a non-primary image set instead. If you know that your service accepts "
                "the change, set `rules: {seriesOnPrimary: allow}` in reconciler.yaml. More: "
                "`reconcile explain seriesOnPrimary`.",
            )


def _maybe_primary(ask: ImageSetAsk, changes: Sequence[Change], rules: Rules) -> Iterator[Block]:
    """Refuse changes that depend on a missing `isPrimary` (decision 0002, U25).

    Patient and Study level of a primary image set change only together with its study. Changes that
    a primary image set does not allow are refused; changes that both kinds allow are allowed.
    """
    study_level = [change for change in changes if change.address.level <= Level.STUDY]
    if ask.revert is not None:
        if study_level and rules.revert_on_primary != Permission.ALLOW:
            yield Block(ask.image_set_id, _UNKNOWN, _UNKNOWN_REVERT_HINT, ask.revert.place)
        rest = changes
    else:
        yield from (_refuse(change, _UNKNOWN, UNKNOWN_HINT) for change in study_level)
        rest = [change for change in changes if change.address.level > Level.STUDY]
    yield from (
        replace(block, message=f"{NOT_SAID}: {block.message}")
        for block in primary_blocks(rest, rules)
    )


NOT_SAID = "the service does not say whether this image set is primary"
_UNKNOWN = (
    f"{NOT_SAID}. Patient and Study level of a primary image set change only together with its "
    "study"
)
UNKNOWN_HINT = (
    "Check isPrimary with `aws medical-imaging get-image-set`. If it is there, run `reconcile "
    "plan` again; otherwise ask AWS support."
)
_UNKNOWN_REVERT_HINT = (
    f"{UNKNOWN_HINT} To revert anyway, set `rules: {{revertOnPrimary: allow}}` in reconciler.yaml. "
    "More: `reconcile explain revertOnPrimary`."
)


def _last_of_all(document: Document, changes: Sequence[Change]) -> Iterator[Block]:
    """Refuse to remove the last series or instance: not documented (decision 0002, U8)."""
    gone_series = {c.address.series for c in changes if c.op is Op.REMOVE_SERIES}
    restores = {c.op for c in changes} & {Op.RESTORE_SERIES, Op.RESTORE_INSTANCE}
    hint = (
        "Delete the image set instead, or keep one series and one instance. To remove it anyway, "
        "set `rules: {removeLast: allow}` in reconciler.yaml. More: `reconcile explain removeLast`."
    )
    all_series = series(document)
    if restores:
        return
    if all_series and gone_series >= set(all_series):
        last = next(c for c in changes if c.op is Op.REMOVE_SERIES)
        yield _refuse(last, "this would remove the last series of the image set", hint)
    removed: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if change.op is Op.REMOVE_INSTANCE:
            removed[change.address.series].append(change)
    for key, gone in removed.items():
        if len(gone) >= len(instances(all_series[key])):
            yield _refuse(gone[0], "this would remove the last instance of its series", hint)


def _taken_uids(document: Document, changes: Sequence[Change]) -> Iterator[Block]:
    """Refuse two series or instances with the same UID: AWS does not document the result."""
    owners = {
        (SERIES_INSTANCE_UID, uid_value(section, SERIES_INSTANCE_UID, key)): series_at(key)
        for key, section in series(document).items()
    } | {
        (SOP_INSTANCE_UID, uid_value(inner, SOP_INSTANCE_UID, key)): instance_at(series_key, key)
        for series_key, section in series(document).items()
        for key, inner in instances(section).items()
    }
    for change in changes:
        new = change.after.raw if change.after else None
        if change.tag is None or change.tag not in _OWN_UIDS or not isinstance(new, str):
            continue
        if owners.setdefault((change.tag, new), change.address) != change.address:
            yield _refuse(
                change,
                f"the new {change.key} is already in use in this image set",
                "Choose a UID that is not in use. Each series and instance needs a UID of its own.",
            )


_OWN_UIDS = frozenset({SERIES_INSTANCE_UID, SOP_INSTANCE_UID})
