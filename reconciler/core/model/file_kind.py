"""The kinds of files that commands read and write, recognized by their start.

A command that gets a file of another kind says which kind it is. Files of every version of a format
are recognized, and files that were cut off, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# This start of a file is enough for every kind.
START_BYTES = 4096

_KEY = re.compile(rb"^([A-Za-z]+):", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file. `title` names a file of this kind in messages."""

    title: str


PLAN = FileKind("a saved plan")
REPORT = FileKind("the report of an apply")
REVIEW = FileKind("the review of a plan")
RECORD = FileKind("a record of `reconcile`")
READY = FileKind("the ready file of an emulator")
SETTINGS = FileKind("a settings file")
MANIFEST = FileKind("a manifest")


def _document(kind: bytes) -> re.Pattern[bytes]:
    """A JSON document that `reconcile` writes."""
    return re.compile(rb'\{\s*"apiVersion"\s*:\s*"reconciler/[^"]*"\s*,\s*"kind"\s*:\s*"%b"' % kind)


_STARTS = (
    (PLAN, _document(b"Plan")),
    (REPORT, _document(b"Report")),
    (REVIEW, _document(b"Review")),
    (RECORD, _document(b"Record")),
    (READY, re.compile(rb'\{"endpoint": "[^"]*", "pid": [0-9]+\}\s*\Z')),
)


def kind_of(data: bytes) -> FileKind | None:
    """Return the kind of a file by its content; None for a file of no known kind."""
    start = data[:START_BYTES]
    for kind, pattern in _STARTS if start.startswith(b"{") else ():
        if pattern.match(start):
            return kind
    keys = set(_KEY.findall(start.removeprefix(b"\xef\xbb\xbf")))
    return _YAML.get(frozenset(keys & {b"kind", b"datastores"}))


# By the keys at the start of a line: manifests have a kind, and settings have data stores.
_YAML = {frozenset({b"kind"}): MANIFEST, frozenset({b"datastores"}): SETTINGS}
