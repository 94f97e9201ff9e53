"""Manifest files -> documents: nodes with line and column, scalars as the text in the file.

YAML's own typing never happens, so `00123`, `NO` and `1.10` stay what they are. Documents are
built from PyYAML's parser events without recursion: its loaders type scalars, take aliases, and
overflow the C stack on deep nesting.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from reconciler.errors import Diagnostic, Place
from reconciler.model import node

SETTINGS_FILE = "reconciler.yaml"
MAX_DEPTH = 64
MAX_BYTES = 16 * 1024 * 1024

Parser: TypeAlias = type[Any]
PURE: Parser = yaml.SafeLoader
DEFAULT: Parser = yaml.CSafeLoader if yaml.__with_libyaml__ else PURE

_SUFFIXES = (".yaml", ".yml")
# What YAML 1.2 calls not printable, and the line separators on which YAML 1.1 and 1.2 disagree.
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")

_YAML_HINTS = (
    (
        "mapping values are not allowed",
        "Quote text that holds a colon and a space, and check the indentation.",
    ),
    (
        "cannot start any token",
        "Indent with spaces, not tabs, and quote text that begins with @, ` or %.",
    ),
    ("while scanning a quoted", "A quote is missing its other end."),
    ("unexpected end of stream", "A quote is missing its other end."),
    ("',' or ']'", "A bracket is not closed, or a comma is missing."),
    ("',' or '}'", "A brace is not closed, or a comma is missing."),
    ("tag handle", "Remove the tag: the DICOM dictionary decides the type, quotes make text."),
    ("escape", "Use single quotes where a backslash stands for itself."),
    ("expected ':'", "A key needs a colon and a space after it."),
)
_YAML_HINT = "Check the indentation, and quote text that holds YAML's own characters."


@dataclass(frozen=True, slots=True)
class Loaded:
    """Documents in file order, every problem found on the way, and how many files were read."""

    documents: tuple[node.Mapping, ...]
    problems: tuple[Diagnostic, ...]
    files: int


def load(root: Path, paths: Sequence[Path]) -> Loaded:
    """Read manifests: files, or folders with all `*.yaml` and `*.yml` below them.

    `root` is the folder of reconciler.yaml: places name files relative to it. A document with a
    problem is left out, the others are still there.
    """
    problems: list[Diagnostic] = []
    files: dict[str, Path] = {}
    for path in paths:
        for found in _files(root, path, problems):
            files.setdefault(_name(root, found), found)
    documents: list[node.Mapping] = []
    for name in sorted(files):
        loaded = read(files[name], name)
        documents += loaded.documents
        problems += loaded.problems
    return Loaded(tuple(documents), tuple(problems), len(files))


def read(path: Path, name: str) -> Loaded:
    """The documents of one file, called `name` in places."""
    text = _text(path, name)
    if isinstance(text, Diagnostic):
        return Loaded((), (text,), 1)
    return parse(text, name)


def parse(text: str, name: str, parser: Parser = DEFAULT) -> Loaded:
    """The documents of a text, by PyYAML's C parser, or `PURE` where libyaml is missing."""
    forbidden = _FORBIDDEN.search(text)
    if forbidden:
        return Loaded((), (_forbidden(text, forbidden.start(), name),), 1)
    builder = _Builder(name)
    events = parser(text)
    try:
        builder.read(events)
    except yaml.MarkedYAMLError as error:
        builder.problems.append(_broken(error, name))
    except (yaml.YAMLError, ValueError):
        builder.problems.append(Diagnostic(Place(name), "not YAML", _YAML_HINT))
    finally:
        events.dispose()
    return Loaded(tuple(builder.documents), tuple(builder.problems), 1)


def _files(root: Path, path: Path, problems: list[Diagnostic]) -> Iterator[Path]:
    """The files a path stands for. Hidden ones are left out of folders, as is reconciler.yaml."""
    if path.is_file():
        yield path
    elif path.is_dir():
        found = [file for file in _walk(path) if _name(root, file) != SETTINGS_FILE]
        if not found:
            message = "holds no manifests: no *.yaml or *.yml anywhere below it"
            hint = "`reconcile import` prints one from a live image set."
            problems.append(Diagnostic(Place(_name(root, path)), message, hint))
        yield from found
    else:
        there = "is neither a file nor a folder" if path.exists() else "does not exist"
        hint = "Give manifests, or folders of them; `manifests:` in reconciler.yaml is the default."
        problems.append(Diagnostic(Place(_name(root, path)), there, hint))


