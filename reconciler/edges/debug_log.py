"""The debug log (RECONCILE_DEBUG=1): what a run reads, calls and decides, without DICOM values.

It is an allow-list. A line holds facts of known kinds only, each of a known form, and no free text:
scrubbing a text of the service would have to know every way to write a value.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from reconciler.core.ports import Clock

VARIABLE = "RECONCILE_DEBUG"
HIDDEN = "(hidden)"


class Event(StrEnum):
    """What a line is about."""

    STARTED = "started"
    SETTINGS = "settings"
    MANIFESTS = "manifests"
    CONNECT = "connect"
    CREDENTIALS = "credentials"
    CONNECTION = "connection"
    CALL = "call"
    PLANNED = "planned"
    SENDING = "sending"
    OUTCOME = "outcome"
    ENDED = "ended"


class Fact(StrEnum):
    """The kinds of facts. A new kind needs a form that no DICOM value takes by accident."""

    COMMAND = "command"
    RELEASE = "version"
    PYTHON = "python"
    EXIT_CODE = "exitCode"
    COUNT = "count"
    DATASTORE = "datastore"
    DATASTORE_ID = "datastoreId"
    REGION = "region"
    IMAGE_SET = "imageSet"
    VERSION = "versionId"
    OPERATION = "operation"
    ATTEMPT = "attempt"
    HTTP_STATUS = "httpStatus"
    REQUEST_ID = "requestId"
    MILLISECONDS = "ms"
    ERROR = "error"
    STATE = "state"
    SOURCE = "source"
    HOST = "host"
    PORT = "port"
    STATUS = "status"
    RESULT = "result"
    CHANGES = "changes"
    CALLS = "calls"
    BLOCKS = "blocks"
    HAZARDS = "hazards"


_NUMBER = "[0-9]{1,12}"
_WORD = "[A-Za-z][A-Za-z-]{0,63}"
_NAME = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_FORMS = {
    Fact.COMMAND: _WORD,
    Fact.RELEASE: "[0-9][0-9a-z.+-]{0,40}",
    Fact.PYTHON: "[0-9][0-9a-z.+-]{0,40}",
    Fact.EXIT_CODE: _NUMBER,
    Fact.COUNT: _NUMBER,
    Fact.DATASTORE: _NAME,
    Fact.DATASTORE_ID: "[0-9a-z]{32}",
    Fact.REGION: "[a-z]{2}(?:-[a-z]{1,12}){1,3}-[0-9]{1,2}",
    Fact.IMAGE_SET: "[0-9a-z]{32}",
    Fact.VERSION: "[0-9]{1,18}",
    Fact.OPERATION: _WORD,
    Fact.ATTEMPT: _NUMBER,
    Fact.HTTP_STATUS: "[1-5][0-9]{2}",
    # AWS sends a UUID.
    Fact.REQUEST_ID: "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    Fact.MILLISECONDS: _NUMBER,
    Fact.ERROR: _WORD,
    Fact.STATE: "ACTIVE|LOCKED|DELETED",
    Fact.SOURCE: "[a-z][a-z-]{1,39}",
    Fact.HOST: r"[A-Za-z0-9.:\[\]-]{1,253}",
    Fact.PORT: "[0-9]{1,5}",
    Fact.STATUS: _WORD,
    Fact.RESULT: _WORD,
    Fact.CHANGES: _NUMBER,
    Fact.CALLS: _NUMBER,
    Fact.BLOCKS: _NUMBER,
    Fact.HAZARDS: "[A-Z_]{1,40}(?:,[A-Z_]{1,40})*",
}
_PATTERNS = {fact: re.compile(form) for fact, form in _FORMS.items()}

Facts: TypeAlias = Mapping[Fact, object]
Log: TypeAlias = Callable[[Event, Facts], None]


def is_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the user asks for the debug log."""
    return environment.get(VARIABLE) == "1"


def silent(event: Event, facts: Facts) -> None:
    """Log nothing."""


def log_to(write: Callable[[str], None], clock: Clock) -> Log:
    """Return a log that writes lines, each with the seconds since now."""
    began = clock.now()

    def log(event: Event, facts: Facts) -> None:
        # A closed stderr must not end a run, least of all between two writes.
        with contextlib.suppress(OSError):
            write(f"debug: {clock.now() - began:.3f} s: {line(event, facts)}")

    return log


def line(event: Event, facts: Facts) -> str:
    """Write an event and its facts; a fact that is None or "" is left out."""
    known = {fact: str(value) for fact, value in facts.items() if value is not None}
    return " ".join(
        [event, *(f"{fact}={_shown(fact, text)}" for fact, text in known.items() if text)]
    )


def _shown(fact: Fact, text: str) -> str:
    return text if _PATTERNS[fact].fullmatch(text) else HIDDEN
