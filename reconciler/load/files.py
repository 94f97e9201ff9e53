"""Finding manifests and reading their text: UTF-8, regular files, of a bounded size."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from reconciler.errors import Diagnostic, Place

SETTINGS_FILE = "reconciler.yaml"
MAX_BYTES = 16 * 1024 * 1024

_SUFFIXES = (".yaml", ".yml")


def find(root: Path, path: Path, problems: list[Diagnostic]) -> Iterator[Path]:
    """The files a path stands for. Hidden ones are left out of folders, as is reconciler.yaml."""
    if path.is_file():
        yield path
    elif path.is_dir():
        found = [file for file in _walk(path) if name_of(root, file) != SETTINGS_FILE]
        if not found:
            message = "holds no manifests: no *.yaml or *.yml anywhere below it"
            hint = "`reconcile import` prints one from a live image set."
            problems.append(Diagnostic(Place(name_of(root, path)), message, hint))
        yield from found
    else:
        there = "is neither a file nor a folder" if path.exists() else "does not exist"
        hint = "Give manifests, or folders of them; `manifests:` in reconciler.yaml is the default."
        problems.append(Diagnostic(Place(name_of(root, path)), there, hint))


def _walk(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if name.endswith(_SUFFIXES) and not name.startswith("."):
                yield Path(where) / name


def name_of(root: Path, path: Path) -> str:
    """POSIX path relative to the root, or the absolute one outside of it."""
    full = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
    base = Path(os.path.abspath(root))  # noqa: PTH100
    return full.relative_to(base).as_posix() if full.is_relative_to(base) else full.as_posix()


def text_of(path: Path, name: str) -> str | Diagnostic:
    place = Place(name)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            hint = "Split it: one manifest may be spread over several files."
            return Diagnostic(
                place, f"{size:,} bytes are more than the {MAX_BYTES:,} a file may have", hint
            )
        data = path.read_bytes()
    except OSError as error:
        return Diagnostic(
            place, f"cannot be read: {error.strerror}", "Check that it is there and readable."
        )
    return _decoded(data, place)


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
