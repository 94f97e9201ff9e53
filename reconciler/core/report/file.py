"""The report as JSON: what `apply --report` writes, and `show` reads. It holds no DICOM value."""

from __future__ import annotations

import json
from typing import Any

from reconciler import __version__
from reconciler.core.errors import Place, ReconcilerError
from reconciler.core.model.address import Level
from reconciler.core.model.api_version import API_VERSION
from reconciler.core.model.change import Op
from reconciler.core.model.outcome import Landed, Result
from reconciler.core.model.plan import Basis, Status, Unread
from reconciler.core.model.record import RULES_VERSION
from reconciler.core.model.results import Published
from reconciler.core.model.value import Json
from reconciler.core.plan.file import unread_json
from reconciler.core.report.build import view_of
from reconciler.core.review import AppliedReview
from reconciler.core.review.applied import (
    ShownCall,
    ShownConsent,
    ShownEdit,
    ShownHeld,
    ShownMember,
    ShownOutcome,
    ShownProblem,
    ShownRecords,
)

KIND = "Report"
AGAIN = "Show the file as `reconcile apply --report FILE` wrote it."

Row = dict[str, Any]


def to_json(review: AppliedReview, exit_code: int) -> dict[str, Json]:
    """A report as report.schema.json describes it, with an outcome for every step.

    `exit_code` is the exit code of the process: a signal takes precedence over the outcomes.
    """
    unread: Json = [unread_json(one) for one in review.unread]
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "toolVersion": __version__,
        "planDigest": review.plan_digest,
        "basis": _basis_json(review.basis),
        "totals": _totals_json(review),
        "outcomes": [_outcome_json(outcome) for outcome in review.outcomes],
        "held": [_held_json(held) for held in review.held],
        **({"unread": unread} if unread else {}),
        "recovered": [_landed_json(landed) for landed in review.recovered],
        "recorded": list(review.records.paths),
        "notRecorded": list(review.records.missing),
        "commit": review.records.commit,
        **_published_json(review.records.published),
        "problems": [_problem_json(problem) for problem in review.problems],
        "calls": review.sent,
        "seconds": round(review.seconds, 1),
        "exitCode": exit_code,
    }


def summary_json(review: AppliedReview) -> dict[str, Json]:
    """How the apply ended and the totals, without any outcome."""
    view = view_of(review)
    return {
        "apiVersion": API_VERSION,
        "kind": "ReportSummary",
        "toolVersion": __version__,
        "basis": _basis_json(review.basis),
        "verdict": list(view.verdict),
        "imageSets": {"total": view.total, "asPlanned": view.good},
        "totals": _totals_json(review),
        "commit": review.records.commit,
        "calls": review.sent,
        "seconds": round(review.seconds, 1),
        "exitCode": review.exit_code,
    }


def _published_json(published: Published) -> dict[str, Json]:
    found: dict[str, Json] = {}
    if published.missing:
        found["notPublished"] = [
            {"imageSetId": name, "versionId": version} for name, version in published.missing
        ]
    if published.branch:
        found["recordBranch"] = {
            "name": published.branch,
            "pushed": published.is_pushed,
            **({} if published.waiting is None else {"waiting": published.waiting}),
        }
    return found


def _basis_json(basis: Basis) -> Json:
    clean: dict[str, Json] = {} if basis.is_clean is None else {"clean": basis.is_clean}
    return {"commit": basis.commit, **clean}


def _totals_json(review: AppliedReview) -> Json:
    unread = sum(one.image_sets for one in review.unread)
    return {
        "steps": review.steps,
        **{str(result): count for result, count in review.results},
        "held": len(review.held),
        **({"unread": unread} if unread else {}),
    }


def _outcome_json(outcome: ShownOutcome) -> Json:
    """Never what the service says: a report is stored."""
    return {
        **_call_json(outcome.call),
        "result": str(outcome.result),
        "message": outcome.message,
        "members": [_member_json(member) for member in outcome.members],
        "place": _place_json(outcome.place),
    }


def _call_json(call: ShownCall) -> dict[str, Json]:
    return {
        "datastore": call.datastore,
        "datastoreId": call.datastore_id,
        "imageSetId": call.image_set_id,
        "latestVersionId": call.pin,
        "force": call.force,
        "includeStudyImageSets": call.study_wide,
        "revertToVersionId": call.revert_to,
    }


def _member_json(member: ShownMember) -> Json:
    return {
        "imageSetId": member.image_set_id,
        "latestVersionId": member.pin,
        "versionId": member.version_id or None,
        "edits": [
            {
                "op": str(edit.op),
                "level": edit.level.title,
                "name": edit.name,
                "places": edit.places,
            }
            for edit in member.edits
        ],
    }


def _place_json(place: Place | None) -> Json:
    return {"file": place.file, "line": place.line, "column": place.column} if place else None


