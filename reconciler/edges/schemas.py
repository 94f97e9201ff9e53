"""The published JSON Schemas, read from inside the wheel or from the repository."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_NAMES = ("manifest", "plan", "record", "record-layout", "report", "review", "reconciler", "scan")
_PACKAGE = Path(__file__).parent.parent
# A wheel contains them inside the package; an editable install reads those of the repository.
_FOLDERS = (_PACKAGE / "schemas", _PACKAGE.parent / "schemas")


def names() -> tuple[str, ...]:
    """Return the names of all published schemas."""
    return _NAMES


@cache
def text(name: str) -> str:
    """Return the text of a published schema. Raises KeyError for a name not in `names()`."""
    if name not in _NAMES:
        raise KeyError(name)
    file = f"{name}.schema.json"
    folder = next((folder for folder in _FOLDERS if (folder / file).is_file()), _FOLDERS[0])
    return (folder / file).read_text(encoding="utf-8")


def load(name: str) -> dict[str, Any]:
    """Parse a schema; each caller gets a copy. Raises KeyError for a name not in `names()`."""
    schema: dict[str, Any] = json.loads(text(name))
    return schema
