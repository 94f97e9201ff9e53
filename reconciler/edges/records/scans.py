"""`scan.json` beside the records of a data store: what its last scan saw."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from reconciler.core.model.api_version import API_VERSION
from reconciler.core.model.key import Key, Use
from reconciler.core.model.scan import SCAN_FILE, Scan, ScanBasis
from reconciler.core.ports import Files
from reconciler.edges import files as disk
from reconciler.edges.records.on_disk import folder, load, put

KIND = "Scan"
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def path(root: Path, datastore_id: str) -> Path:
    """Return where the scan of a data store is."""
    return folder(root, datastore_id) / SCAN_FILE


def read(root: Path, datastore_id: str, key: Key) -> Scan | None:
    """Return the last scan of a data store; None if there is none, or if it was edited.

    Without it, a plan reads everything, and the next scan replaces it. Raises RecordError for a
    file that cannot be read, and LinkError for a link.
    """
    content = load(path(root, datastore_id), root)
    try:
        found = _scan(orjson.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    is_ours = found.datastore_id == datastore_id and content_of(found, key) == content
    return found if is_ours else None


def write(root: Path, scan: Scan, key: Key, *, files: Files = disk.REAL) -> bool:
    """Write a scan; return whether its file changed. Raises RecordError if that is not possible."""
    return put(path(root, scan.datastore_id), root, content_of(scan, key), files)


def remove(root: Path, datastore_id: str, *, files: Files = disk.REAL) -> bool:
    """Remove the scan of a data store, so that the next plan reads everything."""
    return put(path(root, datastore_id), root, b"", files)


def content_of(scan: Scan, key: Key) -> bytes:
    """Return the content of the file of a scan, with a keyed digest that shows an edit."""
    basis = scan.basis
    held: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "datastoreId": scan.datastore_id,
        "basis": {
            "manifests": basis.manifests,
            "records": basis.records,
            "settings": basis.settings,
            "datastores": list(basis.datastores),
            "tool": basis.tool,
            "rulesVersion": basis.rules_version,
        },
        "settled": scan.settled,
        "recorded": scan.recorded,
        "since": _text(scan.since),
        "fullSince": _text(scan.full_since),
        "witness": scan.witness,
        "residue": dict(sorted(scan.residue)),
        "released": sorted(scan.released),
    }
    held["digest"] = key.digest(Use.SCAN, held)
    return orjson.dumps(held, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _scan(held: Mapping[str, Any]) -> Scan:
    basis = held["basis"]
    return Scan(
        datastore_id=held["datastoreId"],
        basis=ScanBasis(
            manifests=basis["manifests"],
            records=basis["records"],
            settings=basis["settings"],
            datastores=tuple(basis["datastores"]),
            tool=basis["tool"],
            rules_version=basis["rulesVersion"],
        ),
        settled=held["settled"],
        recorded=held["recorded"],
        since=_seconds(held["since"]),
        full_since=_seconds(held["fullSince"]),
        witness=held["witness"],
        residue=tuple(sorted(held["residue"].items())),
        released=tuple(held["released"]),
    )


def _text(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime(_MOMENT)


def _seconds(text: str) -> int:
    return int(datetime.strptime(text, _MOMENT).replace(tzinfo=UTC).timestamp())
