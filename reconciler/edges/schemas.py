"""The published JSON Schemas, read from inside the wheel or from the repository."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_NAMES = ("manifest", "plan", "record", "report", "reconciler")
_PACKAGE = Path(__file__).parent.parent
# An installed wheel carries them inside the package; an editable install reads the repository's.
_FOLDERS = (_PACKAGE / "schemas", _PACKAGE.parent / "schemas")


def names() -> tuple[str, ...]:
    """The names of all published schemas."""
    return _NAMES


@cache
def text(name: str) -> str:
    """A schema as published, to print. KeyError for a name that is none of `names()`."""
    if name not in _NAMES:
        raise KeyError(name)
    file = f"{name}.schema.json"
    folder = next((folder for folder in _FOLDERS if (folder / file).is_file()), _FOLDERS[0])
    return (folder / file).read_text(encoding="utf-8")


def load(name: str) -> dict[str, Any]:
    """A schema as JSON, the caller's own copy. KeyError for a name that is none of `names()`."""
    schema: dict[str, Any] = json.loads(text(name))
    return schema
