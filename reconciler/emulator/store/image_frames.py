"""The image frames of a data store: what GetImageFrame answers with."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

_KEEP = "INSERT INTO frames VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"


@dataclass(frozen=True, slots=True, repr=False)
class ImageFrame:
    """What GetImageFrame answers with. `id` is the ID of ImageFrames."""

    id: str
    content_type: str
    data: bytes


def keep_frame(connection: sqlite3.Connection, datastore_id: str, frame: ImageFrame) -> None:
    """A frame of a data store; its image sets name it by ID. One that is there already stays."""
    connection.execute(_KEEP, (datastore_id, frame.id, frame.content_type, frame.data))
