"""Puts metadata documents into a data store, as an import does with DICOM files."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from typing import Any

from reconciler.emulator.files.seeding import Seeding
from reconciler.emulator.operations.context import Context, require_datastore
from reconciler.emulator.rules.documents import Document, digest, instance_uids, same, series_of
from reconciler.emulator.store.index import index_entry
from reconciler.emulator.store.versions import (
    DELETING,
    NewVersion,
    append,
    document,
    find,
    insert_image_set,
)
from reconciler.emulator.wire.errors import conflict, invalid

_ID = re.compile(r"[0-9a-z]{32}")


@dataclass(frozen=True, slots=True)
class LoadedImageSet:
    """The image set in the data store now. `instances` is their number."""

    imageSetId: str
    versionId: str
    isPrimary: bool
    seriesInstanceUIDs: tuple[str, ...]
    instances: int


def load(
    context: Context,
    datastore_id: str,
    given: Document,
    *,
    image_set_id: str,
    primary: bool | None = None,
) -> LoadedImageSet:
    """Make version 1 of an image set, ACTIVE/CREATED at once.

    `primary` None decides as the service does. The same document again changes nothing and returns
    the image set, whatever its version is now. Another document under the same ID is a 409. The
    document gets the DatastoreID of this data store, and SchemaVersion and ImageSetID if it has
    none. Otherwise it stays as it is.
    """
    _check(given, image_set_id)
    loaded = _complete(given, datastore_id, image_set_id)
    with context.store.write() as connection:
        require_datastore(context, connection, datastore_id)
        if not _is_loaded(connection, datastore_id, image_set_id, digest(loaded)):
            if primary is None:
                primary = not conflicts(connection, datastore_id, loaded)
            _insert(context, connection, (datastore_id, image_set_id), loaded, primary=primary)
        return _loaded(connection, datastore_id, image_set_id)


def load_synthetic(context: Context, datastore_id: str, seeding: Seeding, numbers: range) -> int:
    """Load the synthetic image sets that do not exist yet, in one transaction.

    Returns their number.
    """
    loaded = 0
    with context.store.write() as connection:
        require_datastore(context, connection, datastore_id)
        for number in numbers:
            image_set_id = seeding.image_set_id(number)
            if find(connection, datastore_id, image_set_id) is None:
                made = _complete(seeding.document(number), datastore_id, image_set_id)
                key, primary = (datastore_id, image_set_id), seeding.is_primary(number)
                _insert(context, connection, key, made, primary=primary)
                loaded += 1
    return loaded


def _complete(given: Document, datastore_id: str, image_set_id: str) -> Document:
    own = {"DatastoreID": datastore_id}
    return {"SchemaVersion": "1.1", **own, "ImageSetID": image_set_id, **given, **own}


def _insert(
    context: Context,
    connection: sqlite3.Connection,
    key: tuple[str, str],
    loaded: Document,
    *,
    primary: bool,
) -> None:
    now = context.now()
    insert_image_set(connection, *key, is_primary=primary, now=now, loaded_digest=digest(loaded))
    first = NewVersion(
        version=1, busy_status="IMPORTING", end_status="CREATED", updated_at=now, ready_at=now,
        document=loaded,
    )  # fmt: skip
    append(connection, *key, first)


def _is_loaded(
    connection: sqlite3.Connection, datastore_id: str, image_set_id: str, loaded_digest: str
) -> bool:
    row = connection.execute(
        "SELECT loaded_digest, hold_status FROM image_sets WHERE datastore_id = ? AND id = ?",
        (datastore_id, image_set_id),
    ).fetchone()
    if row is not None and row["hold_status"] == DELETING:
        raise conflict("It was loaded, and then deleted. Its ID is never used again.")
    if row is not None and row["loaded_digest"] != loaded_digest:
        raise conflict("It is loaded already, with other content. Loading changes no image set.")
    return row is not None


def _loaded(connection: sqlite3.Connection, datastore_id: str, image_set_id: str) -> LoadedImageSet:
    version = find(connection, datastore_id, image_set_id)
    if version is None:
        raise KeyError(image_set_id)
    current = document(connection, datastore_id, version)
    return LoadedImageSet(
        image_set_id,
        str(version.version),
        bool(version.is_primary),
        tuple(series_of(current)),
        sum(len(series["Instances"]) for series in series_of(current).values()),
    )


def conflicts(connection: sqlite3.Connection, datastore_id: str, joining: Document) -> bool:
    """Whether a document cannot join the hierarchy of primary image sets.

    It joins when its study is new. It also joins when its Patient- and Study-level values are those
    of the study, and its series and instances are new (developer guide, "Understanding image
    sets").
    """
    entry = index_entry(joining)
    if _has_primary_series(connection, datastore_id, entry.series_uids):
        return True
    rows = connection.execute(
        "SELECT image_set_id FROM search_index "
        "WHERE datastore_id = ? AND study_uid = ? AND is_primary AND visible_until IS NULL",
        (datastore_id, entry.study_uid),
    ).fetchall()
    uids = instance_uids(joining)
    for (image_set_id,) in rows:
        sibling = find(connection, datastore_id, image_set_id)
        if sibling is None:
            continue
        current = document(connection, datastore_id, sibling)
        both_agree = all(agree(joining[level], current[level]) for level in ("Patient", "Study"))
        if not both_agree or uids & instance_uids(current):
            return True
    return False


def _has_primary_series(
    connection: sqlite3.Connection, datastore_id: str, series_uids: tuple[str, ...]
) -> bool:
    return any(
        connection.execute(
            "SELECT 1 FROM search_series e CROSS JOIN search_index s "
            "ON s.datastore_id = e.datastore_id AND s.image_set_id = e.image_set_id "
            "AND s.version = e.version WHERE e.datastore_id = ? AND e.series_uid = ? "
            "AND s.is_primary AND s.visible_until IS NULL",
            (datastore_id, uid),
        ).fetchone()
        for uid in series_uids
    )


def agree(block: Document, other: Document) -> bool:
    """Whether two blocks have the same values; an empty value equals a missing value."""
    mine, theirs = block["DICOM"], other["DICOM"]
    return all(same(mine.get(key), theirs.get(key)) for key in mine.keys() | theirs.keys())


def _check(given: Any, image_set_id: str) -> None:
    if not isinstance(image_set_id, str) or not _ID.fullmatch(image_set_id):
        raise invalid("The imageSetId must be 32 lower-case letters and digits.")
    if not isinstance(given, dict) or not _has_shape(given):
        raise invalid("The document does not have the shape of image set metadata.")
    if given.get("ImageSetID", image_set_id) != image_set_id:
        raise invalid("The document's own ImageSetID differs from the imageSetId.")


def _has_shape(given: Document) -> bool:
    study: Any = given.get("Study")
    if not _is_block(given.get("Patient")) or not _is_block(study, "Series"):
        return False
    return all(
        _is_block(series, "Instances") and all(map(_is_block, series["Instances"].values()))
        for series in study["Series"].values()
    )


def _is_block(block: Any, children: str | None = None) -> bool:
    if not isinstance(block, dict) or not isinstance(block.get("DICOM"), dict):
        return False
    if not isinstance(block.get("DICOMVRs", {}), dict):
        return False
    return children is None or (isinstance(block.get(children), dict) and bool(block[children]))
