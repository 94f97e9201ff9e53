"""What every operation needs, and the checks that most operations make first."""

from __future__ import annotations

import base64
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from reconciler.emulator.rules.behaviours import Behaviours
from reconciler.emulator.store.database import Store
from reconciler.emulator.store.versions import Version, find
from reconciler.emulator.wire.errors import ApiError, conflict, invalid, not_found

Parameters: TypeAlias = dict[str, Any]
Result: TypeAlias = dict[str, Any]

ACCOUNT_ID = "000000000000"
REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Context:
    """The store, the clock and the switches.

    `update_seconds` is how long a write takes. `s3_root` is the folder that stands for S3, if there
    is one. `fail_updates_with` is the message of an update that must fail.
    """

    store: Store
    now: Callable[[], float]
    update_seconds: float
    behaviours: Behaviours
    s3_root: Path | None = None
    fail_updates_with: str | None = None


def datastore_arn(datastore_id: str) -> str:
    """The ARN of a data store."""
    return f"arn:aws:medical-imaging:{REGION}:{ACCOUNT_ID}:datastore/{datastore_id}"


def image_set_arn(datastore_id: str, image_set_id: str) -> str:
    """The ARN of an image set: lower-case `imageset`, unlike the URL."""
    return f"{datastore_arn(datastore_id)}/imageset/{image_set_id}"


def new_id() -> str:
    """A new identifier in the form of the service: 32 hex digits."""
    return secrets.token_hex(16)


def require_datastore(context: Context, connection: sqlite3.Connection, datastore_id: str) -> None:
    """Raise 404 (or 403, a switch) where the data store is missing, 409 where it is not ACTIVE."""
    row = connection.execute(
        "SELECT active_at, deleted_at FROM datastores WHERE id = ?", (datastore_id,)
    ).fetchone()
    if row is None or row["deleted_at"] is not None:
        code = context.behaviours.missing_datastore_code
        raise ApiError(code, "The data store does not exist or cannot be accessed.")
    if context.now() < row["active_at"]:
        raise conflict("The data store is not ACTIVE.")


def require_version(
    context: Context,
    connection: sqlite3.Connection,
    datastore_id: str,
    image_set_id: str,
    version_id: str | None = None,
) -> Version:
    """A version, by default the latest. Raises 404 where it does not exist."""
    number = None if version_id is None else version_number(version_id)
    version = find(connection, datastore_id, image_set_id, number)
    if version is not None:
        return version
    require_datastore(context, connection, datastore_id)
    if number is not None and find(connection, datastore_id, image_set_id):
        raise not_found("The requested version of the image set does not exist.")
    raise not_found("The image set does not exist.")


def version_number(version_id: str) -> int:
    """The number of a versionId; -1, which no version has, beyond the integers of SQLite."""
    digits = version_id.lstrip("0")
    return int(digits or "0") if len(digits) <= 18 else -1


def page_token(position: list[Any]) -> str:
    """An opaque nextToken."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode("ascii")


def page_position(token: str | None, of: type, *more: type) -> list[Any] | None:
    """The text that `page_token` was made of. Raises 400 for a token that it did not make."""
    if token is None:
        return None
    try:
        position = orjson.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        raise invalid("The nextToken is not valid.") from None
    expected = (of, *more)
    if not isinstance(position, list) or tuple(map(type, position)) != expected:
        raise invalid("The nextToken is not valid.")
    if any(isinstance(part, int) and not 0 <= part < 2**63 for part in position):
        raise invalid("The nextToken is not valid.")
    return position
