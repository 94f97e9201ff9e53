"""Finds values that YAML cuts off: ` #` begins a comment, also inside of a value without quotes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from reconciler.core.errors import Diagnostic
from reconciler.core.model.node import ListNode, MappingNode, Node, Scalar
from reconciler.core.source import lines_of

# `# a note` is a comment as people write it, `#2` is a number.
_COMMENT = re.compile(r"[ \t]+#(?=[^\s#])")
_HINT = "If the `#` belongs to the value, put the value in quotes. If not, write a blank after it."


def cut_off(documents: Iterable[MappingNode], text: str) -> tuple[Diagnostic, ...]:
    """A warning for each value without quotes after which `#` and text follow."""
    if not _COMMENT.search(text):
        return ()
    lines = lines_of(text)
    return tuple(
        Diagnostic(one.place, "YAML takes the text after ` #` for a comment", _HINT)
        for document in documents
        for one in _scalars(document)
        if _is_cut_off(one, lines)
    )


def _is_cut_off(scalar: Scalar, lines: list[str]) -> bool:
    line, column = scalar.place.line, scalar.place.column
    if not (scalar.plain and scalar.text and line and column and line <= len(lines)):
        return False
    rest = lines[line - 1][column - 1 :]
    return rest.startswith(scalar.text) and bool(_COMMENT.match(rest, len(scalar.text)))


def _scalars(root: Node) -> Iterator[Scalar]:
    left = [root]
    while left:
        match left.pop():
            case Scalar() as scalar:
                yield scalar
            case ListNode(items):
                left += items
            case MappingNode(entries):
                left += [node for _, node in entries]
