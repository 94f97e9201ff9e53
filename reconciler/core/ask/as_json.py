"""Converts a document to JSON for the schema check, and a JSON path back to a place in the file.

Below `DICOM:` every scalar stays text. Elsewhere unquoted `true`, `false` and `null` are converted.
All other scalars stay text, so an unquoted imageSetId does not become a number.
"""

from __future__ import annotations

from typing import TypeAlias

from reconciler.core.errors import Place
from reconciler.core.model.node import ListNode, MappingNode, Node, Scalar
from reconciler.core.model.value import Json

Path: TypeAlias = tuple[str | int, ...]

_BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_VERBATIM = frozenset({"DICOM", "DICOMVRs"})


def to_json(node: Node, *, verbatim: bool = False) -> Json:
    """Convert a node to JSON. With `verbatim`, every scalar below it stays text."""
    if isinstance(node, Scalar):
        return node.text if verbatim else _typed(node)
    if isinstance(node, ListNode):
        return [to_json(item, verbatim=verbatim) for item in node.items]
    return {
        key.text: to_json(value, verbatim=verbatim or _begins_verbatim(key, value))
        for key, value in node.entries
    }


def _begins_verbatim(key: Scalar, value: Node) -> bool:
    # `DICOM:` without a value is null, like every other empty key.
    return key.text in _VERBATIM and not isinstance(value, Scalar)


def _typed(node: Scalar) -> Json:
    if node.is_null:
        return None
    return _BOOLEANS.get(node.text, node.text) if node.plain else node.text


def place_of(node: Node, path: Path, *, key: bool = False) -> Place:
    """Return the place of a path: of the scalar or the list item, otherwise of its key."""
    return node_at(node, path, key=key).place


def scalar_at(node: Node, path: Path, *, key: bool = False) -> Scalar | None:
    """Return the scalar whose place stands for a path: the value, or the key of another value."""
    found = node_at(node, path, key=key)
    return found if isinstance(found, Scalar) else None


def node_at(node: Node, path: Path, *, key: bool = False) -> Node:
    """Return the node whose place stands for a path: a scalar or a list item, otherwise the key."""
    named = node
    for step in path:
        if isinstance(node, MappingNode):
            named, node = node.entry(str(step))
        elif isinstance(node, ListNode) and isinstance(step, int):
            named = node = node.items[step]
    is_value = isinstance(node, Scalar) and not key
    return node if is_value else named
