"""The ImageFrames of an instance: identifiers, checksums and sizes of its pixel data.

HealthImaging stores frames as HTJ2K and states CRC32 and range of the decoded pixels. The emulator
decodes frames that pydicom decodes alone (uncompressed and RLE). The checksum of any other frame is
the checksum of its stored bytes, and its range is null. GetImageFrame answers with the same bytes,
decoded or as stored: the emulator does not encode HTJ2K.
"""

from __future__ import annotations

import hashlib
import sys
import zlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders import RLELosslessDecoder

from reconciler.emulator.files.encode import PIXEL_DATA
from reconciler.emulator.store.image_frames import ImageFrame

HTJ2K_LOSSLESS_RPCL = "1.2.840.10008.1.2.4.202"
_RLE = "1.2.840.10008.1.2.5"
# "Supported transfer syntaxes": HealthImaging stores these as they are. It transcodes all others to
# HTJ2K.
_KEPT = frozenset({
    "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.203",
    "1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.101", "1.2.840.10008.1.2.4.102",
    "1.2.840.10008.1.2.4.103", "1.2.840.10008.1.2.4.104", "1.2.840.10008.1.2.4.105",
    "1.2.840.10008.1.2.4.106", "1.2.840.10008.1.2.4.107", "1.2.840.10008.1.2.4.108",
})  # fmt: skip
# The contentType of GetImageFrame. The model has octet-stream for decoded pixels.
_DECODED_TYPE = "application/octet-stream"
_CONTENT_TYPES = {
    **{f"1.2.840.10008.1.2.4.{end}": "image/jpeg" for end in ("50", "51", "57", "70")},
    **{f"1.2.840.10008.1.2.4.{end}": "image/jls" for end in ("80", "81")},
    **{f"1.2.840.10008.1.2.4.{end}": "image/j2c" for end in ("90", "91")},
    **{f"1.2.840.10008.1.2.4.{end}": "video/mpeg" for end in ("100", "101")},
    **{f"1.2.840.10008.1.2.4.{end}": "video/mp4" for end in ("102", "103", "104", "105", "106")},
    **{f"1.2.840.10008.1.2.4.{end}": "video/H256" for end in ("107", "108")},
    **{f"1.2.840.10008.1.2.4.{end}": "image/jph" for end in ("201", "202")},
    "1.2.840.10008.1.2.4.203": "image/jphc",
}
_PIXEL_TYPES = {(8, 0): "B", (8, 1): "b", (16, 0): "H", (16, 1): "h", (32, 0): "I", (32, 1): "i"}


@dataclass(frozen=True, slots=True)
class _Frame:
    """The bytes of one frame, and the array type code of its pixels where they are decoded."""

    data: bytes
    pixel_type: str | None
    is_decoded: bool = True


@dataclass(frozen=True, slots=True, repr=False)
class Pixels:
    """StoredTransferSyntaxUID, ChecksumType and ImageFrames (`block`), and the frames' bytes."""

    block: dict[str, Any]
    frames: tuple[ImageFrame, ...] = ()


def pixels_of(data_set: Dataset, sop_instance_uid: str) -> Pixels:
    """The part of the document about the pixels, and the pixels. No frames without pixel data."""
    syntax = _transfer_syntax(data_set)
    if not any(tag in data_set for tag in PIXEL_DATA):
        return Pixels({"StoredTransferSyntaxUID": syntax or None, "ImageFrames": []})
    frames = list(_frames(data_set, syntax))
    ids = [_id(frame, f"{sop_instance_uid}/{number}") for number, frame in enumerate(frames, 1)]
    size = {"Width": _whole(data_set, "Columns"), "Height": _whole(data_set, "Rows")}
    block = {
        "StoredTransferSyntaxUID": syntax if syntax in _KEPT else HTJ2K_LOSSLESS_RPCL,
        **({"ChecksumType": "DECOMPRESSED"} if all(frame.is_decoded for frame in frames) else {}),
        "ImageFrames": [
            _described(frame, frame_id, size) for frame, frame_id in zip(frames, ids, strict=True)
        ],
    }
    stored = _CONTENT_TYPES.get(syntax, _DECODED_TYPE)
    return Pixels(
        block,
        tuple(
            ImageFrame(frame_id, _DECODED_TYPE if frame.is_decoded else stored, frame.data)
            for frame, frame_id in zip(frames, ids, strict=True)
        ),
    )


