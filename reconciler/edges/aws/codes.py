"""Which error codes are shown: those that AWS gives, and no word of an answer beside them."""

from __future__ import annotations

import re

# The service model and STS name their errors like this. A family name does not end so.
_FORM = re.compile("[A-Z][A-Za-z0-9]{0,63}(?:Exception|Error|Failure|Fault)")
# Codes of other forms: https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html and
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, for a proxy before AWS.
_OTHERS = frozenset(
    {
        "AccessDenied",
        "AuthFailure",
        "ExpiredToken",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidAction",
        "InvalidClientTokenId",
        "MalformedQueryString",
        "MissingAction",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "OptInRequired",
        "RequestExpired",
        "RequestLimitExceeded",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "ServiceUnavailable",
        "SignatureDoesNotMatch",
        "SlowDown",
        "Throttling",
    }
)


def shown_code(code: str) -> str:
    """Return an error code of AWS; "" for any other text, which may be a DICOM value."""
    return code if code in _OTHERS or _FORM.fullmatch(code) else ""
