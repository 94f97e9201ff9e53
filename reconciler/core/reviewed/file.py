"""review.json: what `plan --review` writes. It holds digests and no DICOM value.

Its seal is keyed: it shows an edit, and a review of another repository. People who can read the
repository can make one, so it only limits an apply: what is sent comes from the manifests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import reconciler
from reconciler.core.errors import ReviewFileError
from reconciler.core.model.api_version import API_VERSION
from reconciler.core.model.change import Op
from reconciler.core.model.key import Key, Use
from reconciler.core.model.reviewed import Origin, Reviewed, ReviewedChange

KIND = "Review"
AGAIN = "Make a new review: run the plan of the pull request again."


def dumps(reviewed: Reviewed, key: Key) -> bytes:
    """The bytes of the file, sealed with the key of the repository."""
    body = _body(reviewed)
    return json.dumps({**body, "seal": key.digest(Use.REVIEW, body)}, indent=1).encode() + b"\n"


def loads(data: bytes, key: Key) -> Reviewed:
    """Read a file that `dumps` wrote with this key. Raises ReviewFileError for anything else."""
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError):
        raise ReviewFileError("it is incomplete, or not a review", AGAIN) from None
    if not isinstance(raw, dict) or raw.get("kind") != KIND:
        raise ReviewFileError("it is not a review", AGAIN)
    if raw.get("apiVersion") != API_VERSION or raw.get("toolVersion") != reconciler.__version__:
        made_by = str(raw.get("toolVersion"))[:40]
        raise ReviewFileError(
            f"version {made_by} of reconcile made it, and this is version {reconciler.__version__}",
            f"{AGAIN} Or use version {made_by}.",
        )
    seal = raw.pop("seal", None)
    if not key.made(seal, Use.REVIEW, raw):
        raise ReviewFileError(
            "it was edited, or it is of a repository with another reconciler.key", AGAIN
        )
    try:
        return _reviewed(raw)
    except (KeyError, TypeError, ValueError):
        raise ReviewFileError("it does not hold a valid review", AGAIN) from None


def _body(reviewed: Reviewed) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "toolVersion": reconciler.__version__,
        **asdict(reviewed.origin),
        "settingsDigest": reviewed.settings_digest,
        "madeAt": _text(reviewed.made_at),
        "expiresAt": _text(reviewed.expires_at),
        "nonce": reviewed.nonce,
        "changes": [_row(change) for change in reviewed.changes],
    }


def _row(change: ReviewedChange) -> dict[str, Any]:
    row: dict[str, Any] = {
        "datastoreId": change.datastore_id,
        "imageSetId": change.image_set_id,
        "path": change.path,
        "op": str(change.op),
        "pin": change.pin,
        "hazards": list(change.hazards),
        "consents": list(change.consents),
        "digest": change.digest,
    }
    if change.instances:
        row["instances"] = change.instances
    return row


def _reviewed(raw: Mapping[str, Any]) -> Reviewed:
    return Reviewed(
        Origin(raw["head"], raw["base"], raw["tree"]),
        raw["settingsDigest"],
        _seconds(raw["madeAt"]),
        _seconds(raw["expiresAt"]),
        raw["nonce"],
        tuple(map(_change, raw["changes"])),
    )


def _change(row: Mapping[str, Any]) -> ReviewedChange:
    return ReviewedChange(
        row["datastoreId"],
        row["imageSetId"],
        row["path"],
        Op(row["op"]),
        str(int(row["pin"])),
        tuple(row["hazards"]),
        tuple(row["consents"]),
        row["digest"],
        int(row.get("instances", 0)),
    )


def _text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
