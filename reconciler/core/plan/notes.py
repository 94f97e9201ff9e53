"""Add notes about unneeded consent, unneeded force and failed versions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from reconciler.core.model.ask import Source
from reconciler.core.model.change import Note
from reconciler.core.model.diff import Diff
from reconciler.core.model.hazard import Consent, Hazard
from reconciler.core.model.observed import Properties
from reconciler.core.model.plan import Action
from reconciler.core.model.settings import Datastore
from reconciler.core.plan.consent import needed_by


def with_notes(actions: Iterable[Action], diffs: Sequence[Diff]) -> list[Action]:
    """Add a note to the first action of every manifest that consents to more than it needs.

    A manifest without changes gets no note: its consent was needed earlier.
    """
    manifests: dict[str, set[Source]] = defaultdict(set)
    for diff in diffs:
        manifests[diff.image_set_id].update(diff.ask.carried.sources)
    actions = list(actions)
    used: dict[Source, set[Consent]] = defaultdict(set)
    first: dict[Source, int] = {}
    for index, action in enumerate(actions):
        if not (action.changes or action.hazards):
            continue
        for member in action.members:
            for source in manifests[member.image_set_id]:
                first.setdefault(source, index)
                used[source] |= needed_by(action)
    for source, index in first.items():
        notes = _unneeded(source, used[source], actions[index].image_set_id)
        if notes:
            action = actions[index]
            merged = tuple(sorted({*action.notes, *notes}, key=_order))
            actions[index] = replace(action, notes=merged)
    return actions


def failed_version(
    datastore: Datastore, properties: Properties | None, good_version: str = ""
) -> tuple[Note, ...]:
    """A note if the latest version is a failed version. It holds no text of the service.

    `good_version` is the version that was read instead, if the failed version has no metadata.
    """
    if properties is None or not properties.workflow_status.endswith("FAILED"):
        return ()
    name, version = properties.image_set_id, properties.version_id
    text = (
        f"version {version} is a failed version ({properties.workflow_status}). "
        f"{datastore.message_hint(name, version)}"
    )
    if good_version:
        text = (
            f"version {version} is a failed version without metadata. This plan is made from "
            f"version {good_version}, the last good version before it. "
            f"{datastore.message_hint(name, version)}"
        )
    return (Note(name, text),)


def _order(note: Note) -> tuple[str, str, str]:
    return note.image_set_id, str(note.place or ""), note.message


def _unneeded(source: Source, used: set[Consent], image_set_id: str) -> list[Note]:
    notes = [
        Note(
            image_set_id,
            f"`allow: {consent.spelled(source.own)}` is not needed",
            source.place,
        )
        for consent in source.allow
        if not _is_used(consent, used)
    ]
    if source.force and Consent(Hazard.FORCE) not in used:
        notes.append(Note(image_set_id, "`force: true` is not needed", source.place))
    return notes


def _is_used(consent: Consent, used: set[Consent]) -> bool:
    """Whether a consent is needed; a larger number than needed is not more than is needed."""
    if consent.number:
        return any(one.hazard is consent.hazard for one in used)
    return consent in used
