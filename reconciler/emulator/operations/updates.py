"""UpdateImageSetMetadata: updates, removals, reverts, for one image set or a whole study."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

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
from reconciler.emulator.rules.documents import Document, apply_edits, same, series_of
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
        call = _Call(
            context, connection, datastore_id, now, parameters.get("force", False), version,
            study_wide,
        )  # fmt: skip
        _require_writable(call, parameters["latestVersionId"])
        if study_wide and not version.is_primary:
            raise invalid("includeStudyImageSets needs a primary image set.")
        if context.fail_updates_with is not None:
            _fail(call, edits, Violation(context.fail_updates_with))
        elif revert_to is not None:
            _revert(call, revert_to)
        else:
            _update(call, edits)
    return {
        "datastoreId": datastore_id,
        "imageSetId": image_set_id,
        "latestVersionId": str(version.version + context.behaviours.update_makes_version),
        "imageSetState": "LOCKED",
        "imageSetWorkflowStatus": UPDATING,
        "createdAt": version.created_at,
        "updatedAt": now,
    }


def _require_writable(call: _Call, pin: str) -> None:
    behaviours = call.context.behaviours
    is_checked = behaviours.pin_checked_with_force or not call.force
    stale = is_checked and pin != str(call.version.version)
    if stale and not behaviours.locked_before_pin:
        raise not_found(NOT_THE_LATEST)
    require_unlocked(call.version, call.now)
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
        _fail(call, (), Violation("The version to revert to is a failed one."))
    else:
        _make(call, call.version, UPDATING, content=target.content)


def _update(call: _Call, edits: tuple[Edit, ...]) -> None:
    behaviours = call.context.behaviours
    siblings = _siblings(call) if behaviours.siblings_of_study_wide == "changed" else []
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
        _fail(call, edits, violation)
        return
    _make(call, call.version, UPDATING, document=result)
    for sibling, changed in zip(siblings, results, strict=True):
        _make(call, sibling, STUDY_CONSISTENCY, document=changed)


def _make(call: _Call, version: Version, busy_status: str, **content: Any) -> None:
    """Make the version of an update that takes effect."""
    behaviours = call.context.behaviours
    if not behaviours.equal_update_makes_version and _is_equal(call, version, **content):
        return
    make = call.next if behaviours.update_makes_version else call.again
    make(version, busy_status=busy_status, end_status="UPDATED", **content)


def _is_equal(
    call: _Call, version: Version, document: Document | None = None, content: int | None = None
) -> bool:
    if document is None:
        return content == version.content
    return same(document, call.document(version))


def _applied(call: _Call, edits: Iterable[Edit], version: Version, *, lenient: bool) -> Document:
    behaviours = call.context.behaviours
    current = call.document(version)
    check_modules(edits, series_of(current))
    check_edits(edits, call.force, behaviours)
    return apply_edits(current, edits, behaviours, lenient=lenient)


def _fail(call: _Call, edits: tuple[Edit, ...], violation: Violation) -> None:
    """Fail the update. It still makes a version, with the content of the version before.

    In a study-wide call this is true for the named image set only: the call is atomic, so the
    siblings stay as they are.
    """
    behaviours = call.context.behaviours
    make = call.next if behaviours.failed_update_makes_version else call.again
    make(call.version, busy_status=UPDATING, end_status="UPDATE_FAILED", message=str(violation))
    siblings = _siblings(call) if behaviours.siblings_of_failed != "left" else []
    for sibling in siblings:
        if behaviours.siblings_of_failed == "failed":
            call.next(sibling, busy_status=STUDY_CONSISTENCY, end_status="UPDATE_FAILED")
        else:
            changed = _applied(call, edits, sibling, lenient=True)
            _make(call, sibling, STUDY_CONSISTENCY, document=changed)


def _siblings(call: _Call) -> list[Version]:
    """The other primary image sets of the study; none unless the call is study-wide."""
    if not call.study_wide:
        return []
    rows = call.connection.execute(
        "SELECT other.image_set_id FROM search_index mine CROSS JOIN search_index other "
        "ON other.datastore_id = mine.datastore_id AND other.study_uid = mine.study_uid "
        "WHERE mine.datastore_id = ? AND mine.image_set_id = ? AND mine.visible_until IS NULL "
        "AND other.image_set_id <> mine.image_set_id AND other.visible_until IS NULL "
        "AND other.is_primary ORDER BY other.image_set_id",
        (call.datastore_id, call.version.image_set_id),
    ).fetchall()
    found = (find(call.connection, call.datastore_id, row[0]) for row in rows)
    return [version for version in found if version is not None]