def _held_json(held: ShownHeld) -> Json:
    return {
        "datastore": held.datastore,
        "datastoreId": held.datastore_id,
        "imageSetId": held.image_set_id,
        "latestVersionId": held.pin,
        "imageSetIds": list(held.image_set_ids),
        "status": str(held.status),
        "reasons": [_problem_json(reason) for reason in held.reasons],
        "missingConsents": [{"hazard": one.hazard, "line": one.line} for one in held.missing],
        "place": _place_json(held.place),
    }


def _problem_json(problem: ShownProblem) -> Json:
    return {"message": problem.message, "hint": problem.hint}


def _landed_json(landed: Landed) -> Json:
    return {
        "imageSetId": landed.image_set_id,
        "versionId": landed.version_id,
        "previousVersionId": landed.previous_version_id,
    }


def parse(data: bytes) -> Row:
    """The rows of a report. Raises ReconcilerError for anything that is no complete report."""
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError):
        raise ReconcilerError("the report is incomplete or damaged", AGAIN) from None
    if not isinstance(raw, dict) or raw.get("kind") != KIND:
        raise ReconcilerError("the file is not the report of an apply", AGAIN)
    return raw


def unreadable(raw: Row) -> ReconcilerError:
    """The error for a report that is not as its schema describes it."""
    made_by = raw.get("toolVersion")
    if not isinstance(made_by, str) or made_by == __version__:
        return ReconcilerError("the file does not hold a valid report", AGAIN)
    made_by = made_by[:40]
    return ReconcilerError(
        f"version {made_by} of reconcile wrote the report, and this is version {__version__}",
        f"Show it with version {made_by}.",
    )


def from_json(raw: Row) -> AppliedReview:
    """The report in rows that report.schema.json accepts."""
    basis = raw["basis"]
    return AppliedReview(
        plan_digest=raw["planDigest"],
        basis=Basis(basis["commit"], RULES_VERSION, is_clean=basis.get("clean")),
        outcomes=tuple(map(_outcome, raw["outcomes"])),
        held=tuple(map(_held, raw["held"])),
        recovered=tuple(map(_landed, raw["recovered"])),
        steps=raw["totals"]["steps"],
        sent=raw["calls"],
        seconds=raw["seconds"],
        records=ShownRecords(
            tuple(raw["recorded"]), raw["commit"], tuple(raw["notRecorded"]), _published(raw)
        ),
        problems=tuple(map(_problem, raw["problems"])),
        exit_code=raw["exitCode"],
        unread=tuple(map(_unread, raw.get("unread", ()))),
    )


def _published(raw: Row) -> Published:
    branch = raw.get("recordBranch", {})
    missing = tuple((one["imageSetId"], one["versionId"]) for one in raw.get("notPublished", ()))
    return Published(
        branch.get("name", ""), branch.get("pushed", False), missing, branch.get("waiting")
    )


def _outcome(row: Row) -> ShownOutcome:
    return ShownOutcome(
        call=ShownCall(
            datastore=row["datastore"],
            datastore_id=row["datastoreId"],
            image_set_id=row["imageSetId"],
            pin=row["latestVersionId"],
            force=row["force"],
            study_wide=row["includeStudyImageSets"],
            revert_to=row["revertToVersionId"],
        ),
        result=Result(row["result"]),
        message=row["message"],
        members=tuple(map(_member, row["members"])),
        said=None,
        place=_place(row["place"]),
    )


def _member(row: Row) -> ShownMember:
    edits = tuple(
        ShownEdit(Op(one["op"]), Level[one["level"].upper()], one["name"], one["places"])
        for one in row["edits"]
    )
    return ShownMember(row["imageSetId"], row["latestVersionId"], row["versionId"] or "", edits)


def _place(row: Row | None) -> Place | None:
    return Place(row["file"], row["line"], row["column"]) if row else None


def _held(row: Row) -> ShownHeld:
    return ShownHeld(
        datastore=row["datastore"],
        datastore_id=row["datastoreId"],
        image_set_id=row["imageSetId"],
        pin=row["latestVersionId"],
        image_set_ids=tuple(row["imageSetIds"]),
        status=Status(row["status"]),
        reasons=tuple(map(_problem, row["reasons"])),
        missing=tuple(ShownConsent(one["hazard"], one["line"]) for one in row["missingConsents"]),
        place=_place(row["place"]),
    )


def _problem(row: Row) -> ShownProblem:
    return ShownProblem(row["message"], row["hint"])


def _landed(row: Row) -> Landed:
    return Landed(row["imageSetId"], row["versionId"], row["previousVersionId"], None)


def _unread(row: Row) -> Unread:
    return Unread(
        row["datastore"], row["datastoreId"], row["imageSets"], row["message"], row["hint"]
    )
