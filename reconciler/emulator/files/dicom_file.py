"""Reads one DICOM file (PS3.10) into the blocks of a metadata document, or states why it cannot."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset

from reconciler.emulator.files.encode import Encoded, Malformed, check_complete, encode
from reconciler.emulator.files.frames import pixels_of
from reconciler.emulator.files.storage import Storage
from reconciler.emulator.rules.levels import level_of
from reconciler.emulator.store.image_frames import ImageFrame

_DIRECTORY = "1.2.840.10008.1.3.10"  # Media Storage Directory Storage
_UID = re.compile(r"[0-9.]{1,64}")
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_HEADER = 8  # bytes of tag and length: the least that an element takes


class Refused(Exception):
    """A file that cannot be imported as an instance. No message carries a DICOM value."""


@dataclass(frozen=True, slots=True, repr=False)
class Instance:
    """One SOP instance.

    `blocks` holds `DICOM` of each level. `block` holds everything else of the Instance level.
    `frames` are the bytes of its pixels.
    """

    study_uid: str
    series_uid: str
    uid: str
    blocks: dict[str, dict[str, Any]]
    block: dict[str, Any]
    frames: tuple[ImageFrame, ...] = ()


def read_instance(data: bytes, storage: Storage) -> Instance:
    """Read the instance in the bytes of a file. `storage` decides about its frames.

    Raises `Refused` where the file is no instance or is truncated. Not safe for several threads:
    the warnings of pydicom quote values, so this function catches them for the whole process.
    """
    with _silenced() as caught:
        source = _Source(data)
        try:
            data_set = _parsed(source, has_preamble=data[128:132] == b"DICM")
            _check_complete(data_set, source, caught)
            return _instance(data_set, storage)
        except (Refused, Malformed) as refused:
            raise Refused(str(refused)) from None
        # pydicom has no base class for its errors: malformed bytes can raise any exception.
        except Exception as error:
            raise Refused(f"it cannot be read as DICOM ({type(error).__name__})") from None


@contextmanager
def _silenced() -> Iterator[list[warnings.WarningMessage]]:
    """Keep the warnings of pydicom out of stderr and of every log."""
    logger = logging.getLogger("pydicom")
    was_disabled, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield caught
    finally:
        logger.disabled = was_disabled


class _Source(BytesIO):
    """A stream that detects a truncated header.

    pydicom takes fewer bytes than a header needs as the end of the file. Trailing zeros are
    padding, which some writers leave.
    """

    has_cut_header = False

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        if size == _HEADER and len(found) < _HEADER and found.strip(b"\0"):
            self.has_cut_header = True
        return found


def _parsed(source: _Source, *, has_preamble: bool) -> Dataset:
    try:
        data_set = dcmread(source, force=not has_preamble)
    except Exception as error:
        raise Refused(
            f"it is truncated or malformed ({type(error).__name__})"
            if has_preamble
            else "it is not a DICOM file"
        ) from None
    if not has_preamble and not any(uid in data_set for uid in (*_UIDS, "DirectoryRecordSequence")):
        raise Refused("it is not a DICOM file")
    return data_set


def _check_complete(
    data_set: Dataset, source: _Source, caught: list[warnings.WarningMessage]
) -> None:
    for item in data_set.values():
        check_complete(item)
    if source.has_cut_header:
        raise Refused("it is truncated after its last element")
    if any("End of file reached" in str(warning.message) for warning in caught):
        raise Refused("it is truncated inside of an element of undefined length")


def _instance(data_set: Dataset, storage: Storage) -> Instance:
    if _is_directory(data_set):
        raise Refused("it is a DICOMDIR, which lists files and holds no instance")
    # Do this first, while the data set still holds raw bytes.
    elements = [*encode(data_set.file_meta), *encode(data_set)]
    uids = [str(_value(elements, keyword) or "") for keyword in _UIDS]
    missing = [keyword for keyword, uid in zip(_UIDS, uids, strict=True) if not uid]
    if missing:
        raise Refused(f"it has no {' and no '.join(missing)}")
    for keyword, uid in zip(_UIDS, uids, strict=True):
        if not _UID.fullmatch(uid):
            raise Refused(f"its {keyword} is not a UID")
    blocks: dict[str, dict[str, Any]] = {"Patient": {}, "Study": {}, "Series": {}, "Instance": {}}
    for element in elements:
        blocks[level_of(element.tag)][element.key] = element.value
    vrs = {element.key: element.vr for element in elements if element.needs_vr}
    study_uid, series_uid, uid = uids
    pixels = pixels_of(data_set, uid, storage)
    block = {"DICOMVRs": vrs, **pixels.block}
    return Instance(study_uid, series_uid, uid, blocks, block, pixels.frames)


def _is_directory(data_set: Dataset) -> bool:
    storage = data_set.file_meta.get("MediaStorageSOPClassUID")
    return storage == _DIRECTORY or "DirectoryRecordSequence" in data_set


def _value(elements: list[Encoded], keyword: str) -> Any:
    return next((element.value for element in elements if element.key == keyword), None)
