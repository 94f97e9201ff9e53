"""The rules that a value must follow to fit its VR and VM (PS3.5 sections 6.2 and 6.4).

`problems` checks a value in HealthImaging's JSON form and describes each violation by a sentence,
which does not contain the value. Padding is allowed: the service keeps it as it was imported.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from collections.abc import Callable
from datetime import date
from functools import lru_cache

from reconciler.core.dicom.dictionary import UnknownKeyError, by_key
from reconciler.core.model.value import Json

INTEGER_RANGES = {
    "US": (0, 2**16 - 1),
    "SS": (-(2**15), 2**15 - 1),
    "UL": (0, 2**32 - 1),
    "SL": (-(2**31), 2**31 - 1),
    "UV": (0, 2**64 - 1),
    "SV": (-(2**63), 2**63 - 1),
}
FLOAT_VRS = frozenset({"FL", "FD"})
BINARY_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
# Leading spaces are significant, and a backslash is an ordinary character (PS3.5 table 6.2-1).
PLAIN_TEXT_VRS = frozenset({"LT", "ST", "UT"})
BACKSLASH_VRS = PLAIN_TEXT_VRS | {"UR"}
LEADING_SPACE_VRS = PLAIN_TEXT_VRS | {"UC"}
# Whole floats up to here are exact, and documents write them as integers.
EXACT_WHOLE = 2**53

_CONTROLS = re.compile("[\x00-\x1a\x1c-\x1f\x7f]")  # all but ESC, which switches character sets
_CONTROLS_IN_TEXT = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")  # TAB LF FF CR ESC pass
_NOT_DEFAULT = re.compile(r"[^ -\[\]-~]")  # ISO-IR 6 without the backslash
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_AGE = re.compile("[0-9]{3}[DWMY]")
_CODE = re.compile("[A-Z0-9 _]*")
_DATE = re.compile("[0-9]{8}")
_INTEGER = re.compile("[+-]?[0-9]+")
_TIME = re.compile(r"([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:\.[0-9]{1,6})?)?)?")
_DATE_TIME = re.compile(
    r"([0-9]{4})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2}(?:[0-9]{2}(?:[0-9]{2}(?:\.[0-9]{1,6})?)?)?))?)?)?"
    r"([+-][0-9]{4})?"
)
_WHOLE = re.compile("[+-]?[0-9]{1,20}")  # 64 bits need no more
_UID = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*")
_URI = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")
_TAG = re.compile("[0-9A-Fa-f]{8}")
_VM = re.compile("([0-9]+)(?:-([0-9]+)?(n)?)?")


def _longer(text: str, limit: int) -> tuple[str, ...]:
    return (f"the value is longer than {limit} characters",) if len(text) > limit else ()


def _unless(fits: object, problem: str) -> tuple[str, ...]:
    return () if fits else (problem,)


def _no_controls(text: str) -> tuple[str, ...]:
    return _unless(not _CONTROLS.search(text), "the value contains a control character")


def _ae(text: str) -> tuple[str, ...]:
    wrong = "the value contains a character that is not ASCII"
    return _longer(text, 16) + _unless(not _NOT_DEFAULT.search(text), wrong)


def _as(text: str) -> tuple[str, ...]:
    wrong = "the value is not an age: three digits and D, W, M or Y, such as 018M"
    return _unless(_AGE.fullmatch(text), wrong)


def _cs(text: str) -> tuple[str, ...]:
    wrong = "the value contains other characters than A-Z, 0-9, space and underscore"
    return _longer(text, 16) + _unless(_CODE.fullmatch(text), wrong)


def _da(text: str) -> tuple[str, ...]:
    if not _DATE.fullmatch(text):
        return ("the value is not a date in the form YYYYMMDD",)
    return _unless(_is_date(text[:4], text[4:6], text[6:]), "the value is not an existing date")


def _is_date(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _ds(text: str) -> tuple[str, ...]:
    return _longer(text, 16) + _unless(is_decimal(text), "the value is not a decimal number")


def _is(text: str) -> tuple[str, ...]:
    if not _INTEGER.fullmatch(text):
        return ("the value is not a whole number",)
    if len(text) > 12:
        return _longer(text, 12)
    return _unless(-(2**31) <= int(text) < 2**31, "the value is outside -2147483648 to 2147483647")


def _tm(text: str) -> tuple[str, ...]:
    found = _TIME.fullmatch(text)
    if not found:
        return ("the value is not a time: HHMMSS.FFFFFF, or a shorter form such as HHMM",)
    hour, minute, second = (int(part or 0) for part in found.groups())
    return _unless(hour < 24 and minute < 60 and second <= 60, "the value is not a time of the day")


def _dt(text: str) -> tuple[str, ...]:
    found = _DATE_TIME.fullmatch(text)
    if not found:
        form = "YYYYMMDDHHMMSS.FFFFFF+ZZXX, or a shorter form such as YYYYMMDD"
        return (f"the value is not a date and time: {form}",)
    year, month, day, time, offset = found.groups()
    if not _is_date(year, month or "01", day or "01") or _tm(time or "00"):
        return ("the value is not an existing date and time",)
    wrong = "the offset from UTC is outside -1200 to +1400"
    return _unless(not offset or _is_offset(offset), wrong)


def _is_offset(offset: str) -> bool:
    """-1200 to +1400, and zero without a minus sign (PS3.5 table 6.2-1)."""
    minutes = int(offset[0] + "1") * (int(offset[1:3]) * 60 + int(offset[3:]))
    return int(offset[3:]) < 60 and -720 <= minutes <= 840 and offset != "-0000"


def _ui(text: str) -> tuple[str, ...]:
    wrong = "the value is not a UID (numbers without leading zeros, joined by dots)"
    return _longer(text, 64) + _unless(_UID.fullmatch(text), wrong)


def _pn(text: str) -> tuple[str, ...]:
    groups = text.split("=")
    found = _no_controls(text)
    if len(groups) > 3:
        found += ("the name has more than three component groups (=)",)
    if any(len(group) > 64 for group in groups):
        found += ("a component group of the name is longer than 64 characters",)
    if any(group.count("^") > 4 for group in groups):
        found += ("a component group of the name has more than five components (^)",)
    return found


def _ur(text: str) -> tuple[str, ...]:
    return _unless(
        _URI.fullmatch(text), "the value contains a character that is not allowed in a URI"
    )


def _line(limit: int) -> Callable[[str], tuple[str, ...]]:
    return lambda text: _longer(text, limit) + _no_controls(text)


def _prose(limit: int) -> Callable[[str], tuple[str, ...]]:
    wrong = "the value contains a control character"
    return lambda text: _longer(text, limit) + _unless(not _CONTROLS_IN_TEXT.search(text), wrong)


_TEXT_RULES: dict[str, Callable[[str], tuple[str, ...]]] = {
    "AE": _ae,
    "AS": _as,
    "CS": _cs,
    "DA": _da,
    "DS": _ds,
    "DT": _dt,
    "IS": _is,
    "LO": _line(64),
    "LT": _prose(10240),
    "PN": _pn,
    "SH": _line(16),
    "ST": _prose(1024),
    "TM": _tm,
    "UC": _line(2**32 - 2),
    "UI": _ui,
    "UR": _ur,
    "UT": _prose(2**32 - 2),
}
TEXT_VRS = frozenset(_TEXT_RULES)
ALL_VRS = TEXT_VRS | FLOAT_VRS | BINARY_VRS | set(INTEGER_RANGES) | {"AT", "SQ"}


@lru_cache(maxsize=256)
def alternatives(vr: str) -> tuple[str, ...]:
    """Split the alternatives of the dictionary: `US or SS` -> (`US`, `SS`)."""
    return tuple(vr.split(" or "))


def is_vr(text: str) -> bool:
    """Whether this is a VR, or the alternatives of the dictionary: `US or SS`."""
    return text in ALL_VRS or ALL_VRS.issuperset(alternatives(text))


def is_base64(text: str) -> bool:
    """Whether this is base64 by RFC 4648: padded, without line breaks and stray bits."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return base64.b64encode(data).decode() == text


