"""The plan as JSON: what `plan --out` saves and `apply` executes exactly.

The same plan is the same bytes. A digest over the whole file shows that a plan was edited or
truncated. The seal is keyed: it shows an edit after which that digest was computed again. The
version of the tool shows that another version computed its steps.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import reconciler
from reconciler.core.dicom.content import digest
from reconciler.core.errors import Place, PlanFileError
from reconciler.core.model.address import Address, Level
from reconciler.core.model.api_version import API_VERSION
from reconciler.core.model.at_base import AtBase, StatusAtBase
from reconciler.core.model.change import Block, Change, Note, Op
from reconciler.core.model.file_kind import PLAN, kind_of
from reconciler.core.model.first_changes import first_changes
from reconciler.core.model.guardrail import Amount, Guardrail, Stop
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.key import Key, Use
from reconciler.core.model.plan import (
    Action,
    Basis,
    Estimate,
    HazardUse,
    Later,
    Member,
    Plan,
    Recorded,
    Released,
    Selection,
    Since,
    Status,
    Step,
    StoreIdentity,
    Unchanged,
    Unread,
    image_sets_by_status,
    image_sets_with,
)
from reconciler.core.model.record import StudyMembers, Unverified
from reconciler.core.model.value import Json, Value

KIND = "Plan"
AGAIN = "Make a new plan with `reconcile plan --out FILE`. Do not edit a saved plan."

Row = dict[str, Any]
T = TypeVar("T")


def dumps(plan: Plan, key: Key | None = None) -> bytes:
    """The bytes of the plan file, sealed with the key of the repository if it has one."""
    raw = to_json(plan)
    if key is not None:
        body = _body(raw)
        body["seal"] = key.digest(Use.SEAL, raw["digest"])
        raw = {**body, "digest": digest(body)}
    text = json.dumps(raw, indent=1, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def loads(data: bytes) -> Plan:
    """Read the plan that `dumps` wrote. Raises PlanFileError for anything else."""
    return from_json(parse(data))


def parse(data: bytes) -> Row:
    """Parse a plan file that is complete, unedited and of this version of the tool.

    Raises PlanFileError otherwise. The content is not checked here.
    """
    try:
        raw = json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        broken = "the plan file is incomplete or damaged"
        is_plan = kind_of(data) is PLAN
        raise PlanFileError(broken if is_plan else "the file is not a saved plan", AGAIN) from None
    if not isinstance(raw, dict) or raw.get("kind") != KIND:
        raise PlanFileError("the file is not a saved plan", AGAIN)
    if raw.get("apiVersion") != API_VERSION:
        raise PlanFileError(f"the plan is not of {API_VERSION}: another version made it", AGAIN)
    if raw.get("toolVersion") != reconciler.__version__:
        made_by = str(raw.get("toolVersion"))[:40]
        raise PlanFileError(
            f"the plan was made by version {made_by}, but this is version {reconciler.__version__}",
            f"Make a new plan with `reconcile plan --out FILE`, or use version {made_by}.",
        )
    if "masked" in raw:
        raise PlanFileError("the file is the output of `plan --json`, not a saved plan", AGAIN)
    if raw.get("digest") != digest(_body(raw)):
        raise PlanFileError("the plan file was edited after it was saved", AGAIN)
    return raw


def is_sealed(raw: Row, key: Key) -> bool:
    """Whether a plan file has a seal that this key made of the rest of the file."""
    body = _body(raw)
    return key.made(body.pop("seal", None), Use.SEAL, digest(body))


def _body(raw: Row) -> Row:
    return {name: value for name, value in raw.items() if name != "digest"}


def from_json(raw: Row) -> Plan:
    """The plan in the output of `to_json`. Raises PlanFileError if it holds no valid plan."""
    try:
        return _plan(raw)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise PlanFileError("the file does not hold a valid plan", AGAIN) from None


def plan_digest(plan: Plan, key: Key) -> str:
    """`hmac-sha256:…` of the whole plan. The digest in the file is not keyed and stays there."""
    return key.digest(Use.PLAN, to_json(plan)["digest"])


def to_json(plan: Plan) -> dict[str, Json]:
    """The plan as JSON values. It holds live and desired DICOM values, in clear."""
    body: dict[str, Json] = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "toolVersion": reconciler.__version__,
        "basis": basis_json(plan.basis),
        "totals": _totals(plan),
        "etaSeconds": plan.eta_seconds,
        **without_study_wide_json(plan.without_study_wide),
        "actions": [_action_json(action) for action in plan.actions],
        "unchanged": [unchanged_json(one) for one in plan.unchanged],
        "released": [released_json(one) for one in plan.released],
    }
    if plan.unread:
        body["unread"] = [unread_json(one) for one in plan.unread]
    if plan.recorded:
        body["recorded"] = [_recorded_json(one) for one in plan.recorded]
    if plan.stops:
        body["stops"] = [stop_json(one) for one in plan.stops]
    if plan.selections:
        body["selections"] = [selection_json(one) for one in plan.selections]
        body["selectorDigests"] = [list(one) for one in plan.selector_digests]
    return {**body, "digest": digest(body)}


def released_json(one: Released) -> Json:
    """An image set of which no manifest asks anything any more."""
    return {
        "datastore": one.datastore,
        "datastoreId": one.datastore_id,
        "imageSetId": one.image_set_id,
    }


def selection_json(one: Selection) -> dict[str, Json]:
    """What a selector selects."""
    row: dict[str, Json] = {
        "name": one.name,
        "datastore": one.datastore,
        "datastoreId": one.datastore_id,
        "at": _at(one.place),
        "imageSets": one.image_sets,
        "leaving": list(one.leaving),
    }
    return {**row, "problem": one.problem, "hint": one.hint} if one.problem else row


def unchanged_json(one: Unchanged) -> Json:
    """How many image sets of a data store have no action."""
    return {
        "datastore": one.datastore,
        "datastoreId": one.datastore_id,
        "imageSets": one.image_sets,
    }


def _recorded_json(one: Recorded) -> Json:
    return {
        "datastore": one.datastore,
        "datastoreId": one.datastore_id,
        "imageSets": one.image_sets,
    }


def stop_json(one: Stop) -> Json:
    """A guardrail that stops the apply, with its line of reconciler.yaml."""
    row: dict[str, Json] = {
        "datastore": one.datastore,
        "datastoreId": one.datastore_id,
        "guardrail": str(one.guardrail.amount),
        "most": one.guardrail.most,
        "found": one.found,
        "at": _at(one.guardrail.place),
    }
    if one.recorded:
        row["recorded"] = one.recorded
    return row


def without_study_wide_json(found: Estimate | None) -> dict[str, Json]:
    """The field with what an apply would take without study-wide calls; none if it is no more."""
    if found is None:
        return {}
    return {"withoutStudyWide": {"calls": found.calls, "etaSeconds": found.eta_seconds}}


def at_base_json(one: AtBase) -> Json:
    """How an action stood at the base of a pull request."""
    return {"status": str(one.status), "asksChanged": one.asks_changed}


def basis_json(basis: Basis) -> Json:
    """The basis of a plan; it holds no value."""
    row: dict[str, Json] = {"commit": basis.commit, "rulesVersion": basis.rules_version}
    if basis.paths:
        row["paths"] = list(basis.paths)
    if basis.rules:
        row["rules"] = dict(basis.rules)
    if basis.is_clean is not None:
        row["clean"] = basis.is_clean
    if basis.datastores:
        row["datastores"] = [_store_json(one) for one in basis.datastores]
    if basis.settings_digest:
        row["settingsDigest"] = basis.settings_digest
    if basis.since is not None:
        row["since"] = _since_json(basis.since)
    return row


def _store_json(one: StoreIdentity) -> Json:
    row: dict[str, Json] = {
        "name": one.name,
        "datastoreId": one.datastore_id,
        "region": one.region,
    }
    if one.account_id:
        row["accountId"] = one.account_id
    if one.endpoint:
        row["endpoint"] = one.endpoint
    return row


def _since_json(since: Since) -> Json:
    row: dict[str, Json] = {
        "base": since.base,
        "settings": since.settings,
        "key": since.key,
        "consents": list(since.consents),
        "local": since.local,
    }
    if since.released:
        row["released"] = [released_json(one) for one in since.released]
    if since.later:
        row["later"] = [
            {"datastore": one.datastore, "imageSets": one.image_sets} for one in since.later
        ]
    if since.problem:
        row["problem"] = since.problem
    if since.unplanned:
        row["unplanned"] = since.unplanned
    return row


def _totals(plan: Plan) -> Json:
    statuses = image_sets_by_status(plan)
    counts: dict[str, Json] = {str(status): statuses[status] for status in Status}
    changes = sum(len(action.changes) for action in plan.actions)
    first = first_changes(plan)
    totals: dict[str, Json] = {
        "actions": counts,
        "changes": changes,
        "calls": len(plan.steps),
        "firstChanges": {
            "imageSets": first.image_sets,
            "attributes": first.attributes,
            "instances": first.instances,
        },
    }
    if kept := image_sets_with(plan, Hazard.HISTORY_KEEPS_VALUES):
        totals["historyKeepsValues"] = kept
    if plan.unread:
        totals["unread"] = sum(one.image_sets for one in plan.unread)
    return totals


def unread_json(one: Unread) -> Json:
    """A data store that could not be read."""
    return {
        "datastore": one.datastore,
        "datastoreId": one.datastore_id,
        "imageSets": one.image_sets,
        "message": one.message,
        "hint": one.hint,
    }


def _action_json(action: Action) -> Json:
    row: dict[str, Json] = {
        "datastore": action.datastore,
        "datastoreId": action.datastore_id,
        "status": str(action.status),
        "digest": action.digest,
        "members": [_member_json(member) for member in action.members],
        "hazards": [_hazard_json(use) for use in action.hazards],
        "blocks": [_block_json(block) for block in action.blocks],
        "notes": [
            {"imageSetId": note.image_set_id, "message": note.message, "at": _at(note.place)}
            for note in action.notes
        ],
        "released": list(action.released),
        "changes": [_change_json(change) for change in action.changes],
        "steps": [_step_json(step) for step in action.steps],
    }
    if action.unlisted_series:
        row["unlistedSeries"] = action.unlisted_series
    if action.patient_unproven:
        row["patientUnproven"] = list(action.patient_unproven)
    if action.at_base is not None:
        row["atBase"] = at_base_json(action.at_base)
    if action.siblings:
        row["siblings"] = [_member_json(member) for member in action.siblings]
    return row


def _at(place: Place | None) -> Json:
    if place is None:
        return None
    return {"file": place.file, "line": place.line, "column": place.column}


def _member_json(member: Member) -> Json:
    row: dict[str, Json] = {
        "imageSetId": member.image_set_id,
        "imageSetArn": member.arn,
        "pin": member.pin,
        "isPrimary": member.is_primary,
        "askDigest": member.ask_digest,
        "asked": list(member.asked),
        "previousVersionId": member.previous_version_id,
        "updatedAt": member.updated_at,
        "createdAt": member.created_at,
        "recorded": member.recorded,
    }
    if member.origin_version_id:
        row["originVersionId"] = member.origin_version_id
    if member.study_instance_uid:
        row["studyInstanceUID"] = member.study_instance_uid
    if member.patient_id:
        row["patientID"] = member.patient_id
    if member.has_record:
        row["hasRecord"] = True
    if not member.is_whole:
        row["isWhole"] = False
    if member.released:
        row["released"] = list(member.released)
    if member.renamed:
        row["renamed"] = dict(member.renamed)
    if member.refuted:
        row["refuted"] = member.refuted
    if member.requests:
        row["requests"] = dict(member.requests)
    if member.accepted:
        row["accepted"] = {one.version_id: list(one.paths) for one in member.accepted}
    if member.selected_by is not None:
        row["selectedBy"] = dict(member.selected_by)
    if member.study is not None:
        row["study"] = {
            "studyInstanceUID": member.study.study_instance_uid,
            "members": dict(member.study.versions),
        }
    return row


def _hazard_json(use: HazardUse) -> Json:
    row: dict[str, Json] = {
        "name": str(use.hazard),
        "imageSetId": use.image_set_id,
        "consented": use.consented,
        "consent": use.consent,
        "at": _at(use.place),
    }
    if use.version_id:
        row["versionId"] = use.version_id
    if use.number:
        row["number"] = use.number
    if use.was_at_base:
        row["wasAtBase"] = True
    return row


def _block_json(block: Block) -> Json:
    row: dict[str, Json] = {
        "imageSetId": block.image_set_id,
        "message": block.message,
        "hint": block.hint,
        "at": _at(block.place),
        "path": block.path,
    }
    if block.is_bug:
        row["bug"] = True
    if block.was_at_base:
        row["wasAtBase"] = True
    return row


def _change_json(change: Change) -> Json:
    row: dict[str, Json] = {
        "imageSetId": change.image_set_id,
        "op": str(change.op),
        "path": change.path(),
        "level": change.address.level.title,
        "series": change.address.series,
        "instance": change.address.instance,
        "key": change.key,
        "tag": f"{change.tag:08X}" if change.tag is not None else None,
        "vr": change.vr,
        "before": {"value": change.before.raw} if change.before else None,
        "after": {"value": change.after.raw} if change.after else None,
        "at": _at(change.place),
        "sendVr": change.send_vr,
        "drifted": change.drifted,
        "consentVersions": list(change.consent_versions),
        "baseline": change.baseline,
        "forceReasons": list(change.force_reasons),
        "hazards": [str(hazard) for hazard in change.hazards],
    }
    if change.manifests:
        row["manifests"] = [_at(place) for place in change.manifests]
    if change.creator:
        row["privateCreator"] = {"value": change.creator.raw}
    if change.is_stated:
        row["stated"] = True
    if change.instances:
        row["instances"] = change.instances
    return row


def _step_json(step: Step) -> Json:
    row: dict[str, Json] = {
        "datastoreId": step.datastore_id,
        "imageSetId": step.image_set_id,
        "pin": step.pin,
        "updatableAttributes": step.updatable,
        "removableAttributes": step.removable,
        "revertToVersionId": step.revert_to,
        "force": step.force,
        "includeStudyImageSets": step.study_wide,
        "expected": dict(step.expected),
    }
    if step.study_wide:
        row["studyInstanceUID"] = step.study_instance_uid
    return row


def _plan(raw: Row) -> Plan:
    return Plan(
        basis=_basis(raw["basis"]),
        actions=_each(raw["actions"], _action),
        released=_each(raw["released"], _released),
        eta_seconds=raw["etaSeconds"],
        unread=_each(raw.get("unread", []), _unread),
        unchanged=_each(raw["unchanged"], _unchanged),
        recorded=_each(raw.get("recorded", []), _recorded),
        stops=_each(raw.get("stops", []), _stop),
        without_study_wide=_estimate(raw.get("withoutStudyWide")),
        selections=_each(raw.get("selections", []), _selection),
        selector_digests=tuple(
            (datastore, name, digest) for datastore, name, digest in raw.get("selectorDigests", ())
        ),
    )


def _selection(row: Row) -> Selection:
    return Selection(
        row["datastore"],
        row["datastoreId"],
        row["name"],
        _document(row["at"]),
        row["imageSets"],
        tuple(row["leaving"]),
        row.get("problem", ""),
        row.get("hint", ""),
    )


def _estimate(row: Row | None) -> Estimate | None:
    return Estimate(row["calls"], row["etaSeconds"]) if row is not None else None


def _recorded(row: Row) -> Recorded:
    return Recorded(row["datastore"], row["datastoreId"], row["imageSets"])


def _stop(row: Row) -> Stop:
    rail = Guardrail(Amount(row["guardrail"]), row["most"], _document(row["at"]))
    return Stop(row["datastore"], row["datastoreId"], rail, row["found"], row.get("recorded", 0))


def _unchanged(row: Row) -> Unchanged:
    return Unchanged(row["datastore"], row["datastoreId"], row["imageSets"])


def _released(row: Row) -> Released:
    return Released(row["datastore"], row["datastoreId"], row["imageSetId"])


def _at_base(row: Row | None) -> AtBase | None:
    return AtBase(StatusAtBase(row["status"]), row["asksChanged"]) if row else None


def _unread(row: Row) -> Unread:
    return Unread(
        row["datastore"], row["datastoreId"], row["imageSets"], row["message"], row["hint"]
    )


def _basis(row: Row) -> Basis:
    return Basis(
        row["commit"],
        row["rulesVersion"],
        tuple(row.get("paths", ())),
        tuple(sorted(row.get("rules", {}).items())),
        row.get("clean"),
        _each(row.get("datastores", []), _store),
        row.get("settingsDigest", ""),
        _since(row["since"]) if "since" in row else None,
    )


def _store(row: Row) -> StoreIdentity:
    return StoreIdentity(
        row["name"],
        row["datastoreId"],
        row["region"],
        row.get("accountId", ""),
        row.get("endpoint", ""),
    )


def _since(row: Row) -> Since:
    return Since(
        row["base"],
        row["settings"],
        row["key"],
        tuple(row["consents"]),
        row["local"],
        _each(row.get("released", []), _released),
        _each(row.get("later", []), _later),
        row.get("problem", ""),
        row.get("unplanned", ""),
    )


def _later(row: Row) -> Later:
    return Later(row["datastore"], row["imageSets"])


def _each(rows: list[Row], read: Callable[[Row], T]) -> tuple[T, ...]:
    return tuple(read(row) for row in rows)


def _action(row: Row) -> Action:
    return Action(
        datastore=row["datastore"],
        datastore_id=row["datastoreId"],
        status=Status(row["status"]),
        members=_each(row["members"], _member),
        changes=_each(row["changes"], _change),
        hazards=_each(row["hazards"], _hazard),
        blocks=_each(row["blocks"], _block),
        notes=_each(
            row["notes"], lambda note: Note(note["imageSetId"], note["message"], _place(note["at"]))
        ),
        steps=_each(row["steps"], _step),
        released=tuple(row["released"]),
        digest=row["digest"],
        unlisted_series=row.get("unlistedSeries", 0),
        siblings=_each(row.get("siblings", []), _member),
        patient_unproven=tuple(row.get("patientUnproven", ())),
        at_base=_at_base(row.get("atBase")),
    )


def _place(row: Row | None) -> Place | None:
    return _document(row) if row else None


def _member(row: Row) -> Member:
    return Member(
        image_set_id=row["imageSetId"],
        pin=row["pin"],
        is_primary=row["isPrimary"],
        ask_digest=row["askDigest"],
        asked=tuple(row["asked"]),
        previous_version_id=row["previousVersionId"],
        updated_at=row["updatedAt"],
        created_at=row["createdAt"],
        recorded=row["recorded"],
        origin_version_id=row.get("originVersionId", ""),
        arn=row["imageSetArn"],
        study_instance_uid=row.get("studyInstanceUID", ""),
        patient_id=row.get("patientID", ""),
        has_record=row.get("hasRecord", False),
        is_whole=row.get("isWhole", True),
        released=tuple(row.get("released", ())),
        renamed=tuple(sorted(row.get("renamed", {}).items())),
        refuted=row.get("refuted", ""),
        requests=tuple(sorted(row.get("requests", {}).items())),
        accepted=tuple(
            sorted(Unverified(one, tuple(paths)) for one, paths in row.get("accepted", {}).items())
        ),
        study=_study(row.get("study")),
        selected_by=tuple(sorted(row["selectedBy"].items())) if "selectedBy" in row else None,
    )


def _study(row: Row | None) -> StudyMembers | None:
    if row is None:
        return None
    return StudyMembers(row["studyInstanceUID"], tuple(sorted(row["members"].items())))


def _hazard(row: Row) -> HazardUse:
    return HazardUse(
        Hazard(row["name"]),
        row["imageSetId"],
        row["consented"],
        row["consent"],
        _place(row["at"]),
        row.get("versionId", ""),
        row.get("number", 0),
        row.get("wasAtBase", False),
    )


def _block(row: Row) -> Block:
    return Block(
        row["imageSetId"],
        row["message"],
        row["hint"],
        _place(row["at"]),
        row["path"],
        row.get("bug", False),
        row.get("wasAtBase", False),
    )


def _change(row: Row) -> Change:
    return Change(
        image_set_id=row["imageSetId"],
        op=Op(row["op"]),
        address=Address(Level[row["level"].upper()], row["series"], row["instance"]),
        key=row["key"],
        tag=int(row["tag"], 16) if row["tag"] is not None else None,
        vr=row["vr"],
        before=Value(row["before"]["value"]) if row["before"] else None,
        after=Value(row["after"]["value"]) if row["after"] else None,
        place=_place(row["at"]),
        send_vr=row["sendVr"],
        drifted=row["drifted"],
        consent_versions=tuple(row["consentVersions"]),
        baseline=row["baseline"],
        force_reasons=tuple(row["forceReasons"]),
        hazards=tuple(Hazard(name) for name in row["hazards"]),
        manifests=_each(row.get("manifests", []), _document),
        creator=Value(row["privateCreator"]["value"]) if "privateCreator" in row else None,
        is_stated=row.get("stated", False),
        instances=row.get("instances", 0),
    )


def _document(row: Row) -> Place:
    return Place(row["file"], row["line"], row["column"])


def _step(row: Row) -> Step:
    return Step(
        datastore_id=row["datastoreId"],
        image_set_id=row["imageSetId"],
        pin=row["pin"],
        expected=tuple(sorted(row["expected"].items())),
        updatable=row["updatableAttributes"],
        removable=row["removableAttributes"],
        revert_to=row["revertToVersionId"],
        force=row["force"],
        study_wide=row["includeStudyImageSets"],
        study_instance_uid=row["studyInstanceUID"] if row["includeStudyImageSets"] else "",
    )
