"""The errors that the service answers with. No message carries a DICOM value."""

from __future__ import annotations

# Clients match this text, since a stale version and a missing image set are both a 404.
NOT_THE_LATEST = "Requested version(s) of ImageSet(s) is not the latest."


class ApiError(Exception):
    """An error of the service; `code` is the name of its error shape."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> ApiError:
    """400: the request breaks a constraint of the model or of the API's documentation."""
    return ApiError("ValidationException", message)


def not_found(message: str) -> ApiError:
    """404: no such resource, or a pin that is not the latest version."""
    return ApiError("ResourceNotFoundException", message)


def conflict(message: str) -> ApiError:
    """409: the resource is in a state that does not allow this."""
    return ApiError("ConflictException", message)


def not_acceptable(message: str) -> ApiError:
    """406: the answer has a media type that the request does not accept."""
    return ApiError("NotAcceptableException", message)


def quota_exceeded(message: str) -> ApiError:
    """402: a service quota is exceeded."""
    return ApiError("ServiceQuotaExceededException", message)
