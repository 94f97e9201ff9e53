"""A document as the plain JSON that JSON Schema judges, and the way back to a place.

Inside DICOM every scalar stays text. Outside, plain `true`, `false` and `null` are what they say,
and everything else stays text too, so that an unquoted imageSetId is not a number.
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
    """The JSON of a node; `verbatim` keeps every scalar below as text."""
    if isinstance(node, Scalar):
        return node.text if verbatim else _typed(node)
    if isinstance(node, ListNode):
        return [to_json(item, verbatim=verbatim) for item in node.items]
    return {
        key.text: to_json(value, verbatim=verbatim or _begins_verbatim(key, value))
        for key, value in node.entries
    }


def _begins_verbatim(key: Scalar, value: Node) -> bool:
    # `DICOM:` with nothing after it is null, like every other empty key.
    return key.text in _VERBATIM and not isinstance(value, Scalar)


def _typed(node: Scalar) -> Json:
    if node.is_null:
        return None
    return _BOOLEANS.get(node.text, node.text) if node.plain else node.text


def place_of(node: Node, path: Path, *, key: bool = False) -> Place:
    """Where a path stands: a scalar or a list's item itself, else its key."""
    place = node.place
    for step in path:
        if isinstance(node, MappingNode):
            name, node = node.entry(str(step))
            place = name.place
        elif isinstance(node, ListNode) and isinstance(step, int):
            node = node.items[step]
            place = node.place
    is_value = isinstance(node, Scalar) and not key
    return node.place if is_value else place
