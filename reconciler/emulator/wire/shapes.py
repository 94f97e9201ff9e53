"""Values of the shapes of botocore's model: checked in requests, written in responses.

The client side of botocore checks neither patterns nor blob sizes; the service does. A message
names the member and the constraint, never the value: many of these shapes are `sensitive`.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import cache
from typing import Any

from reconciler.emulator.wire.errors import ApiError, invalid

# Java patterns that differ in Python, and a pattern whose nested repetition takes exponential time
# on a mismatch, rewritten to match the same texts in linear time.
_REWRITTEN = {
    r"\p{ASCII}{0,8192}": r"[\x00-\x7f]{0,8192}",
    r"[a-zA-Z0-9!-~]+([a-zA-Z0-9!-~ ]*[a-zA-Z0-9!-~]+)*": r"[!-~](?:[ -~]*[!-~])?",
}
_INTEGER = re.compile(r"-?[0-9]{1,18}")


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(_REWRITTEN.get(text, text), re.ASCII)


def broken(path: str, constraint: str) -> ApiError:
    """A ValidationException with the service's text."""
    return invalid(
        f"1 validation error detected: Value at '{path}' failed to satisfy constraint: {constraint}"
    )


def parse(shape: Any, value: Any, path: str) -> Any:
    """The Python value of a JSON value for a shape.

    Raises ValidationException where it does not fit.
    """
    return _PARSERS[shape.type_name](shape, value, path)


def parse_text(shape: Any, text: str, path: str) -> Any:
    """The same for a value that is text in the path or the query."""
    if shape.type_name == "boolean":
        if text not in ("true", "false"):
            raise broken(path, "Member must be a boolean")
        return text == "true"
    if shape.type_name == "integer":
        if not _INTEGER.fullmatch(text):
            raise broken(path, "Member must be an integer")
        return parse(shape, int(text), path)
    return parse(shape, text, path)


def _structure(shape: Any, value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise broken(path, "Member must be an object")
    parsed = {}
    for name, member in shape.members.items():
        given = value.get(member.serialization.get("name", name))
        if given is not None:
            parsed[name] = parse(member, given, f"{path}.{name}" if path else name)
    require(shape, parsed, path)
    if shape.metadata.get("union") and len(parsed) != 1:
        members = ", ".join(shape.members)
        raise broken(path, f"Exactly one of the members must be set: {members}")
    return parsed


def require(shape: Any, parsed: dict[str, Any], path: str) -> None:
    """Raise ValidationException with the first required member that is missing."""
    for name in shape.required_members:
        if name not in parsed:
            raise broken(f"{path}.{name}" if path else name, "Member must not be null")


def _list(shape: Any, value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise broken(path, "Member must be a list")
    _bounds(shape, len(value), path, "length")
    return [parse(shape.member, item, f"{path}.{n}") for n, item in enumerate(value, start=1)]


def _map(shape: Any, value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise broken(path, "Member must be an object")
    return {
        parse(shape.key, key, f"{path}.key"): parse(shape.value, item, f"{path}.value")
        for key, item in value.items()
    }


def _string(shape: Any, value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise broken(path, "Member must be a string")
    _bounds(shape, len(value), path, "length")
    if shape.enum and value not in shape.enum:
        raise broken(path, f"Member must satisfy enum value set: {list(shape.enum)}")
    pattern = shape.metadata.get("pattern")
    if pattern and not _pattern(pattern).fullmatch(value):
        raise broken(path, f"Member must satisfy regular expression pattern: {pattern}")
    return value


def _blob(shape: Any, value: Any, path: str) -> bytes:
    if not isinstance(value, str):
        raise broken(path, "Member must be a base64-encoded string")
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise broken(path, "Member must be a base64-encoded string") from None
    _bounds(shape, len(data), path, "length")
    return data


def _boolean(shape: Any, value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise broken(path, "Member must be a boolean")
    return value


def _integer(shape: Any, value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise broken(path, "Member must be an integer")
    _bounds(shape, value, path, "value")
    return value


def _timestamp(shape: Any, value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e12:
        raise broken(path, "Member must be a timestamp in epoch seconds")
    return float(value)


def _bounds(shape: Any, size: int, path: str, what: str) -> None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        raise broken(path, f"Member must have {what} greater than or equal to {least}")
    if most is not None and size > most:
        raise broken(path, f"Member must have {what} less than or equal to {most}")


_PARSERS = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "blob": _blob,
    "boolean": _boolean,
    "integer": _integer,
    "timestamp": _timestamp,
}


def serialize(shape: Any, value: Any) -> Any:
    """The JSON form of an output value. Explicit nulls stay, as in the answers of the service."""
    if value is None:
        return None
    kind = shape.type_name
    if kind == "structure":
        return {
            shape.members[name].serialization.get("name", name): serialize(
                shape.members[name], item
            )
            for name, item in value.items()
        }
    if kind == "list":
        return [serialize(shape.member, item) for item in value]
    if kind == "map":
        return {key: serialize(shape.value, item) for key, item in value.items()}
    if kind == "blob":
        return base64.b64encode(value).decode("ascii")
    return float(value) if kind == "timestamp" else value
