"""A DICOM value as an output may show it: the value itself, or its shape.

Renderers get no other form of a value. A masked value is not held here at all, so no renderer, log
line or exception can print it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from reconciler.core.dicom.creators import is_known_creator
from reconciler.core.model.settings import Redact
from reconciler.core.model.value import Json
from reconciler.core.review.mask import masked, shape

EMPTY = "(empty)"
_EMPTY_SHAPE = "empty"
# One encoder for all values: `json.dumps` makes one for each.
_encoded = json.JSONEncoder(ensure_ascii=False).encode
# VRs of which a single value has a short and regular form (PS3.5 section 6.2).
_SHORT = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI"})


@dataclass(frozen=True, slots=True, repr=False)
class ShownValue:
    """The shown form of a value; only `show` makes it. `shape` comes from `mask.shape`.

    `str` and `repr` are always masked: they may end up in logs.
    """

    shape: str
    is_masked: bool
    _clear: Json = None

    def __repr__(self) -> str:
        return f"<{self.shape}>"

    __str__ = __repr__

    @property
    def is_hidden(self) -> bool:
        """Whether an output lacks something of the value. An empty value is shown as empty."""
        return self.is_masked and not self.is_empty

    @property
    def is_empty(self) -> bool:
        """Whether there is no value. That is shown, masked or not: it identifies no person."""
        return self.shape == _EMPTY_SHAPE

    @property
    def text(self) -> str:
        """The value as JSON text, or its shape. Not escaped for the terminal."""
        if self.is_empty:
            return EMPTY
        return repr(self) if self.is_masked else _encoded(self._clear)

    @property
    def plain(self) -> str:
        """The value as text without quotes, or its shape; "" if it is empty. Not escaped."""
        if self.is_empty:
            return ""
        return self._clear if isinstance(self._clear, str) else self.text

    def as_vr(self, vr: str, label: str = "") -> str:
        """The value in the usual form of its VR; a masked one as `<PN text(9-16)>`, `<A: CS>`.

        The VR alone says how long a date, a code or a UID may be.
        """
        if self.is_masked:
            return _hidden(vr, self.shape, label)
        return EMPTY if self.is_empty else in_words(vr, self._clear)

    @property
    def json(self) -> dict[str, Json]:
        """`{"value": …}`, or `{"masked": shape}`."""
        return {"masked": self.shape} if self.is_masked else {"value": self._clear}


@lru_cache(maxsize=1024)
def _hidden(vr: str, shape: str, label: str) -> str:
    if shape == _EMPTY_SHAPE:
        return EMPTY
    kind = vr if vr in _SHORT and not shape.startswith("list") else f"{vr} {shape}"
    return f"<{label}: {kind}>" if label else f"<{kind}>"


_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_TIME = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})(\.[0-9]{1,6})?")


def in_words(vr: str, raw: Json) -> str:
    """A value as it is stored; dates and times also as people write them.

    Both, because a live value may be the form that people write: `"14:04:38"`, corrected to
    `"140438" (14:04:38)`.
    """
    text = _encoded(raw)
    if isinstance(raw, str) and vr == "DA" and (date := _DATE.fullmatch(raw)):
        return f"{text} ({'-'.join(date.groups())})"
    if isinstance(raw, str) and vr == "TM" and (time := _TIME.fullmatch(raw)):
        return f"{text} ({':'.join(time.groups()[:3])}{time[4] or ''})"
    return text


class ShownPart(NamedTuple):
    """An element that differs inside of a sequence, such as `[2].PatientID`.

    A value is None where the element, or its item, is not there.
    """

    path: str
    before: ShownValue | None
    after: ShownValue | None


def show(raw: Json, tag: int | None, redact: Redact) -> ShownValue:
    """The shown form of a value. `tag` is None for a key that DICOM does not define.

    It is also None for a whole request, which holds values of any attribute.
    """
    if masked(tag, raw, redact):
        return _masked_text(len(raw)) if isinstance(raw, str) else _masked(shape(raw))
    return ShownValue(shape(raw), False, raw)


@lru_cache(maxsize=1024)
def _masked(shape: str) -> ShownValue:
    """A masked value. It is its shape, so one serves all values of a shape."""
    return ShownValue(shape, True)


@lru_cache(maxsize=1024)
def _masked_text(length: int) -> ShownValue:
    """A masked text: of all that it was, its length class is left. Most masked values are texts."""
    return _masked(shape("*" * length))


def show_creator(raw: Json, redact: Redact) -> ShownValue:
    """The shown form of a private creator. A creator of a known vendor identifies no person."""
    if redact is Redact.IDENTIFYING and isinstance(raw, str) and is_known_creator(raw):
        return ShownValue(shape(raw), False, raw)
    return show(raw, None, redact)
