"""The DICOM part of a block: keys that can stand there, values that fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from reconciler.core.ask.as_json import Path, place_of
from reconciler.core.ask.draft import Reading
from reconciler.core.dicom import constraints, values
from reconciler.core.dicom.dictionary import Attribute, UnknownKeyError, by_key
from reconciler.core.dicom.vr import ALL_VRS, alternatives
from reconciler.core.errors import Place
from reconciler.core.model.address import Address, Level
from reconciler.core.model.ask import ClaimKind
from reconciler.core.model.node import ListNode, MappingNode, Node, Scalar

# A document is keyed by these (their level is that of the key), so they can change but never go.
STUDY_INSTANCE_UID = 0x0020000D
SERIES_INSTANCE_UID = 0x0020000E
SOP_INSTANCE_UID = 0x00080018
KEY_UIDS = frozenset({STUDY_INSTANCE_UID, SERIES_INSTANCE_UID, SOP_INSTANCE_UID})

_COMMAND_GROUP = 0x0000  # PS3.7 section 6.3.1

_NEVER_HINT = "Remove the line."
_VRS_HINT = "It is for private elements, which change at Instance only (constraint 1)."
_UID_HINT = "Write a UID: HealthImaging finds the study, series or instance by it."
_KEY_HINT = "Every document, series and instance has one; `present` can change it."


@dataclass(frozen=True, slots=True)
class Line:
    """One attribute asked: its key, its value (none in a list of `absent`), where it stands."""

    attribute: Attribute
    key: Scalar
    value: Node | None
    path: Path


def read_present(reading: Reading, address: Address, block: MappingNode, path: Path) -> None:
    """Claims of a block under `present`."""
    dicom = block.get("DICOM")
    listed = not isinstance(dicom, MappingNode)  # the schema says that it must be a mapping
    lines = [] if listed else list(_lines(reading, address, dicom, (*path, "DICOM")))
    vrs = _vrs(reading, address, block, (*path, "DICOMVRs"), lines)
    for line in lines:
        _present(reading, address, line, vrs.get(line.attribute.tag))


def read_removed(reading: Reading, address: Address, block: MappingNode, path: Path) -> None:
    """Claims on attributes of a block under `absent`."""
    lines = list(_lines(reading, address, block.get("DICOM"), (*path, "DICOM")))
    vrs = _vrs(reading, address, block, (*path, "DICOMVRs"), lines)
    for line in lines:
        _removed(reading, address, line, vrs.get(line.attribute.tag))


def _present(reading: Reading, address: Address, line: Line, vr: str | None) -> None:
    assert line.value is not None
    attribute = line.attribute
    parsed = values.parse(attribute, _reads_as(attribute, vr), line.value)
    reading.note(line.path, *parsed.errors)
    if attribute.tag in KEY_UIDS:
        _check_key_uid(reading, line, parsed)
    elif parsed.violations and not reading.source.force:
        reading.note(line.path, *parsed.violations)
    stated = vr if attribute.is_private else None
    reading.claim(
        ClaimKind.PRESENT,
        address,
        line.key.place,
        tag=attribute.tag,
        value=parsed.value,
        vr=stated,
    )


def _check_key_uid(reading: Reading, line: Line, parsed: values.Parsed) -> None:
    reading.note(line.path, *(replace(one, hint=_UID_HINT) for one in parsed.violations))
    if parsed.value is not None and not parsed.value.raw:
        assert line.value is not None
        message = f"{line.attribute.label} cannot be empty"
        reading.problem(line.path, line.value.place, message, "Write the new UID.")


def _removed(reading: Reading, address: Address, line: Line, vr: str | None) -> None:
    attribute = line.attribute
    if attribute.tag in KEY_UIDS:
        message = f"{attribute.label} cannot be absent"
        reading.problem(line.path, line.key.place, message, _KEY_HINT)
    expected = None
    if line.value is not None:
        # What stands there may well not fit its VR: that is a reason to remove it.
        parsed = values.parse(attribute, _reads_as(attribute, vr), line.value)
        reading.note(line.path, *parsed.errors)
        expected = parsed.value
    stated = vr if attribute.is_private else None
    reading.claim(
        ClaimKind.ABSENT, address, line.key.place, tag=attribute.tag, value=expected, vr=stated
    )


def _reads_as(attribute: Attribute, stated: str | None) -> str:
    """The VR to read a value with. Without one, a private value stays text until it is observed."""
    if not attribute.is_private:
        return attribute.vr
    return stated or "UT"


def _lines(reading: Reading, address: Address, dicom: Node | None, path: Path) -> Iterator[Line]:
    """The attributes that may be asked for here; each other key is a problem."""
    seen: dict[int, Place] = {}
    for key, value, where in _keys(dicom, path):
        attribute = _attribute(reading, address, key, where)
        if attribute is None:
            continue
        if attribute.tag in seen:
            message = f"{attribute.label} stands here again, first at {seen[attribute.tag]}"
            hint = "A keyword and its tag are one attribute: keep one of the two."
            reading.problem(where, key.place, message, hint)
            continue
        seen[attribute.tag] = key.place
        yield Line(attribute, key, value, where)


def _keys(dicom: Node | None, path: Path) -> Iterator[tuple[Scalar, Node | None, Path]]:
    if isinstance(dicom, MappingNode):
        for key, value in dicom.entries:
            yield key, value, (*path, key.text)
    elif isinstance(dicom, ListNode):
        for number, item in enumerate(dicom.items):
            if isinstance(item, Scalar):
                yield item, None, (*path, number)


def _attribute(reading: Reading, address: Address, key: Scalar, path: Path) -> Attribute | None:
    found = _judged(key.text, address.level)
    if isinstance(found, Attribute):
        return found
    reading.problem(path, key.place, *found)
    return None


@lru_cache(maxsize=16384)
def _judged(key: str, level: Level) -> Attribute | tuple[str, str]:
    """The attribute that a key stands for at a level; or why it cannot stand there, and a hint."""
    never = constraints.never(key)
    if never:
        return never, _NEVER_HINT
    try:
        attribute = by_key(key)
    except UnknownKeyError as unknown:
        return unknown.message, unknown.hint
    if attribute.tag >> 16 == _COMMAND_GROUP:
        message = f"{attribute.label} is an element of messages and stands in no image set"
        return message, _NEVER_HINT
    wrong = constraints.wrong_level(attribute.tag, level)
    wrong = wrong or constraints.private_level(attribute.tag, level)
    return (wrong, "Move the line to that level.") if wrong else attribute


def _vrs(
    reading: Reading, address: Address, block: MappingNode, path: Path, lines: list[Line]
) -> dict[int, str]:
    """DICOMVRs: the stated VR by tag."""
    node = block.get("DICOMVRs")
    if node is None:
        return {}
    if address.level is not Level.INSTANCE:
        place = place_of(reading.document, path, key=True)
        reading.problem(path, place, "DICOMVRs stands at instances only", _VRS_HINT)
        return {}
    asked = {line.attribute.tag for line in lines}
    found: dict[int, str] = {}
    seen: dict[int, Place] = {}
    for key, value, where in _keys(node, path):
        try:
            attribute = by_key(key.text)
        except UnknownKeyError:
            continue  # the schema says that keys are tags here
        problem = _vr_problem(attribute, key, value, asked, seen)
        if problem:
            reading.problem(where, key.place, *problem)
        elif isinstance(value, Scalar):
            found[attribute.tag] = value.text
        seen.setdefault(attribute.tag, key.place)
    return found


def _vr_problem(
    attribute: Attribute,
    key: Scalar,
    value: Node | None,
    asked: set[int],
    seen: dict[int, Place],
) -> tuple[str, str] | None:
    label = attribute.label
    if attribute.tag in seen:
        first = seen[attribute.tag]
        return f"the VR of {label} stands here again, first at {first}", "Keep one of the two."
    if attribute.tag not in asked:
        hint = f'Add "{key.text}" to the DICOM block beside it, or remove the line.'
        return f"DICOMVRs states a VR for {label}, which DICOM does not ask for", hint
    if not isinstance(value, Scalar):
        return None
    if value.text not in ALL_VRS:
        return f"the VR of {label} is not one of PS3.5", "Two capital letters, such as DS or LO."
    if attribute.is_private or value.text in alternatives(attribute.vr):
        return None
    return f"{label} has VR {attribute.vr}", "Remove it: DICOMVRs is for private elements."
