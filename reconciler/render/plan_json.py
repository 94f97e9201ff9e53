"""The output of `plan --json` and `show --json`: a review, field by field.

It has the shape of plan.schema.json without the digests that are not keyed, so it cannot be
applied. Only the file that `plan --out` saves can be applied.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

import orjson

from reconciler import __version__
from reconciler.core.errors import Place
from reconciler.core.model.api_version import API_VERSION
from reconciler.core.model.change import Block, Note
from reconciler.core.model.plan import HazardUse
from reconciler.core.model.value import Json
from reconciler.core.plan.file import (
    KIND,
    at_base_json,
    basis_json,
    released_json,
    selection_json,
    stop_json,
    unchanged_json,
    unread_json,
    without_study_wide_json,
)
from reconciler.core.review import Review
from reconciler.core.review.labels import Label
from reconciler.core.review.model import ShownAction, ShownChange, ShownMember, ShownStep
from reconciler.core.review.shown import ShownValue
from reconciler.core.review.totals import Totals


def _encoded(row: Json) -> str:
    """One line of JSON.

    orjson takes an eighth of the time. It refuses what some live values hold: integers beyond 64
    bits, and halves of surrogate pairs.
    """
    try:
        return orjson.dumps(row).decode()
    except orjson.JSONEncodeError:
        return _ENCODER.encode(row)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def plan_json_lines(review: Review) -> Iterator[str]:
    """The review as one JSON document, line by line.

    A line holds a field or an action, so no more than one action is in memory. `masked` says
    whether values may be replaced by their shape.
    """
    yield "{"
    yield from (f"{field}," for field in _fields(_head(review)))
    yield '  "actions": ['
    yield from _joined(f"    {_encoded(_action(action))}" for action in review.unlabelled)
    yield "  ],"
    yield from _joined(_fields(_tail(review)))
    yield "}"


def _fields(rows: Mapping[str, Json]) -> Iterator[str]:
    return (f"  {_encoded(name)}: {_encoded(value)}" for name, value in rows.items())


def _joined(lines: Iterable[str]) -> Iterator[str]:
    """The lines, each but the last with a comma."""
    rest = iter(lines)
    line = next(rest, None)
    for following in rest:
        yield f"{line},"
        line = following
    if line is not None:
        yield line


def _head(review: Review) -> Mapping[str, Json]:
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "toolVersion": __version__,
        "basis": basis_json(review.basis),
        "totals": _totals(review.totals),
        "etaSeconds": review.eta_seconds,
        **without_study_wide_json(review.without_study_wide),
    }


def _tail(review: Review) -> Mapping[str, Json]:
    unread: Json = [unread_json(one) for one in review.unread]
    stops: Json = [stop_json(one) for one in review.stops]
    selections: Json = [selection_json(one) for one in review.selections]
    return {
        "unchanged": [unchanged_json(one) for one in review.unchanged],
        "released": [released_json(one) for one in review.released],
        **({"unread": unread} if unread else {}),
        **({"stops": stops} if stops else {}),
        **({"selections": selections} if selections else {}),
        "masked": review.masked,
    }


def summary_json(review: Review) -> dict[str, Json]:
    """What happens, the totals and the dangers, without any edit."""
    return {
        "apiVersion": API_VERSION,
        "kind": "PlanSummary",
        "toolVersion": __version__,
        "basis": basis_json(review.basis),
        "verdict": list(review.overview.verdict),
        "totals": _totals(review.totals),
        "etaSeconds": review.eta_seconds,
        **without_study_wide_json(review.without_study_wide),
        **({"stops": [stop_json(one) for one in review.stops]} if review.stops else {}),
        "dangers": [
            {
                "name": str(one.hazard),
                "imageSets": one.reach.image_sets,
                "heldBack": one.held,
                "withoutConsent": one.refused,
            }
            for one in review.overview.dangers
        ],
    }


def _totals(totals: Totals) -> Json:
    return {
        "actions": {str(status): count for status, count in totals.actions},
        "changes": totals.changes,
        "calls": totals.calls,
        "firstChanges": {
            "imageSets": totals.first.image_sets,
            "attributes": totals.first.attributes,
            "instances": totals.first.instances,
        },
        **({"historyKeepsValues": totals.history} if totals.history else {}),
        **({"unread": totals.unread} if totals.unread else {}),
    }


def _action(action: ShownAction) -> Json:
    row: dict[str, Json] = {
        "datastore": action.datastore,
        "datastoreId": action.datastore_id,
        "status": str(action.status),
        "digest": action.digest,
        "members": [_member(member) for member in action.members],
        "hazards": [_hazard(use) for use in action.hazards],
        "blocks": [_block(block) for block in action.blocks],
        "notes": [_note(note) for note in action.notes],
        "released": list(action.released),
        "changes": [_change(change) for change in action.changes],
        "steps": [_step(step) for step in action.steps],
    }
    if action.unlisted_series:
        row["unlistedSeries"] = action.unlisted_series
    if action.patient_unproven:
        row["patientUnproven"] = list(action.patient_unproven)
    if action.at_base is not None:
        row["atBase"] = at_base_json(action.at_base)
    return row


def _member(member: ShownMember) -> Json:
    row: dict[str, Json] = {
        "imageSetId": member.image_set_id,
        "imageSetArn": member.arn,
        "pin": member.pin,
        "isPrimary": member.is_primary,
        "asked": list(member.asked),
        "previousVersionId": member.previous_version_id,
        "updatedAt": member.updated_at,
        "createdAt": member.created_at,
        "recorded": member.recorded,
    }
    if member.origin_version_id:
        row["originVersionId"] = member.origin_version_id
    if not member.is_whole:
        row["isWhole"] = False
    return row


def _hazard(use: HazardUse) -> Json:
    return {
        "name": str(use.hazard),
        "imageSetId": use.image_set_id,
        "consented": use.consented,
        "consent": use.consent,
        "at": _place(use.place),
        **({"versionId": use.version_id} if use.version_id else {}),
        **({"number": use.number} if use.number else {}),
        **({"wasAtBase": True} if use.was_at_base else {}),
    }


def _block(block: Block) -> Json:
    row: dict[str, Json] = {
        "imageSetId": block.image_set_id,
        "message": block.message,
        "hint": block.hint,
        "at": _place(block.place),
        "path": block.path,
    }
    if block.is_bug:
        row["bug"] = True
    if block.was_at_base:
        row["wasAtBase"] = True
    return row


def _note(note: Note) -> Json:
    return {"imageSetId": note.image_set_id, "message": note.message, "at": _place(note.place)}


# The fields of a change that may be labels, in their order.
_LABELLED = ("series", "instance", "key", "vr")


def _change(change: ShownChange) -> Json:
    """A change. A key that is masked is null, and `masked` names it; its path holds a label."""
    row: dict[str, Json] = {
        "imageSetId": change.image_set_id,
        "op": str(change.op),
        "path": change.path,
        "level": change.address.level.title,
        "series": change.address.series,
        "instance": change.address.instance,
        "key": change.key,
        "tag": f"{change.tag:08X}" if change.tag is not None else None,
        "vr": change.vr,
        "before": change.before.json if change.before else None,
        "after": change.after.json if change.after else None,
        "at": _place(change.place),
        "sendVr": change.send_vr,
        "drifted": change.drifted,
        "consentVersions": list(change.consent_versions),
        "baseline": change.baseline,
        "forceReasons": list(change.force_reasons),
        "hazards": [str(hazard) for hazard in change.hazards],
    }
    if masked := [name for name in _LABELLED if isinstance(row[name], Label)]:
        row.update(dict.fromkeys(masked), masked=list(masked))
    if change.manifests:
        row["manifests"] = [_place(place) for place in change.manifests]
    if change.differs_in:
        row["differsIn"] = change.differs_in
    if change.fingerprint:
        row["fingerprint"] = change.fingerprint
    if change.creator:
        row["privateCreator"] = change.creator.json
    return row


def _step(step: ShownStep) -> Json:
    row: dict[str, Json] = {
        "datastoreId": step.datastore_id,
        "imageSetId": step.image_set_id,
        "pin": step.pin,
        "updatableAttributes": _part(step.updatable),
        "removableAttributes": _part(step.removable),
        "revertToVersionId": step.revert_to,
        "force": step.force,
        "includeStudyImageSets": step.study_wide,
    }
    if step.study_wide:
        row["studyInstanceUID"] = _part(step.study_instance_uid)
    row["raises"] = list(step.raises)
    return row


def _part(part: ShownValue | None) -> Json:
    """A part of a request: its text as it is sent, `{"masked": shape}`, or null if absent."""
    if part is None:
        return None
    return part.json if part.is_masked else part.json["value"]


def _place(place: Place | None) -> Json:
    return {"file": place.file, "line": place.line, "column": place.column} if place else None
