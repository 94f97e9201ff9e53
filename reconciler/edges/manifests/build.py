"""Parser events -> documents, without recursion.

PyYAML's loaders type scalars, take aliases, and overflow the C stack on deep nesting; its parser
events do none of that.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import yaml

from reconciler.core.errors import Diagnostic, Place
from reconciler.core.model import node

MAX_DEPTH = 64

Parser: TypeAlias = type[Any]

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
# The name behind & or * is not told: it may be a value that nobody quoted.
_WRITE_OUT = "Write the value out, or quote text that begins with & or *."


def too_deep(place: Place) -> Diagnostic:
    """Nested beyond the bound."""
    message = f"nested deeper than {MAX_DEPTH} levels"
    return Diagnostic(place, message, "The rest of this file was not read.")


class _TooDeepError(Exception):
    """Nesting beyond the bound: nothing more is read of this file."""


class _Frame:
    """A collection that is still open. `key` is the key that waits for its value."""

    __slots__ = ("entries", "items", "key", "place", "seen")

    def __init__(self, place: Place, is_mapping: bool) -> None:
        self.place = place
        self.items: list[node.Node] = []
        self.entries: list[tuple[node.Scalar, node.Node]] = []
        self.seen: dict[str, Place] | None = {} if is_mapping else None
        self.key: node.Scalar | None = None

    def close(self) -> node.Node:
        if self.seen is None:
            return node.ListNode(tuple(self.items), self.place)
        return node.MappingNode(tuple(self.entries), self.place)


class Builder:
    """Parser events -> documents. Goes on after a problem, so that all of them are reported."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.documents: list[node.MappingNode] = []
        self.problems: list[Diagnostic] = []
        self.stack: list[_Frame] = []
        self.clean = 0  # how many problems there were when the document began

    def read(self, parser: Any) -> None:
        """Take every event until the stream ends or nests too deep."""
        try:
            while (event := parser.get_event()) is not None:
                _TAKE[type(event)](self, event)
        except _TooDeepError:
            pass

    def problem(self, place: Place, message: str, hint: str) -> None:
        self.problems.append(Diagnostic(place, message, hint))

    def place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self.name, mark.line + 1, mark.column + 1)

    def begin(self, event: yaml.Event) -> None:
        self.clean = len(self.problems)

    def skip(self, event: yaml.Event) -> None:
        """Events that say nothing."""

    def scalar(self, event: yaml.ScalarEvent) -> None:
        place = self.place(event)
        if event.tag is not None or event.anchor is not None:
            self.decorated(event, place)
        style = event.style
        if style == '"' and _NO_TEXT.search(event.value):
            self.problem(place, "an escape stands for NUL or half a character", "Remove it.")
        self.put(node.Scalar(event.value, place, not style))

    def alias(self, event: yaml.AliasEvent) -> None:
        place = self.place(event)
        self.problem(place, "an alias (*…) is not allowed", _WRITE_OUT)
        self.put(node.Scalar("", place, False))

    def open(self, event: yaml.CollectionStartEvent) -> None:
        place = self.place(event)
        if event.tag is not None or event.anchor is not None:
            self.decorated(event, place)
        if len(self.stack) >= MAX_DEPTH:
            self.problems.append(too_deep(place))
            raise _TooDeepError
        top = self.stack[-1] if self.stack else None
        if top is not None and top.seen is not None and top.key is None:
            self.problem(place, "a key must be text, not a list or a mapping", "Name the key.")
        self.stack.append(_Frame(place, isinstance(event, yaml.MappingStartEvent)))

    def close(self, event: yaml.Event) -> None:
        frame = self.stack.pop()
        top = self.stack[-1] if self.stack else None
        if top is not None and top.seen is not None and top.key is None:
            top.key = node.Scalar("", frame.place, False)  # stands for the key refused above
        else:
            self.put(frame.close())

    def put(self, value: node.Node) -> None:
        if not self.stack:
            self.document(value)
            return
        top = self.stack[-1]
        if top.seen is None:
            top.items.append(value)
        elif top.key is None:
            self.key(top, value)
        else:
            top.entries.append((top.key, value))
            top.key = None

    def key(self, frame: _Frame, key: node.Node) -> None:
        assert isinstance(key, node.Scalar) and frame.seen is not None
        text = key.text
        if text == "<<" and key.plain:
            self.problem(key.place, "the merge key << is not allowed", "Write the entries out.")
        elif text in frame.seen:
            message = f"the key {node.shown(text)} stands here again, first at {frame.seen[text]}"
            self.problem(key.place, message, "Keep one of the two.")
        frame.seen.setdefault(text, key.place)
        frame.key = key

    def decorated(self, event: yaml.NodeEvent, place: Place) -> None:
        if event.anchor is not None:
            self.problem(place, "an anchor (&…) is not allowed", _WRITE_OUT)
        if getattr(event, "tag", None) is not None:
            hint = "Remove it: the DICOM dictionary decides the type, quotes make text."
            self.problem(place, "an explicit tag (!…) is not allowed", hint)

    def document(self, value: node.Node) -> None:
        if isinstance(value, node.MappingNode):
            if len(self.problems) == self.clean:
                self.documents.append(value)
        elif not (isinstance(value, node.Scalar) and value.is_null):
            what = "text" if isinstance(value, node.Scalar) else "a list"
            hint = "Begin it with `apiVersion: reconciler/v1`."
            self.problem(value.place, f"a document is a mapping of keys, not {what}", hint)


_TAKE: dict[type[yaml.Event], Any] = {
    yaml.ScalarEvent: Builder.scalar,
    yaml.AliasEvent: Builder.alias,
    yaml.MappingStartEvent: Builder.open,
    yaml.SequenceStartEvent: Builder.open,
    yaml.MappingEndEvent: Builder.close,
    yaml.SequenceEndEvent: Builder.close,
    yaml.DocumentStartEvent: Builder.begin,
    yaml.DocumentEndEvent: Builder.skip,
    yaml.StreamStartEvent: Builder.skip,
    yaml.StreamEndEvent: Builder.skip,
}
