"""The filters of a search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, repr=False)
class Span:
    """The bounds of a filter BETWEEN: whole epoch seconds, or dates as DICOM writes them."""

    lower: int | str
    upper: int | str


# Pairs of an attribute of SearchImageSets and its value: BETWEEN for a span, EQUAL for others.
Filters: TypeAlias = tuple[tuple[str, str | bool | Span], ...]
