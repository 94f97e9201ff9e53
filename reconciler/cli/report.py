"""The report file of an apply, and its summary on the page of a GitHub Actions run."""

from __future__ import annotations

import json
import os
from pathlib import Path

from reconciler.cli import target
from reconciler.core import escape
from reconciler.core.errors import ReconcilerError
from reconciler.core.model.file_kind import REPORT
from reconciler.core.model.value import Json
from reconciler.core.ports import Files
from reconciler.core.report import file
from reconciler.core.review import AppliedReview
from reconciler.edges import files, schemas

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"


def check_report_file(path: Path) -> None:
    """Raise ReconcilerError if the path holds a file that is not a report."""
    target.check(path, REPORT, f"the report {path} cannot be written")


def write_report(
    report: Json, path: Path, mode: int = files.PUBLIC, disk: Files = files.REAL
) -> ReconcilerError | None:
    """Write the report atomically: a truncated report could be taken for a complete report.

    Returns the error instead of raising it, since the outcomes must be printed in any case.
    """
    text = escape.json_text(json.dumps(report, ensure_ascii=False, indent=2))
    try:
        check_report_file(path)
    except ReconcilerError as error:
        return error
    files.sweep(path.parent, path.name, files=disk)
    try:
        files.replace(path, f"{text}\n".encode(), mode=mode, files=disk)
    except OSError as error:
        return ReconcilerError(f"the report {path} cannot be written: {error.strerror}")
    return None


def load_report(path: Path) -> AppliedReview:
    """Read a report that `write_report` wrote. Raises ReconcilerError for any other file."""
    import jsonschema_rs

    try:
        raw = file.parse(path.read_bytes())
    except OSError as error:
        raise ReconcilerError(f"cannot read the report {path}: {error.strerror}") from None
    if not jsonschema_rs.is_valid(schemas.load("report"), raw):
        raise file.unreadable(raw)
    return file.from_json(raw)


def append_summary(text: str, disk: Files = files.REAL) -> ReconcilerError | None:
    """Append to the step summary of GitHub Actions; do nothing without GITHUB_STEP_SUMMARY.

    The file gets all of the text or nothing: a truncated table could be taken for a complete table.
    Returns the error instead of raising it.
    """
    name = os.environ.get(SUMMARY_VARIABLE)
    if not name:
        return None
    lines = "".join(f"{escape.line(line)}\n" for line in text.removesuffix("\n").split("\n"))
    try:
        files.append(Path(name), lines.encode(), files=disk)
    except OSError as error:
        return ReconcilerError(
            f"cannot write the step summary {name} ({SUMMARY_VARIABLE}): {error.strerror}"
        )
    return None
