"""Manifests -> asks without contradictions, or every problem of every file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path, PurePath

from reconciler.core.ask import manifest_checker, validate
from reconciler.core.ask.resolve import resolve
from reconciler.core.ask.schema import Checker
from reconciler.core.errors import (
    InputError,
)
from reconciler.core.model.results import Checked
from reconciler.core.model.settings import Settings
from reconciler.edges import schemas
from reconciler.edges.manifests import load


def check(settings: Settings, paths: Sequence[Path] = ()) -> Checked:
    """Read and check the manifests of `paths`, all by default.

    Raises InputError with every problem of every file.
    """
    root = Path(settings.root)
    loaded = load(root, list(paths) or [root / settings.manifests])
    validated = validate(loaded.documents, settings, _checker())
    resolved = resolve(validated.asks)
    problems = (*loaded.problems, *validated.problems, *resolved.problems)
    if problems:
        raise InputError(problems)
    selected = tuple(sorted({_relative(root, path) for path in paths}))
    return Checked(resolved.asks, loaded.files, not paths, selected)


def _relative(root: Path, path: Path) -> str:
    return PurePath(os.path.relpath(path.absolute(), root.absolute())).as_posix()


@cache
def _checker() -> Checker:
    return manifest_checker(schemas.load("manifest"))
