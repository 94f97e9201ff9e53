"""The image frames of a data store, for GetImageFrame."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

_KEEP = "INSERT INTO frames VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"


@dataclass(frozen=True, slots=True, repr=False)
class ImageFrame:
    """An image frame. `id` is its ID in ImageFrames."""

    id: str
    content_type: str
    data: bytes


def keep_frame(connection: sqlite3.Connection, datastore_id: str, frame: ImageFrame) -> None:
    """Keep a frame of a data store; image sets name it by ID. An existing frame stays as it is."""
    connection.execute(_KEEP, (datastore_id, frame.id, frame.content_type, frame.data))
