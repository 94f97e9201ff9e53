"""Helpers of tests in which the service differs from its documentation."""

from __future__ import annotations

import gzip
import itertools
import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.emulator.http.server import Emulator
from tests.documents import document, instance, series

DATASTORE_ID = "d" * 32
_HEAD = "apiVersion: reconciler/v1\nkind: ImageSet\ndatastore: research\n"
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Ran:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str


class Site:
    """One data store, a repository of manifests, and the command line."""

    def __init__(self, folder: Path, emulator: Emulator, command: Callable[..., Ran]) -> None:
        self.folder = folder
        self._emulator = emulator
        self._command = command
        emulator.service.ensure_datastore(DATASTORE_ID, "research")
        (folder / "manifests").mkdir()
        (folder / "reconciler.yaml").write_text(
            "lockTimeout: 1m\ndatastores:\n  research:\n"
            f'    datastoreId: "{DATASTORE_ID}"\n    region: us-east-1\n'
            f"    endpoint: {emulator.endpoint}\n"
            "quotas: {UpdateImageSetMetadata: 100}\n",
            encoding="utf-8",
        )

    def load(self, *, study: str = "", primary: bool = False, **study_level: Any) -> str:
        """Add an image set of its own series, by default in its own study."""
        number = next(_NUMBERS)
        uid = f"1.2.840.99.7.{number}"
        study_level = {"StudyInstanceUID": study or f"{uid}.9", **study_level}
        made = document(
            series(uid, [instance(f"{uid}.1"), instance(f"{uid}.2")]),
            image_set_id=f"{number:032x}",
            study=study_level,
        )
        loaded = self._emulator.service.load(
            DATASTORE_ID, made, image_set_id=made["ImageSetID"], primary=primary
        )
        return loaded.imageSetId

    def ask(self, image_set_id: str, present: str, *allow: str, more: str = "") -> None:
        """A manifest for one image set."""
        consent = f"allow: [{', '.join(allow)}]\n" if allow else ""
        (self.folder / "manifests" / f"{image_set_id}.yaml").write_text(
            f"{_HEAD}imageSetId: {image_set_id}\npresent:\n  {present}\n{consent}{more}",
            encoding="utf-8",
        )

    def faults(self, *faults: dict[str, Any]) -> None:
        """Set the faults from now on."""
        body = json.dumps({"faults": faults}).encode()
        url = f"{self._emulator.endpoint}/_emulator/faults"
        with urllib.request.urlopen(urllib.request.Request(url, body, method="PUT")) as answer:
            assert answer.status == 200

    def run(self, *arguments: str) -> Ran:
        """A command."""
        return self._command(*arguments)

    def plan(self, *arguments: str) -> Ran:
        """`reconcile plan`."""
        return self.run("plan", *arguments)

    def apply(self, *arguments: str) -> Ran:
        """`reconcile apply`, without a question."""
        return self.run("apply", "--auto-approve", *arguments)

    def update(
        self, image_set_id: str, payload: dict[str, Any], *, seconds: float = 0.0, **more: Any
    ) -> str:
        """Send an update as another process, LOCKED for that long.

        Returns the version that it made.
        """
        self._call(
            "UpdateImageSetMetadata",
            image_set_id,
            latestVersionId=self.version(image_set_id),
            updateImageSetMetadataUpdates={
                "DICOMUpdates": {"updatableAttributes": json.dumps(payload).encode()}
            },
            update_seconds=seconds,
            **more,
        )
        return self.version(image_set_id)

    def fail(self, image_set_id: str) -> str:
        """Send an update as another process that ends in UPDATE_FAILED.

        Returns the version that it made.
        """
        version = self.update(image_set_id, {"Study": {"Series": {"1": {"DICOM": {"KVP": "1"}}}}})
        assert self._call("GetImageSet", image_set_id)["imageSetWorkflowStatus"] == "UPDATE_FAILED"
        return version

    def version(self, image_set_id: str) -> str:
        """The latest version, read without the product."""
        return str(self._call("GetImageSet", image_set_id)["versionId"])

    def described(self, image_set_id: str) -> str:
        """Its StudyDescription, read without the product."""
        return str(self.document(image_set_id)["Study"]["DICOM"]["StudyDescription"])

    def document(self, image_set_id: str) -> dict[str, Any]:
        """Its metadata, read without the product."""
        blob = self._call("GetImageSetMetadata", image_set_id)["imageSetMetadataBlob"]
        found: dict[str, Any] = json.loads(gzip.decompress(blob))
        return found

    def delete(self, image_set_id: str) -> None:
        """DeleteImageSet, as another process."""
        self._call("DeleteImageSet", image_set_id)

    def _call(self, operation: str, image_set_id: str, **more: Any) -> dict[str, Any]:
        changes = {k: more.pop(k) for k in ("update_seconds",) if k in more}
        parameters = {"datastoreId": DATASTORE_ID, "imageSetId": image_set_id, **more}
        return self._emulator.service.call(operation, parameters, **changes)
