"""The emulated service: operations by name, and the way to put documents into it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reconciler.emulator import copies, datastores, imagesets, loading, search, updates
from reconciler.emulator.behaviours import Behaviours
from reconciler.emulator.context import Context, Parameters, Result
from reconciler.emulator.errors import invalid
from reconciler.emulator.loading import LoadedImageSet
from reconciler.emulator.store import Store

UPDATE_SECONDS = 0.2
_OPERATIONS: dict[str, Callable[[Context, Parameters], Result]] = {
    "CopyImageSet": copies.copy_image_set,
    "CreateDatastore": datastores.create_datastore,
    "DeleteDatastore": datastores.delete_datastore,
    "DeleteImageSet": imagesets.delete_image_set,
    "GetDatastore": datastores.get_datastore,
    "GetImageSet": imagesets.get_image_set,
    "GetImageSetMetadata": imagesets.get_image_set_metadata,
    "ListDatastores": datastores.list_datastores,
    "ListImageSetVersions": imagesets.list_image_set_versions,
    "ListTagsForResource": datastores.list_tags,
    "SearchImageSets": search.search_image_sets,
    "TagResource": datastores.tag_resource,
    "UntagResource": datastores.untag_resource,
    "UpdateImageSetMetadata": updates.update_image_set_metadata,
}


class Service:
    """AWS HealthImaging over one data folder, which other processes may serve too.

    `now` gives epoch seconds; `update_seconds` is how long an asynchronous operation takes.
    Raises StoreError where the folder cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        *,
        update_seconds: float = UPDATE_SECONDS,
        now: Callable[[], float] = time.time,
        behaviours: Behaviours | None = None,
    ) -> None:
        self._context = Context(Store(folder), now, update_seconds, behaviours or Behaviours())

    def call(self, operation: str, parameters: Parameters) -> Result:
        """An operation of the model with parsed parameters; ApiError is the service's no."""
        implementation = _OPERATIONS.get(operation)
        if implementation is None:
            raise invalid(f"This emulator does not offer {operation}.")
        return implementation(self._context, parameters)

    def ensure_datastore(self, datastore_id: str, name: str | None = None) -> None:
        """The data store with this ID is there and ACTIVE; made now where it is not."""
        datastores.ensure_datastore(self._context, datastore_id, name)

    def load(
        self,
        datastore_id: str,
        document: dict[str, Any],
        *,
        image_set_id: str,
        primary: bool | None = None,
    ) -> LoadedImageSet:
        """A metadata document as version 1 of an image set; see `loading.load`."""
        return loading.load(
            self._context, datastore_id, document, image_set_id=image_set_id, primary=primary
        )

    def close(self) -> None:
        """Close the data folder."""
        self._context.store.close()
