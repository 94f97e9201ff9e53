"""What takes effect of a request that is accepted. By default, exactly what was sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from reconciler.emulator.rules.behaviours import Behaviours
from reconciler.emulator.rules.payload import UPDATE, Edit

_STORED: dict[str, Callable[[str], str]] = {
    "as-sent": str,
    "trimmed": str.strip,
    "capitals": str.upper,
}


def effective(edits: Iterable[Edit], behaviours: Behaviours) -> tuple[Edit, ...]:
    """The edits that are made, with the values that are stored."""
    asked = tuple(edits)
    parts = {_part(edit) for edit in asked}
    if len(parts) > 1:
        parts &= set(behaviours.applied_of_two)
    if not behaviours.removals_take_effect:
        parts.discard("removableAttributes")
    made = (edit for edit in asked if _part(edit) in parts)
    return tuple(_as_stored(edit, behaviours) for edit in made)


def _part(edit: Edit) -> str:
    """The blob of the request that the edit stands in."""
    return "updatableAttributes" if edit.operation == UPDATE else "removableAttributes"


def _as_stored(edit: Edit, behaviours: Behaviours) -> Edit:
    if edit.operation != UPDATE:
        return edit
    return replace(edit, value=_text(edit.value, _STORED[behaviours.stored_text]))


def _text(value: Any, stored: Callable[[str], str]) -> Any:
    """A value with its text changed; the items of a sequence stay."""
    if isinstance(value, list):
        return [_text(item, stored) for item in value]
    return stored(value) if isinstance(value, str) else value


_CHECKSUM = {"Width": 1, "Height": 1, "Checksum": 0}


def add_effects(document: dict[str, Any], behaviours: Behaviours) -> None:
    """What an update does to a document besides its edits."""
    if not behaviours.keeps_empty:
        for block in _blocks(document):
            held = block.get("DICOM", {})
            for key in [key for key, value in held.items() if value is None]:
                del held[key]
    for instance in _instances(document):
        if behaviours.service_fields == "added":
            instance.setdefault("StoredTransferSyntaxUID", "1.2.840.10008.1.2.4.203")
        elif behaviours.service_fields == "changed":
            for frame in instance.get("ImageFrames", ()):
                frame["PixelDataChecksumFromBaseToFullResolution"] = [_CHECKSUM]


def _blocks(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield document["Patient"]
    yield document["Study"]
    yield from document["Study"]["Series"].values()
    yield from _instances(document)


def _instances(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for series in document["Study"]["Series"].values():
        yield from series["Instances"].values()
