"""Decode the requests of calls into edits, without the code that encodes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.core.dicom.dictionary import is_key
from reconciler.core.model.address import PATIENT, STUDY, Address, instance_at, series_at
from reconciler.core.model.plan import Step
from reconciler.core.model.value import Json, length_class

_SCHEMA_VERSION = 1.1
_PIXELS = frozenset(
    {
        *("PixelData", "FloatPixelData", "DoubleFloatPixelData"),
        *("7FE00010", "7FE00008", "7FE00009"),
    }
)

Section: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True, order=True, repr=False)
class RequestEdit:
    """One edit of a request. `value` and `vr` are JSON texts, or "".

    `key` is "" if a whole series or instance is removed.
    """

    address: Address
    key: str
    removes: bool
    value: str = ""
    vr: str = ""

    def __repr__(self) -> str:
        return f"RequestEdit({self.shown()}, ***)"

    def shown(self) -> str:
        """The path as a message may show it: a key that DICOM does not define may be a name."""
        if not self.key:
            return self.address.shown()
        key = self.key if is_key(self.key) else f"<{length_class(self.key)}>"
        return f"{self.address.shown()}/{key}"


class RequestError(Exception):
    """A request that does not have the form of DICOMUpdates. The message holds no value."""


def decode(step: Step) -> Iterator[RequestEdit]:
    """The edits of the two blobs of a call, in document order. Raises RequestError."""
    for blob, removes in ((step.updatable, False), (step.removable, True)):
        if blob is None:
            continue
        tree = _parsed(blob)
        if tree.get("SchemaVersion") != _SCHEMA_VERSION:
            raise RequestError("SchemaVersion 1.1 is missing")
        _only(tree, "SchemaVersion", "Patient", "Study")
        if "Patient" in tree:
            yield from _section(_mapping(tree, "Patient"), PATIENT, removes)
        if "Study" in tree:
            yield from _study(_mapping(tree, "Study"), removes)


def _study(study: Section, removes: bool) -> Iterator[RequestEdit]:
    yield from _section(study, STUDY, removes, "Series")
    for series, section in _inner(study, "Series"):
        if removes and not section:
            yield RequestEdit(series_at(series), "", True)
            continue
        yield from _section(section, series_at(series), removes, "Instances")
        for instance, inner in _inner(section, "Instances"):
            if removes and not inner:
                yield RequestEdit(instance_at(series, instance), "", True)
            else:
                yield from _section(inner, instance_at(series, instance), removes)


def _section(
    section: Section, address: Address, removes: bool, inner: str = ""
) -> Iterator[RequestEdit]:
    _only(section, "DICOM", "DICOMVRs", inner)
    values = _mapping(section, "DICOM") if "DICOM" in section else {}
    vrs = _mapping(section, "DICOMVRs") if "DICOMVRs" in section else {}
    if not values and not (inner and section.get(inner)):
        raise RequestError(f"{address.shown()} is empty")
    if set(vrs) - set(values) or (removes and vrs):
        raise RequestError(f"{address.shown()} states the VR of an attribute that it does not set")
    for key, value in values.items():
        if _holds_pixels({key: value}):
            raise RequestError("it holds pixel data, which is never sent")
        yield RequestEdit(address, key, removes, json_text(value), str(vrs.get(key, "")))


def _holds_pixels(value: Json) -> bool:
    """Whether a value holds pixel data at any depth (constraint 2 of the service)."""
    if isinstance(value, list):
        return any(map(_holds_pixels, value))
    return isinstance(value, dict) and any(
        (key if key in _PIXELS else key.upper()) in _PIXELS or _holds_pixels(inner)
        for key, inner in value.items()
    )


def _inner(section: Section, name: str) -> Iterator[tuple[str, Section]]:
    if name in section:
        sections = _mapping(section, name)
        for key in sections:
            yield key, _mapping(sections, key)


def _mapping(section: Section, name: str) -> Section:
    found = section[name]
    if not isinstance(found, dict):
        raise RequestError("a block of attributes has the wrong form")
    return found


def _only(section: Section, *names: str) -> None:
    if set(section) - set(names):
        raise RequestError("it holds an unknown key")


def _parsed(blob: str) -> Section:
    """Parse a blob. Duplicate keys are refused: which of them the service uses is unknown."""
    try:
        tree = json.loads(blob, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise RequestError("it is not valid JSON") from None
    if not isinstance(tree, dict):
        raise RequestError("it has the wrong form")
    return tree


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RequestError("it holds a key twice")
    return found


def json_text(value: Json) -> str:
    """JSON text for comparison, in which 1, 1.0 and true differ."""
    return json.dumps(value, sort_keys=True)
