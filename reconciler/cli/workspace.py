"""What a command finds on this machine: the settings, the manifests, a saved plan."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from reconciler.cli import target
from reconciler.core.errors import PlanFileError, ReconcilerError
from reconciler.core.model.plan import Plan
from reconciler.core.model.settings import Datastore, Redact, Settings
from reconciler.core.plan import checker
from reconciler.core.plan import file as plan_file
from reconciler.core.ports import Files
from reconciler.edges import files, git, schemas
from reconciler.edges.settings import find_settings, read_settings
from reconciler.edges.worktree import refuse_links_of_ours

# Where a saved plan is of no danger: git ignores the folder.
PLAN_FILE = Path(".reconcile") / "plan.json"
_MANIFEST_SUFFIXES = frozenset({".yaml", ".yml"})


def settings(given: Path | None) -> Settings:
    """reconciler.yaml: the one given, or the one found upwards from here."""
    return read_settings(given or find_settings(Path.cwd()))


def redaction(given: Path | None) -> Redact:
    """What to mask where a command works outside a repository too."""
    try:
        return settings(given).redact
    except ReconcilerError:
        if given:
            raise
        return Redact.IDENTIFYING


def datastore(found: Settings, name: str | None) -> Datastore:
    """The data store of that name, or the only one."""
    names = ", ".join(store.name for store in found.datastores)
    if name is None:
        if len(found.datastores) == 1:
            return found.datastores[0]
        raise ReconcilerError("which data store?", f"Give --datastore, one of: {names}.")
    try:
        return found.datastore(name)
    except KeyError:
        hint = f"It has: {names}." if names else "It has none: add one under `datastores:`."
        raise ReconcilerError(f"reconciler.yaml has no data store {name!r}", hint) from None


def saved_plan(paths: Sequence[Path] | None) -> Path | None:
    """The path, if it is a saved plan rather than manifests: those are named .yaml or .yml."""
    if not paths or len(paths) != 1 or paths[0].suffix in _MANIFEST_SUFFIXES:
        return None
    # os.path: for a name that no file can have, Path.is_file raises.
    if not os.path.isfile(paths[0]) and paths[0].suffix != ".json":  # noqa: PTH113
        return None
    return paths[0]


def refuse_links(found: Settings, *files: Path | None) -> None:
    """Raise `LinkError` for a file in a folder of ours, if the way there goes over a link."""
    for file in files:
        if file:
            refuse_links_of_ours(Path(found.root), file)


def load_plan(file: Path) -> Plan:
    """A plan that `save_plan` saved."""
    try:
        data = file.read_bytes()
    except OSError as error:
        hint = f"Save one with: reconcile plan --out {PLAN_FILE}"
        raise ReconcilerError(f"cannot read the plan {file}: {error.strerror}", hint) from None
    raw = plan_file.parse(data)
    plan = plan_file.from_json(raw)
    # Its digest tells an edit; the published schema tells what was forged together with it.
    if not _is_valid(raw):
        raise PlanFileError("the plan file does not hold a plan", plan_file.AGAIN)
    # What is shown must be what is sent, also where somebody has made the digest match.
    if problem := checker.edited(plan):
        raise PlanFileError(f"the plan file was edited: {problem}", plan_file.AGAIN)
    return plan


def _is_valid(raw: plan_file.Row) -> bool:
    import jsonschema_rs

    return jsonschema_rs.is_valid(schemas.load("plan"), raw)


def check_plan_file(file: Path) -> None:
    """ReconcilerError where a plan must not be saved: a file there is not a plan."""
    if not _makes_folder(file):
        target.check(file, target.PLAN, f"cannot save the plan to {file}")


def save_plan(plan: Plan, file: Path, disk: Files = files.REAL) -> None:
    """Write a plan for the owner's eyes alone: it holds the values of patients."""
    check_plan_file(file)
    files.sweep(file.parent, file.name, files=disk)
    try:
        if _is_private(file):
            files.keep_from_git(file.parent, files=disk)
        files.replace(file, plan_file.dumps(plan), mode=files.PRIVATE, files=disk)
    except OSError as error:
        raise ReconcilerError(f"cannot save the plan to {file}: {error.strerror}") from None


def exposure(file: Path) -> str:
    """The warning for a saved plan that git does not ignore; "" for one that it does."""
    if git.is_ignored(file):
        return ""
    fix = (
        f"Let {file.parent}/.gitignore hold a line with * and nothing else."
        if _is_private(file)
        else f"Save the plan as {PLAN_FILE}, which git ignores."
    )
    return f"warning: git does not ignore {file}, and a plan holds values of patients. {fix}"


def _makes_folder(file: Path) -> bool:
    """Whether saving makes the documented folder: beside a folder that is there."""
    folder = file.parent
    return _is_private(file) and folder.parent.is_dir() and not os.path.lexists(folder)


def _is_private(file: Path) -> bool:
    return file.parent.name == PLAN_FILE.parent.name
