"""What HealthImaging does with the frames of each transfer syntax, and their media types.

Developer guide, "Supported transfer syntaxes":
https://docs.aws.amazon.com/healthimaging/latest/devguide/supported-transfer-syntaxes.html
"""

from __future__ import annotations

_JPEG = "1.2.840.10008.1.2.4."

EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
RLE_LOSSLESS = "1.2.840.10008.1.2.5"
JPEG_2000_LOSSLESS = f"{_JPEG}90"
HTJ2K_LOSSLESS_RPCL = f"{_JPEG}202"

# `losslessStorageFormat` of a data store, and the transfer syntax that its frames are stored in.
LOSSLESS_FORMATS = {"HTJ2K": HTJ2K_LOSSLESS_RPCL, "JPEG_2000_LOSSLESS": JPEG_2000_LOSSLESS}
DEFAULT_LOSSLESS_FORMAT = "HTJ2K"

_MPEG2 = frozenset(f"{_JPEG}{end}" for end in ("100", "100.1", "101", "101.1"))
_MPEG4 = frozenset(
    f"{_JPEG}{end}{fragmentable}"
    for end in ("102", "103", "104", "105", "106")
    for fragmentable in ("", ".1")
)
_HEVC = frozenset(f"{_JPEG}{end}" for end in ("107", "108"))
VIDEO = _MPEG2 | _MPEG4 | _HEVC

# Frames of these are stored as they are. Frames of all others are transcoded.
KEPT = VIDEO | {f"{_JPEG}{end}" for end in ("50", "91", "112", "203")}

# The first seven rows are those of `contentType` in the service's model. The model has no others:
# HealthImaging stores no frames of other transfer syntaxes, unless it cannot transcode them.
_MEDIA_TYPES = {
    f"{_JPEG}50": "image/jpeg",
    f"{_JPEG}91": "image/j2c",
    **dict.fromkeys(_MPEG2, "video/mpeg"),
    **dict.fromkeys(_MPEG4, "video/mp4"),
    **dict.fromkeys(_HEVC, "video/H256"),
    **{f"{_JPEG}{end}": "image/jph" for end in ("201", "202")},
    f"{_JPEG}203": "image/jphc",
    **{f"{_JPEG}{end}": "image/jxl" for end in ("110", "111", "112")},
    **{f"{_JPEG}{end}": "image/jpeg" for end in ("51", "57", "70")},
    **{f"{_JPEG}{end}": "image/jls" for end in ("80", "81")},
    **{f"{_JPEG}{end}": "image/j2c" for end in ("90", "92", "93")},
}
_OTHER = "application/octet-stream"


def media_type(syntax: str) -> str:
    """The contentType of frames that are stored in a transfer syntax."""
    return _MEDIA_TYPES.get(syntax, _OTHER)
