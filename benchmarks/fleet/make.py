"""Makes a fleet: a git repository of manifests and records, and the data store they are about."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fleet import records
from benchmarks.fleet.emulator import emulator, free_port
from benchmarks.fleet.image_sets import (
    FOLDERS,
    NAME,
    STORE,
    document,
    image_set_id,
    manifest,
)
from benchmarks.fleet.measure import RECONCILE, run
from benchmarks.fleet.records import Times
from benchmarks.fleet.store import Loaded, fill
from reconciler.edges.settings import read_settings

APPLIED_IN = 10
# How old the imports and the updates are: well beyond the overlap of a scan (one hour).
_IMPORTED_SECONDS, _UPDATED_SECONDS = 3 * 86_400.0, 2 * 86_400.0
# How far apart the image sets were imported.
_APART_SECONDS = 0.05
_SETTINGS = """\
datastores:
  {name}:
    datastoreId: "{store}"
    region: us-east-1
    endpoint: http://127.0.0.1:{port}
"""


@dataclass(frozen=True, slots=True)
class Fleet:
    """A fleet on the disk. `data` is the folder of its emulator, `port` the emulator's port."""

    root: Path
    data: Path
    port: int
    size: int
    made_at: float

    @property
    def settings_file(self) -> Path:
        """The path of reconciler.yaml."""
        return self.root / "reconciler.yaml"

    def manifest_file(self, number: int) -> Path:
        """The path of the manifest of an image set."""
        folder = number * FOLDERS // max(self.size, FOLDERS)
        return self.root / "manifests" / f"{folder:03}" / f"{number:07}.yaml"

    def times(self, number: int) -> tuple[float, float]:
        """`createdAt` and `updatedAt` of an image set that a generator applied."""
        begin = self.made_at + number * _APART_SECONDS % 10_000
        return begin - _IMPORTED_SECONDS, begin - _UPDATED_SECONDS


def make(folder: Path, size: int) -> Fleet:
    """Make a fleet of some size in an empty folder."""
    fleet = Fleet(folder / "repository", folder / "data", free_port(), size, time.time())
    fleet.root.mkdir(parents=True)
    text = _SETTINGS.format(name=NAME, store=STORE, port=fleet.port)
    fleet.settings_file.write_text(text, encoding="utf-8")
    (fleet.root / ".gitignore").write_text(".reconcile/\n", encoding="utf-8")
    applied = range(size // APPLIED_IN)
    rest = range(len(applied), size)
    fill(fleet.data, _image_sets(fleet, len(applied)))
    _apply(fleet, applied)
    _write(fleet, rest)
    settings = read_settings(fleet.settings_file)
    records.check(fleet.root, settings, applied[:: max(1, len(applied) // 100)])
    records.clone(fleet.root, settings, rest, fleet.times, size)
    _commit(fleet)
    return fleet


def git(root: Path, *arguments: str) -> str:
    """Run git."""
    ran = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True)
    return ran.stdout


def add(fleet: Fleet, numbers: range, times: Times) -> None:
    """Import image sets that no manifest manages."""
    imported = (
        Loaded(image_set_id(number), [(times(number)[0], document(number, is_applied=False))])
        for number in numbers
    )
    fill(fleet.data, imported, are_many=len(numbers) > fleet.size)


def _image_sets(fleet: Fleet, applied: int) -> Iterator[Loaded]:
    """All image sets: at version 1 those that are applied for real, at version 2 the others."""
    for number in range(fleet.size):
        created, updated = fleet.times(number)
        versions = [(created, document(number, is_applied=False))]
        if number >= applied:
            versions.append((updated, document(number, is_applied=True)))
        yield Loaded(image_set_id(number), versions)


def _write(fleet: Fleet, numbers: Iterable[int]) -> None:
    for number in numbers:
        path = fleet.manifest_file(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(manifest(number), encoding="utf-8")


def _apply(fleet: Fleet, numbers: Iterable[int]) -> None:
    """Apply some manifests with the tool itself, at an emulator whose clock is behind."""
    _write(fleet, numbers)
    command = (*RECONCILE, "apply", "--auto-approve", "--record", "files")
    with emulator(fleet.data, fleet.port, earlier=_UPDATED_SECONDS):
        run(command, fleet.root)
    shutil.rmtree(fleet.root / ".reconcile", ignore_errors=True)


def _commit(fleet: Fleet) -> None:
    git(fleet.root, "init", "-q", "-b", "main")
    for name in ("user.name", "user.email"):
        git(fleet.root, "config", name, "benchmark@example.org")
    git(fleet.root, "config", "gc.auto", "0")
    git(fleet.root, "add", ".")
    git(fleet.root, "commit", "-qm", "Make the fleet")
