"""The ImageFrames of an instance: identifiers, checksums and sizes of its pixel data."""

from __future__ import annotations

import hashlib
import sys
import zlib
from array import array
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from reconciler.emulator.files.encode import PIXEL_DATA
from reconciler.emulator.files.source_frames import PixelFormat, read_frames
from reconciler.emulator.files.storage import Storage, StoredFrame
from reconciler.emulator.files.transfer_syntaxes import media_type
from reconciler.emulator.store.image_frames import ImageFrame

_PIXEL_TYPES = {(8, 0): "B", (8, 1): "b", (16, 0): "H", (16, 1): "h", (32, 0): "I", (32, 1): "i"}


@dataclass(frozen=True, slots=True, repr=False)
class Pixels:
    """StoredTransferSyntaxUID, ChecksumType and ImageFrames (`block`), and the frames' bytes."""

    block: dict[str, Any]
    frames: tuple[ImageFrame, ...] = ()


def pixels_of(data_set: Dataset, sop_instance_uid: str, storage: Storage) -> Pixels:
    """The part of the document about the pixels, and the pixels. No frames without pixel data."""
    syntax = _transfer_syntax(data_set)
    if not any(tag in data_set for tag in PIXEL_DATA):
        return Pixels({"StoredTransferSyntaxUID": syntax or None, "ImageFrames": []})
    source = read_frames(data_set, syntax)
    stored = storage.store(source)
    ids = [
        _id(frame, f"{sop_instance_uid}/{number}") for number, frame in enumerate(stored.frames, 1)
    ]
    named = list(zip(stored.frames, ids, strict=True))
    are_decoded = all(frame.pixels is not None for frame in stored.frames)
    block = {
        "StoredTransferSyntaxUID": stored.syntax,
        **({"ChecksumType": "DECOMPRESSED"} if are_decoded else {}),
        "ImageFrames": [_described(frame, frame_id, source.layout) for frame, frame_id in named],
    }
    content_type = media_type(stored.syntax)
    return Pixels(
        block, tuple(ImageFrame(frame_id, content_type, frame.data) for frame, frame_id in named)
    )


def _id(frame: StoredFrame, name: str) -> str:
    """An identifier made of position and content.

    An instance that is imported again with other pixels, or stored in another way, gets other
    identifiers.
    """
    return hashlib.sha256(name.encode() + b"\0" + frame.data).hexdigest()[:32]


def _described(frame: StoredFrame, frame_id: str, layout: PixelFormat) -> dict[str, Any]:
    """Checksum and range of the decoded pixels; of the stored bytes and null where not decoded.

    Developer guide, "Pixel data verification". Documents of 2023 also have the checksums of smaller
    resolutions, those of 2025 have that of the full resolution alone.
    """
    checked = frame.data if frame.pixels is None else frame.pixels
    size = {"Width": layout.columns, "Height": layout.rows}
    low, high = _range(frame.pixels, layout)
    return {
        "ID": frame_id,
        "PixelDataChecksumFromBaseToFullResolution": [{**size, "Checksum": zlib.crc32(checked)}],
        "MinPixelValue": low,
        "MaxPixelValue": high,
        "FrameSizeInBytes": len(frame.data),
    }


def _range(pixels: bytes | None, layout: PixelFormat) -> tuple[int | None, int | None]:
    pixel_type = _PIXEL_TYPES.get((layout.bits, int(layout.is_signed)))
    if not pixels or pixel_type is None:
        return None, None
    values = array(pixel_type)
    values.frombytes(pixels[: len(pixels) // values.itemsize * values.itemsize])
    if sys.byteorder == "big":
        values.byteswap()
    return (min(values), max(values)) if values else (None, None)


def _transfer_syntax(data_set: Dataset) -> str:
    meta = getattr(data_set, "file_meta", None)
    return str(meta.get("TransferSyntaxUID") or "") if meta else ""
