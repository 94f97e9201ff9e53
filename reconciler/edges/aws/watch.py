"""Watches botocore for the debug log: every HTTP request, by facts that hold no DICOM value.

botocore's own log records hold bodies, headers and signatures. So no text of them is printed:
each line is made anew, from the events of botocore and from a few known log messages.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Any

from reconciler.edges.aws.codes import shown_code
from reconciler.edges.debug_log import HIDDEN, Event, Fact, Facts, Log, silent

_LIBRARIES = ("boto3", "botocore", "urllib3")
_NEVER = logging.CRITICAL + 1
_IMAGE_SET = re.compile(r"/imageSet/([^/?]+)")
_QUERY_VERSIONS = ("version", "latestVersion")


def _source(arguments: tuple[Any, ...]) -> Facts:
    return {Fact.SOURCE: arguments[0]}


def _host(arguments: tuple[Any, ...]) -> Facts:
    return {Fact.HOST: arguments[-2], Fact.PORT: arguments[-1]}


def _host_alone(arguments: tuple[Any, ...]) -> Facts:
    return {Fact.HOST: arguments[0]}


# The log messages that are worth a line: by logger and format, the event, and its facts.
_RECORDS: dict[tuple[str, str], tuple[Event, Callable[[tuple[Any, ...]], Facts]]] = {
    ("botocore.credentials", "Looking for credentials via: %s"): (Event.CREDENTIALS, _source),
    ("urllib3.connectionpool", "Starting new HTTP connection (%d): %s:%s"): (
        Event.CONNECTION,
        _host,
    ),
    ("urllib3.connectionpool", "Starting new HTTPS connection (%d): %s:%s"): (
        Event.CONNECTION,
        _host,
    ),
    ("urllib3.connectionpool", "Resetting dropped connection: %s"): (
        Event.CONNECTION,
        _host_alone,
    ),
}


class _Handler(logging.Handler):
    """Takes the records of a library; logs facts of those that are known, and no text."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        known = _RECORDS.get((record.name, str(record.msg)))
        if known and isinstance(record.args, tuple):
            event, facts = known
            self._log(event, facts(record.args))


def take_over_logs(log: Log) -> None:
    """Silence boto3, botocore and urllib3, but for the known messages, which go to `log` alone.

    At DEBUG they log bodies. Their warnings hold values, too: urllib3 quotes headers that it cannot
    parse, and Python prints a warning that no handler takes to stderr.
    """
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(_NEVER)
    for name in sorted({name for name, _ in _RECORDS}):
        logger = logging.getLogger(name)
        logger.setLevel(logging.NOTSET if log is silent else logging.DEBUG)
        logger.handlers = [] if log is silent else [_Handler(log)]
        logger.propagate = log is silent


def watch(client: Any, log: Log) -> None:
    """Log every HTTP request of a client when it has ended."""
    if log is silent:
        return
    service = client.meta.service_model.service_id.hyphenize()
    began = threading.local()

    def sent(**_: Any) -> None:
        began.at = time.monotonic()

    def ended(**found: Any) -> None:
        """Log a request. Returning None leaves the decision on a retry to botocore."""
        seconds = time.monotonic() - getattr(began, "at", time.monotonic())
        log(Event.CALL, {**_asked(found), **_answered(found), Fact.MILLISECONDS: _ms(seconds)})

    client.meta.events.register(f"before-send.{service}", sent)
    client.meta.events.register(f"needs-retry.{service}", ended)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _asked(found: dict[str, Any]) -> Facts:
    request = found["request_dict"]
    image_set = _IMAGE_SET.search(request.get("url_path", ""))
    query = request.get("query_string") or {}
    version = next((query[name] for name in _QUERY_VERSIONS if name in query), None)
    return {
        Fact.OPERATION: found["operation"].name,
        Fact.IMAGE_SET: image_set and image_set[1],
        Fact.VERSION: version,
        Fact.ATTEMPT: found["attempts"],
    }


def _answered(found: dict[str, Any]) -> Facts:
    if found["response"] is None:
        return {Fact.ERROR: type(found["caught_exception"]).__name__}
    http, parsed = found["response"]
    code = str(parsed.get("Error", {}).get("Code", ""))
    return {
        Fact.HTTP_STATUS: http.status_code,
        Fact.ERROR: code and (shown_code(code) or HIDDEN),
        Fact.STATE: parsed.get("imageSetState"),
        Fact.REQUEST_ID: parsed.get("ResponseMetadata", {}).get("RequestId"),
    }
