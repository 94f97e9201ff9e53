"""Values that a person obviously means: another spelling that fits the VR.

A correction never guesses. `31.01.1970` has none: the order of day and month is not certain.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from reconciler.core.dicom.dictionary import Attribute, by_spelling, hex_key
from reconciler.core.dicom.terms import is_defined
from reconciler.core.dicom.vr import fits

_DATE = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})")
_TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,6})?))?")
# ISO 8601, as programs write it: 2026-01-31T12:30:45.5+01:00.
_DATE_TIME = re.compile(r"([-0-9/.]+)(?:[T ]([0-9:.]+?)(?:(Z)|([+-][0-9]{2}):?([0-9]{2}))?)?")
_AGE = re.compile("([0-9]{1,3}) ?([DWMYdwmy])")


def corrected(attribute: Attribute, vr: str, text: str) -> str | None:
    """Return the value that a text obviously means, or None."""
    rule = _RULES.get(vr)
    found = rule(text.strip(" ")) if rule else None
    if found is None or not fits(vr, found):
        return None
    # `MALE` fits VR CS, but no system knows it as a PatientSex.
    is_no_term = vr == "CS" and is_defined(attribute.keyword, found) is False
    return None if is_no_term else found


def tag_of(text: str) -> str | None:
    """Return the eight hex digits of a tag or keyword in another spelling, or None."""
    attribute = by_spelling(text)
    return hex_key(attribute.tag) if attribute else None


def _age(text: str) -> str | None:
    found = _AGE.fullmatch(text)
    return f"{found[1]:0>3}{found[2].upper()}" if found else None


def _code(text: str) -> str | None:
    return text.upper() if text.isascii() else None


def _date(text: str) -> str | None:
    found = _DATE.fullmatch(text)
    return f"{found[1]}{found[3]:0>2}{found[4]:0>2}" if found else None


def _time(text: str) -> str | None:
    found = _TIME.fullmatch(text)
    return f"{found[1]}{found[2]}{found[3] or ''}" if found else None


def _date_time(text: str) -> str | None:
    found = _DATE_TIME.fullmatch(text)
    if not found:
        return None
    day, time = _date(found[1]), _time(found[2]) if found[2] else ""
    if day is None or time is None:
        return None
    return f"{day}{time}{'+0000' if found[3] else ''}{found[4] or ''}{found[5] or ''}"


_RULES: dict[str, Callable[[str], str | None]] = {
    "AS": _age,
    "CS": _code,
    "DA": _date,
    "DT": _date_time,
    "TM": _time,
}
