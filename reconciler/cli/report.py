"""What an apply leaves for others to read: the report file, and the page of a GitHub run."""

from __future__ import annotations

import json
import os
from pathlib import Path

from reconciler.cli import target
from reconciler.core.errors import ReconcilerError
from reconciler.core.model.value import Json
from reconciler.core.ports import Files
from reconciler.edges import files

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"


def check_report_file(path: Path) -> None:
    """ReconcilerError where a report must not be written: a file there is not a report."""
    target.check(path, target.REPORT, f"the report {path} cannot be written")


def write_report(report: Json, path: Path, disk: Files = files.REAL) -> ReconcilerError | None:
    """Write the report; what went wrong is returned, since the outcomes must be told all the same.

    A report that ends early would be believed: the file is the whole one or the one before.
    """
    text = json.dumps(report, ensure_ascii=False, indent=2)
    try:
        check_report_file(path)
    except ReconcilerError as error:
        return error
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
    try:
        files.append(Path(name), text.encode(), files=disk)
    except OSError as error:
        return ReconcilerError(f"{SUMMARY_VARIABLE} ({name}): {error.strerror}")
    return None
