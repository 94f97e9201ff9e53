"""Check output files: an option never overwrites a file of another kind."""

from __future__ import annotations

import stat
from pathlib import Path

from reconciler.core.errors import ReconcilerError
from reconciler.core.model.file_kind import START_BYTES, FileKind, kind_of
from reconciler.edges import files

_NAME = "Give the name of a file."


def mode(show_values: bool | None) -> int:
    """The mode of a file without DICOM values. With `--show-values`, every file is private."""
    return files.PRIVATE if show_values else files.PUBLIC


def check(path: Path, kind: FileKind, failure: str) -> None:
    """Raise ReconcilerError, starting with `failure`, if the path holds another kind of file."""
    try:
        _check(path, kind)
    except OSError as error:
        raise ReconcilerError(f"{failure}: {error.strerror}") from None
    except ReconcilerError as error:
        raise ReconcilerError(f"{failure}: {error.message}", error.hint) from None


def _check(path: Path, kind: FileKind) -> None:
    if path == Path("-"):
        raise ReconcilerError("it cannot go to standard output", _NAME)
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        if path.parent.is_dir():
            return
        hint = "Make the folder, or give another name."
        raise ReconcilerError(f"the folder {path.parent} does not exist", hint) from None
    if stat.S_ISDIR(mode):
        raise ReconcilerError("it is a folder", _NAME)
    if stat.S_ISLNK(mode):
        raise ReconcilerError("it is a symbolic link", "Give the name of the file itself.")
    if not stat.S_ISREG(mode):
        raise ReconcilerError("it is not a regular file", _NAME)
    with open(path, "rb", opener=files.open_at_once) as file:
        found = kind_of(file.read(START_BYTES))
    if found is not kind:
        problem = f"is {found.title}" if found else f"is not {kind.title}"
        hint = "Give another name, or remove the file first."
        raise ReconcilerError(f"the file exists and {problem}", hint)
