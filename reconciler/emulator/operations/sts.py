"""STS GetCallerIdentity on the same port, for clients that check the account first.

The query protocol: a form in the body, XML in the answer (AWS STS API reference).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from reconciler.emulator.operations.context import ACCOUNT_ID, Context, Parameters, Result
from reconciler.emulator.wire.errors import ApiError
from reconciler.emulator.wire.protocol import Request, Response

OPERATION = "GetCallerIdentity"
_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_VERSION = "2011-06-15"
# Names of errors of rest-json that differ in the query protocol.
_CODES = {
    "ExpiredTokenException": (403, "ExpiredToken"),
    "ThrottlingException": (400, "Throttling"),
    "InternalServerException": (500, "InternalFailure"),
    "InvalidAction": (400, "InvalidAction"),
}


def get_caller_identity(context: Context, parameters: Parameters) -> Result:
    """GetCallerIdentity. Every caller is the user of the account: no credentials are checked."""
    return {
        "Arn": f"arn:aws:iam::{ACCOUNT_ID}:user/emulator",
        "UserId": "AIDAEMULATOR",
        "Account": ACCOUNT_ID,
    }


def is_query(request: Request) -> bool:
    """Whether a request uses the query protocol. HealthImaging has nothing at `/`."""
    return request.target.partition("?")[0] == "/" and request.method == "POST"


def answer(request: Request, call: Callable[[str, dict[str, Any]], Result]) -> Response:
    """The response to a request of the query protocol."""
    try:
        form = parse_qs(request.body.decode("ascii", "replace"))
        if form.get("Action") != [OPERATION] or form.get("Version") != [_VERSION]:
            raise ApiError("InvalidAction", f"This emulator offers {OPERATION} only.")
        return _xml(200, f"{OPERATION}Response", f"{OPERATION}Result", call(OPERATION, {}))
    except ApiError as error:
        status, code = _CODES.get(error.code, (400, error.code))
        kind = "Receiver" if status >= 500 else "Sender"
        description = {"Type": kind, "Code": code, "Message": error.message}
        return _xml(status, "ErrorResponse", "Error", description)


def _xml(status: int, root: str, inner: str, members: dict[str, Any]) -> Response:
    text = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in members.items())
    request_id = f"<RequestId>{uuid.uuid4()}</RequestId>"
    if status == 200:
        request_id = f"<ResponseMetadata>{request_id}</ResponseMetadata>"
    body = f'<{root} xmlns="{_NAMESPACE}"><{inner}>{text}</{inner}>{request_id}</{root}>'
    return Response(status, body.encode(), {"Content-Type": "text/xml"})
