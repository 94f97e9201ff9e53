"""YAML text -> documents, with PyYAML's C parser if libyaml is available."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial

import yaml

from reconciler.core.errors import Diagnostic, Place, Replacement
from reconciler.core.model import node
from reconciler.core.source import Sources
from reconciler.edges.manifests.build import Builder, Parser, too_deep
from reconciler.edges.manifests.cut_off import cut_off
from reconciler.edges.manifests.files import place_after
from reconciler.edges.manifests.ordinary import ordinary
from reconciler.edges.manifests.quotes import repaired

PURE: Parser = yaml.SafeLoader
DEFAULT: Parser = yaml.CSafeLoader if yaml.__with_libyaml__ else PURE

# Characters that YAML 1.2 does not allow, and line separators that YAML 1.1 treats differently.
# Also those that turn the direction of text (`node.TURNS_TEXT`).
FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd"
    "\U00010000-\U0010ffff]"
)

_YAML_HINTS = (
    (
        "mapping values are not allowed",
        "Check the indentation. Quote text that contains a colon and a space.",
    ),
    (
        "cannot start any token",
        "Indent with spaces, not tabs. Quote text that begins with @, ` or %.",
    ),
    ("while scanning a quoted", "Add the closing quote."),
    ("unexpected end of stream", "Add the closing quote."),
    ("',' or ']'", "Add the missing comma or the closing `]`."),
    ("',' or '}'", "Add the missing comma or the closing `}`."),
    ("tag handle", "Remove the YAML tag (!…). Quote text that begins with !."),
    ("escape", "Use single quotes around text with a backslash."),
    ("expected ':'", "Write a colon and a space after the key."),
)
_YAML_HINT = "Check the indentation. Quote text that contains special characters of YAML."


@dataclass(frozen=True, slots=True)
class Loaded:
    """Documents in file order, all problems, and the names of the files that were read.

    `warnings` are about what YAML allows but a person hardly means. `sources` are the texts that
    were parsed. `is_ordinary` says that no parser was needed.
    """

    documents: tuple[node.MappingNode, ...]
    problems: tuple[Diagnostic, ...]
    files: tuple[str, ...]
    warnings: tuple[Diagnostic, ...] = ()
    sources: Sources = field(default_factory=Sources)
    is_ordinary: bool = False


def parse(
    text: str, name: str, parser: Parser = DEFAULT, most_nodes: int = node.MAX_NODES
) -> Loaded:
    """Parse a text into documents, with PyYAML's C parser by default (`PURE` without libyaml)."""
    forbidden = FORBIDDEN.search(text)
    if forbidden:
        problem = _forbidden(text, forbidden.start(), name)
        return Loaded((), (problem,), (name,), sources=Sources({name: text}))
    documents = ordinary(text, name, most_nodes)
    if documents is None:
        return by_events(text, name, parser, most_nodes)
    found = cut_off(documents, text)
    return Loaded(documents, (), (name,), found, Sources({name: text}), is_ordinary=True)


def by_events(text: str, name: str, parser: Parser, most_nodes: int) -> Loaded:
    """Parse a text by the events of a parser, and report every problem."""
    builder = Builder(name, most_nodes)
    events = parser(text)
    try:
        builder.read(events)
    except yaml.MarkedYAMLError as error:
        problem = _broken(error, name)
        right = repaired(text, problem.place, partial(_is_valid, parser))
        builder.problems.append(_with_repair(problem, right) if right else problem)
    except (yaml.YAMLError, ValueError):
        builder.problems.append(Diagnostic(Place(name), "not valid YAML", _YAML_HINT))
    finally:
        events.dispose()
    found = cut_off(builder.documents, text)
    documents, problems = tuple(builder.documents), tuple(builder.problems)
    return Loaded(documents, problems, (name,), found, Sources({name: text}))


def _forbidden(text: str, index: int, name: str) -> Diagnostic:
    code = f"U+{ord(text[index]):04X}"
    if node.TURNS_TEXT.match(text[index]):
        message = f"{code} turns the direction of text, so that a review shows another text"
        hint = "Delete it. Hebrew and Arabic text needs no such character."
        return Diagnostic(place_after(text[:index], name), message, hint)
    message = f"{code} is a control character or line separator, which is not allowed here"
    hint = 'Delete it. Inside double quotes you can write "\\n" and "\\t".'
    return Diagnostic(place_after(text[:index], name), message, hint)


def _broken(error: yaml.MarkedYAMLError, name: str) -> Diagnostic:
    """Report an error with the parser's own text: it names characters and tokens, never a value."""
    place = _place(error, name)
    text = f"{error.context or ''} {error.problem or ''}"
    if "nesting depth" in text:  # libyaml reads ahead and has a limit of its own
        return too_deep(place)
    hint = next((hint for part, hint in _YAML_HINTS if part in text), _YAML_HINT)
    return Diagnostic(
        place,
        f"not valid YAML: {_plain(error.problem or error.context or 'cannot be parsed')}",
        hint,
    )


def _place(error: yaml.MarkedYAMLError, name: str) -> Place:
    mark = error.problem_mark or error.context_mark
    return Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)


def _with_repair(problem: Diagnostic, right: Replacement) -> Diagnostic:
    """The problem where it really is: the parser may have noticed it one line later."""
    if right.place.line == problem.place.line:
        return replace(problem, replacement=right)
    return Diagnostic(
        right.place,
        "not valid YAML: no space follows the colon of this key",
        "Write a colon and a space after the key.",
        right,
    )


def _is_valid(parser: Parser, text: str, line: int) -> bool:
    """Whether a text is valid YAML up to the end of a line."""
    events = parser(text)
    try:
        while events.get_event() is not None:
            pass
    except yaml.MarkedYAMLError as error:
        return _place(error, "").line > line
    except (yaml.YAMLError, ValueError):
        return False
    finally:
        events.dispose()
    return True


def _plain(problem: str) -> str:
    """Return the parser's text without the terms of YAML that its readers need not know."""
    return problem.replace("mapping values are not allowed", "a colon and a space are not allowed")
