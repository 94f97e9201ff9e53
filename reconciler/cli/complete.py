"""What a shell offers while a command is typed. Reads local files only, and never fails.

A message in the middle of a command line would help no reader: what cannot be read has no words.
"""

from __future__ import annotations

from pathlib import Path

import typer

from reconciler.core.errors import ReconcilerError

_CANNOT_READ = (ReconcilerError, OSError, ValueError)


def datastores(context: typer.Context, incomplete: str) -> list[str]:
    """The names of the data stores in reconciler.yaml."""
    from reconciler.edges.settings import read_settings

    try:
        names = [store.name for store in read_settings(_settings_file(context)).datastores]
    except _CANNOT_READ:
        return []
    return [name for name in names if name.startswith(incomplete)]


def image_sets(context: typer.Context, incomplete: str) -> list[str]:
    """The IDs of the image sets that records mention."""
    from reconciler.edges.places import recorded_ids

    try:
        return list(recorded_ids(_settings_file(context).parent, incomplete))
    except _CANNOT_READ:
        return []


def schemas(incomplete: str) -> list[str]:
    """The names of the published schemas."""
    from reconciler.edges.schemas import names

    return [name for name in names() if name.startswith(incomplete)]


def words(incomplete: str) -> list[str]:
    """The words that `reconcile explain` knows."""
    from reconciler.core.explain import words_beginning

    return list(words_beginning(incomplete))


def fields(incomplete: str) -> list[str]:
    """The names of the last field in a list with commas."""
    from reconciler.core.search import FIELDS

    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in FIELDS if name.startswith(last)]


def _settings_file(context: typer.Context) -> Path:
    from reconciler.edges.places import find_settings

    given = context.params.get("config")
    return Path(given) if given else find_settings(Path.cwd())
