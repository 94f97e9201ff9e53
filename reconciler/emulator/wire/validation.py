"""The constraints of the service model in requests, worded as the service words them.

AWS's JavaScript example of GetDatastore has such a message recorded. The words of the other
constraints are those that other services of AWS answer with. A value is quoted, unless the model
marks its shape, or a shape around it, as sensitive.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from reconciler.emulator.wire.errors import ApiError, invalid

# Java patterns that differ in Python, and a pattern whose nested repetition takes exponential time
# on a mismatch, rewritten to match the same texts in linear time.
_REWRITTEN = {
    r"\p{ASCII}{0,8192}": r"[\x00-\x7f]{0,8192}",
    r"[a-zA-Z0-9!-~]+([a-zA-Z0-9!-~ ]*[a-zA-Z0-9!-~]+)*": r"[!-~](?:[ -~]*[!-~])?",
}
_NOT_NULL = "Member must not be null"


@dataclass(frozen=True, slots=True, repr=False)
class Violation:
    """A broken constraint, and the text of the value; None leaves the value out."""

    path: str
    constraint: str
    value: str | None = None

    def __str__(self) -> str:
        value = "" if self.value is None else f" {self.value}"
        return f"Value{value} at '{self.path}' failed to satisfy constraint: {self.constraint}"


def refusal(violations: list[Violation]) -> ApiError:
    """The ValidationException of these violations."""
    errors = "error" if len(violations) == 1 else "errors"
    texts = "; ".join(map(str, violations))
    return invalid(f"{len(violations)} validation {errors} detected: {texts}")


def check(shape: Any, parameters: dict[str, Any]) -> None:
    """Raise ValidationException with all constraints that the parameters break."""
    found = [*_structure(shape, parameters, "", is_hidden=False)]
    if found:
        raise refusal(found)


def below(path: str, name: str) -> str:
    """The path of a member. AWS's services begin each name with a small letter: `sAMLOptions`."""
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name


def _violations(shape: Any, value: Any, path: str, *, is_hidden: bool) -> Iterator[Violation]:
    is_hidden = is_hidden or bool(shape.metadata.get("sensitive"))
    if shape.type_name == "structure":
        yield from _structure(shape, value, path, is_hidden=is_hidden)
        return
    quoted = None if is_hidden or _holds_sensitive(shape) else f"'{_text(value)}'"
    for constraint in _constraints(shape):
        if not constraint.is_met(value):
            yield Violation(path, constraint.text, quoted)
    if shape.type_name == "list":
        yield from _list(shape, value, path, quoted, is_hidden=is_hidden)
    elif shape.type_name == "map":
        yield from _map(shape, value, path, quoted)


def _structure(shape: Any, value: Any, path: str, *, is_hidden: bool) -> Iterator[Violation]:
    for name, member in shape.members.items():
        if name in value:
            yield from _violations(member, value[name], below(path, name), is_hidden=is_hidden)
        elif name in shape.required_members:
            hidden = is_hidden or member.metadata.get("sensitive")
            yield Violation(below(path, name), _NOT_NULL, None if hidden else "null")
    if shape.metadata.get("union") and len(value) != 1:
        members = ", ".join(shape.members)
        yield Violation(path, f"Exactly one of the members must be set: {members}")


def _list(
    shape: Any, value: list[Any], path: str, quoted: str | None, *, is_hidden: bool
) -> Iterator[Violation]:
    if shape.member.type_name in ("structure", "list", "map"):
        for number, item in enumerate(value, start=1):
            item_path = f"{path}.{number}.member"
            yield from _violations(shape.member, item, item_path, is_hidden=is_hidden)
    else:
        yield from _of_all("Member", shape.member, value, path, quoted)


def _map(shape: Any, value: dict[str, Any], path: str, quoted: str | None) -> Iterator[Violation]:
    yield from _of_all("Map keys", shape.key, value.keys(), path, quoted)
    yield from _of_all("Map value", shape.value, value.values(), path, quoted)


def _of_all(
    what: str, shape: Any, values: Iterable[Any], path: str, quoted: str | None
) -> Iterator[Violation]:
    """One violation for the whole list or map, which names all constraints of its values."""
    constraints = [*_constraints(shape)]
    if not all(constraint.is_met(value) for value in values for constraint in constraints):
        texts = ", ".join(constraint.text for constraint in constraints)
        yield Violation(path, f"{what} must satisfy constraint: [{texts}]", quoted)


@dataclass(frozen=True, slots=True)
class _Constraint:
    text: str
    is_met: Callable[[Any], bool]


def _constraints(shape: Any) -> Iterator[_Constraint]:
    metadata, is_number = shape.metadata, shape.type_name == "integer"
    what, size = ("value", int) if is_number else ("length", len)
    least, most, pattern = metadata.get("min"), metadata.get("max"), metadata.get("pattern")
    values = shape.enum if shape.type_name == "string" else []
    if most is not None:
        text = f"Member must have {what} less than or equal to {most}"
        yield _Constraint(text, lambda value: size(value) <= most)
    if least is not None:
        text = f"Member must have {what} greater than or equal to {least}"
        yield _Constraint(text, lambda value: size(value) >= least)
    if values:
        text = f"Member must satisfy enum value set: [{', '.join(values)}]"
        yield _Constraint(text, lambda value: value in values)
    if pattern:
        text = f"Member must satisfy regular expression pattern: {pattern}"
        yield _Constraint(text, lambda value: bool(_pattern(pattern).fullmatch(value)))


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(_REWRITTEN.get(text, text), re.ASCII)


def _holds_sensitive(shape: Any) -> bool:
    """Whether the text of a value would hold the value of a sensitive shape."""
    if shape.metadata.get("sensitive"):
        return True
    match shape.type_name:
        case "structure":
            return any(map(_holds_sensitive, shape.members.values()))
        case "list":
            return _holds_sensitive(shape.member)
        case "map":
            return _holds_sensitive(shape.key) or _holds_sensitive(shape.value)
    return False


def _text(value: Any) -> str:
    """A value as Java prints it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}={_text(item)}' for key, item in value.items())}}}"
    return str(value).lower() if isinstance(value, bool) else str(value)
