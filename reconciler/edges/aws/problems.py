"""botocore's exceptions -> our errors, each with its cause and what to do next.

Messages contain no part of a request: ParamValidationError quotes rejected values, and so do the
reprs of botocore's request dicts. The service's own text may contain values, too: it stays in
`ServiceError.said`. `from None` keeps all of it out of tracebacks.
"""

from __future__ import annotations

import ssl
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from reconciler.core.errors import (
    AccessDeniedError,
    ConflictError,
    CredentialsError,
    NoAnswerError,
    NotFoundError,
    RejectedError,
    ServiceError,
    ThrottledError,
    UnreachableError,
)
from reconciler.edges.aws.codes import shown_code


@dataclass(frozen=True, slots=True)
class Target:
    """The data store of a call; `endpoint` is None for AWS.

    Without `datastore_id` the call is to STS, for the account of this data store.
    """

    name: str
    datastore_id: str
    region: str
    endpoint: str | None

    @property
    def title(self) -> str:
        """The name of the data store in messages."""
        where = self.endpoint or self.region
        if not self.datastore_id:
            return self.endpoint or f"AWS STS in {self.region}"
        return f"data store {self.name} ({self.datastore_id}, {where})"


# Credentials failed before anything was sent.
_CREDENTIALS: tuple[type[Exception], ...] = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.TokenRetrievalError,
    boto.SSOError,
    boto.LoginError,
    boto.NoAuthTokenError,
    boto.ProfileNotFound,
    boto.ConfigNotFound,
    boto.ConfigParseError,
    boto.InvalidConfigError,
    boto.InfiniteLoopConfigError,
    boto.RefreshWithMFAUnsupportedError,
    boto.MetadataRetrievalError,
)
# There was no connection: nothing was sent.
_UNREACHABLE: tuple[type[Exception], ...] = (
    boto.EndpointConnectionError,
    boto.ConnectTimeoutError,
    boto.ProxyConnectionError,
    boto.SSLError,
    boto.InvalidProxiesConfigError,
)
# The connection broke after the request may have been sent.
_NO_ANSWER: tuple[type[Exception], ...] = (
    boto.HTTPClientError,
    boto.IncompleteReadError,
    boto.ReadTimeoutError,
)

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_BAD_KEYS = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "AuthFailure",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestTimeTooSkewed",
    }
)
_BY_CODE: dict[str, type[ServiceError]] = {
    "ResourceNotFoundException": NotFoundError,
    "AccessDeniedException": AccessDeniedError,
    "AccessDenied": AccessDeniedError,
    "ConflictException": ConflictError,
    "ThrottlingException": ThrottledError,
    "Throttling": ThrottledError,
    "TooManyRequestsException": ThrottledError,
    "RequestLimitExceeded": ThrottledError,
    "ValidationException": RejectedError,
    "ServiceQuotaExceededException": RejectedError,
    "InternalServerException": NoAnswerError,
    "ServiceUnavailableException": NoAnswerError,
}
_BY_STATUS: dict[int, type[ServiceError]] = {
    401: CredentialsError,
    403: AccessDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: ThrottledError,
}


_DENIED_HINT = "Check that the caller's medical-imaging permissions include this image set."


@contextmanager
def translated(operation: str, target: Target, image_set_id: str = "") -> Iterator[None]:
    """Translate every exception of botocore into an error of ours."""
    try:
        yield
    except boto.ClientError as error:
        raise _from_answer(error, operation, target, image_set_id) from None
    except boto.BotoCoreError as error:
        raise _from_botocore(error, operation, target) from None
    except Exception as error:
        if _is_of_the_credentials(error):
            raise _credentials(_credential_text(error), operation, type(error).__name__) from None
        if not isinstance(error, ResponseParserError | KeyError | UnicodeDecodeError):
            raise
        # For a 200 whose body is not JSON (a page of a proxy), botocore returns an empty answer.
        # It does not catch that a body is no UTF-8.
        raise _broken(operation, target, type(error).__name__) from None


@contextmanager
def checked_endpoint(target: Target) -> Iterator[None]:
    """Report an endpoint that is not a URL: botocore raises ValueError for it."""
    try:
        yield
    except ValueError:
        raise RejectedError(
            f"the endpoint {target.endpoint} is not a URL such as http://127.0.0.1:8080",
            f"Fix datastores.{target.name}.endpoint in reconciler.yaml.",
            operation="Connect",
        ) from None


