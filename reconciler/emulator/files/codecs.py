"""Decodes and encodes pixels with imagecodecs, which the extra `frames` installs.

HealthImaging decodes each frame that it has encoded, and compares ("Pixel data verification"). So
does this: pixels that do not survive are not encoded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reconciler.emulator.files.source_frames import PixelFormat
from reconciler.emulator.files.transfer_syntaxes import (
    HTJ2K_LOSSLESS_RPCL,
    JPEG_2000_LOSSLESS,
)

_JPEG = "1.2.840.10008.1.2.4."
# PS3.5 §10.18: HTJ2K Lossless RPCL has so many decompositions that the smallest resolution, a
# thumbnail, is at most this wide and high.
_THUMBNAIL = 64
# OpenJPEG and OpenJPH in the browser decode no 32 bits, so such pixels are not encoded.
_ENCODED_BITS = (8, 16)
_ENCODED_SAMPLES = (1, 3)


class Unsuitable(Exception):
    """Pixels that cannot be decoded or encoded."""


def installed() -> Codecs | None:
    """The codecs, unless imagecodecs is missing. Slow at first: it imports numpy."""
    try:
        import imagecodecs
        import numpy
    except ImportError:
        return None
    return Codecs(imagecodecs, numpy)


@dataclass(frozen=True, slots=True)
class Codecs:
    """The modules imagecodecs and numpy."""

    _codecs: Any
    _numpy: Any

    def decode(self, data: bytes, syntax: str, layout: PixelFormat) -> bytes:
        """The pixels of a compressed frame. Raises Unsuitable where this fails."""
        decoder = self._decoder(syntax, layout)
        try:
            found = self._numpy.asarray(decoder(data))
        # imagecodecs has an error class for each codec, and RuntimeError as the base of some.
        except Exception:
            raise Unsuitable from None
        return bytes(self._as_described(found, layout).tobytes())

    def _decoder(self, syntax: str, layout: PixelFormat) -> Callable[[bytes], Any]:
        codecs = self._codecs
        # Colours stay those that the document states; only J2K's own transform is undone.
        colours = "ycbcr" if layout.photometric.startswith("YBR") else "rgb"
        space = {"colorspace": colours, "outcolorspace": colours} if layout.samples == 3 else {}
        decoders: dict[str, Callable[[bytes], Any]] = {
            f"{_JPEG}51": lambda data: codecs.jpeg8_decode(data, **space),
            f"{_JPEG}57": codecs.ljpeg_decode,
            f"{_JPEG}70": codecs.ljpeg_decode,
            f"{_JPEG}80": codecs.jpegls_decode,
            f"{_JPEG}81": codecs.jpegls_decode,
            f"{_JPEG}90": lambda data: codecs.jpeg2k_decode(data, planar=False),
            f"{_JPEG}201": lambda data: codecs.htj2k_decode(data, planar=False),
            f"{_JPEG}202": lambda data: codecs.htj2k_decode(data, planar=False),
        }
        if syntax not in decoders:
            raise Unsuitable
        return decoders[syntax]

    def _as_described(self, found: Any, layout: PixelFormat) -> Any:
        """The pixels in the type that the file states. Most codecs know no sign."""
        if found.shape != _shape(layout) or found.dtype.kind not in "iu":
            raise Unsuitable
        kind = "i" if layout.is_signed else "u"
        if found.dtype.kind != kind:
            stored = layout.bits_stored
            found = found.astype("int64") & ((1 << stored) - 1)
            if layout.is_signed:
                found -= (found >> (stored - 1)) << stored
        return found.astype(_pixel_type(layout))

    def by_pixel(self, frame: bytes, layout: PixelFormat) -> bytes:
        """An uncompressed frame with the samples of each pixel side by side.

        This is what decoders of HTJ2K give, so it is what checksums are made of.
        """
        pixel_type = _pixel_type(layout)
        if len(frame) < layout.frame_bits // 8:
            raise Unsuitable
        pixels = self._numpy.frombuffer(frame[: layout.frame_bits // 8], pixel_type)
        if layout.is_subsampled:
            pixels = self._upsampled(pixels)
        elif layout.is_planar and layout.samples > 1:
            pixels = self._numpy.moveaxis(pixels.reshape(layout.samples, -1), 0, 1)
        return bytes(pixels.tobytes())

    def _upsampled(self, pixels: Any) -> Any:
        """Y1 Y2 CB CR as Y1 CB CR Y2 CB CR (PS3.3 §C.7.6.3.1.2)."""
        return pixels.reshape(-1, 4)[:, [0, 2, 3, 1, 2, 3]]

    def encode(self, pixels: bytes, syntax: str, layout: PixelFormat) -> bytes:
        """The frame in a lossless transfer syntax. Raises Unsuitable where it would lose pixels."""
        image = self._numpy.frombuffer(pixels, _pixel_type(layout)).reshape(_shape(layout))
        encoder = {HTJ2K_LOSSLESS_RPCL: self._htj2k, JPEG_2000_LOSSLESS: self._jpeg_2000}[syntax]
        try:
            encoded = encoder(image, layout)
        except Exception:
            raise Unsuitable from None
        if self.decode(encoded, syntax, layout) != pixels:
            raise Unsuitable
        return encoded

    def _htj2k(self, image: Any, layout: PixelFormat) -> bytes:
        # OpenJPH encodes in the order RPCL. A tile part for each resolution, and their lengths
        # (TLM), let a client read the small resolutions alone.
        return bytes(
            self._codecs.htj2k_encode(
                image, reversible=True, rgb=_is_transformed(layout), planar=False,
                resolutions=_decompositions(layout), tlm=True, tilepart=1,
            )
        )  # fmt: skip

    def _jpeg_2000(self, image: Any, layout: PixelFormat) -> bytes:
        return bytes(
            self._codecs.jpeg2k_encode(
                image, codecformat="j2k", reversible=True, mct=_is_transformed(layout),
                planar=False, numthreads=1,
            )
        )  # fmt: skip


def _is_transformed(layout: PixelFormat) -> bool:
    """Colours are transformed, without loss.

    OpenJPH in WebAssembly, which AWS's viewers use, gives the samples of other frames in another
    order: https://github.com/cornerstonejs/codecs
    """
    return layout.samples == 3


def _decompositions(layout: PixelFormat) -> int:
    found = 1
    while max(layout.rows, layout.columns) >> found > _THUMBNAIL:
        found += 1
    return found


def _shape(layout: PixelFormat) -> tuple[int, ...]:
    size = layout.rows, layout.columns
    return size if layout.samples == 1 else (*size, layout.samples)


def _pixel_type(layout: PixelFormat) -> str:
    is_encoded = layout.bits in _ENCODED_BITS and layout.samples in _ENCODED_SAMPLES
    if not is_encoded or not layout.rows * layout.columns:
        raise Unsuitable
    return f"<{'i' if layout.is_signed else 'u'}{layout.bits // 8}"
