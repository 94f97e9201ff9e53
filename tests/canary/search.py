"""Finds marks in bytes, however they are encoded, escaped, compressed or wrapped.

Each way is taken back where it may have been used, and what comes out is searched again. So a mark
is also found in a base64 text in a gzip file in a JSON string.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import gzip
import html
import re
import zlib
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_plus

from tests.canary.marks import Mark

# How many ways a mark may be hidden in one another.
_DEPTH = 4
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){6,}")
_ESCAPED = re.compile(rb"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\U([0-9a-fA-F]{8})")
# A digest, or a part of it, of 64 bits and more; in base64, of 128 and more.
DIGEST_END = 16
_DIGEST_HEX = re.compile(rb"[0-9A-Fa-f]{16,128}")
_DIGEST_BASE64 = re.compile(rb"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{22,88}(?![A-Za-z0-9+/_-])")
_GZIP = b"\x1f\x8b\x08"
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
# The frame of a table, and the mark of a continued line.
_FRAME = re.compile(r"[\s│|┃>]+")
_MOST_BYTES = 32 * 2**20


def found(content: bytes | str, marks: Iterable[Mark]) -> set[str]:
    """The marks in a content: `live: zylvik`."""
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    views = [text for view in _views(data) for text in _texts(view)]
    return {
        f"{mark.name}: {needle}"
        for mark in marks
        for needle in mark.needles
        if any(needle in text for text in views)
    }


def digests(content: bytes | str) -> set[str]:
    """The beginning and the end of all that may be a digest, in hexadecimal or base64."""
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    runs: set[str] = set()
    for view in _views(data):
        runs |= {run.decode().lower() for run in _DIGEST_HEX.findall(view)}
        for run in _DIGEST_BASE64.findall(view):
            plain = run.translate(bytes.maketrans(b"-_", b"+/"))
            with contextlib.suppress(binascii.Error):
                runs.add(base64.b64decode(plain + b"=" * (-len(plain) % 4)).hex())
    return {end for run in runs for end in (run[:DIGEST_END], run[-DIGEST_END:])}


def _texts(view: bytes) -> Iterator[str]:
    """The text as it is, and with line wrapping and the escapes of Markdown undone."""
    for coding in ("utf-8", "utf-16-le"):
        text = view.decode(coding, "ignore").casefold()
        yield text
        yield _FRAME.sub("", text)
        yield text.replace("\\", "")


def _views(data: bytes) -> Iterator[bytes]:
    """The content, and all that may be taken out of it."""
    seen: set[bytes] = set()
    layer = [data]
    for _ in range(_DEPTH):
        new = [view for view in layer if view not in seen and not seen.add(view)]  # type: ignore[func-returns-value]
        yield from new
        layer = [inner for view in new for inner in _inside(view)]
    yield from layer


def _inside(view: bytes) -> Iterator[bytes]:
    yield from _unescaped(view)
    yield from _decompressed(view)
    joined = re.sub(rb"\\?[\s\x00]+|\\n", b"", view)
    for text in {view, joined}:
        for run in _BASE64.findall(text):
            yield from _decoded(run)
        for run in _HEX.findall(text):
            yield bytes.fromhex(run.decode())


def _unescaped(view: bytes) -> Iterator[bytes]:
    text = view.decode("utf-8", "ignore")
    if b"\\" in view:
        yield _ESCAPED.sub(_character, view).replace(b'\\"', b'"').replace(b"\\/", b"/")
    if b"&" in view:
        yield html.unescape(text).encode("utf-8", "surrogatepass")
    if b"%" in view:
        yield unquote_plus(text).encode("utf-8", "surrogatepass")


def _character(escape: re.Match[bytes]) -> bytes:
    code = int(next(filter(None, escape.groups())), 16)
    return chr(code).encode("utf-8", "surrogatepass") if code < 0x110000 else escape[0]


def _decoded(run: bytes) -> Iterator[bytes]:
    """What a base64 text holds, at whichever of its characters the group of four begins."""
    plain = run.translate(bytes.maketrans(b"-_", b"+/"))
    for start in range(4):
        part = plain[start:]
        part = part[: len(part) - (len(part) % 4 == 1)]
        try:
            content = base64.b64decode(part + b"=" * (-len(part) % 4))
        except binascii.Error:
            continue
        # Random bytes are not worth a further look.
        if content.startswith(_GZIP) or _is_text(content):
            yield content


def _is_text(content: bytes) -> bool:
    """Whether a part of it is text: six letters or digits in a row, or characters of UTF-8."""
    return bool(re.search(rb"[A-Za-z0-9^. ]{6,}|(?:[\xe3-\xe9][\x80-\xbf]{2}){2}", content))


def _decompressed(view: bytes) -> Iterator[bytes]:
    for start in _starts(view, re.compile(re.escape(_GZIP))):
        try:
            yield zlib.decompressobj(31).decompress(view[start:], _MOST_BYTES)
        except zlib.error:
            continue
    for start in _starts(view, _ZLIB):
        try:
            yield zlib.decompressobj().decompress(view[start:], _MOST_BYTES)
        except zlib.error:
            continue


def _starts(view: bytes, pattern: re.Pattern[bytes]) -> list[int]:
    return [match.start() for match in pattern.finditer(view)]


def zipped(content: bytes) -> bytes:
    """A gzip file without a time, for the tests of this module."""
    return gzip.compress(content, mtime=0)
