"""The texts of the package as its files have them: the messages of modules and of schemas."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.docs.markdown import REPOSITORY, read
from tests.docs.messages import commands, messages

# These folders of the emulator answer in the words of AWS.
WORDS_OF_AWS = (
    "reconciler/emulator/operations/",
    "reconciler/emulator/rules/",
    "reconciler/emulator/wire/",
)
# Except this module: `emulator behaviours` prints its sentences, and they are ours.
OURS = "reconciler/emulator/rules/behaviours.py"
SCHEMAS = sorted(path.name for path in (REPOSITORY / "schemas").glob("*.json"))


@cache
def trees() -> dict[str, ast.Module]:
    """The syntax trees of the modules whose messages are ours, by path."""
    paths = sorted(
        str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "reconciler").rglob("*.py")
    )
    return {
        path: ast.parse(read(path))
        for path in paths
        if path == OURS or not path.startswith(WORDS_OF_AWS)
    }


@cache
def texts() -> dict[str, list[str]]:
    """The messages by module, then the sentences of the published schemas."""
    of_commands = commands(trees())
    found = {
        path: [message.text for message in messages(tree, of_commands.get(path, frozenset()))]
        for path, tree in trees().items()
    }
    for name in SCHEMAS:
        schema = json.loads(read(f"schemas/{name}"))
        found[f"schemas/{name}"] = list(dict.fromkeys(_descriptions(schema)))
    return {path: of_module for path, of_module in found.items() if of_module}


def _descriptions(schema: Any) -> Iterator[str]:
    """The descriptions in a schema, without those that are generated from the DICOM dictionary."""
    if isinstance(schema, list):
        for item in schema:
            yield from _descriptions(item)
    if isinstance(schema, dict):
        description = schema.get("description")
        if isinstance(description, str) and " · " not in description:
            yield description
        for item in schema.values():
            yield from _descriptions(item)
