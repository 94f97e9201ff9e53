"""Check output files: an option never overwrites a file of another kind."""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.errors import ReconcilerError
from reconciler.edges import files

# Enough bytes for the start of every kind.
_START_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of output file. `start` matches its first bytes, in every version, truncated too."""

    name: str
    start: re.Pattern[bytes]


def _document(kind: str) -> re.Pattern[bytes]:
    return re.compile(
        rb'\{\s*"apiVersion"\s*:\s*"reconciler/[^"]*"\s*,\s*"kind"\s*:\s*"%b"' % kind.encode()
    )


PLAN = Kind("plan", _document("Plan"))
REPORT = Kind("report", _document("Report"))
READY = Kind("ready file", re.compile(rb'\{"endpoint": "[^"]*", "pid": [0-9]+\}\s*\Z'))


def check(path: Path, kind: Kind, failure: str) -> None:
    """Raise ReconcilerError, starting with `failure`, if the path holds another kind of file."""
    try:
        _check(path, kind)
    except OSError as error:
        raise ReconcilerError(f"{failure}: {error.strerror or error}") from None


def _check(path: Path, kind: Kind) -> None:
    if path == Path("-"):
        raise OSError("give the name of a file, not - for standard output")
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if stat.S_ISLNK(mode):
        raise OSError("it is a symbolic link. Give the name of the file itself")
    if not stat.S_ISREG(mode):
        raise OSError("it is not a regular file")
    with open(path, "rb", opener=files.open_at_once) as file:
        start = file.read(_START_BYTES)
    if not kind.start.match(start):
        raise OSError(
            f"the file exists and is not a {kind.name}. Give another name, or remove the file first"
        )
