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

FOLDER = Path(".reconcile") / "emulator"
_FILLED = "reconcile-default-data"


@contextmanager
def embedded(root: Path, *datastore_ids: str) -> Iterator[str]:
    """The URL of an emulator over `<root>/.reconcile/emulator/`, until the block is left.

    Data stores that are new get the default data. Any number of processes may do this at once.
    """
    folder = root / FOLDER
    refuse_links_below(root, folder)
    refuse_links(root, folder.parent / ".gitignore")
    try:
        files.keep_from_git(folder.parent)
        emulator = Emulator(folder)
    except (OSError, sqlite3.Error, StoreError) as error:
        raise ReconcilerError(
            f"the embedded emulator cannot use {folder}: {_reason(error)}",
            "Its data is only a sandbox: removing the folder starts afresh.",
        ) from None
    with emulator:
        try:
            for datastore_id in datastore_ids:
                _fill(emulator.service, datastore_id)
        except ApiError as error:
            raise ReconcilerError(
                f"the embedded emulator has no data store {datastore_id}: {error.message}"
            ) from None
        yield emulator.endpoint


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _fill(service: Service, datastore_id: str) -> None:
    """The data store with the default data, once.

    A tag says that all of it is in. Until then anybody loads: loading the same document again
    changes nothing, so two at once do no harm, and what a killed one left out is made up for.
    """
    resource = {"resourceArn": datastore_arn(datastore_id)}
    service.ensure_datastore(datastore_id)
    if _FILLED in service.call("ListTagsForResource", resource)["tags"]:
        return
    # Only now, since it reads files with pydicom: that takes its time and is needed just once.
    from reconciler.emulator.operations.samples import load_default

    load_default(service, datastore_id)
    service.call("TagResource", {**resource, "tags": {_FILLED: "loaded"}})
