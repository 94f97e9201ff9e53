"""Which kind of file a file is, by its start."""

from __future__ import annotations

import json

import pytest

from reconciler.core.model.file_kind import (
    MANIFEST,
    PLAN,
    READY,
    RECORD,
    REPORT,
    SETTINGS,
    START_BYTES,
    FileKind,
    kind_of,
)


def document(kind: str, indent: int | None = None, version: str = "v1") -> bytes:
    body = {"apiVersion": f"reconciler/{version}", "kind": kind, "more": [1, 2, 3]}
    return json.dumps(body, indent=indent).encode()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (document("Plan"), PLAN),
        (document("Plan", 2, "v9"), PLAN),
        (document("Plan", 2)[:-20], PLAN),
        (document("Report", 2), REPORT),
        (document("Record", 2), RECORD),
        (document("ImageSet", 2), None),
        (b'{"endpoint": "http://127.0.0.1:80", "pid": 12}\n', READY),
        (b'{"endpoint": "http://127.0.0.1:80", "pid": 12, "more": 1}\n', None),
        (b"apiVersion: reconciler/v1\nkind: ImageSet\n", MANIFEST),
        (b"\xef\xbb\xbfkind: ImageSet\n", MANIFEST),
        (b"# datastores: none\n---\nkind: ImageSet\ndatastore: research\n", MANIFEST),
        (b"# the archive\r\ndatastores:\r\n  research: {}\r\n", SETTINGS),
        (b"manifests: a\ndatastores:\n  kind:\n    region: us-east-1\n", SETTINGS),
        (b"kind: ImageSet\ndatastores: research\n", None),  # a mistake, but in which of the two?
        (b"", None),
        (b"reason: kind: ImageSet", None),
        (b"#" * START_BYTES + b"\nkind: ImageSet\n", None),
        (b"[" * 100_000, None),
        (b"\xff\xfek\0i\0n\0d\0:\0", None),
    ],
)
def test_kind_of(data: bytes, kind: FileKind | None) -> None:
    assert kind_of(data) == kind
