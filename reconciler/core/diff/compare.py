"""Compares the ask of one image set with its document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.core.dicom.shape import misshapen
from reconciler.core.diff.charset import charset_notes
from reconciler.core.diff.claims import claim_changes
from reconciler.core.diff.creators import with_creators
from reconciler.core.diff.drift import Drift, History
from reconciler.core.diff.guards import guard
from reconciler.core.diff.hazards import hazards_of
from reconciler.core.diff.locate import Renames, renames
from reconciler.core.diff.paths import (
    REVERT_PATH,
    ask_digest,
    asked_paths,
    covers,
    is_below,
    is_pattern,
    is_whole,
    renamed_paths,
)
from reconciler.core.diff.revert import revert_changes
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.change import Block
from reconciler.core.model.diff import AskedChanges, Diff, Reading, SourcedChange
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.observed import Properties
from reconciler.core.model.plan import Status
from reconciler.core.model.record import RULES_VERSION, Entry
from reconciler.core.model.settings import Rules


def is_recorded(ask: ImageSetAsk, entry: Entry | None, properties: Properties) -> bool:
    """Whether the record states that exactly this ask converged at exactly this version."""
    return (
        entry is not None
        and properties.state == "ACTIVE"
        and entry.rules_version == RULES_VERSION
        and entry.is_level
        and entry.is_at(properties)
        and entry.ask_digest == ask_digest(ask)
        and not entry.unverified
        and (entry.study is not None or not (properties.is_primary and ask.study_claims))
    )


def diff(ask: ImageSetAsk, reading: Reading, rules: Rules) -> Diff:
    """Compare; never raises for any content of a manifest or a document.

    No change has drifted yet: `with_drift` says which. Only an image set with changes needs the
    documents of its baselines.
    """
    properties = reading.properties
    start = _start(ask, reading)
    unread = reading.unread
    if properties is None and unread is None:
        return _stopped(start, Status.BLOCKED, *_NO_SUCH_IMAGE_SET)
    if unread is not None:
        return _stopped(start, Status.BLOCKED, unread.message, unread.hint)
    assert properties is not None
    if properties.state == "LOCKED":
        return _stopped(start, Status.BUSY, *_LOCKED)
    if properties.state != "ACTIVE":
        message = f"the image set is {properties.state}"
        return _stopped(start, Status.BLOCKED, message, _GONE_HINT)
    if reading.document is None:
        return start
    if rivals := _rivals_of_revert(ask):
        return replace(start, status=Status.BLOCKED, blocks=rivals)
    if odd := misshapen(reading.document):
        message = f"the document does not have the documented structure at {odd}"
        return _stopped(start, Status.BLOCKED, message, _ODD)
    found = _found(ask, reading, rules)
    asked = with_creators(reading.document, found.changes)
    changes = [_judged(sourced, ask, Drift()) for sourced in asked]
    plain = [sourced.change for sourced in changes]
    refusals = guard(ask, reading, plain, rules)
    compared = replace(
        start,
        status=_status(changes, ()),
        changes=tuple(changes),
        missing=found.missing,
        notes=(*found.notes, *charset_notes(reading.document, plain)),
    )
    return with_blocks(compared, (*found.blocks, *refusals))


def with_drift(found: Diff, history: History, refuted: str) -> Diff:
    """Judge each change by its baseline; `refuted` is the version of an entry that was refuted."""
    changes = [
        _judged(sourced, found.ask, history.judge(sourced.change, consents_of(sourced)))
        for sourced in found.changes
    ]
    return replace(
        found, status=_status(changes, found.blocks), changes=tuple(changes), refuted=refuted
    )


def with_blocks(found: Diff, more: Sequence[Block]) -> Diff:
    """The diff, with more reasons that block it."""
    if not more:
        return found
    blocks = sorted(dict.fromkeys((*found.blocks, *more)), key=_block_order)
    return replace(found, status=_status(found.changes, blocks), blocks=tuple(blocks))


def consents_of(sourced: SourcedChange) -> tuple[str, ...]:
    """The versions for which the manifests behind a change permit to overwrite its drift."""
    name = sourced.change.image_set_id
    return tuple(
        consent.version_id
        for source in sourced.sources
        for consent in source.allow
        if consent.hazard is Hazard.OVERWRITES_DRIFT and consent.image_set_id == name
    )


def _start(ask: ImageSetAsk, reading: Reading) -> Diff:
    """What is known of an image set before anything is compared."""
    alias, carried = renames(ask.claims), ask.carried
    entry = reading.entry
    recorded = tuple(entry.baselines) if entry else ()
    return Diff(
        ask,
        ask_digest(carried),
        asked_paths(carried, alias),
        reading,
        Status.CONVERGED,
        refuted=_refuted(entry, reading.properties),
        released=_released(ask, alias, entry),
        renamed=renamed_paths(recorded, alias),
    )


_NO_SUCH_IMAGE_SET = (
    "the data store has no such image set",
    "Check imageSetId and datastore. `reconcile search` lists the image sets. It may have "
    "been deleted.",
)
_LOCKED = (
    "it is LOCKED by another operation",
    "Nothing to fix: run `reconcile plan` again when the operation has finished.",
)
_GONE_HINT = "If the image set was deleted on purpose, remove its manifest."
_ODD = "`reconcile` does not change such an image set. Ask AWS support about it."


def _stopped(start: Diff, status: Status, message: str, hint: str) -> Diff:
    block = Block(start.image_set_id, message, hint, start.ask.place)
    return replace(start, status=status, blocks=(block,))


def _rivals_of_revert(ask: ImageSetAsk) -> tuple[Block, ...]:
    """Refuse what else is asked of an image set with a revert: a selector may find it later on."""
    if ask.revert is None:
        return ()
    return tuple(
        Block(
            ask.image_set_id,
            f"the image set has `revertToVersionId` at {ask.revert.place}",
            "A revert changes the whole image set. Remove one of the two manifests, or select "
            "other image sets.",
            source.place,
        )
        for source in ask.sources
        if source.place != ask.revert.source.place
    )


def _found(ask: ImageSetAsk, reading: Reading, rules: Rules) -> AskedChanges:
    if ask.revert is not None:
        return revert_changes(ask, reading)
    assert reading.document is not None
    return claim_changes(ask, reading.document, rules)


def _judged(sourced: SourcedChange, ask: ImageSetAsk, drift: Drift) -> SourcedChange:
    change = replace(
        sourced.change,
        drifted=drift.drifted,
        baseline=drift.baseline,
        consent_versions=drift.consent_versions,
    )
    hazards = hazards_of(change, reverts=ask.revert is not None)
    return replace(sourced, change=replace(change, hazards=hazards))


def _status(changes: Sequence[SourcedChange], blocks: Sequence[Block]) -> Status:
    if blocks:
        return Status.BLOCKED
    if any(sourced.change.drifted for sourced in changes):
        return Status.DRIFTED
    return Status.UPDATE if changes else Status.CONVERGED


def _refuted(entry: Entry | None, live: Properties | None) -> str:
    """The version of an entry that the live one contradicts, "" without a contradiction."""
    if entry is None or live is None or not live.version_id or not entry.is_refuted_by(live):
        return ""
    return entry.version_id


def _released(ask: ImageSetAsk, alias: Renames, entry: Entry | None) -> tuple[str, ...]:
    """Recorded paths that no manifest asks for any more; a revert asks for everything.

    Under another UID, or by `"*"`, a path is still asked for. What is inside of a series or an
    instance that the manifests remove goes with it.
    """
    if entry is None or ask.revert is not None:
        return ()
    managed = frozenset(asked_paths(ask, alias))
    wide = [path for path in managed if is_pattern(path) or is_whole(path)]
    names = dict(renamed_paths(dict(entry.asked), alias))
    left = ((path, names.get(path, path)) for path in dict(entry.asked) if path != REVERT_PATH)
    return tuple(
        sorted(
            path
            for path, name in left
            if name not in managed
            and not any(covers(one, name) or is_below(name, one) for one in wide)
        )
    )


def _block_order(block: Block) -> tuple[str, str, str]:
    return (block.path, str(block.place or ""), block.message)
