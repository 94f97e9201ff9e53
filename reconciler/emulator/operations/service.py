"""The emulated service: operations by name, and ways to load documents."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.emulator.files.seeding import Seeding
from reconciler.emulator.operations import (
    copies,
    datastores,
    image_frames,
    imagesets,
    imports,
    loading,
    search,
    sts,
    updates,
)
from reconciler.emulator.operations.context import Context, Parameters, Result
from reconciler.emulator.operations.loading import LoadedImageSet
from reconciler.emulator.rules.behaviours import Behaviours
from reconciler.emulator.store.database import Store
from reconciler.emulator.store.image_frames import ImageFrame, keep_frame
from reconciler.emulator.wire.errors import invalid

UPDATE_SECONDS = 0.2
_OPERATIONS: dict[str, Callable[[Context, Parameters], Result]] = {
    "CopyImageSet": copies.copy_image_set,
    "CreateDatastore": datastores.create_datastore,
    "DeleteDatastore": datastores.delete_datastore,
    "DeleteImageSet": imagesets.delete_image_set,
    "GetCallerIdentity": sts.get_caller_identity,
    "GetDICOMImportJob": imports.get_import_job,
    "GetDatastore": datastores.get_datastore,
    "GetImageFrame": image_frames.get_image_frame,
    "GetImageSet": imagesets.get_image_set,
    "GetImageSetMetadata": imagesets.get_image_set_metadata,
    "ListDICOMImportJobs": imports.list_import_jobs,
    "ListDatastores": datastores.list_datastores,
    "ListImageSetVersions": imagesets.list_image_set_versions,
    "ListTagsForResource": datastores.list_tags,
    "SearchImageSets": search.search_image_sets,
    "StartDICOMImportJob": imports.start_import_job,
    "TagResource": datastores.tag_resource,
    "UntagResource": datastores.untag_resource,
    "UpdateImageSetMetadata": updates.update_image_set_metadata,
}


class Service:
    """AWS HealthImaging over one data folder, which other processes may serve, too.

    `now` gives epoch seconds. `update_seconds` is how long an asynchronous operation takes.
    `s3_root` is the folder that import jobs read from and write to. Raises StoreError where the
    data folder cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        *,
        update_seconds: float = UPDATE_SECONDS,
        now: Callable[[], float] = time.time,
        behaviours: Behaviours | None = None,
        s3_root: Path | None = None,
    ) -> None:
        self._context = Context(
            Store(folder), now, update_seconds, behaviours or Behaviours(), s3_root
        )

    @property
    def behaviours(self) -> Behaviours:
        """The switches of this service."""
        return self._context.behaviours

    @property
    def update_seconds(self) -> float:
        """How long an asynchronous operation takes."""
        return self._context.update_seconds

    def call(
        self,
        operation: str,
        parameters: Parameters,
        *,
        update_seconds: float | None = None,
        search_lag_seconds: float | None = None,
        fail_updates_with: str | None = None,
    ) -> Result:
        """Call an operation of the model with parsed parameters. Raises ApiError.

        The other arguments apply to this call alone.
        """
        implementation = _OPERATIONS.get(operation)
        if implementation is None:  # of a model that is newer than the emulator
            raise invalid(f"This emulator does not offer {operation}.")
        context = self._context
        if fail_updates_with is not None:
            context = replace(context, fail_updates_with=fail_updates_with)
        if update_seconds is not None:
            context = replace(context, update_seconds=update_seconds)
        if search_lag_seconds is not None:
            lagging = replace(context.behaviours, search_lag_seconds=search_lag_seconds)
            context = replace(context, behaviours=lagging)
        return implementation(context, parameters)

    def ensure_datastore(self, datastore_id: str, name: str | None = None) -> None:
        """Make the data store with this ID, ACTIVE, unless it exists."""
        datastores.ensure_datastore(self._context, datastore_id, name)

    def load(
        self,
        datastore_id: str,
        document: dict[str, Any],
        *,
        image_set_id: str,
        primary: bool | None = None,
    ) -> LoadedImageSet:
        """Load a metadata document as version 1 of an image set; see `loading.load`."""
        return loading.load(
            self._context, datastore_id, document, image_set_id=image_set_id, primary=primary
        )

    def load_synthetic(self, datastore_id: str, seeding: Seeding, numbers: range) -> int:
        """Load synthetic image sets by number, in one transaction.

        Returns how many did not exist yet.
        """
        return loading.load_synthetic(self._context, datastore_id, seeding, numbers)

    def keep_frame(self, datastore_id: str, frame: ImageFrame) -> None:
        """Keep a frame for the image sets of the data store that name it."""
        with self._context.store.write() as connection:
            keep_frame(connection, datastore_id, frame)

    def close(self) -> None:
        """Close the data folder."""
        self._context.store.close()