def _walk(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if name.endswith(_SUFFIXES) and not name.startswith("."):
                yield Path(where) / name


def _name(root: Path, path: Path) -> str:
    """POSIX path relative to the root, or the absolute one outside of it."""
    full = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
    base = Path(os.path.abspath(root))  # noqa: PTH100
    return full.relative_to(base).as_posix() if full.is_relative_to(base) else full.as_posix()


def _text(path: Path, name: str) -> str | Diagnostic:
    place = Place(name)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            hint = "Split it: one manifest may be spread over several files."
            return Diagnostic(
                place, f"{size:,} bytes are more than the {MAX_BYTES:,} a file may have", hint
            )
        data = path.read_bytes()
    except OSError as error:
        return Diagnostic(
            place, f"cannot be read: {error.strerror}", "Check that it is there and readable."
        )
    return _decoded(data, place)


def _decoded(data: bytes, place: Place) -> str | Diagnostic:
    hint = "Save it as UTF-8."
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Diagnostic(place, "is UTF-16, not UTF-8", hint)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        return Diagnostic(_place_after(before, place.file), "a byte that is not UTF-8", hint)


def _place_after(before: str, name: str) -> Place:
    start = before.rfind("\n") + 1
    return Place(name, before.count("\n") + 1, len(before) - start + 1)


def _forbidden(text: str, index: int, name: str) -> Diagnostic:
    what = f"U+{ord(text[index]):04X}, a control character or line separator, may not stand here"
    hint = 'Delete it; inside double quotes "\\n" and "\\t" may be written.'
    return Diagnostic(_place_after(text[:index], name), what, hint)


def _broken(error: yaml.MarkedYAMLError, name: str) -> Diagnostic:
    """The parser's own words: they name characters and tokens, never a value."""
    mark = error.problem_mark or error.context_mark
    place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)
    words = f"{error.context or ''} {error.problem or ''}"
    if "nesting depth" in words:  # libyaml looks ahead, and has a bound of its own
        return _too_deep(place)
    hint = next((hint for part, hint in _YAML_HINTS if part in words), _YAML_HINT)
    return Diagnostic(
        place, f"not YAML: {error.problem or error.context or 'cannot be parsed'}", hint
    )


def _too_deep(place: Place) -> Diagnostic:
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
            return node.Sequence(tuple(self.items), self.place)
        return node.Mapping(tuple(self.entries), self.place)


class _Builder:
    """Parser events -> documents. Goes on after a problem, so that all of them are reported."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.documents: list[node.Mapping] = []
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
        self.problem(place, f"the alias *{event.anchor} is not allowed", "Write the value out.")
        self.put(node.Scalar("", place, False))

    def open(self, event: yaml.CollectionStartEvent) -> None:
        place = self.place(event)
        if event.tag is not None or event.anchor is not None:
            self.decorated(event, place)
        if len(self.stack) >= MAX_DEPTH:
            self.problems.append(_too_deep(place))
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
            message = f"the key {_shown(text)} stands here again, first at {frame.seen[text]}"
            self.problem(key.place, message, "Keep one of the two.")
        frame.seen.setdefault(text, key.place)
        frame.key = key

    def decorated(self, event: yaml.NodeEvent, place: Place) -> None:
        if event.anchor is not None:
            self.problem(
                place, f"the anchor &{event.anchor} is not allowed", "Write the value out."
            )
        if getattr(event, "tag", None) is not None:
            hint = "Remove it: the DICOM dictionary decides the type, quotes make text."
            self.problem(place, "an explicit tag (!…) is not allowed", hint)

    def document(self, value: node.Node) -> None:
        if isinstance(value, node.Mapping):
            if len(self.problems) == self.clean:
                self.documents.append(value)
        elif not (isinstance(value, node.Scalar) and value.is_null):
            what = "text" if isinstance(value, node.Scalar) else "a list"
            hint = "Begin it with `apiVersion: reconciler/v1`."
            self.problem(value.place, f"a document is a mapping of keys, not {what}", hint)


def _shown(text: str) -> str:
    return f"'{text}'" if len(text) <= 64 else f"'{text[:64]}…'"


_TAKE: dict[type[yaml.Event], Any] = {
    yaml.ScalarEvent: _Builder.scalar,
    yaml.AliasEvent: _Builder.alias,
    yaml.MappingStartEvent: _Builder.open,
    yaml.SequenceStartEvent: _Builder.open,
    yaml.MappingEndEvent: _Builder.close,
    yaml.SequenceEndEvent: _Builder.close,
    yaml.DocumentStartEvent: _Builder.begin,
    yaml.DocumentEndEvent: _Builder.skip,
    yaml.StreamStartEvent: _Builder.skip,
    yaml.StreamEndEvent: _Builder.skip,
}
