"""Wraps an HTJ2K codestream in the boxes of a JP2 file, as HealthImaging does.

A frame that AWS recorded has these boxes and brands, and AWS's examples in Python and C++ read it
as a JP2 file:
https://github.com/awsdocs/aws-doc-sdk-examples/blob/main/cpp/example_code/medical-imaging/tests/mock_input/test.jph
"""

from __future__ import annotations

import struct

from reconciler.emulator.files.source_frames import PixelFormat

_SIGNATURE = b"\r\n\x87\n"
_BRAND = b"jp2 "
_WAVELETS = 7  # the compression type of all JPEG 2000 codestreams (ISO/IEC 15444-1, I.5.3.1)
# Enumerated colour spaces (I.5.3.3). Not sYCC (18) for YBR_FULL: OpenJPEG would convert it to RGB,
# and the checksum would be that of other pixels.
_SRGB, _GREYSCALE = 16, 17


def wrapped(codestream: bytes, layout: PixelFormat) -> bytes:
    """The file of one frame."""
    size = struct.pack(
        ">IIHBBBB", layout.rows, layout.columns, layout.samples, _precision(layout), _WAVELETS, 0, 0
    )
    colour = struct.pack(">BBBI", 1, 0, 0, _colour_space(layout))
    return b"".join((
        _box(b"jP  ", _SIGNATURE),
        _box(b"ftyp", _BRAND + bytes(4) + _BRAND),
        _box(b"jp2h", _box(b"ihdr", size) + _box(b"colr", colour)),
        _box(b"jp2c", codestream),
    ))  # fmt: skip


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def _precision(layout: PixelFormat) -> int:
    return layout.bits - 1 | (0x80 if layout.is_signed else 0)


def _colour_space(layout: PixelFormat) -> int:
    return _GREYSCALE if layout.samples == 1 else _SRGB
