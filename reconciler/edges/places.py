"""Where the files of a repository are. Quick to import: completion asks at every key press."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from reconciler.core.errors import ReconcilerError

SETTINGS_FILE = "reconciler.yaml"
RECORDS = "records"

# An image set ID in a file of records. Its place there is not checked: this is not for decisions.
_ID = re.compile(rb'"imageSetId": ?"([0-9a-z]{32})"')


def find_settings(start: Path) -> Path:
    """Find reconciler.yaml in a folder, or in the nearest folder above it."""
    folder = start.absolute()
    for candidate in (folder, *folder.parents):
        if (candidate / SETTINGS_FILE).is_file():
            return candidate / SETTINGS_FILE
    raise ReconcilerError(
        f"no {SETTINGS_FILE} in {folder} or any folder above it",
        "Change to the folder of the repository with the manifests, or name the file with "
        "`--config FILE`. `reconcile schema reconciler` prints its schema.",
    )


def recorded_ids(root: Path, start: str) -> Iterator[str]:
    """The image set IDs in the records of all data stores that begin so, to be suggested.

    A file is named by the first characters of the IDs in it.
    """
    if not re.fullmatch("[0-9a-z]*", start):
        return
    for path in sorted((root / RECORDS).glob("*/*.json")):
        may_hold = path.stem.startswith(start) or start.startswith(path.stem)
        if may_hold and path.is_file():
            for found in _ID.findall(path.read_bytes()):
                if found.startswith(start.encode()):
                    yield found.decode()
