"""Data stores and tags."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import orjson

from reconciler.emulator.files.transfer_syntaxes import DEFAULT_LOSSLESS_FORMAT
from reconciler.emulator.operations.context import (
    Context,
    Parameters,
    Result,
    datastore_arn,
    new_id,
    page_position,
    page_token,
    require_version,
)
from reconciler.emulator.wire.errors import conflict, invalid, not_found

_MOST_RESULTS = 50
_ID = re.compile(r"[0-9a-z]{32}")
_NAME = re.compile(r"[A-Za-z0-9._/#-]{1,256}")
_KEPT = ("kmsKeyArn", "lambdaAuthorizerArn", "losslessStorageFormat")
_RESOURCE = re.compile(
    r"arn:[^:]+:medical-imaging:[^:]+:[0-9]{12}:(datastore/(\w+)(/imageset/(\w+))?)"
)


def ensure_datastore(context: Context, datastore_id: str, name: str | None = None) -> None:
    """Make the data store with this ID, ACTIVE, unless it exists."""
    if not _ID.fullmatch(datastore_id):
        raise invalid("The datastoreId must be 32 lower-case letters and digits.")
    if name is not None and not _NAME.fullmatch(name):
        raise invalid("The datastoreName must be letters, digits and ._/#- only.")
    now = context.now()
    with context.store.write() as connection:
        connection.execute(
            "INSERT INTO datastores VALUES (?, ?, NULL, '{}', ?, ?, ?, NULL) "
            "ON CONFLICT (id) DO NOTHING",
            (datastore_id, name or datastore_id, now, now, now),
        )


def create_datastore(context: Context, parameters: Parameters) -> Result:
    """CreateDatastore: CREATING, then ACTIVE. The same clientToken gives the same data store."""
    token, now = parameters["clientToken"], context.now()
    with context.store.write() as connection:
        row = connection.execute(
            "SELECT * FROM datastores WHERE client_token = ?", (token,)
        ).fetchone()
        if row is None:
            row = _insert(context, connection, parameters, now)
    return {"datastoreId": row["id"], "datastoreStatus": _status(row, now)}


def lossless_format(connection: sqlite3.Connection, datastore_id: str) -> str:
    """The losslessStorageFormat of a data store that exists."""
    properties = orjson.loads(_require(connection, datastore_id)["properties"])
    return str(properties.get("losslessStorageFormat", DEFAULT_LOSSLESS_FORMAT))


def _insert(
    context: Context, connection: sqlite3.Connection, parameters: Parameters, now: float
) -> sqlite3.Row:
    datastore_id = new_id()
    kept = {name: parameters[name] for name in _KEPT if name in parameters}
    row: sqlite3.Row = connection.execute(
        "INSERT INTO datastores VALUES (?, ?, ?, ?, ?, ?, ?, NULL) RETURNING *",
        (
            datastore_id,
            parameters.get("datastoreName", datastore_id),
            parameters["clientToken"],
            orjson.dumps(kept).decode(),
            now,
            now,
            now + context.update_seconds,
        ),
    ).fetchone()
    _tag(connection, f"datastore/{datastore_id}", parameters.get("tags", {}))
    return row


def get_datastore(context: Context, parameters: Parameters) -> Result:
    """GetDatastore: deleted data stores are shown, too."""
    with context.store.read() as connection:
        row = _require(connection, parameters["datastoreId"])
    properties = _summary(row, context.now()) | orjson.loads(row["properties"])
    return {"datastoreProperties": properties}


def list_datastores(context: Context, parameters: Parameters) -> Result:
    """ListDatastores in the order of creation."""
    limit = parameters.get("maxResults", _MOST_RESULTS)
    position = page_position(parameters.get("nextToken"), float, str) or [-1.0, ""]
    with context.store.read() as connection:
        rows = connection.execute(
            "SELECT * FROM datastores WHERE (created_at, id) > (?, ?) ORDER BY created_at, id",
            position,
        ).fetchall()
    now, wanted = context.now(), parameters.get("datastoreStatus")
    rows = [row for row in rows if wanted in (None, _status(row, now))]
    result: Result = {"datastoreSummaries": [_summary(row, now) for row in rows[:limit]]}
    if len(rows) > limit:
        result["nextToken"] = page_token([rows[limit - 1]["created_at"], rows[limit - 1]["id"]])
    return result


def delete_datastore(context: Context, parameters: Parameters) -> Result:
    """DeleteDatastore: "you must first delete all image sets", so 409 while image sets exist."""
    datastore_id, now = parameters["datastoreId"], context.now()
    with context.store.write() as connection:
        row = _require(connection, datastore_id)
        if row["deleted_at"] is not None:
            raise not_found("The data store does not exist or cannot be accessed.")
        left = connection.execute(
            "SELECT 1 FROM image_sets WHERE datastore_id = ? "
            "AND (hold_status IS NOT 'DELETING' OR hold_until > ?) LIMIT 1",
            (datastore_id, now),
        ).fetchone()
        if left:
            raise conflict("The data store still has image sets, delete all of them first.")
        connection.execute(
            "UPDATE datastores SET deleted_at = ?, updated_at = ? WHERE id = ?",
            (now + context.update_seconds, now, datastore_id),
        )
    return {"datastoreId": datastore_id, "datastoreStatus": "DELETING"}


def _require(connection: sqlite3.Connection, datastore_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM datastores WHERE id = ?", (datastore_id,)
    ).fetchone()
    if row is None:
        raise not_found("The data store does not exist or cannot be accessed.")
    return row


def _status(row: sqlite3.Row, now: float) -> str:
    if row["deleted_at"] is not None:
        return "DELETING" if now < row["deleted_at"] else "DELETED"
    return "CREATING" if now < row["active_at"] else "ACTIVE"


def _summary(row: sqlite3.Row, now: float) -> Result:
    return {
        "datastoreId": row["id"],
        "datastoreName": row["name"],
        "datastoreStatus": _status(row, now),
        "datastoreArn": datastore_arn(row["id"]),
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def list_tags(context: Context, parameters: Parameters) -> Result:
    """ListTagsForResource, of a data store or an image set."""
    with context.store.read() as connection:
        resource = _resource(context, connection, parameters["resourceArn"])
        rows = connection.execute(
            "SELECT key, value FROM tags WHERE resource = ? ORDER BY key", (resource,)
        ).fetchall()
    return {"tags": dict(map(tuple, rows))}


def tag_resource(context: Context, parameters: Parameters) -> Result:
    """TagResource: an existing key gets the new value."""
    with context.store.write() as connection:
        resource = _resource(context, connection, parameters["resourceArn"])
        _tag(connection, resource, parameters["tags"])
    return {}


def untag_resource(context: Context, parameters: Parameters) -> Result:
    """UntagResource: a key that does not exist is no error."""
    with context.store.write() as connection:
        resource = _resource(context, connection, parameters["resourceArn"])
        connection.executemany(
            "DELETE FROM tags WHERE resource = ? AND key = ?",
            [(resource, key) for key in parameters["tagKeys"]],
        )
    return {}


def _tag(connection: sqlite3.Connection, resource: str, tags: dict[str, Any]) -> None:
    connection.executemany(
        "INSERT INTO tags VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        [(resource, key, value) for key, value in tags.items()],
    )


def _resource(context: Context, connection: sqlite3.Connection, arn: str) -> str:
    """The part of the ARN that names the resource, which must exist."""
    match = _RESOURCE.fullmatch(arn)
    if match is None:
        raise invalid("The resourceArn is not one of a data store or an image set.")
    _require(connection, match[2])
    if match[4]:
        require_version(context, connection, match[2], match[4])
    return match[1]
