"""What the whole of an image set's changes must respect: primaries, last ones, taken UIDs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from reconciler.core.dicom.content import (
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    instances,
    series,
    uid_value,
)
from reconciler.core.diff.hazards import UIDS
from reconciler.core.model.address import Level, instance_at, series_at
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.change import Block, Change, Op
from reconciler.core.model.diff import Reading
from reconciler.core.model.settings import Permission, Rules
from reconciler.core.model.value import Document


def guard(
    ask: ImageSetAsk, reading: Reading, changes: Sequence[Change], rules: Rules
) -> list[Block]:
    """Every refusal that needs more than one attribute to be seen."""
    assert reading.document is not None and reading.properties is not None
    blocks = (
        list(_last_ones(ask, reading.document, changes))
        if rules.remove_last != Permission.ALLOW
        else []
    )
    if ask.revert is None:
        blocks += _taken_uids(reading.document, changes)
        if reading.properties.is_primary:
            blocks += _primary(changes, rules)
    if reading.properties.is_primary is None:
        blocks += _maybe_primary(ask, changes, rules)
    return blocks


def _refuse(change: Change, message: str, hint: str) -> Block:
    return Block(change.image_set_id, message, hint, change.place, change.path())


def _primary(changes: Sequence[Change], rules: Rules) -> Iterator[Block]:
    """Refuse what AWS's text of 2025 bans; whether it still holds is open (decision 0002, U11).

    Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/update-image-set-metadata.html
    """
    for change in changes:
        if change.tag in UIDS and rules.uids_on_primary != Permission.ALLOW:
            yield _refuse(
                change,
                f"{change.key} of a primary image set cannot be changed",
                "Copy it to a non-primary image set first, or set `rules: {uidsOnPrimary: allow}` "
                "in reconciler.yaml if you know that your service takes it.",
            )
        elif change.address.level is Level.SERIES and rules.series_on_primary != Permission.ALLOW:
            yield _refuse(
                change,
                "Series-level metadata of a primary image set cannot be updated",
                "Ask for it on a non-primary image set, or set `rules: {seriesOnPrimary: allow}` "
                "in reconciler.yaml if you know that your service takes it.",
            )


def _maybe_primary(ask: ImageSetAsk, changes: Sequence[Change], rules: Rules) -> Iterator[Block]:
    """`isPrimary` is required in no answer: what is not said is not known (decision 0002, U25).

    A primary image set changes Patient and Study level only together with its study. What a
    primary may not change at all is refused, and what both kinds may change is allowed.
    """
    study_level = [change for change in changes if change.address.level <= Level.STUDY]
    if ask.revert is not None:
        if study_level and rules.revert_on_primary != Permission.ALLOW:
            yield Block(ask.image_set_id, _UNKNOWN, _UNKNOWN_REVERT_HINT, ask.revert.place)
        return
    yield from (_refuse(change, _UNKNOWN, UNKNOWN_HINT) for change in study_level)
    rest = [change for change in changes if change.address.level > Level.STUDY]
    yield from (
        replace(block, message=f"{NOT_SAID}: {block.message}") for block in _primary(rest, rules)
    )


NOT_SAID = "the service does not say whether this image set is primary"
_UNKNOWN = (
    f"{NOT_SAID}. Patient and Study level of a primary image set change only together with its "
    "study"
)
UNKNOWN_HINT = (
    "`aws medical-imaging get-image-set` shows its isPrimary: run `reconcile plan` again once it "
    "does, or ask AWS support."
)
_UNKNOWN_REVERT_HINT = (
    f"{UNKNOWN_HINT} `rules: {{revertOnPrimary: allow}}` in reconciler.yaml lets the revert pass."
)


def _last_ones(ask: ImageSetAsk, document: Document, changes: Sequence[Change]) -> Iterator[Block]:
    """What removing the last series or instance does is not documented (decision 0002, U8)."""
    gone_series = {c.address.series for c in changes if c.op is Op.REMOVE_SERIES}
    restores = {c.op for c in changes} & {Op.RESTORE_SERIES, Op.RESTORE_INSTANCE}
    hint = "Delete the image set instead, or keep one; `rules: {removeLast: allow}` lets it pass."
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
    """Two series or instances of one UID: what a service makes of that is not documented."""
    owners = {
        (SERIES_INSTANCE_UID, uid_value(block, SERIES_INSTANCE_UID, key)): series_at(key)
        for key, block in series(document).items()
    } | {
        (SOP_INSTANCE_UID, uid_value(inner, SOP_INSTANCE_UID, key)): instance_at(series_key, key)
        for series_key, block in series(document).items()
        for key, inner in instances(block).items()
    }
    for change in changes:
        new = change.after.raw if change.after else None
        if change.tag is None or change.tag not in _OWN_UIDS or not isinstance(new, str):
            continue
        if owners.setdefault((change.tag, new), change.address) != change.address:
            yield _refuse(
                change,
                f"the {change.key} asked for is already taken in this image set",
                "Choose a UID that is free; one UID is for one series or instance alone.",
            )


_OWN_UIDS = frozenset({SERIES_INSTANCE_UID, SOP_INSTANCE_UID})
