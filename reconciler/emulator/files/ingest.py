"""Makes image sets of DICOM files and folders, one for each series, as an import would make them.

Deterministic: files are taken in the order of their paths, and every identifier is made of the
content. Reads the files and does nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from reconciler.emulator.files.dicom_file import Instance, Refused, read_instance
from reconciler.emulator.files.metadata_file import is_metadata, read_metadata
from reconciler.emulator.files.storage import Storage, storage
from reconciler.emulator.store.image_frames import ImageFrame

Document: TypeAlias = dict[str, Any]

# "Understanding image sets": an import groups by these. Instances of one series that disagree in
# any of them become separate image sets, of which at most one can be primary.
_GROUPED_BY = (
    ("Study", "StudyInstanceUID"), ("Series", "SeriesInstanceUID"), ("Study", "StudyDate"),
    ("Study", "AccessionNumber"), ("Patient", "PatientID"), ("Study", "StudyID"),
    ("Series", "SeriesNumber"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that is not in any image set, and why. The reason holds no DICOM value.

    `first` is another file that the reason names.
    """

    path: Path
    reason: str
    first: Path | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@dataclass(frozen=True, slots=True, repr=False)
class ImageSet:
    """A document and its identifier.

    The data store that takes the document sets the DatastoreID. `files` are the DICOM files of its
    instances, in the same order.
    """

    image_set_id: str
    document: Document
    files: tuple[Path, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Ingested:
    """The image sets, and the files that gave none.

    `refused` files hold nothing to import. `repeated` files hold an instance that another file has
    given already. `files` are all files that were read, in order.
    """

    image_sets: tuple[ImageSet, ...]
    refused: tuple[Problem, ...] = ()
    repeated: tuple[Problem, ...] = ()
    files: tuple[Path, ...] = ()


def ingest(
    paths: Sequence[Path],
    keep: Callable[[ImageFrame], None] | None = None,
    stored_as: Storage | None = None,
) -> Ingested:
    """Make image sets of DICOM files, folders and metadata documents, in the order of their paths.

    Of several files with one SOPInstanceUID the first is taken. Patient, study and series values
    are those of the first instance, as normalization keeps them. `keep` gets each frame as it is
    read, since all frames together may not fit into memory. `stored_as` decides how frames are
    stored; the default is that of a new data store.
    """
    reading = _Reading(keep, stored_as or storage())
    files = _files(paths, reading.refused)
    for path in files:
        reading.take(path)
    return replace(reading.result(), files=tuple(files))


def _files(paths: Sequence[Path], refused: list[Problem]) -> list[Path]:
    found: set[Path] = set()
    for path in paths:
        if path.is_dir():
            found.update(file for file in path.rglob("*") if file.is_file())
        elif path.is_file():
            found.add(path)
        else:
            odd, missing = "it is neither a file nor a folder", "there is no such file or folder"
            refused.append(Problem(path, odd if path.exists() else missing))
    return sorted(found)


class _Reading:
    """What has been read so far. Dictionaries keep the order of the first file of each."""

    def __init__(self, keep: Callable[[ImageFrame], None] | None, stored_as: Storage) -> None:
        self._keep = keep
        self._storage = stored_as
        self.refused: list[Problem] = []
        self._repeated: list[Problem] = []
        self._documents: dict[str, ImageSet] = {}
        self._groups: dict[str, list[tuple[Path, Instance]]] = {}
        self._seen: dict[str, tuple[Path, bytes]] = {}

    def take(self, path: Path) -> None:
        try:
            data = path.read_bytes()
            if is_metadata(data):
                self._take_metadata(path, data)
            else:
                self._take_instance(
                    path, read_instance(data, self._storage), hashlib.sha256(data).digest()
                )
        except Refused as refused:
            self.refused.append(Problem(path, str(refused)))
        except OSError as error:
            self.refused.append(Problem(path, f"it cannot be read: {error.strerror}"))

    def _take_metadata(self, path: Path, data: bytes) -> None:
        image_set_id, document = read_metadata(data)
        made = ImageSet(image_set_id, document)
        first = self._documents.setdefault(image_set_id, made)
        if first is not made:
            other = "" if first == made else ", with other content"
            reason = f"left out: another file has image set {image_set_id}, too{other}"
            self._repeated.append(Problem(path, reason))

    def _take_instance(self, path: Path, instance: Instance, content: bytes) -> None:
        first, kept = self._seen.setdefault(instance.uid, (path, content))
        if first is not path:
            other = "" if kept == content else ", with other content"
            reason = f"left out: {first} has the same SOPInstanceUID{other}"
            self._repeated.append(Problem(path, reason, first))
            return
        if self._keep:
            for frame in instance.frames:
                self._keep(frame)
        without_frames = replace(instance, frames=())
        self._groups.setdefault(_image_set_id(instance), []).append((path, without_frames))

    def result(self) -> Ingested:
        of_files = [_image_set(key, group) for key, group in self._groups.items()]
        image_sets = (*of_files, *self._documents.values())
        return Ingested(image_sets, tuple(self.refused), tuple(self._repeated))


def _image_set_id(instance: Instance) -> str:
    values = [instance.blocks[level].get(keyword) or "" for level, keyword in _GROUPED_BY]
    # IS keeps its padding in documents. Padding is not part of the value.
    text = "\0".join(str(value).strip() for value in values)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _image_set(image_set_id: str, group: list[tuple[Path, Instance]]) -> ImageSet:
    instances = [instance for _, instance in group]
    return ImageSet(image_set_id, _document(image_set_id, instances), tuple(p for p, _ in group))


def _document(image_set_id: str, instances: list[Instance]) -> Document:
    first = instances[0]
    return {
        "SchemaVersion": "1.1",
        "ImageSetID": image_set_id,
        "Patient": {"DICOM": first.blocks["Patient"]},
        "Study": {
            "DICOM": first.blocks["Study"],
            "Series": {
                first.series_uid: {
                    "DICOM": first.blocks["Series"],
                    "Instances": dict(_instances(instances)),
                }
            },
        },
    }


def _instances(instances: Iterable[Instance]) -> Iterator[tuple[str, Document]]:
    for instance in instances:
        yield instance.uid, {"DICOM": instance.blocks["Instance"], **instance.block}
