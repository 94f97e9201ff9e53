"""A colleague's script: it changes the data store and does not use manifests."""

from __future__ import annotations

import json
import time
from pathlib import Path

from reconciler.core.model.plan import Step
from reconciler.core.ports import ImageSets
from reconciler.edges import aws
from reconciler.edges.places import find_settings
from reconciler.edges.settings import read_settings
from reconciler.emulator.http.server import Emulator

_PATIENCE_SECONDS = 10.0


def changes_study(root: Path, image_set_id: str, keyword: str, value: str) -> str:
    """Set a Study attribute with UpdateImageSetMetadata. Returns the new version."""
    datastore = read_settings(find_settings(root)).datastores[0]
    with Emulator(root / ".reconcile" / "emulator") as emulator:
        port = aws.connect(datastore, endpoint=emulator.endpoint)
        payload = {"SchemaVersion": 1.1, "Study": {"DICOM": {keyword: value}}}
        step = Step(
            datastore_id=datastore.datastore_id,
            image_set_id=image_set_id,
            pin=port.get(image_set_id).version_id,
            expected=(),
            updatable=json.dumps(payload),
        )
        version = port.update(step)
        _wait(port, image_set_id)
        return version


def _wait(port: ImageSets, image_set_id: str) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while port.get(image_set_id).state == "LOCKED" and time.monotonic() < until:
        time.sleep(0.05)
