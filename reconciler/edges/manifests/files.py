"""Finding manifests and reading their text: UTF-8, regular files, of a bounded size."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from reconciler.core.errors import Diagnostic, Place
from reconciler.edges.files import open_at_once
from reconciler.edges.worktree import leads_out

SETTINGS_FILE = "reconciler.yaml"
MAX_BYTES = 16 * 1024 * 1024

_SUFFIXES = (".yaml", ".yml")


def find(root: Path, path: Path, problems: list[Diagnostic]) -> Iterator[Path]:
    """The files a path stands for. Hidden ones are left out of folders, as is reconciler.yaml."""
    if leads_out(root, path):
        problems.append(_outside(Place(name_of(root, path))))
    elif os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for a name that is too long
        yield path
    elif os.path.isdir(path):  # noqa: PTH112
        told = len(problems)
        found = [
            file for file in _walk(root, path, problems) if name_of(root, file) != SETTINGS_FILE
        ]
        if not found and len(problems) == told:
            message = "holds no manifests: no *.yaml or *.yml anywhere below it"
            hint = "`reconcile import` prints one from a live image set."
            problems.append(Diagnostic(Place(name_of(root, path)), message, hint))
        yield from found
    else:
        hint = "Give manifests, or folders of them; `manifests:` in reconciler.yaml is the default."
        problems.append(Diagnostic(Place(name_of(root, path)), _missing(path), hint))


def _missing(path: Path) -> str:
    try:
        path.stat()
    except FileNotFoundError:
        return "does not exist"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "is neither a file nor a folder"


def _walk(root: Path, folder: Path, problems: list[Diagnostic]) -> Iterator[Path]:
    """The manifests below a folder. One that is passed over in silence would be taken for gone."""

    def unreadable(error: OSError) -> None:
        problems.append(_unreadable(Place(name_of(root, Path(error.filename))), error))

    for where, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in folders:
            below = Path(where) / name
            if below.is_symlink():
                message = "is a link to a folder, and those are not followed"
                hint = "Put the folder itself here, or name it: reconcile validate PATHS."
                problems.append(Diagnostic(Place(name_of(root, below)), message, hint))
        for name in files:
            if name.endswith(_SUFFIXES) and not name.startswith("."):
                file = Path(where) / name
                if file.is_symlink() and leads_out(root, file):
                    problems.append(_outside(Place(name_of(root, file))))
                else:
                    yield file


def _outside(place: Place) -> Diagnostic:
    message = "is a link that leads out of the repository"
    return Diagnostic(place, message, "Put the file itself here, or link to one of the repository.")


def _unreadable(place: Place, error: OSError) -> Diagnostic:
    hint = "Check that it is there and readable."
    return Diagnostic(place, f"cannot be read: {error.strerror}", hint)


def name_of(root: Path, path: Path) -> str:
    """POSIX path relative to the root, or the absolute one outside of it."""
    full = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
    base = Path(os.path.abspath(root))  # noqa: PTH100
    return full.relative_to(base).as_posix() if full.is_relative_to(base) else full.as_posix()


def text_of(path: Path, name: str) -> str | Diagnostic:
    """The text of a file, or why there is none."""
    place = Place(name)
    try:
        data = _bytes_of(path)
    except OSError as error:
        return _unreadable(place, error)
    if len(data) > MAX_BYTES:
        hint = "Split it: one manifest may be spread over several files."
        return Diagnostic(place, f"has more than the {MAX_BYTES:,} bytes a file may have", hint)
    return _decoded(data, place)


def _bytes_of(path: Path) -> bytes:
    """What a regular file holds, or a little more than it may: devices and pipes may never end."""
    with open(path, "rb", opener=open_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        return file.read(MAX_BYTES + 1)


def _decoded(data: bytes, place: Place) -> str | Diagnostic:
    hint = "Save it as UTF-8."
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Diagnostic(place, "is UTF-16, not UTF-8", hint)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        return Diagnostic(place_after(before, place.file), "a byte that is not UTF-8", hint)


def place_after(before: str, name: str) -> Place:
    """Where a text goes on after `before`."""
    start = before.rfind("\n") + 1
    return Place(name, before.count("\n") + 1, len(before) - start + 1)
