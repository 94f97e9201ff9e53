"""Answers any request: of AWS HealthImaging, of STS, or of the paths of the emulator itself."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs

from reconciler.emulator.files.seeding import Seeding
from reconciler.emulator.http.dispatch import ConnectionReset, Dispatcher
from reconciler.emulator.operations import sts
from reconciler.emulator.store.image_frames import ImageFrame
from reconciler.emulator.trouble.faults import FaultSet, parse_faults
from reconciler.emulator.wire import exact_json
from reconciler.emulator.wire.errors import ApiError, invalid
from reconciler.emulator.wire.protocol import Protocol, Request, Response

_MOST_SEEDED = 1000  # of one request; other writers wait for its transaction
# None: must be given.
_SEEDING: dict[str, int | None] = {
    "imageSets": None, "studies": None, "instances": 2, "nonPrimaryPercent": 0, "seed": 0,
    "first": None, "count": None,
}  # fmt: skip


def answer(protocol: Protocol, dispatcher: Dispatcher, request: Request) -> Response:
    """The response to any request. A bug of the emulator is a 500 without details.

    Raises ConnectionReset where a fault leaves the client without a response.
    """
    try:
        if sts.is_query(request):
            return sts.answer(request, dispatcher.call)
        own = _own(request)
        if own is not None:
            return own(protocol, dispatcher, request)
        operation, parameters = protocol.parse(request)
        return protocol.serialize(operation, dispatcher.call(operation, parameters))
    except ApiError as error:
        return protocol.serialize_error(error)
    except ConnectionReset:
        raise
    except Exception as error:
        report(error)
        return protocol.serialize_error(
            ApiError(
                "InternalServerException",
                "The emulator failed. Its standard error output states the reason.",
            )
        )


def report(error: BaseException) -> None:
    """The kind of an error and its place.

    The text of the error may hold a DICOM value, so it is left out.
    """
    trace, place = error.__traceback__, ""
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    sys.stderr.write(f"emulator: {type(error).__name__} at {place}\n")


_Own = Callable[[Protocol, Dispatcher, Request], Response]


def _own(request: Request) -> _Own | None:
    """The handler of a path of the emulator itself; None for other paths."""
    path = request.target.partition("?")[0]
    if not path.startswith("/_emulator/"):
        return None
    for method, pattern, handler in _PATHS:
        if request.method == method and pattern.fullmatch(path):
            return handler
    return None


def _load(protocol: Protocol, dispatcher: Dispatcher, request: Request) -> Response:
    """Load `{"document", "imageSetId", "primary"?, "datastoreName"?}` into a data store."""
    given = _object(request.body)
    if not {"document", "imageSetId"} <= given.keys():
        raise invalid("The body must have document and imageSetId.")
    name, primary = given.get("datastoreName"), given.get("primary")
    if not isinstance(name, str | None) or not isinstance(primary, bool | None):
        raise invalid("datastoreName must be a string, primary true, false or null.")
    datastore_id = request.target.split("/")[3]
    dispatcher.service.ensure_datastore(datastore_id, name)
    loaded = dispatcher.service.load(
        datastore_id, given["document"], image_set_id=given["imageSetId"], primary=primary
    )
    return _json(asdict(loaded))


def _keep_frame(protocol: Protocol, dispatcher: Dispatcher, request: Request) -> Response:
    """Keep the bytes of a frame for the image sets of the data store that name it."""
    path, _, query = request.target.partition("?")
    _, _, _, datastore_id, _, frame_id = path.split("/")
    content_type = parse_qs(query).get("contentType", ["application/octet-stream"])[0]
    if not re.fullmatch(r"[\w.+-]+/[\w.+-]+", content_type, re.ASCII):
        raise invalid("The contentType is not a media type.")
    dispatcher.service.ensure_datastore(datastore_id)
    dispatcher.service.keep_frame(datastore_id, ImageFrame(frame_id, content_type, request.body))
    return _json({})


def _seed(protocol: Protocol, dispatcher: Dispatcher, request: Request) -> Response:
    """Load a chunk of synthetic image sets: `{"imageSets", "studies", "instances"?,
    "nonPrimaryPercent"?, "seed"?, "first", "count"}`."""
    given = _object(request.body)
    numbers: list[Any] = [given.get(name, default) for name, default in _SEEDING.items()]
    if given.keys() - _SEEDING.keys() or not all(type(one) is int for one in numbers):
        raise invalid(f"The body must have whole numbers as {', '.join(_SEEDING)}.")
    image_sets, studies, instances, percent, seed, first, count = numbers
    try:
        seeding = Seeding(
            image_sets=image_sets, studies=studies, instances=instances,
            non_primary_percent=percent, seed=seed,
        )  # fmt: skip
    except ValueError as error:
        raise invalid(f"The numbers do not fit: {error}.") from None
    if first < 0 or not 0 <= count <= _MOST_SEEDED:
        raise invalid(f"first must be 0 or more, count at most {_MOST_SEEDED}.")
    datastore_id = request.target.split("/")[3]
    dispatcher.service.ensure_datastore(datastore_id)
    wanted = range(first, min(first + count, image_sets))
    return _json({"loaded": dispatcher.service.load_synthetic(datastore_id, seeding, wanted)})


def _counters(protocol: Protocol, dispatcher: Dispatcher, request: Request) -> Response:
    return _json(dispatcher.counters())


def _get_faults(protocol: Protocol, dispatcher: Dispatcher, request: Request) -> Response:
    return _json(dispatcher.faults.describe())


def _put_faults(protocol: Protocol, dispatcher: Dispatcher, request: Request) -> Response:
    try:
        faults = parse_faults(request.body, (*protocol.operations, sts.OPERATION))
    except ValueError as error:
        raise invalid(str(error)) from None
    dispatcher.faults.replace(faults)
    return _get_faults(protocol, dispatcher, request)


def _delete_faults(protocol: Protocol, dispatcher: Dispatcher, request: Request) -> Response:
    dispatcher.faults.replace(FaultSet())
    return _get_faults(protocol, dispatcher, request)


_PATHS: tuple[tuple[str, re.Pattern[str], _Own], ...] = (
    ("POST", re.compile(r"/_emulator/datastore/[^/]+/load"), _load),
    ("POST", re.compile(r"/_emulator/datastore/[^/]+/seed"), _seed),
    ("PUT", re.compile(r"/_emulator/datastore/[^/]+/frame/[0-9a-f]{32}"), _keep_frame),
    ("GET", re.compile(r"/_emulator/counters"), _counters),
    ("GET", re.compile(r"/_emulator/faults"), _get_faults),
    ("PUT", re.compile(r"/_emulator/faults"), _put_faults),
    ("DELETE", re.compile(r"/_emulator/faults"), _delete_faults),
)


def _object(body: bytes) -> dict[str, Any]:
    try:
        given = exact_json.loads(body)
    except exact_json.JsonError as error:
        raise ApiError("SerializationException", f"The request body {error}.") from None
    if not isinstance(given, dict):
        raise invalid("The body must be a JSON object.")
    return given


def _json(value: dict[str, Any]) -> Response:
    return Response(200, exact_json.dumps(value), {"Content-Type": "application/json"})
