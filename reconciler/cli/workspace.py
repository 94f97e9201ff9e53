"""The local files of a command: settings and saved plans."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli import debug, target
from reconciler.core.errors import PlanFileError, ReconcilerError
from reconciler.core.model.file_kind import MANIFEST, PLAN, REPORT, SETTINGS, START_BYTES, kind_of
from reconciler.core.ports import Files
from reconciler.edges import files, schemas
from reconciler.edges.places import find_settings
from reconciler.edges.settings import read_settings
from reconciler.edges.worktree import refuse_links_of_ours

if TYPE_CHECKING:
    from reconciler.core.model.key import Key
    from reconciler.core.model.plan import Plan
    from reconciler.core.model.settings import Datastore, Settings
    from reconciler.core.plan.file import Row

# git ignores this folder, so a plan saved there is not committed.
PLAN_FILE = Path(".reconcile") / "plan.json"
_SAVE = f"Save a plan with: reconcile plan --out {PLAN_FILE}"
_MANIFEST_SUFFIXES = frozenset({".yaml", ".yml"})


def settings(given: Path | None) -> Settings:
    """Read the given settings file, or reconciler.yaml in this folder or a folder above."""
    found = read_settings(given or find_settings(Path.cwd()))
    debug.settings(found)
    return found


def folder(given: Path | None) -> Path:
    """The folder of the settings file, also if its content is wrong."""
    file = given or find_settings(Path.cwd())
    return file.parent if os.path.isfile(file) else Path.cwd()  # noqa: PTH113 - never raises


def settings_if_any(given: Path | None) -> Settings | None:
    """Read the settings; None outside a repository."""
    try:
        return settings(given)
    except ReconcilerError:
        if given:
            raise
        return None


def datastore(found: Settings, name: str | None) -> Datastore:
    """The data store with this name; without a name, the only data store."""
    names = ", ".join(store.name for store in found.datastores)
    if name is None:
        if len(found.datastores) == 1:
            return found.datastores[0]
        raise ReconcilerError("no data store was given", f"Use --datastore with one of: {names}.")
    try:
        return found.datastore(name)
    except KeyError:
        hint = f"Use one of: {names}." if names else "Add a data store under `datastores:`."
        raise ReconcilerError(f"reconciler.yaml has no data store {name!r}", hint) from None


def saved_plan(paths: Sequence[Path] | None) -> Path | None:
    """The path of a saved plan; None for manifests.

    The content decides. If it is of no known kind, the name does: manifests are named .yaml or
    .yml.
    """
    if not paths or len(paths) != 1:
        return None
    (path,) = paths
    # os.path: Path.is_file raises for a name that no file can have.
    is_file = os.path.isfile(path)  # noqa: PTH113
    if is_file and (kind := kind_of(_start(path))):
        return None if kind in (MANIFEST, SETTINGS) else path
    if path.suffix in _MANIFEST_SUFFIXES:
        return None
    return path if is_file or path.suffix == ".json" else None


def is_report(file: Path) -> bool:
    """Whether a file that is to be shown is the report of an apply, by its content.

    Raises ReconcilerError for a file that is neither a report nor a saved plan.
    """
    wanted = "neither a saved plan nor the report of an apply"
    hint = f"{_SAVE}\nWrite a report with: reconcile apply --report FILE"
    if not os.path.exists(file):  # noqa: PTH110
        raise ReconcilerError(f"{file} does not exist", hint)
    kind = kind_of(_start(file))
    if kind in (PLAN, REPORT):
        return kind is REPORT
    if os.path.isdir(file):  # noqa: PTH112
        raise ReconcilerError(f"{file} is a folder", hint)
    is_what = f"is {kind.title}, {wanted}" if kind else f"is {wanted}"
    raise ReconcilerError(f"{file} {is_what}", hint)


def _start(path: Path) -> bytes:
    """The first bytes of a file; none if it cannot be read, which is reported when it is used."""
    try:
        with open(path, "rb", opener=files.open_at_once) as file:
            return file.read(START_BYTES)
    except OSError:
        return b""


def refuse_links(found: Settings, *files: Path | None) -> None:
    """Raise LinkError if the path to a file in one of our folders holds a symbolic link."""
    for file in files:
        if file:
            refuse_links_of_ours(Path(found.root), file)


def load_plan(file: Path, root: Path | None) -> tuple[Plan, str]:
    """Read and check a plan that `save_plan` wrote; return it with a warning, or "".

    `root` is the repository whose key made the seal; None outside a repository, where the seal
    cannot be checked. Raises ReconcilerError.
    """
    from reconciler.core.plan import checker
    from reconciler.core.plan import file as plan_file
    from reconciler.pipeline.local_files import refuse_tracked
    from reconciler.pipeline.seal import check_seal

    if root:
        refuse_tracked(root, file)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ReconcilerError(_unreadable(file, error), _SAVE) from None
    kind = kind_of(data)
    if kind not in (PLAN, None):
        raise PlanFileError(f"{file} is {kind.title}, not a saved plan", _SAVE)
    raw = plan_file.parse(data)
    plan = plan_file.from_json(raw)
    # The digest shows an edit. The schema shows a forged plan whose digest matches.
    if not _is_valid(raw):
        raise PlanFileError("the file does not hold a valid plan", plan_file.AGAIN)
    # The requests must make the changes shown, also in a forged plan whose digest matches.
    if problem := checker.edited(plan):
        raise PlanFileError(f"the plan file was edited: {problem}", plan_file.AGAIN)
    return plan, check_seal(root, raw, plan) if root else ""


def _unreadable(file: Path, error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return f"the plan {file} does not exist"
        case IsADirectoryError():
            return f"{file} is a folder, not a saved plan"
        case _:
            return f"cannot read the plan {file}: {error.strerror}"


def _is_valid(raw: Row) -> bool:
    import jsonschema_rs

    return jsonschema_rs.is_valid(schemas.load("plan"), raw)


def check_plan_file(file: Path) -> None:
    """Raise ReconcilerError if the path holds a file that is not a plan."""
    if not _makes_folder(file):
        target.check(file, PLAN, f"cannot save the plan to {file}")


def save_plan(plan: Plan, file: Path, key: Key | None, disk: Files = files.REAL) -> None:
    """Write a plan, readable by the owner only: it holds patient data."""
    from reconciler.core.plan import file as plan_file

    check_plan_file(file)
    files.sweep(file.parent, file.name, files=disk)
    try:
        if _is_private(file):
            files.keep_from_git(file.parent, files=disk)
        files.replace(file, plan_file.dumps(plan, key), mode=files.PRIVATE, files=disk)
    except OSError as error:
        raise ReconcilerError(f"cannot save the plan to {file}: {error.strerror}") from None


def exposure(file: Path) -> str:
    """A warning if git does not ignore a saved plan, else ""."""
    from reconciler.edges import git

    if git.is_ignored(file):
        return ""
    fix = (
        f"Write a line with * and nothing else to {file.parent}/.gitignore."
        if _is_private(file)
        else f"Save the plan as {PLAN_FILE}, which git ignores."
    )
    return f"warning: git does not ignore {file}, and a plan holds patient data. {fix}"


def _makes_folder(file: Path) -> bool:
    """Whether saving creates the documented folder, in a folder that exists."""
    folder = file.parent
    return _is_private(file) and folder.parent.is_dir() and not os.path.lexists(folder)


def _is_private(file: Path) -> bool:
    return file.parent.name == PLAN_FILE.parent.name
