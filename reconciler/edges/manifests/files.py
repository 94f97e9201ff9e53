"""Finds manifests and reads their text: regular files, UTF-8, at most 16 MiB."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from reconciler.core.errors import Diagnostic, Place
from reconciler.core.model.file_kind import PLAN, SETTINGS, FileKind, kind_of
from reconciler.core.source import lines_of
from reconciler.edges.files import conflict_in, open_at_once
from reconciler.edges.places import SETTINGS_FILE
from reconciler.edges.worktree import leads_out

MAX_BYTES = 16 * 1024 * 1024
# To ask for MAX_BYTES at once takes 0.1 ms a file: CPython allocates what it is asked for.
_CHUNK = 64 * 1024

_SUFFIXES = (".yaml", ".yml")
_LOOKS_LIKE = re.compile(r"\.ya?ml(\.txt)?$", re.IGNORECASE)
# github.com/git-lfs/git-lfs/blob/main/docs/spec.md
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_LFS_HINT = "Take the file out of Git LFS, so that reviewers see its lines: `git lfs untrack`."
_CONFLICT_HINT = (
    "Keep the lines of one side, delete the others and the lines with `<<<<<<<`, `=======` and "
    "`>>>>>>>`. Then run `git add` with the file, and commit."
)
_NAME = "Name a manifest or a folder. The default is `manifests:` in reconciler.yaml."
_SHOW = "Show a saved plan with `reconcile show PLAN`. Execute it with `reconcile apply PLAN`."


def find(root: Path, path: Path, problems: list[Diagnostic]) -> Iterator[Path]:
    """Yield the manifests of a path. In folders, hidden files and reconciler.yaml are skipped."""
    if leads_out(root, path):
        problems.append(_outside(Place(name_of(root, path))))
    elif os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for a name that is too long
        yield path
    elif os.path.isdir(path):  # noqa: PTH112
        before = len(problems)
        found = [
            file for file in _walk(root, path, problems) if name_of(root, file) != SETTINGS_FILE
        ]
        if not found and len(problems) == before:
            message = "contains no manifests: there is no *.yaml or *.yml file in it or below it"
            hint = (
                "Write a manifest, or create one with `reconcile import --image-set ID`. If the "
                "last one is to go, leave a file with a comment alone."
            )
            problems.append(Diagnostic(Place(name_of(root, path)), message, hint))
        yield from found
    else:
        problems.append(Diagnostic(Place(name_of(root, path)), _missing(path), _NAME))


def is_manifest(root: Path, folder: Path, path: Path) -> bool:
    """Whether a file below a folder is read as a manifest, by its name."""
    below = path.relative_to(folder).as_posix()
    return is_named_so(below) and name_of(root, path) != SETTINGS_FILE


def is_named_so(below: str) -> bool:
    """Whether a path below a folder of manifests is that of a manifest. Hidden files are not."""
    return below.endswith(_SUFFIXES) and "/." not in f"/{below}"


def other_suffixes(root: Path, path: Path) -> Iterator[str]:
    """Yield files below a folder that a person may take for manifests: FIX.YAML, fix.yaml.txt."""
    if not os.path.isdir(path):  # noqa: PTH112
        return
    for where, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if _LOOKS_LIKE.search(name) and not name.endswith(_SUFFIXES) and name[0] != ".":
                yield name_of(root, Path(where) / name)


def _missing(path: Path) -> str:
    try:
        path.stat()
    except FileNotFoundError:
        return "does not exist"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "is neither a file nor a folder"


def _walk(root: Path, folder: Path, problems: list[Diagnostic]) -> Iterator[Path]:
    """Yield the manifests below a folder, and report every file that cannot be read.

    A manifest that is skipped silently would look like a deleted manifest.
    """

    def unreadable(error: OSError) -> None:
        problems.append(_unreadable(Place(name_of(root, Path(error.filename))), error))

    for where, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in folders:
            below = Path(where) / name
            if below.is_symlink():
                message = "is a symbolic link to a folder; such links are not followed"
                hint = "Move the folder itself here, or name it: `reconcile validate FOLDER`."
                problems.append(Diagnostic(Place(name_of(root, below)), message, hint))
        for name in files:
            if name.endswith(_SUFFIXES) and not name.startswith("."):
                file = Path(where) / name
                if file.is_symlink() and leads_out(root, file):
                    problems.append(_outside(Place(name_of(root, file))))
                else:
                    yield file


def _outside(place: Place) -> Diagnostic:
    message = "is a symbolic link to a place outside the repository"
    return Diagnostic(place, message, "Move the file itself here, or link to a file in here.")


def _unreadable(place: Place, error: OSError) -> Diagnostic:
    match error:
        case FileNotFoundError():
            return Diagnostic(place, "does not exist", "Check the name of the file.")
        case IsADirectoryError():
            return Diagnostic(place, "is a folder, not a file", "Give the name of a file.")
        case _:
            hint = "Check that you may read it."
            return Diagnostic(place, f"cannot be read: {error.strerror}", hint)


def name_of(root: Path, path: Path) -> str:
    """Return the POSIX path relative to the root, or the absolute path outside of it."""
    full = os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links
    base = os.path.abspath(root)  # noqa: PTH100 - as text: a Path takes ten times as long
    if full == base:
        return "."
    return full.removeprefix(f"{base.rstrip(os.sep)}{os.sep}")


def text_of(path: Path, name: str, wanted: FileKind) -> str | Diagnostic:
    """Return the text of a file, or why it cannot be read, or of which other kind it is."""
    try:
        data = _bytes_of(path)
    except OSError as error:
        return _unreadable(Place(name), error)
    return text_in(data, name, wanted)


def text_in(data: bytes, name: str, wanted: FileKind) -> str | Diagnostic:
    """Return the text of a file with this content, as `text_of` does."""
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


def _bytes_of(path: Path) -> bytes:
    """Read a regular file up to just beyond the limit. Devices and pipes may never end."""
    with open(path, "rb", buffering=0, opener=open_at_once) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        data = file.read(min(status.st_size, MAX_BYTES) + 1) or b""
        while len(data) <= MAX_BYTES and (more := file.read(_CHUNK)):
            data += more  # the file has grown, or it is of /proc and states no size
    return data


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
