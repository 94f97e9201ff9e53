"""The expressions of workflows, as far as ours use them.

Source: docs.github.com, Evaluate expressions in workflows and actions. What is not known here is an
error: a template that needs more must extend this file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Context = Mapping[str, Any]
_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(\|\||&&|==|!=|[!()])|([\w.-]+))")
_EMBEDDED = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True)
class Progress:
    """How the steps before, or the jobs that a job needs, ended."""

    has_failed: bool = False
    is_cancelled: bool = False

    def calls(self) -> dict[str, Callable[[], bool]]:
        return {
            "always": lambda: True,
            "cancelled": lambda: self.is_cancelled,
            "failure": lambda: self.has_failed and not self.is_cancelled,
            "success": lambda: not self.has_failed and not self.is_cancelled,
        }


def filled(text: str, context: Context) -> str:
    """A text with the values of its expressions in place."""
    return _EMBEDDED.sub(lambda found: _as_text(evaluate(found[1], context, Progress())), text)


def holds(condition: str | None, context: Context, progress: Progress) -> bool:
    """Whether a step or a job with this `if:` runs. Without a status function, it needs success."""
    condition = condition or "success()"
    inside = _EMBEDDED.fullmatch(condition.strip())
    text = inside[1] if inside else condition
    if not re.search(r"\b(always|cancelled|failure|success)\(\)", text):
        text = f"success() && ({text})"
    return bool(evaluate(text, context, progress))


def evaluate(text: str, context: Context, progress: Progress) -> Any:
    """The value of an expression."""
    reader = _Reader(list(_tokens(text)), context, progress)
    value = reader.either()
    assert reader.at == len(reader.tokens), f"not understood: {text}"
    return value


def _tokens(text: str) -> Iterator[str]:
    rest = text.strip()
    while rest:
        found = _TOKEN.match(rest)
        assert found, f"not understood: {rest}"
        yield found[0].strip()
        rest = rest[found.end() :].strip()


class _Reader:
    """Reads tokens by precedence: `||`, then `&&`, then comparisons, then `!`."""

    def __init__(self, tokens: list[str], context: Context, progress: Progress) -> None:
        self.tokens, self.at = tokens, 0
        self._context, self._progress = context, progress

    def either(self) -> Any:
        value = self._both()
        while self._takes("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> Any:
        value = self._compared()
        while self._takes("&&"):
            other = self._compared()
            value = value and other
        return value

    def _compared(self) -> Any:
        value = self._single()
        for sign, wanted in (("==", True), ("!=", False)):
            if self._takes(sign):
                return (_as_text(value) == _as_text(self._single())) is wanted
        return value

    def _single(self) -> Any:
        if self._takes("!"):
            return not self._single()
        if self._takes("("):
            value = self.either()
            assert self._takes(")")
            return value
        token = self.tokens[self.at]
        self.at += 1
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if self._takes("("):
            assert self._takes(")")
            return self._progress.calls()[token]()
        return self._looked_up(token)

    def _looked_up(self, name: str) -> Any:
        """A value of a context. What an event or an output lacks is empty, as on GitHub."""
        first, *rest = name.split(".")
        value: Any = self._context[first]
        for key in rest:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def _takes(self, token: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] == token:
            self.at += 1
            return True
        return False


def _as_text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case _:
            return str(value)
