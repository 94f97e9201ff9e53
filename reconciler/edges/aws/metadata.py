"""The body of GetImageSetMetadata -> a document, within bounds of size and depth.

One image set whose answer is wrong must not take the memory of a run, or end it.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from typing import Protocol

from reconciler.core.errors import UnreadableError
from reconciler.core.model.value import Json

# The quota of one image set's metadata is 50 MB of JSON (developer guide, "Endpoints and quotas").
# A third more is headroom for a quota that is counted in another way.
MAX_BYTES = 64 * 2**20
# Nested lists and objects. DICOM sets no bound. A document needs 7, a sequence 2 more, so 46 of
# them may stand in each other. Whoever compares two documents needs a few frames for each.
MAX_DEPTH = 100
_GZIP = b"\x1f\x8b"
_PART = 2**16


class GarbledError(UnreadableError):
    """No JSON document came. It may have been damaged on the way, so another try may help."""


class Body(Protocol):
    """What botocore gives: bytes that are still on their way."""

    def read(self, amt: int) -> bytes:
        """The next bytes, at most so many; none at the end."""
        ...

    def close(self) -> None:
        """Leave the rest where it is."""
        ...


def read_document(body: Body, image_set_id: str, version_id: str) -> dict[str, Json]:
    """The document of this image set. UnreadableError says why it is none."""
    where = f"GetImageSetMetadata, image set {image_set_id}, version {version_id}"
    document = _parsed(_unpacked(_received(body, where), where), where)
    if _is_deep(document):
        raise _unreadable(f"{where}: the document is nested deeper than {MAX_DEPTH} levels")
    if document.get("ImageSetID", image_set_id) != image_set_id:
        raise _unreadable(f"{where}: the document of another image set came back")
    return document


def _received(body: Body, where: str) -> bytes:
    parts, size = [], 0
    while part := body.read(_PART):
        parts.append(part)
        size += len(part)
        if size > MAX_BYTES:
            body.close()
            raise _too_large(where)
    return b"".join(parts)


def _unpacked(blob: bytes, where: str) -> bytes:
    """The body is still gzipped, whatever Content-Encoding says: botocore does not unpack it."""
    if not blob.startswith(_GZIP):
        return blob
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(blob)) as stream:
            text = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise _garbled(where) from None
    if len(text) > MAX_BYTES:
        raise _too_large(where)
    return text


def _parsed(text: bytes, where: str) -> dict[str, Json]:
    """`json`, not orjson: that turns integers beyond 64 bits into floats."""
    try:
        document = json.loads(text)
    except RecursionError:
        raise _unreadable(
            f"{where}: the document is nested deeper than {MAX_DEPTH} levels"
        ) from None
    except ValueError:
        raise _garbled(where) from None
    if not isinstance(document, dict):
        raise _garbled(where)
    return document


def _is_deep(document: dict[str, Json]) -> bool:
    """Level by level: a recursion could itself be too deep."""
    level: list[dict[str, Json] | list[Json]] = [document]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for block in level
            for inner in (block.values() if isinstance(block, dict) else block)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _garbled(where: str) -> GarbledError:
    return GarbledError(
        f"{where}: what came back is not a JSON document", operation="GetImageSetMetadata"
    )


def _too_large(where: str) -> UnreadableError:
    return _unreadable(f"{where}: the document is larger than {MAX_BYTES // 2**20} MiB")


def _unreadable(message: str) -> UnreadableError:
    return UnreadableError(message, operation="GetImageSetMetadata")
