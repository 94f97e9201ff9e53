"""Narrow a report to what a reader asks for."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.errors import ReconcilerError
from reconciler.core.review import AppliedReview
from reconciler.core.review.applied import ShownHeld, ShownOutcome, ShownRecords


def narrowed(
    review: AppliedReview, datastore: str | None, image_set_id: str | None
) -> AppliedReview:
    """The outcomes of a data store, or of an image set with all others of its calls.

    Raises ReconcilerError if the report has none. Errors of the run as a whole stay.
    """
    if datastore is None and image_set_id is None:
        return review
    outcomes = [one for one in review.outcomes if _is_of(one, datastore, image_set_id)]
    held = [one for one in review.held if _is_held(one, datastore, image_set_id)]
    recovered = [one for one in review.recovered if image_set_id == one.image_set_id]
    unread = [one for one in review.unread if datastore == one.datastore and not image_set_id]
    if not (outcomes or held or recovered or unread):
        where = f" of data store {datastore}" if datastore else ""
        name = f"image set {image_set_id}{where}" if image_set_id else f"image set{where}"
        raise ReconcilerError(
            f"the report has no {name}",
            "Check the ID and the name. A report has the image sets that the plan was to change.",
        )
    names = {member.image_set_id for one in outcomes for member in one.members}
    names.update(one.image_set_id for one in recovered)
    stores = {one.call.datastore_id for one in outcomes} | {one.datastore_id for one in held}
    return replace(
        review,
        outcomes=tuple(outcomes),
        held=tuple(held),
        recovered=tuple(recovered),
        unread=tuple(unread),
        steps=len(outcomes),
        sent=0,
        seconds=0.0,
        records=_records(review.records, stores, names),
    )


def _is_of(outcome: ShownOutcome, datastore: str | None, image_set_id: str | None) -> bool:
    names = {member.image_set_id for member in outcome.members}
    return datastore in (None, outcome.call.datastore) and (
        image_set_id is None or image_set_id in names
    )


def _is_held(held: ShownHeld, datastore: str | None, image_set_id: str | None) -> bool:
    return datastore in (None, held.datastore) and (
        image_set_id is None or image_set_id in held.image_set_ids
    )


def _records(records: ShownRecords, stores: set[str], names: set[str]) -> ShownRecords:
    """The files of these data stores: a file has the records of many image sets."""
    paths = [path for path in records.paths if stores & set(path.split("/"))]
    missing = tuple(name for name in records.missing if name in names)
    unpublished = tuple(one for one in records.published.missing if one[0] in names)
    published = replace(records.published, missing=unpublished)
    return replace(records, paths=tuple(paths), missing=missing, published=published)
