"""`endpoint: emulator`: the emulator inside this process, its data beside reconciler.yaml."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.core.errors import ReconcilerError
from reconciler.edges import files
from reconciler.edges.worktree import refuse_links, refuse_links_below
from reconciler.emulator.http.server import Emulator
from reconciler.emulator.operations.context import datastore_arn
from reconciler.emulator.operations.service import Service
from reconciler.emulator.store.database import StoreError
from reconciler.emulator.wire.errors import ApiError
from reconciler.pipeline.local_files import refuse_tracked

FOLDER = Path(".reconcile") / "emulator"
_FILLED = "reconcile-default-data"


@contextmanager
def embedded(root: Path, *datastore_ids: str) -> Iterator[str]:
    """Yield the URL of an emulator that keeps its data in `<root>/.reconcile/emulator/`.

    New data stores get the default data. Several processes may use the folder at the same time.
    """
    folder = root / FOLDER
    refuse_links_below(root, folder)
    refuse_links(root, folder.parent / ".gitignore")
    refuse_tracked(root, folder)
    try:
        files.keep_from_git(folder.parent)
        emulator = Emulator(folder)
    except (OSError, sqlite3.Error, StoreError) as error:
        raise ReconcilerError(
            f"the embedded emulator cannot use {folder}: {_reason(error)}",
            "The folder holds test data only. Remove it to start again with the default data.",
        ) from None
    with emulator:
        try:
            for datastore_id in datastore_ids:
                _fill(emulator.service, datastore_id)
        except ApiError as error:
            raise ReconcilerError(
                f"the embedded emulator cannot open data store {datastore_id}: {error.message}"
            ) from None
        yield emulator.endpoint


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _fill(service: Service, datastore_id: str) -> None:
    """Create the data store and load the default data once.

    A tag marks a data store whose default data is complete. Without the tag, every process loads:
    loading a document again changes nothing, so two processes at the same time do no harm, and a
    later process loads what a killed process left out.
    """
    resource = {"resourceArn": datastore_arn(datastore_id)}
    service.ensure_datastore(datastore_id)
    if _FILLED in service.call("ListTagsForResource", resource)["tags"]:
        return
    # Imported here: pydicom is slow to import and needed only once.
    from reconciler.emulator.operations.samples import load_default

    load_default(service, datastore_id)
    service.call("TagResource", {**resource, "tags": {_FILLED: "loaded"}})
