"""GetImageFrame."""

from __future__ import annotations

import gzip
import sqlite3

from reconciler.emulator.operations.context import Context, Parameters, Result, require_version
from reconciler.emulator.store.versions import touch
from reconciler.emulator.wire.errors import not_acceptable, not_found
from reconciler.emulator.wire.media_types import accepts


def get_image_frame(context: Context, parameters: Parameters) -> Result:
    """GetImageFrame: an access. Raises 404 where no version of the image set has the frame.

    Image sets that were loaded as metadata documents have names of frames, but no frames: 404, too.
    Raises 406 where `accept` does not allow the media type in which the frame is stored.
    """
    datastore_id, image_set_id = parameters["datastoreId"], parameters["imageSetId"]
    frame_id = parameters["imageFrameInformation"]["imageFrameId"]
    now = context.now()
    with context.store.read() as connection:
        version = require_version(context, connection, datastore_id, image_set_id)
        if version.deleted_at(now) is not None:
            raise not_found("The image set is deleted.")
        row = connection.execute(
            "SELECT content_type, data FROM frames WHERE datastore_id = ? AND id = ?",
            (datastore_id, frame_id),
        ).fetchone()
        if row is None or not _names(connection, datastore_id, image_set_id, frame_id):
            raise not_found("The image frame does not exist.")
        content_type = row["content_type"]
        if not accepts(parameters.get("accept", ""), content_type):
            raise not_acceptable(
                f"The image frame is stored as {content_type}. The Accept header does not allow it."
            )
        touch(connection, datastore_id, image_set_id, now)
    return {"imageFrameBlob": row["data"], "contentType": content_type}


def _names(
    connection: sqlite3.Connection, datastore_id: str, image_set_id: str, frame_id: str
) -> bool:
    """Whether a version has the frame. An update that removes its instance keeps the pixels."""
    contents = connection.execute(
        "SELECT document FROM contents WHERE datastore_id = ? AND image_set_id = ? "
        "ORDER BY version DESC",
        (datastore_id, image_set_id),
    )
    wanted = f'"{frame_id}"'.encode()
    return any(wanted in gzip.decompress(document) for (document,) in contents)
