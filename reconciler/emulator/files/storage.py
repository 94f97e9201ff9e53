"""Decides how the frames of an instance are stored: transcoded, or as the file has them.

Without codecs nothing is transcoded, and the document states what the frames are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.emulator.files.codecs import Codecs, Unsuitable, installed
from reconciler.emulator.files.jph import wrapped
from reconciler.emulator.files.source_frames import Source
from reconciler.emulator.files.transfer_syntaxes import (
    DEFAULT_LOSSLESS_FORMAT,
    HTJ2K_LOSSLESS_RPCL,
    LOSSLESS_FORMATS,
)


@dataclass(frozen=True, slots=True, repr=False)
class StoredFrame:
    """The bytes that GetImageFrame answers, and the pixels that they decode to, if known."""

    data: bytes
    pixels: bytes | None


@dataclass(frozen=True, slots=True, repr=False)
class StoredFrames:
    """The frames of an instance and the transfer syntax of all of them."""

    syntax: str
    frames: tuple[StoredFrame, ...]


@dataclass(frozen=True, slots=True)
class Storage:
    """The lossless transfer syntax of a data store, and the codecs, if they are installed."""

    syntax: str
    codecs: Codecs | None

    def store(self, source: Source) -> StoredFrames:
        """Transcode what HealthImaging transcodes.

        Frames that cannot be transcoded stay as they are. HealthImaging does this too, with the
        warning TRANSCODING_EXCEPTION ("HealthImaging Warning Codes").
        """
        if self.codecs is not None and not source.is_kept:
            try:
                frames = tuple(self._transcoded(source, self.codecs))
                return StoredFrames(self.syntax, frames)
            except Unsuitable:
                pass
        unchanged = (
            StoredFrame(frame, frame if source.are_pixels else None) for frame in source.frames
        )
        return StoredFrames(source.stored_syntax, tuple(unchanged))

    def _transcoded(self, source: Source, codecs: Codecs) -> Iterable[StoredFrame]:
        for frame in source.frames:
            if source.are_pixels:
                pixels = codecs.by_pixel(frame, source.layout)
            elif source.is_encapsulated:
                pixels = codecs.decode(frame, source.syntax, source.layout)
            else:
                raise Unsuitable
            data = codecs.encode(pixels, self.syntax, source.layout)
            if self.syntax == HTJ2K_LOSSLESS_RPCL:
                data = wrapped(data, source.layout)
            yield StoredFrame(data, pixels)


def storage(lossless_format: str = DEFAULT_LOSSLESS_FORMAT) -> Storage:
    """The storage of a data store with this `losslessStorageFormat`, with the codecs, if any."""
    return Storage(LOSSLESS_FORMATS[lossless_format], installed())
