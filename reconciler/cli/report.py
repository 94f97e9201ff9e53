"""What an apply leaves for others to read: the report file, and the page of a GitHub run."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from reconciler import files
from reconciler.errors import ReconcilerError
from reconciler.model.value import Json
from reconciler.ports import Files

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"


def write_report(report: Json, path: Path, disk: Files = files.REAL) -> ReconcilerError | None:
    """Write the report; what went wrong is returned, since the outcomes must be told all the same.

    A report that ends early would be believed: the file is the whole one or the one before.
    """
    text = json.dumps(report, ensure_ascii=False, indent=2)
    files.sweep(path.parent, path.name, files=disk)
    try:
        files.replace(path, f"{text}\n".encode(), files=disk)
    except OSError as error:
        return ReconcilerError(f"the report {path} cannot be written: {error.strerror}")
    return None


def append_summary(text: str, disk: Files = files.REAL) -> ReconcilerError | None:
    """Append to the step summary, where GitHub Actions asks for one: several steps share it.

    A table that ends early would be believed: the file gets all of it or nothing.
    """
    name = os.environ.get(SUMMARY_VARIABLE)
    if not name:
        return None
    path = Path(os.path.realpath(name))
    try:
        if path.exists() and not path.is_file():  # /dev/stdout, on a machine of one's own
            with path.open("a", encoding="utf-8") as file:
                file.write(text)
        else:
            _append(path, text.encode(), disk)
    except OSError as error:
        return ReconcilerError(f"{SUMMARY_VARIABLE} ({name}): {error.strerror}")
    return None


def _append(path: Path, more: bytes, disk: Files) -> None:
    before, mode = b"", files.PUBLIC
    if path.exists():
        before, mode = path.read_bytes(), stat.S_IMODE(path.stat().st_mode)
    files.sweep(path.parent, path.name, files=disk)
    files.replace(path, before + more, mode=mode, files=disk)
