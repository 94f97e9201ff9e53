"""Whether a JSON value is compatible with a VR (PS3.5 §6.2), the sixth metadata constraint.

The JSON type follows the VR: IS and DS are strings, binary is base64, integers and floats are
numbers, a sequence is a list of objects. Null and "" mean an empty value and fit every VR.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from collections.abc import Callable
from typing import Any

_DIGITS = {
    "AS": r"[0-9]{3}[DWMY]",
    "AT": r"[0-9A-Fa-f]{8}",
    "CS": r"[A-Z0-9 _]{1,16}",
    "DS": r" *[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)? *",
    "IS": r" *[+-]?[0-9]{1,11} *",
    "TM": r"([01][0-9]|2[0-3])([0-5][0-9]([0-5][0-9]|60)?)?|"
    r"([01][0-9]|2[0-3])[0-5][0-9]([0-5][0-9]|60)\.[0-9]{1,6}",
    "DT": r"[0-9]{4}([0-9]{2}){0,5}(\.[0-9]{1,6})?([+-][0-9]{4})?",
    "UI": r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*",
}
_PATTERNS = {vr: re.compile(text) for vr, text in _DIGITS.items()}
_LENGTHS = {
    "AE": 16, "AS": 4, "CS": 16, "DS": 16, "DT": 26, "IS": 12, "LO": 64, "LT": 10_240,
    "SH": 16, "ST": 1024, "TM": 16, "UI": 64,
}  # fmt: skip
_TEXTS = frozenset({"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
_LINES = frozenset({"AE", "LO", "PN", "SH", "UC"})  # no control characters, "\" separates values
_RANGES = {
    "SS": (-(2**15), 2**15 - 1), "US": (0, 2**16 - 1), "SL": (-(2**31), 2**31 - 1),
    "UL": (0, 2**32 - 1), "SV": (-(2**63), 2**63 - 1), "UV": (0, 2**64 - 1),
}  # fmt: skip
_BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})

# The VRs that DICOMVRs may name.
VRS = frozenset({*_LENGTHS, *_TEXTS, *_RANGES, *_BINARY, "DA", "FD", "FL", "SQ"})


def compatible(vr: str, value: Any) -> bool:
    """Whether the value, or each value of a list, fits the VR."""
    if value is None or value == "":
        return True
    if vr == "SQ":
        return isinstance(value, list) and all(isinstance(item, dict) for item in value)
    items = value if isinstance(value, list) else [value]
    # "US or SS", "OB or OW": other elements decide the VR, so either fits.
    return any(
        all(item is None or item == "" or _one(choice, item) for item in items)
        for choice in vr.split(" or ")
    )


def _one(vr: str, value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if vr in _BINARY:
        return _is_base64(value)
    if vr in _RANGES:
        return isinstance(value, int) and _RANGES[vr][0] <= value <= _RANGES[vr][1]
    if vr in ("FL", "FD"):
        return isinstance(value, int | float)
    return isinstance(value, str) and _is_text(vr, value)


def _is_base64(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_text(vr: str, text: str) -> bool:
    # Documents of 2025 keep the padding to an even length. Padding is not part of the value.
    value = text.rstrip(" \0")
    if len(value) > _LENGTHS.get(vr, len(value)):
        return False
    if vr in _SPECIAL:
        return _SPECIAL[vr](value)
    if vr in _PATTERNS:
        return bool(_PATTERNS[vr].fullmatch(value))
    if vr in _LINES and any(character < " " or character == "\\" for character in value):
        return False
    return vr in _TEXTS or vr == ""


def _is_date(value: str) -> bool:
    if not re.fullmatch(r"[0-9]{8}", value):
        return False
    try:
        datetime.date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        return False
    return True


def _is_integer_string(value: str) -> bool:
    return bool(_PATTERNS["IS"].fullmatch(value)) and -(2**31) <= int(value) < 2**31


def _is_person_name(value: str) -> bool:
    groups = value.split("=")
    return len(groups) <= 3 and all(
        len(group) <= 64 and not any(c < " " or c == "\\" for c in group) for group in groups
    )


_SPECIAL: dict[str, Callable[[str], bool]] = {
    "DA": _is_date,
    "IS": _is_integer_string,
    "PN": _is_person_name,
}
