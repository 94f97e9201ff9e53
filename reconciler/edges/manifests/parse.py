"""YAML text -> documents, on PyYAML's C parser where libyaml is there."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from reconciler.core.errors import Diagnostic, Place
from reconciler.core.model import node
from reconciler.edges.manifests.build import Builder, Parser, too_deep
from reconciler.edges.manifests.files import place_after

PURE: Parser = yaml.SafeLoader
DEFAULT: Parser = yaml.CSafeLoader if yaml.__with_libyaml__ else PURE

# What YAML 1.2 calls not printable, and the line separators on which YAML 1.1 and 1.2 disagree.
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)

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

    documents: tuple[node.MappingNode, ...]
    problems: tuple[Diagnostic, ...]
    files: int


def parse(text: str, name: str, parser: Parser = DEFAULT) -> Loaded:
    """The documents of a text, by PyYAML's C parser, or `PURE` where libyaml is missing."""
    forbidden = _FORBIDDEN.search(text)
    if forbidden:
        return Loaded((), (_forbidden(text, forbidden.start(), name),), 1)
    builder = Builder(name)
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


def _forbidden(text: str, index: int, name: str) -> Diagnostic:
    what = f"U+{ord(text[index]):04X}, a control character or line separator, may not stand here"
    hint = 'Delete it; inside double quotes "\\n" and "\\t" may be written.'
    return Diagnostic(place_after(text[:index], name), what, hint)


def _broken(error: yaml.MarkedYAMLError, name: str) -> Diagnostic:
    """The parser's own words: they name characters and tokens, never a value."""
    mark = error.problem_mark or error.context_mark
    place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)
    words = f"{error.context or ''} {error.problem or ''}"
    if "nesting depth" in words:  # libyaml looks ahead, and has a bound of its own
        return too_deep(place)
    hint = next((hint for part, hint in _YAML_HINTS if part in words), _YAML_HINT)
    return Diagnostic(
        place, f"not YAML: {error.problem or error.context or 'cannot be parsed'}", hint
    )
