"""One image set of an action, with what its record is made of."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.model.diff import Diff
from reconciler.core.model.observed import Properties
from reconciler.core.model.plan import Member
from reconciler.core.model.record import RULES_VERSION, Entry, SelectedBy
from reconciler.core.model.selected import is_stated


def member_of(properties: Properties, diff: Diff | None, origin: str) -> Member:
    """One image set of an action, with what its record is made of."""
    member = Member(
        image_set_id=properties.image_set_id,
        pin=properties.version_id,
        is_primary=properties.is_primary,
        updated_at=properties.updated_at,
        origin_version_id=origin,
        created_at=properties.created_at,
        arn=properties.arn,
    )
    if diff is None:
        return member
    entry = diff.reading.entry
    return replace(
        member,
        ask_digest=diff.ask_digest,
        asked=diff.asked,
        previous_version_id=_recorded_before(entry, properties),
        recorded=entry is not None and _is_recorded(entry, diff, properties),
        is_whole=diff.ask.is_whole,
        released=diff.released,
        renamed=diff.renamed,
        refuted=diff.refuted,
        requests=diff.requests,
        accepted=diff.accepted,
        study=diff.study,
        study_instance_uid=diff.study_instance_uid,
        patient_id=diff.patient_id,
        has_record=entry is not None,
        selected_by=_selected_by(diff, entry),
    )


def sibling_of(diff: Diff) -> Member:
    """A member of a study that holds what manifests ask of the study, and not of it."""
    entry, properties = diff.reading.entry, diff.reading.properties
    assert properties is not None
    recorded = (
        entry is not None
        and entry.is_dated
        and entry.arn == properties.arn
        and entry.is_at(properties)
        and not diff.accepted
        and all(entry.baselines.get(path) == properties.version_id for path in diff.asked)
    )
    member = member_of(properties, diff, diff.reading.origin)
    # Its own manifests, if there are any, have a digest of their own.
    return replace(
        member, ask_digest="", recorded=recorded, released=(), renamed=(), selected_by=None
    )


def _is_recorded(entry: Entry, diff: Diff, properties: Properties) -> bool:
    """Whether the record states all this already. An entry of an earlier form is written again."""
    baselines = dict(entry.asked)
    return (
        entry.is_dated
        and entry.arn == properties.arn
        and entry.rules_version == RULES_VERSION
        and entry.is_at(properties)
        and not diff.released
        and not diff.renamed
        and not diff.accepted
        and (diff.study is None or entry.study == diff.study)
        and all(baselines.get(path) == properties.version_id for path in diff.asked)
        and (entry.ask_digest == diff.ask_digest or not diff.ask.is_whole)
        and is_stated(entry.selected_by, diff.ask.selected_by)
    )


def _selected_by(diff: Diff, entry: Entry | None) -> SelectedBy | None:
    """The selectors of the image set. Without any, now and in the record, nothing is stated."""
    is_stated = diff.ask.selected_by or (entry is not None and entry.selected_by)
    return diff.ask.selected_by if is_stated else None


def _recorded_before(entry: Entry | None, properties: Properties) -> str:
    """The recorded version. If it is the current version, the version recorded before it.

    "" if the entry belongs to another history of the image set.
    """
    if entry is None or not entry.is_of(properties):
        return ""
    if entry.is_at(properties):
        return entry.previous_version_id
    is_earlier = int(entry.version_id) < int(properties.version_id or 0)
    return entry.version_id if is_earlier else ""
