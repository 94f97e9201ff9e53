"""Values that mask themselves: whatever holds a DICOM value prints as `***`.

A manifest, a document and a plan are full of protected health information. These wrappers make
sure that a repr in a log line, an exception or a traceback never shows any of it; only code that
asks for `.raw` sees the value.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def canonical_json(value: Json) -> bytes:
    """The text that digests are taken over: sorted keys, no spaces, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True, repr=False)
class Value:
    """One attribute's value in HealthImaging's JSON form (healthimaging metadata document)."""

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
