"""A DICOM value as an output may show it: the value itself, or its shape.

Renderers get no other form of a value. A value that the mask hides is not held here at all, so
that no renderer, log line or exception can print it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from reconciler.core.model.settings import Redact
from reconciler.core.model.value import Json
from reconciler.core.review.mask import masked, shape

EMPTY = "(empty)"


@dataclass(frozen=True, slots=True, repr=False)
class ShownValue:
    """What is shown of one value; made by `show` alone. `shape` is that of `mask.shape`.

    `str` and `repr` are the mask, also where the value may be shown: they end up in logs.
    """

    shape: str
    is_masked: bool
    _clear: Json = None

    def __repr__(self) -> str:
        return f"<{self.shape}>"

    __str__ = __repr__

    @property
    def text(self) -> str:
        """The value as it would stand in a flow of YAML or JSON, or its shape. Not escaped.

        An empty value is `(empty)`, masked or not: it says nothing about anybody.
        """
        if self.shape == "empty":
            return EMPTY
        return repr(self) if self.is_masked else json.dumps(self._clear, ensure_ascii=False)

    @property
    def json(self) -> dict[str, Json]:
        """`{"value": …}`, or `{"masked": shape}`."""
        return {"masked": self.shape} if self.is_masked else {"value": self._clear}


def show(raw: Json, tag: int | None, redact: Redact) -> ShownValue:
    """What this output may show of a value. `tag` is None for a key that DICOM does not know.

    It is None for a whole request as well, which holds values of any attribute.
    """
    if masked(tag, raw, redact):
        return ShownValue(shape(raw), True)
    return ShownValue(shape(raw), False, raw)
