"""The canonical form of values, which decides whether two values are equal (PS3.5 section 6.2).

Documents keep the imported padding and write empty values and numbers in several ways. `canonical`
maps all spellings of a value to one JSON value, so equality and digests compare the meaning. It is
idempotent, and `same` is an equivalence relation.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from reconciler.core.dicom.dictionary import Attribute, UnknownKeyError, by_key, hex_key
from reconciler.core.dicom.vr import (
    BINARY_VRS,
    EXACT_WHOLE,
    INTEGER_RANGES,
    LEADING_SPACE_VRS,
    TEXT_VRS,
    fits,
    has_items,
)
from reconciler.core.model.value import Json

_PADDING = " \0"


def canonical(vr: str, raw: Json) -> Json:
    """Return the canonical form of a value read as `vr`; None for every empty value."""
    if vr == "SQ":
        return _items(raw)
    form = _FORMS.get(vr, _plain)
    if not isinstance(raw, list):
        value = form(raw)
        return None if value == "" else value
    values: list[Json] = []
    for value in raw:
        inner = canonical(vr, value)
        values.append("" if inner is None else inner)
    if all(value == "" for value in values):
        return None
    # Another edition of the dictionary may have VM 1 where the document has a list of one value.
    return values[0] if len(values) == 1 else values


def same(vr: str, a: Json, b: Json) -> bool:
    """Whether two values of an attribute are equal, so that no change is needed."""
    return canonical(vr, a) == canonical(vr, b)


def _text(raw: Json) -> Json:
    return raw.strip(_PADDING) if isinstance(raw, str) else _plain(raw)


def _text_from_left(raw: Json) -> Json:
    return raw.rstrip(_PADDING) if isinstance(raw, str) else _plain(raw)


def _name(raw: Json) -> Json:
    """PN: trailing empty components and groups are not significant (PS3.5 section 6.2.1)."""
    if not isinstance(raw, str):
        return _plain(raw)
    groups = (group.rstrip(_PADDING + "^") for group in raw.strip(_PADDING).split("="))
    return "=".join(groups).rstrip(_PADDING + "=")


def _integer(raw: Json) -> Json:
    """IS by number: `1`, `+01` and ` 1 ` are equal. A form that is not allowed stays text."""
    text = _number_text(raw)
    if not isinstance(text, str) or not fits("IS", text):
        return text
    return str(int(text))


def _decimal(raw: Json) -> Json:
    """DS by number: `1`, `1.0` and ` 1.00E0` are equal. A form that is not allowed stays text."""
    text = _number_text(raw)
    if not isinstance(text, str) or not fits("DS", text):
        return text
    return _shortest(Decimal(text))


def _number_text(raw: Json) -> Json:
    value = _number(raw) if isinstance(raw, float) else raw
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else _text(value)


def _shortest(number: Decimal) -> str:
    """Return the one form of a number, such as `-25E-1`. DS allows it (at most 16 characters)."""
    sign, digits, exponent = number.as_tuple()
    significant = "".join(map(str, digits)).lstrip("0")
    stripped = significant.rstrip("0")
    if not stripped:
        return "0E0"
    power = int(exponent) + len(significant) - len(stripped)
    form = f"{'-' if sign else ''}{stripped}E{power}"
    if fits("DS", form):
        return form
    return f"{Decimal(form):f}".replace("0.", ".", 1 if number.adjusted() < 0 else 0)


def _single(raw: Json) -> Json:
    """FL after rounding to single precision, which the imported value had."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        try:
            return _number(float(struct.unpack("<f", struct.pack("<f", raw))[0]))
        except (OverflowError, struct.error):
            return _number(raw)
    return _text(raw)


def _number(raw: Json) -> Json:
    """Numbers by value: 1 and 1.0 are equal. NaN, which is not equal to itself, becomes text."""
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return _text(raw)
    if isinstance(raw, int):
        return raw
    if not math.isfinite(raw):
        return str(raw)
    return int(raw) if raw.is_integer() and abs(raw) < EXACT_WHOLE else raw


def _double(raw: Json) -> Json:
    if isinstance(raw, int) and not isinstance(raw, bool):
        try:
            return _number(float(raw))
        except OverflowError:
            return raw
    return _number(raw)


def _tag(raw: Json) -> Json:
    text = _text(raw)
    return text.upper() if isinstance(text, str) else text


def _plain(raw: Json) -> Json:
    """A value without a rule: JSON, except for padding and the spelling of numbers."""
    if isinstance(raw, str):
        return raw.rstrip(_PADDING)
    if isinstance(raw, bool):
        return "true" if raw else "false"  # 1 == True in Python, not in JSON
    if isinstance(raw, list):
        return [_plain(value) for value in raw]
    if isinstance(raw, dict):
        return {key: _plain(raw[key]) for key in sorted(raw)}
    return _number(raw) if isinstance(raw, int | float) else raw


def _items(raw: Json) -> Json:
    """SQ: items in order, attributes by tag. In an item, present but empty differs from absent."""
    if raw is None or raw == "" or raw == []:
        return None
    items = raw if isinstance(raw, list) else [raw]
    return [_item(item) if isinstance(item, dict) else _plain(item) for item in items]


def _item(item: dict[str, Json]) -> Json:
    entries: dict[str, Json] = {}
    for key in sorted(item):
        name, form = _entry(key, item[key])
        # If an item contains an attribute twice, keep both.
        entries[key if name in entries else name] = form
    return {key: entries[key] for key in sorted(entries)}


def _entry(key: str, value: Json) -> tuple[str, Json]:
    try:
        name, attribute = _defined(key)
    except UnknownKeyError:
        return key, _plain(value)
    return name, canonical_element(attribute, value)


@lru_cache(maxsize=4096)
def _defined(key: str) -> tuple[str, Attribute]:
    """The tag of an attribute in hex, and the attribute. Raises UnknownKeyError."""
    attribute = by_key(key)
    return hex_key(attribute.tag), attribute


def canonical_element(attribute: Attribute, raw: Json) -> Json:
    """Return the canonical form of an attribute inside an item of a sequence."""
    # The VR of a private element inside a sequence is unknown.
    return _untyped(raw) if attribute.is_private else canonical(attribute.vr, raw)


def _untyped(raw: Json) -> Json:
    """A value with an unknown VR: a manifest can only write numbers as text."""
    if has_items(raw):
        return _items(raw)
    if isinstance(raw, list):
        return canonical("", [_untyped(value) for value in raw])
    form = canonical("", raw)
    is_number = isinstance(form, int | float) and not isinstance(form, bool)
    return str(form) if is_number else form


_FORMS: dict[str, Callable[[Json], Json]] = {
    **dict.fromkeys(TEXT_VRS - LEADING_SPACE_VRS, _text),
    **dict.fromkeys(LEADING_SPACE_VRS, _text_from_left),
    **dict.fromkeys(INTEGER_RANGES, _number),
    **dict.fromkeys(BINARY_VRS, _text_from_left),
    "PN": _name,
    "IS": _integer,
    "DS": _decimal,
    "FL": _single,
    "FD": _double,
    "AT": _tag,
    # The combinations in the dictionary: integers by value, base64 as text.
    "US or SS": _number,
    "OB or OW": _text_from_left,
    "US or OW": _number,
    "US or SS or OW": _number,
}
