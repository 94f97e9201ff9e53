"""Answers of GetImageSetMetadata that a client cannot use, made from the real answer on request."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

from reconciler.emulator.wire import exact_json

_SEQUENCES = 200
# 1.6 GB of blanks in JSON, in 1,600 parts. One part is compressed once: about 1.6 MB of gzip in
# all.
_PART = b" " * 1_000_000
_PARTS = 1_600


def spoilt(blob: bytes, form: str) -> bytes:
    """The answer in one of `FORMS`."""
    return FORMS[form](blob)


def _deep(blob: bytes) -> bytes:
    """A sequence within a sequence, 200 levels deep, at Study level."""
    document = _document(blob)
    document["Study"]["DICOM"]["ProcedureCodeSequence"] = "here"
    start, end = b'[{"ProcedureCodeSequence":' * _SEQUENCES, b"}]" * _SEQUENCES
    return gzip.compress(exact_json.dumps(document).replace(b'"here"', start + b"null" + end))


def _bomb(blob: bytes) -> bytes:
    """The whole document followed by blanks, which is still JSON."""
    return blob + gzip.compress(_PART) * _PARTS


def _cut_off(blob: bytes) -> bytes:
    return gzip.compress(gzip.decompress(blob)[:-1])


def _not_json(blob: bytes) -> bytes:
    return b"<html>Service Unavailable</html>"


def _other_image_set(blob: bytes) -> bytes:
    return gzip.compress(exact_json.dumps({**_document(blob), "ImageSetID": "0" * 32}))


def _wrong_shape(blob: bytes) -> bytes:
    return gzip.compress(exact_json.dumps({**_document(blob), "Study": []}))


def _document(blob: bytes) -> dict[str, Any]:
    document: dict[str, Any] = exact_json.loads(gzip.decompress(blob))
    return document


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "deep": _deep,
    "gzip-bomb": _bomb,
    "cut-off": _cut_off,
    "not-json": _not_json,
    "other-image-set": _other_image_set,
    "wrong-shape": _wrong_shape,
}
