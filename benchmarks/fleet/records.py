"""Clones records: entries as an apply writes them, for image sets that were not applied for real.

The manifests are read and the entries are written by the tool's own code, so every digest is the
one that an apply would have made. `check` compares clones with entries of a real apply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.fleet.image_sets import STORE, image_set_id, manifest
from reconciler.core.diff.paths import ask_digest, asked_paths
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.key import KEY_FILE
from reconciler.core.model.record import Evidence
from reconciler.core.model.settings import Settings
from reconciler.edges import key as keys
from reconciler.edges import records
from reconciler.edges.files import REAL
from reconciler.edges.records import layout
from reconciler.emulator.operations.context import image_set_arn
from reconciler.pipeline.check import check_contents
from reconciler.record.keyring import Keyring
from reconciler.record.writer import Writer

_CHUNK = 20_000
# `createdAt` and `updatedAt` of an image set.
Times = Callable[[int], tuple[float, float]]


def clone(root: Path, settings: Settings, numbers: Sequence[int], times: Times, total: int) -> None:
    """Add the entries of some image sets to the records of a repository that has a key."""
    key = keys.read(root)
    records.grow(root, STORE, layout.width_for(total, records.width(root, STORE)))
    # In the order of their IDs, so that each record file is written once.
    ordered = sorted(numbers, key=image_set_id)
    for start in range(0, len(ordered), _CHUNK):
        some = ordered[start : start + _CHUNK]
        writer = Writer(root, Keyring(root, key, REAL), REAL, run_id="", commit="")
        writer.add(STORE, _evidence(settings, some, times))
        writer.write()
        if writer.problems:
            raise RuntimeError(str(writer.problems))


def check(root: Path, settings: Settings, applied: Sequence[int]) -> None:
    """Raise RuntimeError unless clones of image sets equal the entries that a real apply wrote."""
    written = records.read(root, STORE)
    by_number = {number: written[image_set_id(number)] for number in applied}

    def times(number: int) -> tuple[float, float]:
        entry = by_number[number]
        return entry.created_at or 0.0, entry.updated_at or 0.0

    with TemporaryDirectory() as folder:
        other = Path(folder)
        (other / KEY_FILE).write_bytes((root / KEY_FILE).read_bytes())
        clone(other, settings, applied, times, len(applied))
        cloned = records.read(other, STORE)
    for number in applied:
        if cloned[image_set_id(number)].unsigned != by_number[number].unsigned:
            raise RuntimeError(f"the clone of image set {image_set_id(number)} differs")


def _evidence(settings: Settings, numbers: Sequence[int], times: Times) -> Iterator[Evidence]:
    asks = _asks(settings, numbers)
    for number in numbers:
        name = image_set_id(number)
        created, updated = times(number)
        yield Evidence(
            datastore_id=STORE,
            image_set_id=name,
            version_id="2",
            previous_version_id="1",
            updated_at=updated,
            created_at=created,
            arn=image_set_arn(STORE, name),
            converged=asked_paths(asks[name]),
            ask_digest=ask_digest(asks[name]),
        )


def _asks(settings: Settings, numbers: Sequence[int]) -> Mapping[str, ImageSetAsk]:
    texts = {f"{settings.manifests}/{number}.yaml": manifest(number).encode() for number in numbers}
    return {ask.image_set_id: ask for ask in check_contents(settings, texts).asks}
