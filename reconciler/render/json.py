"""The output of the commands with --json. Values are masked as they are in text.

A plan is in `plan_json`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler import __version__
from reconciler.core.errors import Diagnostic, Place
from reconciler.core.model.api_version import API_VERSION
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.outcome import Landed
from reconciler.core.model.plan import Basis
from reconciler.core.model.settings import Datastore
from reconciler.core.model.value import Json
from reconciler.core.plan.file import unread_json
from reconciler.core.review import AppliedReview
from reconciler.core.review.applied import ShownCall, ShownHeld, ShownMember, ShownOutcome
from reconciler.core.review.search import ShownImageSet


def _place(place: Place | None) -> Json:
    return {"file": place.file, "line": place.line, "column": place.column} if place else None


def applied(review: AppliedReview, exit_code: int) -> dict[str, Json]:
    """A report as report.schema.json describes it, with an outcome for every step.

    `exit_code` is the exit code of the process: a signal takes precedence over the outcomes.
    """
    unread: Json = [unread_json(one) for one in review.unread]
    return {
        "apiVersion": API_VERSION,
        "kind": "Report",
        "toolVersion": __version__,
        "planDigest": review.plan_digest,
        "basis": _basis(review.basis),
        "totals": {
            "steps": review.steps,
            **{str(result): count for result, count in review.results},
            "held": len(review.held),
            **({"unread": sum(one.image_sets for one in review.unread)} if unread else {}),
        },
        "outcomes": [_outcome(outcome) for outcome in review.outcomes],
        "held": [_held(held) for held in review.held],
        **({"unread": unread} if unread else {}),
        "recovered": [_landed(landed) for landed in review.recovered],
        "recorded": list(review.records.paths),
        "commit": review.records.commit,
        "problems": [
            {"message": problem.message, "hint": problem.hint} for problem in review.problems
        ],
        "exitCode": exit_code,
    }


def _basis(basis: Basis) -> Json:
    clean: dict[str, Json] = {} if basis.is_clean is None else {"clean": basis.is_clean}
    return {"commit": basis.commit, **clean}


def _outcome(outcome: ShownOutcome) -> Json:
    """Never what the service says: a report is stored."""
    return {
        **_call(outcome.call),
        "result": str(outcome.result),
        "message": outcome.message,
        "members": [_member(member) for member in outcome.members],
    }


def _call(call: ShownCall) -> dict[str, Json]:
    return {
        "imageSetId": call.image_set_id,
        "latestVersionId": call.pin,
        "force": call.force,
        "includeStudyImageSets": call.study_wide,
        "revertToVersionId": call.revert_to,
    }


def _member(member: ShownMember) -> Json:
    return {
        "imageSetId": member.image_set_id,
        "latestVersionId": member.pin,
        "versionId": member.version_id or None,
    }


def _held(held: ShownHeld) -> Json:
    return {
        "imageSetId": held.image_set_id,
        "status": str(held.status),
        "reasons": [
            *(reason.message for reason in held.reasons),
            *(f"{use.hazard} needs consent" for use in held.missing),
        ],
    }


def _landed(landed: Landed) -> Json:
    return {
        "imageSetId": landed.image_set_id,
        "versionId": landed.version_id,
        "previousVersionId": landed.previous_version_id,
    }


def problems(diagnostics: Iterable[Diagnostic], *, shows_values: bool) -> Json:
    """The problems of invalid files, with what to write instead where that is obvious."""
    return {
        "valid": False,
        "problems": [_problem(found, shows_values) for found in diagnostics],
    }


def _problem(found: Diagnostic, shows_values: bool) -> Json:
    row: dict[str, Json] = {
        "place": _place(found.place),
        "message": found.message,
        "hint": found.hint,
    }
    right = found.replacement
    if right and (shows_values or not right.holds_value):
        row["suggestion"] = {
            "place": _place(right.place),
            "endColumn": right.place.column + right.length,
            "text": right.text,
        }
    return row


def checked(
    files: int,
    asks: Sequence[ImageSetAsk],
    notes: Iterable[Diagnostic],
    warnings: Iterable[Diagnostic],
) -> Json:
    """The image sets that valid files ask for, and the notes and warnings about them."""
    return {
        "valid": True,
        "files": files,
        "imageSets": [
            {"datastore": ask.datastore, "imageSetId": ask.image_set_id, "place": _place(ask.place)}
            for ask in asks
        ],
        "problems": [],
        "warnings": [
            {"place": _place(one.place), "message": one.message, "hint": one.hint}
            for one in warnings
        ],
        "notes": [{"place": _place(note.place), "message": note.message} for note in notes],
    }


def datastores(found: Iterable[Datastore]) -> Json:
    """The data stores of the settings."""
    return [
        {
            "name": store.name,
            "datastoreId": store.datastore_id,
            "region": store.region,
            "accountId": store.account_id,
            "endpoint": store.endpoint,
        }
        for store in found
    ]


def image_sets(found: Iterable[ShownImageSet]) -> Json:
    """Rows of SearchImageSets.

    A masked value is null, and `masked` names it: the shape of a value would look like a value.
    """
    return [
        {
            "datastore": image_set.datastore,
            "imageSetId": image_set.image_set_id,
            "versionId": image_set.version_id,
            "isPrimary": image_set.is_primary,
            "createdAt": image_set.created_at,
            "updatedAt": image_set.updated_at,
            "lastAccessedAt": image_set.last_accessed_at,
            "storageTier": image_set.storage_tier,
            "tags": {
                name: None if value.is_hidden else value.plain
                for name, value in image_set.tags.items()
            },
            "masked": list(image_set.masked),
        }
        for image_set in found
    ]
