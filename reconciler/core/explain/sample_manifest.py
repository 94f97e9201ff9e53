"""A manifest that sets one attribute: valid, and as short as possible."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from reconciler.core.dicom.content import KEY_UIDS
from reconciler.core.dicom.creators import creator_tag, is_creator
from reconciler.core.dicom.dictionary import Attribute, document_key, hex_key
from reconciler.core.dicom.levels import level_of
from reconciler.core.explain.model import example
from reconciler.core.explain.samples import PRIVATE_VR, Sample
from reconciler.core.model.address import WILDCARD, Level
from reconciler.core.model.hazard import Hazard
from reconciler.core.plan.consent import CONSENT, By

_SERIES, _INSTANCE = "1.2.840.99.1", "1.2.840.99.1.7"
_ROOM = 60  # of 80 columns, beside the indentation of an instance
_PLAIN = re.compile("[A-Za-z][A-Za-z0-9^_./ -]*")
# Plain, but words that people and other programs take for something else.
_QUOTED = frozenset({"NO", "YES", "N", "Y", "ON", "OFF", "TRUE", "FALSE", "NULL"})


def manifest_of(
    attribute: Attribute, value: Sample, hazards: Iterable[Hazard], *, force: bool
) -> str:
    """Return a manifest that asks for a value, with the consent that its hazards need."""
    lines = ["present:", *_nested(_path(attribute), _section(attribute, value))]
    if force:
        lines.append("force: true")
    names = [hazard for hazard in hazards if CONSENT[hazard] is By.NAME]
    if names:
        lines.append(f"allow: [{', '.join(names)}]")
    return example("\n".join(lines))


def _path(attribute: Attribute) -> tuple[str, ...]:
    """The keys of the blocks around the attribute. A UID changes in one series or instance."""
    own = attribute.tag in KEY_UIDS
    series, instance = (_SERIES, _INSTANCE) if own else (f'"{WILDCARD}"', f'"{WILDCARD}"')
    match level_of(attribute.tag):
        case Level.PATIENT:
            return ("Patient",)
        case Level.STUDY:
            return ("Study",)
        case Level.SERIES:
            return ("Study", "Series", series)
        case Level.INSTANCE:
            return ("Study", "Series", series, "Instances", instance)


def _nested(path: tuple[str, ...], lines: Iterable[str]) -> Iterator[str]:
    for depth, key in enumerate(path, 1):
        yield f"{'  ' * depth}{key}:"
    yield from (f"{'  ' * (len(path) + 1)}{line}" for line in lines)


def _section(attribute: Attribute, value: Sample) -> list[str]:
    """The lines of `DICOM:`, and of `DICOMVRs:` for a private element."""
    key = document_key(attribute.tag)
    if not attribute.is_private:
        return ["DICOM:", *(f"  {line}" for line in _entry(key, value))]
    entries = {key: value}
    creator = creator_tag(attribute.tag)
    if creator is not None and not is_creator(attribute.tag):
        entries = {hex_key(creator): "ACME", **entries}
    return [
        "DICOM:",
        *(f"  {line}" for name, one in entries.items() for line in _entry(name, one)),
        "DICOMVRs:",
        *(f'  "{name}": {PRIVATE_VR}' for name in entries),
    ]


def _entry(key: str, value: Sample) -> list[str]:
    """The lines of one attribute."""
    name = key if key[0].isalpha() and not key.isupper() else f'"{key}"'
    if isinstance(value, str):
        return [f"{name}: {_scalar(value)}"]
    if isinstance(value, Mapping) or isinstance(value[0], Mapping):
        items = [value] if isinstance(value, Mapping) else value
        return [f"{name}:", *(line for item in items for line in _item(item))]
    values = [_scalar(str(one)) for one in value]
    on_one_line = f"{name}: [{', '.join(values)}]"
    if len(on_one_line) <= _ROOM:
        return [on_one_line]
    return [f"{name}:", *(f"  - {one}" for one in values)]


def _item(item: Sample) -> Iterator[str]:
    assert isinstance(item, Mapping)
    for number, (key, value) in enumerate(item.items()):
        yield f"{'    ' if number else '  - '}{key}: {_scalar(value)}"


def _scalar(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and not text.endswith(" ") and text.upper() not in _QUOTED
    return text if plain else f'"{text}"'
