"""Wrappers for DICOM values that print as `***`.

Manifests, documents and plans contain protected health information. With these wrappers, a repr in
a log line, an exception or a traceback never shows it. Only code that uses `.raw` sees the value.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


# One encoder for all values: `json.dumps` makes one for each.
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def canonical_json(value: Json) -> bytes:
    """Return the text for digests: JSON with sorted keys, without spaces, in UTF-8."""
    return _canonical(value).encode("utf-8", "surrogatepass")


def length_class(text: str) -> str:
    """`text(1-8)`, `text(9-16)`, `text(17-32)` and so on: what is shown of a masked text.

    The exact length would help to guess a name.
    """
    return _length_class(len(text))


@lru_cache(maxsize=1024)
def _length_class(length: int) -> str:
    most = 1 << max(3, (length - 1).bit_length() if length else 0)
    return f"text({most // 2 + 1 if most > 8 else 1}-{most})"


@dataclass(frozen=True, slots=True, repr=False)
class Value:
    """The value of one attribute in the JSON form of HealthImaging's documents."""

    raw: Json

    def __repr__(self) -> str:
        return "Value(***)"

    __str__ = __repr__


@dataclass(frozen=True, slots=True, repr=False)
class Document:
    """A whole image set metadata document, as GetImageSetMetadata returned it."""

    raw: dict[str, Json]

    def __repr__(self) -> str:
        return "Document(***)"

    __str__ = __repr__
