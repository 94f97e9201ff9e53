"""Parser events -> documents, without recursion.

PyYAML's loaders convert scalars, accept aliases, and overflow the C stack on deep nesting. Its
parser events do not.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import yaml

from reconciler.core.errors import MAX_PROBLEMS, Diagnostic, Place
from reconciler.core.model import node
from reconciler.core.model.address import UIDS_BELOW, shown_uid

Parser: TypeAlias = type[Any]

# Messages do not show the name after & or *: it may be an unquoted value.
_WRITE_OUT = "Write the value itself. Quote text that begins with & or *."


def too_deep(place: Place) -> Diagnostic:
    """Report nesting beyond the limit."""
    message = f"nested deeper than {node.MAX_DEPTH} levels"
    return Diagnostic(place, message, "Reduce the nesting. The rest of this file was not read.")


def _too_many(place: Place, most: int) -> Diagnostic:
    message = f"the file has more than {most:,} keys and values"
    hint = "Split it into several files. The rest of this file was not read."
    return Diagnostic(place, message, hint)


class _StoppedError(Exception):
    """A limit is exceeded: the rest of this file is not read."""


class _Frame:
    """A list or mapping that is still open. `key` is the key that has no value yet."""

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
    """Builds documents from parser events. It continues after a problem, to report all of them."""

    def __init__(self, name: str, most_nodes: int = node.MAX_NODES) -> None:
        self.name = name
        self.most_nodes = most_nodes
        self.nodes = 0
        self.documents: list[node.MappingNode] = []
        self.problems: list[Diagnostic] = []
        self.stack: list[_Frame] = []
        self.clean = 0  # the number of problems when the document began

    def read(self, parser: Any) -> None:
        """Process all events until the stream ends or a limit is exceeded."""
        try:
            while (event := parser.get_event()) is not None:
                _TAKE[type(event)](self, event)
        except _StoppedError:
            pass

    def problem(self, place: Place, message: str, hint: str) -> None:
        self.problems.append(Diagnostic(place, message, hint))
        if len(self.problems) > MAX_PROBLEMS:
            raise _StoppedError

    def count(self, place: Place) -> None:
        """Count a node. Memory grows with their number."""
        self.nodes += 1
        if self.nodes > self.most_nodes:
            self.problems.append(_too_many(place, self.most_nodes))
            raise _StoppedError

    def place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self.name, mark.line + 1, mark.column + 1)

    def begin(self, event: yaml.Event) -> None:
        self.clean = len(self.problems)

    def skip(self, event: yaml.Event) -> None:
        """Ignore an event without content."""

    def scalar(self, event: yaml.ScalarEvent) -> None:
        place = self.place(event)
        self.count(place)
        if event.tag is not None or event.anchor is not None:
            self.decorated(event, place)
        style = event.style
        if style == '"' and node.NO_TEXT.search(event.value):
            message = "an escape such as \\0 or \\uD800 stands for no character"
            self.problem(place, message, "Remove the escape.")
        if style == '"' and node.TURNS_TEXT.search(event.value):
            message = "an escape such as \\u202E turns the direction of text"
            self.problem(place, message, "Remove the escape.")
        text = event.value
        if len(text) > node.MAX_TEXT:
            message = f"a text is longer than {node.MAX_TEXT:,} characters"
            self.problem(place, message, "Shorten it: an update takes about 10,000 bytes.")
            text = ""
        self.put(node.Scalar(text, place, not style, _length(event)))

    def alias(self, event: yaml.AliasEvent) -> None:
        place = self.place(event)
        self.count(place)
        self.problem(place, "an alias (*…) is not allowed", _WRITE_OUT)
        self.put(node.Scalar("", place, False))

    def open(self, event: yaml.CollectionStartEvent) -> None:
        place = self.place(event)
        self.count(place)
        if event.tag is not None or event.anchor is not None:
            self.decorated(event, place)
        if len(self.stack) >= node.MAX_DEPTH:
            self.problems.append(too_deep(place))
            raise _StoppedError
        top = self.stack[-1] if self.stack else None
        if top is not None and top.seen is not None and top.key is None:
            message = "a list or `{…}` stands where a key is expected"
            self.problem(place, message, "Write a key, such as `PatientName:`.")
        self.stack.append(_Frame(place, isinstance(event, yaml.MappingStartEvent)))

    def close(self, event: yaml.Event) -> None:
        frame = self.stack.pop()
        top = self.stack[-1] if self.stack else None
        if top is not None and top.seen is not None and top.key is None:
            top.key = node.Scalar("", frame.place, False)  # in place of the key that `open` refused
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
            hint = "Write all lines here instead."
            self.problem(key.place, "the merge key << is not allowed", hint)
        elif text in frame.seen:
            message = f"the key {self.shown(text)} is a duplicate of {frame.seen[text]}"
            self.problem(key.place, message, "Remove one of the two lines.")
        frame.seen.setdefault(text, key.place)
        frame.key = key

    def shown(self, key: str) -> str:
        """Return a key of the innermost mapping. A malformed UID may contain a name."""
        above = self.stack[-2].key if len(self.stack) > 1 else None
        names_uid = above is not None and above.text in UIDS_BELOW
        return f"'{shown_uid(key)}'" if names_uid else node.shown(key)

    def decorated(self, event: yaml.NodeEvent, place: Place) -> None:
        if event.anchor is not None:
            self.problem(place, "an anchor (&…) is not allowed", _WRITE_OUT)
        if getattr(event, "tag", None) is not None:
            hint = (
                "Remove it. The DICOM dictionary decides the type. Quote text that begins with !."
            )
            self.problem(place, "an explicit YAML tag (!…) is not allowed", hint)

    def document(self, value: node.Node) -> None:
        if isinstance(value, node.MappingNode):
            if len(self.problems) == self.clean:
                self.documents.append(value)
        elif not (isinstance(value, node.Scalar) and value.is_null):
            found = "text" if isinstance(value, node.Scalar) else "a list"
            hint = "Write one `key: value` on each line. Manifests begin with `apiVersion:`."
            self.problem(value.place, f"the document has no keys: it is {found}", hint)


def _length(event: Any) -> int:
    """The characters that an event takes in its line; 0 if it takes more than one line."""
    start, end = event.start_mark, event.end_mark
    return int(end.column - start.column) if start.line == end.line else 0


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
