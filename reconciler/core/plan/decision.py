"""Whether an action runs: what blocks it, and which consent is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.model.change import Block, Change, Note
from reconciler.core.model.diff import Diff, SourcedChange, sources_of
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, HazardUse, Status, Step
from reconciler.core.model.settings import Datastore, Settings
from reconciler.core.model.value import Document
from reconciler.core.plan.notes import failed_version
from reconciler.core.plan.split import TooLarge


@dataclass(frozen=True, slots=True)
class Draft:
    """An action before it is decided: its changes with their manifests, and what speaks against it.

    `documents` are the documents of its image sets that the survey kept.
    """

    action: Action
    changes: Sequence[SourcedChange]
    blocks: Sequence[Block]
    hazards: Sequence[HazardUse]
    steps: tuple[Step, ...]
    documents: Mapping[str, Document]


def decided(draft: Draft) -> Action:
    """Keep the steps only if every hazard has consent and nothing blocks the action."""
    action, blocks = draft.action, draft.blocks
    uses = sorted(
        dict.fromkeys(draft.hazards),
        key=lambda use: (use.image_set_id, list(Hazard).index(use.hazard), str(use.place)),
    )
    refused = [use for use in uses if not use.consented]
    status = action.status
    if status is not Status.BUSY and (
        blocks or any(use.hazard is not Hazard.OVERWRITES_DRIFT for use in refused)
    ):
        status = Status.BLOCKED
    runs = not refused and not blocks and status.is_runnable
    members = action.members
    if not runs and not status.is_good:
        # Nothing comes of it, so there is nothing to record.
        members = tuple(replace(member, requests=(), study=None) for member in members)
    return replace(
        action,
        status=status,
        members=members,
        blocks=tuple(blocks),
        hazards=tuple(uses),
        steps=draft.steps if runs else (),
    )


def shown_changes(changes: Sequence[SourcedChange]) -> tuple[Change, ...]:
    """The changes of an action, each with its manifests if the action has several manifests."""
    if len(sources_of(changes)) < 2:
        return tuple(one.change for one in changes)
    return tuple(
        replace(one.change, manifests=tuple(source.place for source in one.sources))
        for one in changes
    )


def too_large(large: TooLarge, settings: Settings) -> Block:
    """Why a single value cannot be sent."""
    change = large.change
    return Block(
        change.image_set_id,
        f"this value alone exceeds the payload limit of {settings.rules.payload_bytes} bytes",
        "Ask AWS for a higher quota (L-A880A4C2), then set `rules: {payloadBytes: …}`.",
        change.place,
        change.path(),
    )


def notes_of(datastore: Datastore, diff: Diff) -> tuple[Note, ...]:
    """The notes of an image set, also of a failed version that another version stands for."""
    reading = diff.reading
    return (*diff.notes, *failed_version(datastore, reading.properties, reading.good_version))
