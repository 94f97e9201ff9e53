"""Finds manifests: files that a person names, and all `*.yaml` and `*.yml` in folders."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.core.errors import Diagnostic, Place
from reconciler.edges.manifests.files import unreadable
from reconciler.edges.places import SETTINGS_FILE
from reconciler.edges.worktree import leads_out

_SUFFIXES = (".yaml", ".yml")
_LOOKS_LIKE = re.compile(r"\.ya?ml(\.txt)?$", re.IGNORECASE)
_NAME = "Name a manifest or a folder. The default is `manifests:` in reconciler.yaml."


@dataclass(frozen=True, slots=True)
class Found:
    """The manifests of some paths: each with the name that places use.

    `others` are the names of files that a person may take for manifests: FIX.YAML, fix.yaml.txt.
    """

    files: dict[str, str] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def find(root: Path, paths: Sequence[Path]) -> Found:
    """Find the manifests of some paths. In folders, hidden files and reconciler.yaml are skipped.

    Problems name every file and folder that cannot be read: a manifest that is skipped silently
    would look like a deleted manifest.
    """
    found = Found()
    for path in paths:
        name = name_of(root, path)
        if leads_out(root, path):
            found.problems.append(_outside(name))
        elif os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for a name that is too long
            found.files.setdefault(name, os.fspath(path))
        elif os.path.isdir(path):  # noqa: PTH112
            _add(found, _below(root, path), name)
        else:
            found.problems.append(Diagnostic(Place(name), _missing(path), _NAME))
    return found


def is_manifest(root: Path, folder: Path, path: Path) -> bool:
    """Whether a file below a folder is read as a manifest, by its name."""
    below = path.relative_to(folder).as_posix()
    return is_named_so(below) and name_of(root, path) != SETTINGS_FILE


def is_named_so(below: str) -> bool:
    """Whether a path below a folder of manifests is that of a manifest. Hidden files are not."""
    return below.endswith(_SUFFIXES) and "/." not in f"/{below}"


def name_of(root: Path, path: Path) -> str:
    """Return the POSIX path relative to the root, or the absolute path outside of it."""
    full = os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links
    base = os.path.abspath(root)  # noqa: PTH100 - as text: a Path takes ten times as long
    if full == base:
        return "."
    return full.removeprefix(f"{base.rstrip(os.sep)}{os.sep}")


def _add(found: Found, below: Found, name: str) -> None:
    """Add what is below a folder, or that there is nothing."""
    if not below.files and not below.problems:
        message = "contains no manifests: there is no *.yaml or *.yml file in it or below it"
        hint = (
            "Write a manifest, or create one with `reconcile import --image-set ID`. If the "
            "last one is to go, leave a file with a comment alone."
        )
        found.problems.append(Diagnostic(Place(name), message, hint))
    for file, path in below.files.items():
        found.files.setdefault(file, path)
    found.problems.extend(below.problems)
    found.others.extend(sorted(below.others))


def _below(root: Path, folder: Path) -> Found:
    """What is in a folder and below it, read in one walk: a Path for each file takes too long."""
    found = Found()
    left = [(os.fspath(folder), name_of(root, folder))]
    while left:
        path, name = left.pop()
        above = "" if name == "." else f"{name.rstrip('/')}/"
        for entry in _entries(path, name, found):
            if entry.name.startswith("."):
                continue
            if not _is_folder(entry):
                _file(root, entry, above + entry.name, found)
            elif entry.is_symlink():
                message = "is a symbolic link to a folder; such links are not followed"
                hint = "Move the folder itself here, or name it: `reconcile validate FOLDER`."
                found.problems.append(Diagnostic(Place(above + entry.name), message, hint))
            else:
                left.append((entry.path, above + entry.name))
    return found


def _entries(path: str, name: str, found: Found) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return list(entries)
    except OSError as error:
        found.problems.append(unreadable(Place(name), error))
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a loop of links, which is reported when it is read


def _file(root: Path, entry: os.DirEntry[str], name: str, found: Found) -> None:
    if not entry.name.endswith(_SUFFIXES):
        if _LOOKS_LIKE.search(entry.name):
            found.others.append(name)
    elif entry.is_symlink() and leads_out(root, Path(entry.path)):
        found.problems.append(_outside(name))
    elif name != SETTINGS_FILE:
        found.files[name] = entry.path


def _outside(name: str) -> Diagnostic:
    message = "is a symbolic link to a place outside the repository"
    hint = "Move the file itself here, or link to a file in here."
    return Diagnostic(Place(name), message, hint)


def _missing(path: Path) -> str:
    try:
        path.stat()
    except FileNotFoundError:
        return "does not exist"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "is neither a file nor a folder"
