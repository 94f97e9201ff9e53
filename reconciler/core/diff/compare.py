"""Compares the ask of one image set with its document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.core.dicom.shape import misshapen
from reconciler.core.diff.claims import settle
from reconciler.core.diff.drift import Baseline
from reconciler.core.diff.guards import guard
from reconciler.core.diff.hazards import hazards_of
from reconciler.core.diff.locate import renames
from reconciler.core.diff.paths import REVERT_PATH, ask_digest, asked_paths
from reconciler.core.diff.revert import revert_changes
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.change import Block
from reconciler.core.model.diff import Diff, Reading, Settled, SourcedChange
from reconciler.core.model.observed import Properties
from reconciler.core.model.plan import Status
from reconciler.core.model.record import Entry
from reconciler.core.model.settings import Rules
from reconciler.core.model.value import Document


def is_recorded(ask: ImageSetAsk, entry: Entry | None, properties: Properties) -> bool:
    """Whether the record states that exactly this ask converged at exactly this version."""
    return (
        entry is not None
        and properties.state == "ACTIVE"
        and entry.is_at(properties)
        and entry.ask_digest == ask_digest(ask)
    )


def diff(ask: ImageSetAsk, reading: Reading, rules: Rules) -> Diff:
    """Compare; never raises for any content of a manifest or a document.

    No change is marked as drifted yet: `with_drift` does that if the image set has another version
    than the record. Only an image set with changes needs the document of its baseline.
    """
    properties = reading.properties
    start = Diff(ask, ask_digest(ask), asked_paths(ask), reading, Status.CONVERGED)
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
    if odd := misshapen(reading.document):
        message = f"the document does not have the documented structure at {odd}"
        return _stopped(start, Status.BLOCKED, message, _ODD)
    found = _found(ask, reading, rules)
    changes = [_judged(sourced, ask, drifted=False) for sourced in found.changes]
    refusals = guard(ask, reading, [sourced.change for sourced in changes], rules)
    blocks = list(dict.fromkeys((*found.blocks, *refusals)))
    return replace(
        start,
        status=_status(changes, blocks),
        changes=tuple(changes),
        blocks=tuple(sorted(blocks, key=_block_order)),
        released=_released(start),
    )


def with_drift(found: Diff, recorded: Document | None) -> Diff:
    """Mark drifted changes by the recorded version; `recorded` is None if it cannot be read."""
    document = found.reading.document
    assert document is not None
    if recorded is not None and misshapen(recorded):
        recorded = None
    baseline = Baseline(document, recorded, renames(found.ask.claims))
    changes = [
        _judged(sourced, found.ask, drifted=baseline.differs(sourced.change))
        for sourced in found.changes
    ]
    return replace(found, status=_status(changes, found.blocks), changes=tuple(changes))


_NO_SUCH_IMAGE_SET = (
    "the data store has no such image set",
    "Check imageSetId and datastore. `reconcile import --search` lists the image sets. It may have "
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


def _found(ask: ImageSetAsk, reading: Reading, rules: Rules) -> Settled:
    if ask.revert is not None:
        return revert_changes(ask, reading)
    assert reading.document is not None
    return settle(ask, reading.document, rules)


def _judged(sourced: SourcedChange, ask: ImageSetAsk, *, drifted: bool) -> SourcedChange:
    change = sourced.change
    hazards = hazards_of(
        change.op,
        change.tag,
        forced=bool(change.force_reasons),
        drifted=drifted,
        reverts=ask.revert is not None,
    )
    return replace(sourced, change=replace(change, drifted=drifted, hazards=hazards))


def _status(changes: Sequence[SourcedChange], blocks: Sequence[Block]) -> Status:
    if blocks:
        return Status.BLOCKED
    if any(sourced.change.drifted for sourced in changes):
        return Status.DRIFTED
    return Status.UPDATE if changes else Status.CONVERGED


def _released(start: Diff) -> tuple[str, ...]:
    """Return the paths of the recorded ask that are no longer asked. A revert asks for all."""
    entry = start.reading.entry
    if entry is None or start.ask.revert is not None:
        return ()
    return tuple(sorted(set(entry.asked) - set(start.asked) - {REVERT_PATH}))


def _block_order(block: Block) -> tuple[str, str, str]:
    return (block.path, str(block.place or ""), block.message)
