"""Writes the elements of a DICOM data set as HealthImaging writes them in a metadata document.

The JSON type follows the VR of the file, or of the dictionary where the file gives no VR. Whether a
value is a list follows the VM of the dictionary, never the number of values. Values are read from
the raw bytes, so that a text stands in the document as it stands in the file. IS and DS keep their
padding; all other texts lose it. So do the documents that the service has produced since 2025.
"""

from __future__ import annotations

import base64
import math
import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom import datadict
from pydicom.charset import convert_encodings, decode_bytes, default_encoding
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset

SPECIFIC_CHARACTER_SET = 0x00080005
# FloatPixelData, DoubleFloatPixelData, PixelData: an image set keeps them as image frames.
PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})

_ASCII = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"})
_LOCALISED = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})  # PS3.5 §6.1.2.3
_ONE_VALUE = frozenset({"LT", "ST", "UR", "UT"})  # PS3.5 §6.2: a backslash is a character of these
_PADDED = frozenset({"DS", "IS"})
_NUMBERS = {
    "AT": "HH", "FD": "d", "FL": "f", "SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H",
    "UV": "Q",
}  # fmt: skip
_WORDS = {"OD": "d", "OF": "f", "OL": "I", "OV": "Q", "OW": "H"}
# The VR that remains where the VR depends on an element that the file does not have.
_UNDECIDED = {
    "OB or OW": "OW", "US or OW": "OW", "US or SS": "US", "US or SS or OW": "OW",
}  # fmt: skip
_DELIMITERS = frozenset(b"\n\r\t\f\\")  # PS3.5 §6.1.2.5.3: these end a code extension, in PN also
_NAME_DELIMITERS = _DELIMITERS | frozenset(b"^=")
# ISO 2022 IR 58 (GB 2312) and its escape sequence (PS3.3 table C.12-4). pydicom decodes the
# characters, but takes the escape sequence for a part of the text.
_GB_2312 = "iso_ir_58"
_TO_GB_2312 = "\x1b$)A"
# Beyond this a float cannot hold every integer, and JSON readers disagree.
_EXACT = 2.0**53
_UNDEFINED_LENGTH = 0xFFFFFFFF


class Malformed(Exception):
    """An element that cannot be read. The message names its tag, never its value."""


@dataclass(frozen=True, slots=True, repr=False)
class Encoded:
    """One element: `key` as in the document, the VR it was read as, and its JSON value."""

    tag: int
    key: str
    vr: str
    value: Any

    @property
    def needs_vr(self) -> bool:
        """Whether the element is private or in no dictionary: only DICOMVRs states its VR."""
        return bool(self.tag >> 16 & 1) or not _is_known(self.tag)


def key_of(tag: int) -> str:
    """The keyword of PS3.6, or eight hex digits for private, unknown and repeating (60xx) tags."""
    keyword: str = "" if tag >> 16 & 1 else datadict.keyword_for_tag(tag)
    return keyword if keyword and datadict.tag_for_keyword(keyword) == tag else f"{tag:08X}"


def encode(data_set: Dataset, encodings: Sequence[str] | None = None) -> Iterator[Encoded]:
    """Encode all elements in tag order, except pixel data and group lengths (retired by PS3.5
    §7.2).

    `encodings` are the character sets of the enclosing data set. A SpecificCharacterSet of the data
    set itself overrides them (PS3.3 §C.12.1.1.2). Raises `Malformed` for an element that cannot be
    read.
    """
    # A copy: when pydicom is asked for one element, it replaces the raw bytes of others.
    items = sorted(data_set.values(), key=lambda item: item.tag)
    encodings = _encodings(items, encodings)
    for item in items:
        if item.tag in PIXEL_DATA or _is_group_length(item.tag):
            continue
        vr = _vr(data_set, item)
        value = _value(data_set, item, vr, encodings)
        yield Encoded(int(item.tag), key_of(item.tag), vr, value)


def _encodings(items: Sequence[Any], inherited: Sequence[str] | None) -> Sequence[str]:
    for item in items:
        if item.tag == SPECIFIC_CHARACTER_SET:
            names = _texts(_raw_bytes(item), "CS", [default_encoding])
            converted: list[str] = convert_encodings(names if names != [""] else None)
            return converted
    return inherited or [default_encoding]


def _vr(data_set: Dataset, item: RawDataElement | DataElement) -> str:
    if item.VR not in (None, "UN"):
        return str(item.VR)
    if item.tag.is_private:
        # Of private elements only the creators are known without their VR (PS3.5 §7.8.1).
        return "LO" if item.tag.is_private_creator else "UN"
    if not _is_known(item.tag):
        return "UN"
    known = str(datadict.dictionary_VR(item.tag))
    if " or " in known:
        known = str(data_set[item.tag].VR)  # pydicom reads PixelRepresentation and similar elements
    return _UNDECIDED.get(known, known)


