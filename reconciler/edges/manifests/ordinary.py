"""Ordinary manifests -> documents, line by line: a third less time than with parser events.

It reads block mappings and one-line values only, in plain style or in quotes without escapes. Every
other text is None, and `build.Builder` reads it: all problems come from there. Where this module
returns documents, they equal those of the builder (tests/laws/test_ordinary.py).
"""

from __future__ import annotations

import re

from reconciler.core.errors import Place
from reconciler.core.model.node import MAX_DEPTH, MAX_TEXT, ListNode, MappingNode, Node, Scalar

# Words between single separators, so that a search takes linear time. ` #` begins a comment, and a
# colon at the end of a word ends a key.
_PLAIN = r"[^\W_][^ :]*(?:(?:\ +(?!\#)|:)[^ :]+)*"
_QUOTED = r""" "[^"\\]*" | '[^']*' """
_ITEM = rf"(?: [A-Za-z0-9][A-Za-z0-9._^/-]*(?:\ +[A-Za-z0-9._^/-]+)* | {_QUOTED} )"
_FLOW = rf"\[ (?: \ *{_ITEM} (?: \ *,\ *{_ITEM} )* )? \ *\]"
# libyaml accepts keys of up to 1,024 characters.
LINE = re.compile(
    rf"""
    (?P<indent>\ *)
    (?:
        (?:
            (?P<key> [A-Za-z][A-Za-z0-9]{{0,99}} | "[A-Za-z0-9.,()*-]{{1,100}}" ) :
            | (?P<dash>-)
        )
        (?: \ + (?P<value> {_PLAIN} | {_QUOTED} | {_FLOW} ) )?
        (?: \ +\#.* )? \ *
        | \#.*
    )?
    """,
    re.VERBOSE,
)
_ITEMS = re.compile(_ITEM, re.VERBOSE)
BEGINS = "---"  # a document


class _UnusualError(Exception):
    """The text has something that only the parser reads."""


class _Open:
    """A list or mapping that is still open. `key` is the key that has no value yet."""

    __slots__ = ("column", "entries", "items", "key", "keys", "place")

    def __init__(self, column: int, place: Place, items: list[Node] | None = None) -> None:
        self.column = column
        self.place = place
        self.items = items
        self.entries: list[tuple[Scalar, Node]] = []
        self.key: Scalar | None = None
        self.keys: set[str] = set()

    def closed(self) -> Node:
        if self.key is not None:
            raise _UnusualError  # an empty value: the parser knows its place
        if self.items is not None:
            return ListNode(tuple(self.items), self.place)
        return MappingNode(tuple(self.entries), self.place)


def ordinary(text: str, name: str, most_nodes: int) -> tuple[MappingNode, ...] | None:
    """Return the documents of an ordinary text; None if the parser has to read it."""
    # A file has fewer keys and values than characters.
    if len(text) > min(MAX_TEXT, most_nodes):
        return None
    if not is_plain_text(text):
        return None
    try:
        return _Reader(name).read(text)
    except _UnusualError:
        return None


def is_plain_text(text: str) -> bool:
    """Whether a text has no character that YAML treats in its own way."""
    # YAML has line breaks that are no `\n`, and refuses control characters (YAML 1.1, section 5).
    return text.replace("\n", "").isprintable()


class _Reader:
    """Reads the lines of one file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.documents: list[MappingNode] = []
        self.stack: list[_Open] = []

    def read(self, text: str) -> tuple[MappingNode, ...]:
        for number, line in enumerate(text.split("\n"), 1):
            if line == BEGINS:
                self.finish()
                continue
            found = LINE.fullmatch(line)
            if found is None:
                raise _UnusualError
            indent, key, dash, value = found.groups()
            if key:
                self.key(len(indent), number, key)
            elif dash:
                self.dash(len(indent), number, value)
            if value:
                self.value(value, Place(self.name, number, found.start("value") + 1))
        self.finish()
        return tuple(self.documents)

    def key(self, column: int, number: int, key: str) -> None:
        place = Place(self.name, number, column + 1)
        stack = self.stack
        while stack and (stack[-1].column > column or stack[-1].items is not None):
            self.close()
        if not stack or column > stack[-1].column:
            self.open(_Open(column, place))
        top = stack[-1]
        plain = key[0] != '"'
        text = key if plain else key[1:-1]
        if top.key is not None or text in top.keys:
            raise _UnusualError
        top.keys.add(text)
        top.key = Scalar(text, place, plain, len(key))

    def dash(self, column: int, number: int, value: str | None) -> None:
        stack = self.stack
        if not value:
            raise _UnusualError
        while stack and stack[-1].column > column:
            self.close()
        if not stack or stack[-1].items is None:
            self.open(_Open(column, Place(self.name, number, column + 1), []))
        elif stack[-1].column != column:
            raise _UnusualError

    def open(self, opened: _Open) -> None:
        """Open a list or mapping: the first mapping of a document, or the value of a key."""
        is_first = not self.stack and not opened.column and opened.items is None
        if not is_first and not (self.stack and self.stack[-1].key is not None):
            raise _UnusualError
        if len(self.stack) >= MAX_DEPTH - 1:  # a list in brackets may be inside
            raise _UnusualError
        self.stack.append(opened)

    def close(self) -> None:
        node = self.stack.pop().closed()
        if self.stack:
            self.put(node)
        else:
            assert isinstance(node, MappingNode)
            self.documents.append(node)

    def put(self, node: Node) -> None:
        top = self.stack[-1]
        if top.items is not None:
            top.items.append(node)
            return
        assert top.key is not None
        top.entries.append((top.key, node))
        top.key = None

    def value(self, value: str, place: Place) -> None:
        if value[0] == "[":
            at = place.column
            items = (
                _scalar(found[0], Place(self.name, place.line, at + found.start()))
                for found in _ITEMS.finditer(value, 1)
            )
            self.put(ListNode(tuple(items), place))
        else:
            self.put(_scalar(value, place))

    def finish(self) -> None:
        """Close the document."""
        while self.stack:
            self.close()


def _scalar(value: str, place: Place) -> Scalar:
    if value[0] in "\"'":
        return Scalar(value[1:-1], place, False, len(value))
    return Scalar(value, place, True, len(value))
