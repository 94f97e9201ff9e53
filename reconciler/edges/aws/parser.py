"""Parse answers: plain JSON with orjson, all others with the parser of botocore.

botocore walks along the service model and makes a datetime in the local time zone for each
timestamp: most of the time of a search page. A plain answer needs neither, because each of its
values already has the type that the model asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import is_
from typing import Any

import orjson
from botocore.parsers import ResponseParserError, ResponseParserFactory, RestJSONParser

_Read = Callable[[Any], Any]

# The output shapes of the reads, apart from documents.
_READS = frozenset(
    {"GetImageSetResponse", "ListImageSetVersionsResponse", "SearchImageSetsResponse"}
)
# The type of a plain JSON value, by the type of its shape.
_TYPES = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "timestamp": float,
    "structure": dict,
    "list": list,
}
# The moments that botocore can convert in each time zone, in epoch seconds: 1970-01-02, 9999-12-30.
_EARLIEST, _LATEST = 86_400, 253_402_128_000


class Parsers(ResponseParserFactory):  # type: ignore[misc]
    """The component `response_parser_factory` of a session."""

    def __init__(self) -> None:
        super().__init__()
        self._parser = Parser()

    def create_parser(self, protocol_name: str) -> Any:
        """Return the one parser of REST JSON, which threads may share, or one of botocore."""
        is_ours = protocol_name == "rest-json"
        return self._parser if is_ours else super().create_parser(protocol_name)


class Parser(RestJSONParser):  # type: ignore[misc]
    """Gives what botocore gives, but a timestamp of a read may be a number of epoch seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._readers: dict[str, _Read] = {}

    def parse(self, response: Mapping[str, Any], shape: Any) -> Any:
        """Parse a response by its output shape. Raises ResponseParserError, without a value."""
        content = self._plain(response, shape)
        if content is None:
            return self._by_botocore(response, shape)
        # An empty body leaves ResponseMetadata alone: the request ID, the status and the headers.
        return {**content, **super().parse({**response, "body": b""}, shape)}

    def _by_botocore(self, response: Mapping[str, Any], shape: Any) -> Any:
        """botocore raises what Python raises for a value of another type, and Python quotes it."""
        try:
            return super().parse(response, shape)
        except (ResponseParserError, UnicodeDecodeError):
            raise
        except Exception as error:
            raise ResponseParserError(type(error).__name__) from None

    def _plain(self, response: Mapping[str, Any], shape: Any) -> Any:
        """Return the members of a plain answer to a read, None for any other answer."""
        if shape is None or shape.name not in _READS or response["status_code"] != 200:
            return None
        try:
            content = orjson.loads(response["body"])
            return self._reader(shape)(content) if type(content) is dict else None
        except (_NotPlainError, orjson.JSONDecodeError):
            return None

    def _reader(self, shape: Any) -> _Read:
        if shape.name not in self._readers:
            self._readers[shape.name] = _reader(shape)
        return self._readers[shape.name]


class _NotPlainError(Exception):
    """An answer, or a service model, that needs the parser of botocore."""


def _reader(shape: Any) -> _Read:
    """Return a function that returns a plain JSON value of this shape without its nulls.

    The function raises _NotPlainError for a value that botocore would convert.
    """
    if shape.serialization:
        raise _NotPlainError
    match shape.type_name:
        case "structure" if not (shape.is_document_type or shape.is_tagged_union):
            return _structure(shape.members)
        case "list":
            return _list(_reader(shape.member))
        case "timestamp":
            return _moment
        case name if name in _TYPES:
            return _same
        case _:
            raise _NotPlainError


def _structure(members: Mapping[str, Any]) -> _Read:
    types = {name: _TYPES.get(member.type_name) for name, member in members.items()}
    readers = {name: _reader(member) for name, member in members.items()}
    inner = [(name, read) for name, read in readers.items() if read is not _same]

    def read(value: dict[str, Any]) -> dict[str, Any]:
        # Nearly always true, and faster than a loop in Python.
        if not all(map(is_, map(type, value.values()), map(types.get, value))):
            value = _known(value, types)
        for name, read_member in inner:
            if name in value:
                value[name] = read_member(value[name])
        return value

    return read


def _known(value: dict[str, Any], types: Mapping[str, type | None]) -> dict[str, Any]:
    """Leave out null and unknown members, as botocore does."""
    found = {name: one for name, one in value.items() if one is not None and name in types}
    for name, one in found.items():
        if type(one) is not types[name] and not (types[name] is float and type(one) is int):
            raise _NotPlainError
    return found


def _list(read_one: _Read) -> _Read:
    def read(value: list[Any]) -> list[Any]:
        if not all(type(one) is dict for one in value):
            raise _NotPlainError
        return [read_one(one) for one in value]

    return read


def _moment(value: float) -> float:
    if not _EARLIEST <= value <= _LATEST:
        raise _NotPlainError
    return value


def _same(value: Any) -> Any:
    return value
