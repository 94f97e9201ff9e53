"""Reads the body of a request: of a stated length, or in chunks (RFC 9112 section 7.1)."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message

from reconciler.emulator.wire.errors import ApiError, invalid

# The quota of one image set's metadata is 50 MB, and a document may be loaded over HTTP.
_MOST_BYTES = 64 * 2**20
# Of the sizes, extensions and trailers of one body: what they hold is not used.
_MOST_FRAMING_BYTES = 2**20
_PART_BYTES = 2**20
_LENGTH = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIZE = re.compile(rb"([0-9A-Fa-f]+)[ \t]*(?:;[^\r\n]*)?\r\n")


class CutOffError(Exception):
    """The client closed the connection before the end of the body."""


def read_body(
    headers: Message, version: str, stream: io.BufferedIOBase, got: Callable[[int], None]
) -> bytes:
    """The body of a request. `version` is that of HTTP; `got` is called with the size of each part.

    Raises ApiError for a body that is not read, and CutOffError where it does not end.
    """
    codings = headers.get_all("Transfer-Encoding", [])
    lengths = headers.get_all("Content-Length", [])
    try:
        if codings:
            _check_chunked(codings, lengths, version)
            return _Chunks(stream, got).read()
        return _take(stream, _length(lengths), got)
    except TimeoutError:
        raise ApiError("RequestTimeoutException", "The request body came too slowly.") from None


def _length(lengths: list[str]) -> int:
    if not lengths:
        return 0
    if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
        raise invalid("Content-Length is not one number.")
    if int(lengths[0]) > _MOST_BYTES:
        raise _too_large()
    return int(lengths[0])


def _check_chunked(codings: list[str], lengths: list[str], version: str) -> None:
    """Refuse what two readers may understand in two ways (RFC 9112 sections 6.1 and 6.3)."""
    if [coding.strip().lower() for coding in codings] != ["chunked"]:
        raise invalid("The only Transfer-Encoding that is supported is chunked.")
    if lengths:
        raise invalid("Send Content-Length or Transfer-Encoding, not both.")
    if version != "HTTP/1.1":
        raise invalid("Transfer-Encoding needs HTTP/1.1.")


@dataclass(slots=True)
class _Chunks:
    stream: io.BufferedIOBase
    got: Callable[[int], None]
    framing_left: int = _MOST_FRAMING_BYTES

    def read(self) -> bytes:
        body = bytearray()
        while size := self._size():
            if len(body) + size > _MOST_BYTES:
                raise _too_large()
            body += _take(self.stream, size, self.got)
            if self._line() != b"\r\n":
                raise _malformed()
        while self._line() != b"\r\n":
            pass  # a trailer
        return bytes(body)

    def _size(self) -> int:
        found = _SIZE.fullmatch(self._line())
        if not found:
            raise _malformed()
        return int(found[1], 16)

    def _line(self) -> bytes:
        line = self.stream.readline(self.framing_left)
        self.framing_left -= len(line)
        if not line.endswith(b"\n"):
            raise CutOffError if self.framing_left else _too_large()
        return line


def _take(stream: io.BufferedIOBase, size: int, got: Callable[[int], None]) -> bytes:
    body = bytearray()
    while len(body) < size:
        part = stream.read1(min(size - len(body), _PART_BYTES))
        if not part:
            raise CutOffError
        got(len(part))
        body += part
    return bytes(body)


def _too_large() -> ApiError:
    return invalid("The request body is too large.")


def _malformed() -> ApiError:
    return invalid("The chunks of the request body are malformed.")
