"""The body of GetImageSetMetadata -> a document, with limits for size and depth.

Values are kept exactly, or the document is refused: they are compared, shown and sent back. A wrong
answer for one image set must not exhaust the memory of a run or end it.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import re
import zlib
from typing import NoReturn, Protocol

from reconciler.core.errors import UnreadableError
from reconciler.core.model.value import Json

# The quota of one image set's metadata is 50 MB of JSON (developer guide, "Endpoints and quotas").
# The limit is a third higher in case AWS measures the size in another way.
MAX_BYTES = 64 * 2**20
# Nested lists and objects. DICOM sets no limit. A document needs 7 levels and each sequence 2 more,
# so 46 nested sequences fit. Comparing documents needs a few stack frames for each level.
MAX_DEPTH = 100
_GZIP = b"\x1f\x8b"
_PART = 2**16
# A number with any other digit than 0 before its exponent.
_NOT_ZERO = re.compile(r"-?[0.]*[1-9]")


class GarbledError(UnreadableError):
    """An answer that is not a JSON document. It may be damaged, so a retry may help."""


class _InexactError(ValueError):
    """JSON that `json` reads as something else. The message begins with a verb."""


class Body(Protocol):
    """The body of an answer, as botocore returns it."""

    def read(self, amt: int) -> bytes:
        """Read at most this number of bytes; b"" at the end."""
        ...

    def close(self) -> None:
        """Close the body without reading the rest."""
        ...


def read_document(body: Body, image_set_id: str, version_id: str) -> dict[str, Json]:
    """Read the document of this image set. Raises UnreadableError if it cannot be used."""
    where = f"GetImageSetMetadata, image set {image_set_id}, version {version_id}"
    document = _parsed(_unpacked(_received(body, where), where), where)
    if _is_deep(document):
        raise _unreadable(f"{where}: the document is nested deeper than {MAX_DEPTH} levels")
    if document.get("ImageSetID", image_set_id) != image_set_id:
        raise _unreadable(f"{where}: the service returned the document of another image set")
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
    """Decompress the body: botocore does not, regardless of Content-Encoding."""
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
    """Parse with `json`: orjson converts integers beyond 64 bits to floats."""
    try:
        document = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_double
        )
    except _InexactError as error:
        raise _unreadable(f"{where}: the document {error}") from None
    except RecursionError:
        raise _unreadable(
            f"{where}: the document is nested deeper than {MAX_DEPTH} levels"
        ) from None
    except (json.JSONDecodeError, UnicodeError):
        raise _garbled(where) from None
    except ValueError:  # int(), which takes at most 4300 digits: docs.python.org/3/library/stdtypes
        raise _unreadable(
            f"{where}: the document has an integer of more than 4300 digits"
        ) from None
    if not isinstance(document, dict):
        raise _garbled(where)
    return document


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise _InexactError("has the same attribute twice in one place")
    return mapping


def _refuse_constant(name: str) -> NoReturn:
    raise _InexactError(f"holds {name}, which JSON does not allow")


def _double(text: str) -> float:
    number = float(text)
    if math.isinf(number) or (number == 0 and _NOT_ZERO.match(text)):
        raise _InexactError("has a number beyond the range of a double")
    return number


def _is_deep(document: dict[str, Json]) -> bool:
    """Whether the document is too deep. It counts level by level: a recursion could overflow."""
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
        f"{where}: the service returned no metadata document", operation="GetImageSetMetadata"
    )


def _too_large(where: str) -> UnreadableError:
    return _unreadable(f"{where}: the document is larger than {MAX_BYTES // 2**20} MiB")


def _unreadable(message: str) -> UnreadableError:
    return UnreadableError(message, operation="GetImageSetMetadata")
