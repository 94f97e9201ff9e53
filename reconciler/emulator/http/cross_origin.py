"""The headers that let a web page of an allowed origin call the emulator.

They are those of https://fetch.spec.whatwg.org/#http-cors-protocol. `access` decides which origins
are allowed.
"""

from __future__ import annotations

import re
from email.message import Message

from reconciler.emulator.wire.protocol import Response

_METHODS = "DELETE, GET, POST, PUT"
# The JavaScript SDK reads these. Without this header, a browser hides all but a few.
_EXPOSED = "Content-Encoding, x-amzn-ErrorType, x-amzn-RequestId"
_PREFLIGHT_SECONDS = "600"
# Names of header fields (RFC 9110 section 5.1), separated by commas.
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_NAMES = re.compile(rf"{_NAME}(?: ?, ?{_NAME})*")
_MOST_NAMES = 4096


def visible(origin: str) -> dict[str, str]:
    """The headers of every answer to a page of an allowed origin; none for other requests."""
    if not origin:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": _EXPOSED,
        "Vary": "Origin",
    }


def is_preflight(method: str, headers: Message) -> bool:
    """Whether a browser asks for permission, before the request itself."""
    return method == "OPTIONS" and "Access-Control-Request-Method" in headers


def permission(headers: Message) -> Response:
    """The answer to a preflight request of an allowed origin, without the headers of `visible`."""
    allowed = {
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Max-Age": _PREFLIGHT_SECONDS,
    }
    names = ",".join(headers.get_all("Access-Control-Request-Headers", ()))
    if len(names) <= _MOST_NAMES and _NAMES.fullmatch(names):
        allowed["Access-Control-Allow-Headers"] = names
    return Response(200, b"", allowed)
