"""Reads the text of manifests: regular files, UTF-8, at most 16 MiB."""

from __future__ import annotations

import errno
import os
import re
import stat
from os import PathLike

from reconciler.core.errors import Diagnostic, Place
from reconciler.core.model.file_kind import PLAN, SETTINGS, FileKind, kind_of
from reconciler.core.source import lines_of
from reconciler.edges.files import conflict_in, open_at_once

MAX_BYTES = 16 * 1024 * 1024
# To ask for MAX_BYTES at once takes 0.1 ms a file: CPython allocates what it is asked for.
_CHUNK = 64 * 1024

# github.com/git-lfs/git-lfs/blob/main/docs/spec.md
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_LFS_HINT = "Take the file out of Git LFS, so that reviewers see its lines: `git lfs untrack`."
_CONFLICT_HINT = (
    "Keep the lines of one side, delete the others and the lines with `<<<<<<<`, `=======` and "
    "`>>>>>>>`. Then run `git add` with the file, and commit."
)
_NAME = "Name a manifest or a folder. The default is `manifests:` in reconciler.yaml."
_SHOW = "Show a saved plan with `reconcile show PLAN`. Execute it with `reconcile apply PLAN`."


def unreadable(place: Place, error: OSError) -> Diagnostic:
    """Report a file or folder that cannot be read."""
    match error:
        case FileNotFoundError():
            return Diagnostic(place, "does not exist", "Check the name of the file.")
        case IsADirectoryError():
            return Diagnostic(place, "is a folder, not a file", "Give the name of a file.")
        case _:
            hint = "Check that you may read it."
            return Diagnostic(place, f"cannot be read: {error.strerror}", hint)


def content_of(path: str | PathLike[str], name: str) -> bytes | Diagnostic:
    """Return the content of a file, or why it cannot be read."""
    try:
        return _bytes_of(path)
    except OSError as error:
        return unreadable(Place(name), error)


def text_in(data: bytes, name: str, wanted: FileKind) -> str | Diagnostic:
    """Return the text of a file with this content, or why it has none, or its other kind."""
    place = Place(name)
    if len(data) > MAX_BYTES:
        hint = "Split it into several files."
        return Diagnostic(place, f"is larger than the limit of {MAX_BYTES:,} bytes", hint)
    if data.startswith(_LFS_POINTER):
        return Diagnostic(place, "is a pointer of Git LFS: the file itself is elsewhere", _LFS_HINT)
    if line := conflict_in(data):
        message = "a merge left a conflict here"
        return Diagnostic(Place(name, line, 1), message, _CONFLICT_HINT)
    kind = kind_of(data)
    if kind not in (wanted, None):
        message = f"is {kind.title}, not {wanted.title}"
        return Diagnostic(place, message, _hint(kind, wanted))
    return _decoded(data, place)


def _hint(kind: FileKind, wanted: FileKind) -> str:
    if wanted is SETTINGS:
        return "Settings are in reconciler.yaml. `reconcile schema reconciler` prints their schema."
    return _SHOW if kind is PLAN else _NAME


def _bytes_of(path: str | PathLike[str]) -> bytes:
    """Read a regular file up to just beyond the limit. Devices and pipes may never end."""
    handle = open_at_once(os.fspath(path), os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        data = os.read(handle, min(status.st_size, MAX_BYTES) + 1)
        if len(data) == status.st_size:
            return data
        # It states no size, as in /proc, or it has grown; a read may also end early.
        while len(data) <= MAX_BYTES and (more := os.read(handle, _CHUNK)):
            data += more
        return data
    finally:
        os.close(handle)


def _decoded(data: bytes, place: Place) -> str | Diagnostic:
    if encoding := _encoding(data[:4]):
        hint = "Save it as UTF-8. PowerShell does so with `Out-File -Encoding utf8`."
        return Diagnostic(place, f"is {encoding}, not UTF-8", hint)
    hint = "Save it as UTF-8."
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        return Diagnostic(place_after(before, place.file), "not UTF-8 text from here on", hint)


# Text begins with a byte order mark or with an ASCII character (YAML 1.2.2 section 5.2).
_ENCODINGS = (
    (re.compile(rb"\xff\xfe\0\0|\0\0\xfe\xff|\0\0\0[^\0]|[^\0]\0\0\0", re.DOTALL), "UTF-32"),
    (re.compile(rb"\xff\xfe|\xfe\xff|\0[^\0]|[^\0]\0", re.DOTALL), "UTF-16"),
)


def _encoding(start: bytes) -> str:
    """Return the name of an encoding that is not UTF-8, by the first four bytes; "" for others."""
    return next((name for pattern, name in _ENCODINGS if pattern.match(start)), "")


def place_after(before: str, name: str) -> Place:
    """Return the place in a text directly after `before`."""
    lines = lines_of(before)
    return Place(name, len(lines), len(lines[-1]) + 1)
