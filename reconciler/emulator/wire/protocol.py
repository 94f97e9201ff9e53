"""The protocol rest-json, driven by the model of the service in botocore.

Routes, locations, names and status codes all come from `service-2.json`. So the emulator parses
exactly what botocore serializes, and it routes a new operation of the model at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson
from botocore.loaders import Loader
from botocore.model import ServiceModel

from reconciler.emulator.wire import shapes, validation
from reconciler.emulator.wire.errors import ApiError

_NOT_ACCEPTABLE = "NotAcceptableException"
_LABEL = re.compile(r"\{(\w+)\}")
# Codes that rest-json services use and no service model lists, and codes of the emulator itself.
_STATUS_OF_COMMON_ERRORS = {
    "UnknownOperationException": 404,
    "SerializationException": 400,
    "ExpiredTokenException": 403,
    "ForbiddenOriginException": 403,
    "RequestTimeoutException": 408,
    "MisdirectedRequestException": 421,
}


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request; `target` is path and query, `accept` the header of that name."""

    method: str
    target: str
    body: bytes = b""
    accept: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Route:
    name: str
    pattern: re.Pattern[str]
    input: Any
    output: Any
    status: int
    refuses_media_types: bool


class Protocol:
    """Converts requests to (operation, parameters), and results and errors to responses."""

    def __init__(self, model: Any) -> None:
        self._routes: dict[str, list[_Route]] = {}
        self._by_name: dict[str, _Route] = {}
        for name in model.operation_names:
            operation = model.operation_model(name)
            route = _Route(
                name,
                _compile(operation.http["requestUri"]),
                operation.input_shape,
                operation.output_shape,
                operation.http.get("responseCode", 200),
                _NOT_ACCEPTABLE in [error.error_code for error in operation.error_shapes],
            )
            self._routes.setdefault(operation.http["method"], []).append(route)
            self._by_name[name] = route
        self._status_of = _STATUS_OF_COMMON_ERRORS | {
            shape.error_code: shape.metadata["error"]["httpStatusCode"]
            for shape in model.error_shapes
        }

    @property
    def operations(self) -> tuple[str, ...]:
        """The names of all operations of the model."""
        return tuple(sorted(self._by_name))

    def parse(self, request: Request) -> tuple[str, dict[str, Any]]:
        """The operation and its parameters by member name. Raises ApiError where they misfit.

        An operation that may answer NotAcceptableException gets an Accept header as `accept`.
        """
        path, _, query = request.target.partition("?")
        for route in self._routes.get(request.method, ()):
            match = route.pattern.fullmatch(path)
            if match:
                parameters = _parameters(route, match, query, request.body)
                if request.accept and route.refuses_media_types:
                    parameters["accept"] = request.accept
                return route.name, parameters
        raise ApiError("UnknownOperationException", "The requested operation is not known.")

    def serialize(self, operation: str, result: dict[str, Any]) -> Response:
        """The response of an operation; `result` goes by member name."""
        route = self._by_name[operation]
        headers = {"Content-Type": "application/json"}
        payload = route.output.serialization.get("payload")
        document = {}
        for name, value in result.items():
            member = route.output.members[name]
            if member.serialization.get("location") == "header":
                headers[member.serialization["name"]] = value
            elif name != payload:
                document[member.serialization.get("name", name)] = shapes.serialize(member, value)
        body = result[payload] if payload else orjson.dumps(document)
        return Response(route.status, body, headers)

    def serialize_error(self, error: ApiError) -> Response:
        """The response of an error, in the form that botocore and the other SDKs parse."""
        return Response(
            self._status_of.get(error.code, 400),
            orjson.dumps({"message": error.message}),
            {"Content-Type": "application/json", "x-amzn-ErrorType": error.code},
        )


@cache
def medical_imaging() -> Protocol:
    """The protocol of AWS HealthImaging, of the installed botocore."""
    name = "medical-imaging"
    return Protocol(ServiceModel(Loader().load_service_model(name, "service-2"), name))


def _compile(uri: str) -> re.Pattern[str]:
    # An ARN in a path holds slashes. Some clients do not escape them.
    def group(label: re.Match[str]) -> str:
        return f"(?P<{label[1]}>{'.+' if label[1] == 'resourceArn' else '[^/]+'})"

    return re.compile(_LABEL.sub(group, uri))


def _parameters(route: _Route, match: re.Match[str], query: str, body: bytes) -> dict[str, Any]:
    given = parse_qs(query, keep_blank_values=True) if query else {}
    payload = route.input.serialization.get("payload")
    parsed: dict[str, Any] = {}
    in_body = {}
    for name, member in route.input.members.items():
        location = member.serialization.get("location")
        wire_name = member.serialization.get("name", name)
        if location == "uri":
            parsed[name] = shapes.parse_text(member, unquote(match[wire_name]), name)
        elif location == "querystring":
            if wire_name in given:
                parsed[name] = _from_query(member, given[wire_name], name)
        else:
            in_body[name] = member
    if in_body:
        parsed |= _from_body(in_body, payload, body)
    validation.check(route.input, parsed)
    return parsed


def _from_query(member: Any, texts: list[str], name: str) -> Any:
    if member.type_name == "list":
        return shapes.parse(member, texts, name)
    return shapes.parse_text(member, texts[-1], name)


def _from_body(members: dict[str, Any], payload: str | None, body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ApiError("SerializationException", "The request body is not valid JSON.") from None
    if payload:
        return {payload: shapes.parse(members[payload], document, payload)}
    if not isinstance(document, dict):
        raise ApiError("SerializationException", "The request body is not a JSON object.")
    parsed = {}
    for name, member in members.items():
        value = document.get(member.serialization.get("name", name))
        if value is not None:
            parsed[name] = shapes.parse(member, value, validation.below("", name))
    return parsed