def is_decimal(text: str) -> bool:
    """Whether this is a decimal number in the form of DS (PS3.5 table 6.2-1)."""
    return bool(_NUMBER.fullmatch(text))


def fits(vr: str, text: str) -> bool:
    """Whether text without padding has a form that a VR of text allows."""
    return not _TEXT_RULES[vr](text)


def number_of(text: str) -> int | float | None:
    """Return the number that a text states, whole numbers as integers; None for other text."""
    stated = text.strip(" ")
    if _WHOLE.fullmatch(stated):
        return int(stated)
    if not is_decimal(stated) or not math.isfinite(number := float(stated)):
        return None
    return int(number) if number.is_integer() and abs(number) < EXACT_WHOLE else number


def is_tag(text: str) -> bool:
    """Whether this is a tag as documents write it (VR AT): eight hex digits."""
    return bool(_TAG.fullmatch(text))


def has_items(raw: Json) -> bool:
    """Whether a value whose VR is not known is a sequence: a list with items."""
    return isinstance(raw, list) and any(isinstance(value, dict) for value in raw)


@lru_cache(maxsize=1024)
def multiplicity(vm: str, count: int) -> str | None:
    """Return why this number of values violates a VM (`1`, `1-3`, `2-n`, `3-3n`), or None."""
    found = _VM.fullmatch(vm)
    if not found:
        return None
    low = int(found[1])
    if "-" not in vm:
        return None if count == low else _count(vm, count)
    step = int(found[2] or 1) if found[3] else 0
    fits = count >= low and (count % step == 0 if step else count <= int(found[2]))
    return None if fits else _count(vm, count)


