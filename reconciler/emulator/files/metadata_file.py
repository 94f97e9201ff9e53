"""Reads a file that holds a HealthImaging metadata document, and takes the document as it is."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from typing import Any

from reconciler.emulator.files.dicom_file import Refused
from reconciler.emulator.wire import exact_json

_GZIP = b"\x1f\x8b"  # GetImageSetMetadata answers gzip, so a saved blob may be gzip
_QUOTA = 50 * 1000 * 1000  # bytes of JSON of one image set ("Endpoints and quotas")
_ID = re.compile(r"[0-9a-z]{32}")
_SPACE = b" \t\r\n"


def is_metadata(data: bytes) -> bool:
    """Whether the file starts like JSON, gzipped or not."""
    return data.startswith((_GZIP, b"\xef\xbb\xbf{")) or data[:512].lstrip(_SPACE)[:1] == b"{"


def read_metadata(data: bytes) -> tuple[str, dict[str, Any]]:
    """Read the ID of the image set and its document.

    A document without ImageSetID gets an ID made of its content. The content is not checked any
    further: the emulator must take what the service made. Raises `Refused` where the file is not
    such a document.
    """
    try:
        document = exact_json.loads(_unzipped(data))
    except exact_json.JsonError as error:
        raise Refused(f"it {error}") from None
    _check_shape(document)
    image_set_id = document.get("ImageSetID")
    if image_set_id is None:
        content = json.dumps(document, sort_keys=True)
        image_set_id = hashlib.sha256(content.encode()).hexdigest()[:32]
    if not isinstance(image_set_id, str) or not _ID.fullmatch(image_set_id):
        raise Refused("its ImageSetID is not 32 lower-case letters and digits")
    return image_set_id, document


def _unzipped(data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data
    stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        text = stream.decompress(data, _QUOTA + 1)
    except zlib.error:
        raise Refused("it is not a complete gzip file") from None
    if len(text) > _QUOTA:
        raise Refused("its JSON is larger than 50 MB, the service's quota")
    if not stream.eof:
        raise Refused("it is not a complete gzip file")
    if not text.lstrip(_SPACE).startswith(b"{"):
        raise Refused("it is gzipped, but holds no metadata document")
    return text


def _check_shape(document: Any) -> None:
    study = _mapping(document, "Study", "")
    _mapping(_mapping(document, "Patient", ""), "DICOM", "Patient/")
    _mapping(study, "DICOM", "Study/")
    series = _mapping(study, "Series", "Study/")
    if not series:
        raise Refused("it has no series")
    for one in series.values():
        _mapping(one, "DICOM", "Study/Series/*/")
        for instance in _mapping(one, "Instances", "Study/Series/*/").values():
            _mapping(instance, "DICOM", "Study/Series/*/Instances/*/")


def _mapping(parent: Any, key: str, where: str) -> dict[str, Any]:
    value = parent.get(key) if isinstance(parent, dict) else None
    if not isinstance(value, dict):
        raise Refused(f"it is not a HealthImaging metadata document: {where}{key} is missing")
    return value
