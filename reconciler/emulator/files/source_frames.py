"""Reads the frames of a DICOM data set: one frame after the other, as its transfer syntax has them.

Frames that need no codec (uncompressed and RLE) are given as pixels: little-endian, colour by pixel
or by plane as PlanarConfiguration states.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from pydicom.dataset import Dataset
from pydicom.encaps import generate_fragments, generate_frames, parse_basic_offsets
from pydicom.pixels.decoders import RLELosslessDecoder

from reconciler.emulator.files.encode import PIXEL_DATA
from reconciler.emulator.files.transfer_syntaxes import (
    EXPLICIT_LITTLE_ENDIAN,
    KEPT,
    RLE_LOSSLESS,
    VIDEO,
)

_INTEGERS = 0x7FE00010  # PixelData; the others hold floating-point numbers
_UNDEFINED_LENGTH = 0xFFFFFFFF
_WORDS = {8: "B", 16: "H", 32: "I", 64: "Q"}


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How the pixels of a frame are laid out (PS3.3 §C.7.6.3). 0 where the file does not say."""

    rows: int
    columns: int
    samples: int
    bits: int
    bits_stored: int
    is_signed: bool
    is_planar: bool
    photometric: str

    @property
    def is_subsampled(self) -> bool:
        """Whether two pixels share their chroma (PS3.3 §C.7.6.3.1.2)."""
        return self.photometric == "YBR_FULL_422"

    @property
    def frame_bits(self) -> int:
        """The size of an uncompressed frame, in bits."""
        bits = self.rows * self.columns * self.samples * self.bits
        return bits * 2 // 3 if self.is_subsampled else bits


@dataclass(frozen=True, slots=True, repr=False)
class Source:
    """The frames of an instance.

    `stored_syntax` is the transfer syntax in which `frames` can be stored as they are. `are_pixels`
    is whether they are decoded integers.
    """

    syntax: str
    stored_syntax: str
    layout: PixelFormat
    frames: tuple[bytes, ...]
    are_pixels: bool

    @property
    def is_kept(self) -> bool:
        """Whether HealthImaging never transcodes them: lossy, video or binary segmentation."""
        return self.syntax in KEPT or (self.layout.bits == 1 and not self.is_encapsulated)

    @property
    def is_encapsulated(self) -> bool:
        """Whether `frames` are compressed."""
        return self.stored_syntax != EXPLICIT_LITTLE_ENDIAN


def read_frames(data_set: Dataset, syntax: str) -> Source:
    """The frames of a data set that has pixel data. Raises an error of pydicom if it cannot."""
    item = next(data_set.get_item(tag) for tag in sorted(PIXEL_DATA) if tag in data_set)
    layout = _layout(data_set)
    data = item.value or b""
    count = _whole(data_set, "NumberOfFrames") or 1
    if getattr(item, "length", 0) == _UNDEFINED_LENGTH and syntax != RLE_LOSSLESS:
        is_video = syntax in VIDEO
        frames = [_video(data)] if is_video else generate_frames(data, number_of_frames=count)
        return Source(syntax, syntax, layout, tuple(frames), are_pixels=False)
    if syntax == RLE_LOSSLESS:
        pixels = _run_lengths_decoded(data_set, layout)
    else:
        if not getattr(item, "is_little_endian", True):
            data = _swapped(data, _word_bits(layout, str(item.VR)))
        pixels = _native(data, layout, count)
    are_integers = item.tag == _INTEGERS and layout.bits in _WORDS
    return Source(syntax, EXPLICIT_LITTLE_ENDIAN, layout, tuple(pixels), are_pixels=are_integers)


def _layout(data_set: Dataset) -> PixelFormat:
    bits = _whole(data_set, "BitsAllocated")
    return PixelFormat(
        rows=_whole(data_set, "Rows"),
        columns=_whole(data_set, "Columns"),
        samples=_whole(data_set, "SamplesPerPixel") or 1,
        bits=bits,
        bits_stored=_whole(data_set, "BitsStored") or bits,
        is_signed=_whole(data_set, "PixelRepresentation") == 1,
        is_planar=_whole(data_set, "PlanarConfiguration") == 1,
        photometric=str(data_set.get("PhotometricInterpretation") or ""),
    )


def _whole(data_set: Dataset, keyword: str) -> int:
    """The attribute as a number; 0 where it is absent, empty or not a number."""
    try:
        return int(data_set.get(keyword) or 0)
    except (TypeError, ValueError):
        return 0


def _native(data: bytes, layout: PixelFormat, count: int) -> Iterator[bytes]:
    """Frames follow each other without padding between them, also of 1 bit (PS3.5 §8.1.1).

    Ends with the data: NumberOfFrames may be any number.
    """
    bits = layout.frame_bits or 8 * len(data)
    for first in range(0, min(count * bits, 8 * len(data)), bits or 1):
        part = data[first // 8 : (first + bits + 7) // 8]
        if bits % 8:
            number = (int.from_bytes(part, "little") >> first % 8) & ((1 << bits) - 1)
            part = number.to_bytes((bits + 7) // 8, "little")
        yield part


def _video(data: bytes) -> bytes:
    """All fragments after the offset table: a video is one object, whatever NumberOfFrames is."""
    items = BytesIO(data)
    parse_basic_offsets(items)
    return b"".join(generate_fragments(items))


def _run_lengths_decoded(data_set: Dataset, layout: PixelFormat) -> Iterator[bytes]:
    """pydicom decodes to colour by plane. The document says what the file says."""
    for frame, _ in RLELosslessDecoder.iter_buffer(data_set, decoding_plugin="pydicom"):
        yield bytes(frame) if layout.is_planar else _by_pixel(bytes(frame), layout)


def _by_pixel(planes: bytes, layout: PixelFormat) -> bytes:
    if layout.samples == 1:
        return planes
    samples = array(_WORDS[layout.bits], planes)
    pixels = array(_WORDS[layout.bits], bytes(len(planes)))
    size = len(samples) // layout.samples
    for number in range(layout.samples):
        pixels[number :: layout.samples] = samples[number * size : (number + 1) * size]
    return pixels.tobytes()


def _word_bits(layout: PixelFormat, vr: str) -> int:
    """The bits that change places in a big-endian file: those of a word, in OW (PS3.5 §A.3)."""
    return max(layout.bits, 16) if vr == "OW" else layout.bits


def _swapped(data: bytes, bits: int) -> bytes:
    if bits not in _WORDS:
        return data
    words = array(_WORDS[bits])
    whole = len(data) // words.itemsize * words.itemsize
    words.frombytes(data[:whole])
    words.byteswap()
    return words.tobytes() + data[whole:]