def _count(vm: str, count: int) -> str:
    return f"{count} value{' is' if count == 1 else 's are'} given, but the VM is {vm}"


def problems(vr: str, vm: str, raw: Json) -> tuple[str, ...]:
    """Describe every violation of VR and VM by a value; empty if it fits.

    `vr` may name alternatives; one of them must fit all values. Sequences are checked to any
    depth. An empty value always fits. Source: PS3.5 sections 6.2 and 6.4.
    """
    if raw is None or raw == "" or raw == []:
        return ()
    if vr == "SQ":
        return _sequence_problems(raw)
    values: list[Json] = raw if isinstance(raw, list) else [raw]
    count = multiplicity(vm, len(values))
    return _value_problems(vr, values) + ((count,) if count else ())


def _value_problems(vr: str, values: list[Json]) -> tuple[str, ...]:
    found: list[str] = []
    for option in alternatives(vr):
        found = [text for value in values for text in _misfits(option, value)]
        if not found:
            return ()
    if len(alternatives(vr)) == 1:
        return tuple(dict.fromkeys(found))
    return (f"the value fits neither VR {vr.replace(' or ', ' nor ')}",)


def _misfits(vr: str, value: Json) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    if vr in INTEGER_RANGES:
        return _integer_misfits(vr, value)
    if vr in FLOAT_VRS:
        return _float_misfits(vr, value)
    if not isinstance(value, str):
        return ("the value is not text",)
    if vr in BINARY_VRS:
        return _unless(is_base64(value), "the value is not base64")
    if vr == "AT":
        return _unless(is_tag(value), "the value is not a tag of eight hex digits")
    return _text_misfits(vr, value)


def _integer_misfits(vr: str, value: Json) -> tuple[str, ...]:
    if not isinstance(value, int) or isinstance(value, bool):
        return ("the value is not a whole number",)
    low, high = INTEGER_RANGES[vr]
    return _unless(low <= value <= high, f"the value is outside {low} to {high}")


def _float_misfits(vr: str, value: Json) -> tuple[str, ...]:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return ("the value is not a number",)
    return _unless(fits_float(vr, value), f"the value is too large for VR {vr}")


def fits_float(vr: str, value: float) -> bool:
    """Whether a number is finite and within single (FL) or double (FD) precision."""
    try:
        struct.pack("<f" if vr == "FL" else "<d", value)
        return math.isfinite(value)
    except (OverflowError, struct.error):
        return False


def _text_misfits(vr: str, value: str) -> tuple[str, ...]:
    rule = _TEXT_RULES.get(vr)
    if rule is None:
        return ("the stated VR does not exist",) if vr not in ALL_VRS else ()
    text = value.rstrip(" \0")
    if vr not in LEADING_SPACE_VRS:
        text = text.lstrip(" ")
    if vr in BACKSLASH_VRS:
        return rule(text)
    if "\\" not in text:
        return rule(text) if text else ()
    # The dictionary has no VM for private elements: a document may join several values by "\".
    parts = [part.strip(" ") for part in text.split("\\")]
    return tuple(dict.fromkeys(found for part in parts if part for found in rule(part)))


def _sequence_problems(raw: Json) -> tuple[str, ...]:
    if not isinstance(raw, list):
        return ("the value is not a list of items",)
    found: list[str] = []
    for item in raw:
        if not isinstance(item, dict):
            found.append("an item of the sequence has no attributes")
            continue
        for key, value in item.items():
            found += (f"{key}: {text}" for text in _item_problems(key, value))
    return tuple(dict.fromkeys(found))


def _item_problems(key: str, value: Json) -> tuple[str, ...]:
    try:
        attribute = by_key(key)
    except UnknownKeyError:
        return ("the key is not a DICOM keyword",)
    if attribute.is_private:
        # Its VR is not known inside a sequence, but only a sequence has items.
        return _sequence_problems(value) if has_items(value) else ()
    return problems(attribute.vr, attribute.multiplicity, value)