def _value(data_set: Dataset, item: Any, vr: str, encodings: Sequence[str]) -> Any:
    if vr == "SQ":
        return _sequence(data_set, item, encodings)
    raw = _raw_bytes(item)
    if not raw:
        return "" if item.tag.is_private and vr == "UN" else None
    if vr in _ASCII or vr in _LOCALISED:
        return _shaped(item.tag, _texts(raw, vr, encodings))
    is_little_endian = getattr(item, "is_little_endian", True) or item.VR == "UN"
    if vr in _NUMBERS:
        return _shaped(item.tag, _numbers(item.tag, raw, vr, is_little_endian))
    return base64.b64encode(raw if is_little_endian else _swapped(raw, vr)).decode("ascii")


def _sequence(data_set: Dataset, item: Any, encodings: Sequence[str]) -> list[Any] | None:
    check_complete(item)
    rows = data_set[item.tag].value if isinstance(item, RawDataElement) else item.value
    encoded = [{one.key: one.value for one in encode(row, encodings)} for row in rows or ()]
    return encoded or None


def check_complete(item: Any) -> None:
    """Raise `Malformed` where the file ends before the length that an element states."""
    if not isinstance(item, RawDataElement) or item.length in (0, _UNDEFINED_LENGTH):
        return
    if len(item.value or b"") < item.length:
        raise Malformed(f"it is truncated inside of {item.tag}")


def _raw_bytes(item: Any) -> bytes:
    """The bytes of the value field.

    pydicom has already decoded some elements of group 0002: these are encoded again.
    """
    check_complete(item)
    value = item.value
    if value is None or isinstance(value, bytes):
        return value or b""
    if isinstance(value, int):
        return struct.pack("<" + _NUMBERS[item.VR], value)
    texts = [value] if isinstance(value, str) else [str(text) for text in value]
    return "\\".join(texts).encode("latin-1", "replace")


def _texts(raw: bytes, vr: str, encodings: Sequence[str]) -> list[str]:
    if vr in _ASCII:
        text = raw.decode("latin-1")
    else:
        delimiters = _NAME_DELIMITERS if vr == "PN" else _DELIMITERS
        text = decode_bytes(raw, encodings, set(delimiters))
        if _GB_2312 in encodings:
            text = text.replace(_TO_GB_2312, "")
    # Decode first, then split: in GB18030 a backslash is also the second byte of a character.
    values = [text] if vr in _ONE_VALUE else text.split("\\")
    if vr in _PADDED:
        return [value.rstrip("\0") if value.strip(" \0") else "" for value in values]
    return [value.rstrip(" \0") for value in values]


def _numbers(tag: Any, raw: bytes, vr: str, is_little_endian: bool) -> list[Any]:
    layout = struct.Struct("<>"[not is_little_endian] + _NUMBERS[vr])
    if len(raw) % layout.size:
        raise Malformed(f"the length of {tag} is no multiple of {layout.size} bytes")
    rows = list(layout.iter_unpack(raw))
    if vr == "AT":
        return [f"{group:04X}{element:04X}" for group, element in rows]
    if not all(math.isfinite(number) for (number,) in rows):
        raise Malformed(f"{tag} holds NaN or Infinity, which JSON does not have")
    return [_number(number) for (number,) in rows]


def _number(number: float) -> int | float:
    if isinstance(number, int):
        return number
    return int(number) if number.is_integer() and abs(number) <= _EXACT else number


def _swapped(raw: bytes, vr: str) -> bytes:
    """Words in little endian, since a document does not state the byte order."""
    if vr not in _WORDS:
        return raw
    words = array(_WORDS[vr])
    whole = len(raw) - len(raw) % words.itemsize
    words.frombytes(raw[:whole])
    words.byteswap()
    return words.tobytes() + raw[whole:]


def _shaped(tag: Any, values: list[Any]) -> Any:
    if values == [""]:
        return None  # nothing but padding
    return values if len(values) > 1 or _is_multi_valued(tag) else values[0]


def _is_multi_valued(tag: int) -> bool:
    return _is_known(tag) and datadict.dictionary_VM(tag) != "1"


def _is_known(tag: int) -> bool:
    return bool(datadict.dictionary_has_tag(tag) or datadict.repeater_has_tag(tag))


def _is_group_length(tag: int) -> bool:
    return not tag & 0xFFFF and tag >> 16 != 2