def _from_answer(error: Any, operation: str, target: Target, image_set_id: str) -> ServiceError:
    body = error.response.get("Error", {})
    code, said = shown_code(str(body.get("Code", ""))), str(body.get("Message", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _EXPIRED:
        return _credentials("the AWS credentials have expired", operation, code)
    if code in _BAD_KEYS:
        return _credentials(f"AWS does not accept the credentials ({code})", operation, code)
    kind = _kind(code, status)
    about_all = kind is CredentialsError or not image_set_id
    shown = code or f"HTTP {status}"
    if about_all and kind in (AccessDeniedError, CredentialsError, NotFoundError):
        return kind(
            _cannot_see(target, operation, shown),
            _cannot_see_hint(target),
            **_of(code, operation),
            said=said,
        )
    where = f"image set {image_set_id} in {target.title}" if image_set_id else target.title
    sentence = _sentence(kind, code, operation)
    hint = _SAID_HINT if said and kind is RejectedError else ""
    return kind(
        f"{operation}: {where}: {sentence} ({shown})",
        _DENIED_HINT if kind is AccessDeniedError else hint,
        **_of(code, operation),
        said=said,
    )


def _sentence(kind: type[ServiceError], code: str, operation: str) -> str:
    """Describe an answer in our own words: the service's text may contain values."""
    if kind is NotFoundError:
        if operation == "UpdateImageSetMetadata":
            return "it does not exist, or the version of the request is not the latest"
        return "it does not exist, or it has no such version"
    return _BY_MEANING.get(code) or _MEANING.get(kind, "the service rejects the request")


_SAID_HINT = (
    "A terminal or `--show-values` shows the service's own message, which may contain values."
)
_BY_MEANING = {
    "ValidationException": "the service rejects the request as invalid",
    "ServiceQuotaExceededException": "the request exceeds a quota of the account",
}
_MEANING: dict[type[ServiceError], str] = {
    AccessDeniedError: "the credentials have no permission for this call",
    ConflictError: "it is LOCKED by another operation",
    ThrottledError: "the account exceeds its request rate",
    NoAnswerError: "the service failed to answer",
}


def _kind(code: str, status: int) -> type[ServiceError]:
    known = _BY_CODE.get(code) or _BY_STATUS.get(status)
    if known:
        return known
    # After a 4xx nothing was changed. Any other status proves nothing.
    return RejectedError if 400 <= status < 500 else NoAnswerError


def _of(code: str, operation: str) -> dict[str, str]:
    return {"code": code, "operation": operation}


def _cannot_see(target: Target, operation: str, code: str) -> str:
    return (
        f"{operation}: cannot access {target.title}: it does not exist, "
        f"or the credentials have no permission for it ({code})"
    )


def _cannot_see_hint(target: Target) -> str:
    """Return the hint for 403 and 404: both were observed for a missing data store."""
    place = "endpoint" if target.endpoint else "region"
    keys = f"datastoreId and {place}" if target.datastore_id else place
    hint = f"Check {keys} under datastores.{target.name} in reconciler.yaml"
    return f"{hint}." if target.endpoint else f"{hint}, and the caller's permissions."


def _is_of_the_credentials(error: Exception) -> bool:
    """Whether botocore failed while it loaded credentials, before anything was sent.

    A credential process may cause any Python exception: a `RuntimeError` if it returns expired
    credentials, an `OSError` if the program does not exist.
    """
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == "botocore.credentials" for frame, _ in frames)


def _from_botocore(error: Exception, operation: str, target: Target) -> ServiceError:
    code = type(error).__name__
    if isinstance(error, _CREDENTIALS):
        return _credentials(_credential_text(error), operation, code)
    if operation == "UpdateImageSetMetadata" and _may_have_been_sent(error):
        return _broken(operation, target, code)
    if isinstance(error, _UNREACHABLE):
        return _unreachable(operation, target, code)
    if isinstance(error, _NO_ANSWER):
        return _broken(operation, target, code)
    return RejectedError(
        f"{operation}: {target.title}: boto3 rejects the request ({code})", **_of(code, operation)
    )


def _may_have_been_sent(error: Exception) -> bool:
    """Whether an error may have come after the request was sent.

    TLS may fail at any byte, even in the answer. Only certificates are checked before the request.
    """
    if not isinstance(error, boto.SSLError):
        return False
    cause = error.kwargs.get("error")
    return not any(
        isinstance(one, ssl.SSLCertVerificationError) for one in getattr(cause, "args", ())
    )


def _broken(operation: str, target: Target, code: str) -> NoAnswerError:
    return NoAnswerError(
        f"{operation}: {target.title}: the connection broke before the end of the answer ({code})",
        "It is not known whether the call took effect. Run the command again to find out.",
        **_of(code, operation),
    )


def _credential_text(error: Exception) -> str:
    match error:
        case boto.NoCredentialsError():
            return "no AWS credentials were found"
        case boto.PartialCredentialsError():
            return "the AWS credentials are incomplete: only one of the two keys is set"
        case boto.ProfileNotFound():
            return "the AWS profile named by AWS_PROFILE does not exist"
        case RuntimeError():
            return "the AWS credentials have expired, and their source returns expired credentials"
        case _:
            return f"the AWS credentials cannot be read ({type(error).__name__})"


def _credentials(message: str, operation: str, code: str) -> CredentialsError:
    return CredentialsError(
        message,
        "Sign in again with `aws sso login`, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY. Check with `aws sts get-caller-identity`, then run the command "
        "again.",
        **_of(code, operation),
    )


def _unreachable(operation: str, target: Target, code: str) -> UnreachableError:
    if target.endpoint:
        message = f"the endpoint {target.endpoint} does not answer ({code})"
        hint = (
            "Start it with `reconcile emulator start`, or fix "
            f"datastores.{target.name}.endpoint in reconciler.yaml."
        )
    else:
        service = "HealthImaging" if target.datastore_id else "STS"
        message = f"AWS {service} in {target.region} cannot be reached ({code})"
        hint = (
            f"Check the network, the proxy, and datastores.{target.name}.region in "
            "reconciler.yaml: the region must offer HealthImaging."
        )
    return UnreachableError(message, hint, **_of(code, operation))