def _id(frame: _Frame, name: str) -> str:
    """An identifier made of position and content.

    An instance that is imported again with other pixels gets other identifiers.
    """
    return hashlib.sha256(name.encode() + b"\0" + frame.data).hexdigest()[:32]


def _described(frame: _Frame, frame_id: str, size: dict[str, int]) -> dict[str, Any]:
    low, high = _range(frame)
    return {
        "ID": frame_id,
        "PixelDataChecksumFromBaseToFullResolution": [{**size, "Checksum": zlib.crc32(frame.data)}],
        "MinPixelValue": low,
        "MaxPixelValue": high,
        "FrameSizeInBytes": len(frame.data),
    }


def _frames(data_set: Dataset, syntax: str) -> Iterable[_Frame]:
    item = next(data_set.get_item(tag) for tag in sorted(PIXEL_DATA) if tag in data_set)
    data = item.value or b""
    if getattr(item, "length", 0) == 0xFFFFFFFF:
        return _encapsulated(data_set, syntax, data)
    return _native(data_set, data, getattr(item, "is_little_endian", True))


def _encapsulated(data_set: Dataset, syntax: str, data: bytes) -> Iterable[_Frame]:
    count = _whole(data_set, "NumberOfFrames") or 1
    if syntax == _RLE:
        pixel_type = _pixel_type(data_set)
        decoded = RLELosslessDecoder.iter_buffer(data_set, decoding_plugin="pydicom")
        return [_Frame(bytes(frame), pixel_type) for frame, _ in decoded]
    stored = generate_frames(data, number_of_frames=count)
    return [_Frame(frame, None, is_decoded=False) for frame in stored]


def _native(data_set: Dataset, data: bytes, is_little_endian: bool) -> Iterable[_Frame]:
    count = _whole(data_set, "NumberOfFrames") or 1
    bits = _whole(data_set, "BitsAllocated") * (_whole(data_set, "SamplesPerPixel") or 1)
    bits *= _whole(data_set, "Rows") * _whole(data_set, "Columns")
    if data_set.get("PhotometricInterpretation") == "YBR_FULL_422":
        bits = bits * 2 // 3  # PS3.3 §C.7.6.3.1.2: two pixels share their chroma
    size = (bits + 7) // 8 or len(data)
    pixel_type = _pixel_type(data_set)
    if not is_little_endian and pixel_type:
        data = _swapped(data, pixel_type)
    return [_Frame(data[n * size : (n + 1) * size], pixel_type) for n in range(count)]


def _pixel_type(data_set: Dataset) -> str | None:
    key = (_whole(data_set, "BitsAllocated"), _whole(data_set, "PixelRepresentation"))
    return _PIXEL_TYPES.get(key)


def _range(frame: _Frame) -> tuple[int | None, int | None]:
    if frame.pixel_type is None:
        return None, None
    pixels = array(frame.pixel_type)
    pixels.frombytes(frame.data[: len(frame.data) // pixels.itemsize * pixels.itemsize])
    if sys.byteorder == "big":
        pixels.byteswap()
    return (min(pixels), max(pixels)) if pixels else (None, None)


def _swapped(data: bytes, pixel_type: str) -> bytes:
    pixels = array(pixel_type)
    whole = len(data) // pixels.itemsize * pixels.itemsize
    pixels.frombytes(data[:whole])
    pixels.byteswap()
    return pixels.tobytes() + data[whole:]


def _transfer_syntax(data_set: Dataset) -> str:
    meta = getattr(data_set, "file_meta", None)
    return str(meta.get("TransferSyntaxUID") or "") if meta else ""


def _whole(data_set: Dataset, keyword: str) -> int:
    """The attribute as a number; 0 where it is absent, empty or not a number."""
    try:
        return int(data_set.get(keyword) or 0)
    except (TypeError, ValueError):
        return 0
