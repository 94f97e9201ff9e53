"""The scaffold in a folder: what is there, what is missing, and writing it. Overwrites nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.errors import Diagnostic, InputError, Place, ReconcilerError
from reconciler.core.model.key import KEY_FILE
from reconciler.core.model.settings import Settings
from reconciler.edges import files, key, worktree
from reconciler.init.answers import Answers, Forge
from reconciler.init.check import Lack, lack, of_settings
from reconciler.init.scaffold import File, values
from reconciler.init.templates import Template, only, templates

# Other places of a file. The host reads one of them only, so a second file would end the first
# (docs.github.com: About code owners; docs.gitlab.com: Code Owners).
_ELSEWHERE = {
    ".github/CODEOWNERS": ("CODEOWNERS", "docs/CODEOWNERS"),
    ".gitlab/CODEOWNERS": ("CODEOWNERS", "docs/CODEOWNERS"),
}


@dataclass(frozen=True, slots=True)
class Written:
    """The paths of the files that were written, and of those that were there, by path."""

    written: tuple[str, ...]
    kept: tuple[str, ...]


def where(root: Path, path: str) -> str:
    """The path at which the repository has a file, or would have it."""
    places = (path, *_ELSEWHERE.get(path, ()))
    return next((one for one in places if os.path.lexists(root / one)), path)


def check_folder(root: Path, paths: Iterable[str]) -> None:
    """Raise InputError with all that keeps files from being written; the folder may not exist."""
    problems = tuple(_folder_problems(root)) or tuple(
        problem for path in paths for problem in _path_problems(root, path)
    )
    if problems:
        raise InputError(problems)


def check_is_root(root: Path) -> None:
    """Raise InputError if the folder is inside another repository.

    A host runs only the workflows at the root of the repository.
    """
    found = worktree.find(root)
    if found and found.root != root.resolve():
        message = f"is inside the repository {found.root}, which runs no workflows from there"
        raise InputError((Diagnostic(Place(str(root)), message, "Name the root of a repository."),))


def all_lacking(root: Path, settings: Settings | None, answers: Answers) -> Iterator[Lack]:
    """What a repository lacks, compared with a scaffold of this version."""
    yield from lacking(root, templates(answers.forge), values(answers), absent=True)
    if not os.path.lexists(root / KEY_FILE):
        yield Lack(KEY_FILE, "is missing")
    if settings and (of_file := of_settings(settings, answers.forge)):
        yield of_file


def forge_in(root: Path) -> Forge | None:
    """The host that a repository has files for."""
    return next(
        (forge for forge in Forge if any(os.path.lexists(root / one) for one in only(forge))), None
    )


def lacking(
    root: Path, found: Iterable[Template], known: Mapping[str, str], *, absent: bool
) -> Iterator[Lack]:
    """What the files of a repository lack. With `absent`, also the files that are missing."""
    for template in found:
        path = where(root, template.path)
        if not os.path.lexists(root / path):
            if absent:
                yield Lack(template.path, "is missing")
            continue
        try:
            content = files.read_regular(root / path)
        except OSError:
            content = None
        if content is None:
            yield Lack(path, "is no file, or cannot be read")
        elif one := lack(template, path, content.decode(errors="replace"), known):
            yield one


def write(root: Path, scaffold: Sequence[File]) -> Written:
    """Write what is missing, and a new key. Raises ReconcilerError if a file cannot be written."""
    check_folder(root, [*(file.template.path for file in scaffold), KEY_FILE])
    there = {file.template.path: where(root, file.template.path) for file in scaffold}
    written = [
        file.template.path
        for file in scaffold
        if not os.path.lexists(root / there[file.template.path]) and _place(root, file)
    ]
    if key.read(root) is None:
        key.make(root)
        written.append(KEY_FILE)
    kept = {*there.values(), KEY_FILE} - set(written)
    return Written(tuple(sorted(written)), tuple(sorted(kept)))


def _place(root: Path, file: File) -> bool:
    """Create a file. False if another process was faster."""
    path = root / file.template.path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.place(path, file.content.encode())
    except FileExistsError:
        return False
    except OSError as error:
        raise ReconcilerError(
            f"cannot write {file.template.path}: {error.strerror}",
            "Free disk space or fix the permissions, then run the command again: it writes what "
            "is still missing.",
        ) from None
    return True


def _folder_problems(root: Path) -> Iterator[Diagnostic]:
    place = Place(str(root))
    there = next(folder for folder in (root, *root.parents) if os.path.lexists(folder))
    if not there.is_dir():
        yield Diagnostic(place, f"{there} is not a folder", "Name a folder, or a new one.")
    elif not os.access(there, os.W_OK | os.X_OK):
        yield Diagnostic(place, f"{there} is not writable", "Fix its permissions.")


def _path_problems(root: Path, path: str) -> Iterator[Diagnostic]:
    """A link or a file where a folder is needed, a folder where a file is needed."""
    *folders, _name = (root / path).relative_to(root).parts
    at = root
    for folder in folders:
        at = at / folder
        shown = Place(str(at.relative_to(root)))
        if at.is_symlink():
            yield Diagnostic(shown, "is a symbolic link", "Replace it with a folder.")
            return
        if not os.path.lexists(at):
            return
        if not at.is_dir():
            hint = "Rename it: a folder of this name is needed."
            yield Diagnostic(shown, "is a file, not a folder", hint)
            return
        if not os.access(at, os.W_OK | os.X_OK):
            yield Diagnostic(shown, "is not writable", "Fix its permissions.")
    if (root / path).is_dir():
        yield Diagnostic(Place(path), "is a folder", "Rename it: a file of this name is needed.")
