"""UpdateImageSetMetadata: updates, removals, reverts, for one image set or a whole study."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.emulator.operations.context import (
    Context,
    Parameters,
    Result,
    require_version,
    version_number,
)
from reconciler.emulator.operations.imagesets import require_unlocked
from reconciler.emulator.operations.writes import Write
from reconciler.emulator.rules.constraints import (
    Violation,
    check_edits,
    check_modules,
    check_primary,
    check_study_wide,
)
from reconciler.emulator.rules.documents import Document, apply_edits, series_of
from reconciler.emulator.rules.payload import Edit, parse_edits
from reconciler.emulator.store.versions import Version, find
from reconciler.emulator.wire.errors import NOT_THE_LATEST, conflict, invalid, not_found

UPDATING = "UPDATING"
STUDY_CONSISTENCY = "UPDATING_FOR_STUDY_CONSISTENCY"


@dataclass(frozen=True, slots=True)
class _Call(Write):
    """One call: the latest version of the image set that it names."""

    version: Version
    study_wide: bool


def update_image_set_metadata(context: Context, parameters: Parameters) -> Result:
    """UpdateImageSetMetadata.

    Checks the expected version and makes the next version at once; it is ready after
    `update_seconds`.
    """
    updates = parameters["updateImageSetMetadataUpdates"]
    study_wide = parameters.get("includeStudyImageSets", False)
    revert_to = updates.get("revertToVersionId")
    edits: tuple[Edit, ...] = ()
    if revert_to is None:
        edits = parse_edits(updates["DICOMUpdates"], context.behaviours)
    elif study_wide:
        raise invalid("includeStudyImageSets is not supported with revertToVersionId.")
    datastore_id, image_set_id = parameters["datastoreId"], parameters["imageSetId"]
    with context.store.write() as connection:
        now = context.now()
        version = require_version(context, connection, datastore_id, image_set_id)
        _require_writable(context, version, parameters["latestVersionId"], now)
        call = _Call(
            context, connection, datastore_id, now, parameters.get("force", False), version,
            study_wide,
        )  # fmt: skip
        if study_wide and not version.is_primary:
            raise invalid("includeStudyImageSets needs a primary image set.")
        if context.fail_updates_with is not None:
            _fail(call, Violation(context.fail_updates_with))
        elif revert_to is not None:
            _revert(call, revert_to)
        else:
            _update(call, edits)
    return {
        "datastoreId": datastore_id,
        "imageSetId": image_set_id,
        "latestVersionId": str(version.version + 1),
        "imageSetState": "LOCKED",
        "imageSetWorkflowStatus": UPDATING,
        "createdAt": version.created_at,
        "updatedAt": now,
    }


def _require_writable(context: Context, version: Version, pin: str, now: float) -> None:
    stale = pin != str(version.version)
    if stale and not context.behaviours.locked_before_pin:
        raise not_found(NOT_THE_LATEST)
    require_unlocked(version, now)
    if stale:
        raise not_found(NOT_THE_LATEST)


def _revert(call: _Call, revert_to: str) -> None:
    """Revert. An unknown version is a 404, a failed version ends in UPDATE_FAILED."""
    target = find(
        call.connection, call.datastore_id, call.version.image_set_id, version_number(revert_to)
    )
    if target is None:
        raise not_found("The version to revert to does not exist.")
    if target.end_status.endswith("_FAILED"):
        _fail(call, Violation("The version to revert to is a failed one."))
    else:
        call.next(call.version, busy_status=UPDATING, end_status="UPDATED", content=target.content)


def _update(call: _Call, edits: tuple[Edit, ...]) -> None:
    behaviours = call.context.behaviours
    siblings = _siblings(call) if call.study_wide else []
    for sibling in siblings:
        if sibling.state(call.now)[0] == "LOCKED":
            raise conflict("An image set of the study is LOCKED.")
    try:
        if call.study_wide:
            check_study_wide(edits, behaviours.study_wide_levels)
        elif call.version.is_primary and behaviours.primary_bans:
            check_primary(edits)
        result = _applied(call, edits, call.version, lenient=False)
        results = [_applied(call, edits, sibling, lenient=True) for sibling in siblings]
    except Violation as violation:
        if behaviours.constraint_errors == "validation":
            raise invalid(str(violation)) from None
        _fail(call, violation)
        return
    call.next(call.version, busy_status=UPDATING, end_status="UPDATED", document=result)
    for sibling, changed in zip(siblings, results, strict=True):
        call.next(sibling, busy_status=STUDY_CONSISTENCY, end_status="UPDATED", document=changed)


def _applied(call: _Call, edits: Iterable[Edit], version: Version, *, lenient: bool) -> Document:
    behaviours = call.context.behaviours
    current = call.document(version)
    check_modules(edits, series_of(current))
    check_edits(edits, call.force, behaviours)
    return apply_edits(current, edits, behaviours, lenient=lenient)


def _fail(call: _Call, violation: Violation) -> None:
    """Fail the update. It still makes a version, with the content of the version before.

    In a study-wide call this is true for the named image set only: the call is atomic, so the
    siblings stay as they are.
    """
    call.next(
        call.version, busy_status=UPDATING, end_status="UPDATE_FAILED", message=str(violation)
    )


def _siblings(call: _Call) -> list[Version]:
    """The other primary image sets of the study."""
    rows = call.connection.execute(
        "SELECT other.image_set_id FROM search_index mine JOIN search_index other "
        "ON other.datastore_id = mine.datastore_id AND other.study_uid = mine.study_uid "
        "WHERE mine.datastore_id = ? AND mine.image_set_id = ? AND mine.visible_until IS NULL "
        "AND other.image_set_id <> mine.image_set_id AND other.visible_until IS NULL "
        "AND other.is_primary ORDER BY other.image_set_id",
        (call.datastore_id, call.version.image_set_id),
    ).fetchall()
    found = (find(call.connection, call.datastore_id, row[0]) for row in rows)
    return [version for version in found if version is not None]
