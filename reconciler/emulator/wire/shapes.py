"""Values of the shapes of botocore's model: read in requests, written in responses.

Reading checks the type of each value. `validation` checks the constraints. How the service words an
error of a type is not recorded.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import cache
from typing import Any

from reconciler.emulator.wire.errors import ApiError
from reconciler.emulator.wire.validation import Violation, below, refusal

_INTEGER = re.compile(r"-?[0-9]{1,18}")


def _mistyped(path: str, constraint: str) -> ApiError:
    return refusal([Violation(path, constraint)])


def parse(shape: Any, value: Any, path: str) -> Any:
    """The Python value of a JSON value for a shape.

    Raises ValidationException where it does not fit.
    """
    return _PARSERS[shape.type_name](shape, value, path)


def parse_text(shape: Any, text: str, path: str) -> Any:
    """The same for a value that is text in the path or the query."""
    if shape.type_name == "boolean":
        if text not in ("true", "false"):
            raise _mistyped(path, "Member must be a boolean")
        return text == "true"
    if shape.type_name == "integer":
        if not _INTEGER.fullmatch(text):
            raise _mistyped(path, "Member must be an integer")
        return parse(shape, int(text), path)
    return parse(shape, text, path)


def _structure(shape: Any, value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _mistyped(path, "Member must be an object")
    parsed = {}
    for name, member in shape.members.items():
        given = value.get(member.serialization.get("name", name))
        if given is not None:
            parsed[name] = parse(member, given, below(path, name))
    return parsed


def _list(shape: Any, value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise _mistyped(path, "Member must be a list")
    return [
        parse(shape.member, item, f"{path}.{number}.member")
        for number, item in enumerate(value, start=1)
    ]


def _map(shape: Any, value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _mistyped(path, "Member must be an object")
    return {
        parse(shape.key, key, f"{path}.key"): parse(shape.value, item, f"{path}.value")
        for key, item in value.items()
    }


def _string(shape: Any, value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise _mistyped(path, "Member must be a string")
    return value


def _blob(shape: Any, value: Any, path: str) -> bytes:
    if not isinstance(value, str):
        raise _mistyped(path, "Member must be a base64-encoded string")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise _mistyped(path, "Member must be a base64-encoded string") from None


def _boolean(shape: Any, value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise _mistyped(path, "Member must be a boolean")
    return value


def _integer(shape: Any, value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _mistyped(path, "Member must be an integer")
    return value


def _timestamp(shape: Any, value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e12:
        raise _mistyped(path, "Member must be a timestamp in epoch seconds")
    return float(value)


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
_AS_THEY_ARE = frozenset({"string", "boolean", "integer"})


def serialize(shape: Any, value: Any) -> Any:
    """The JSON form of an output value. Explicit nulls stay, as in the answers of the service."""
    if value is None:
        return None
    kind = shape.type_name
    if kind == "structure":
        members = _members(shape)
        return {
            members[name][0]: item
            if members[name][1] is None
            else serialize(members[name][1], item)
            for name, item in value.items()
        }
    if kind == "list":
        return [serialize(shape.member, item) for item in value]
    if kind == "map":
        return {key: serialize(shape.value, item) for key, item in value.items()}
    if kind == "blob":
        return base64.b64encode(value).decode("ascii")
    return float(value) if kind == "timestamp" else value


@cache
def _members(shape: Any) -> dict[str, tuple[str, Any]]:
    """The members of a structure: how each is written, and its shape unless it stays as it is."""
    return {
        name: (
            member.serialization.get("name", name),
            None if member.type_name in _AS_THEY_ARE else member,
        )
        for name, member in shape.members.items()
    }
