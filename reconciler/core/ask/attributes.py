"""Reads the attributes of a section: which keys are allowed there, and whether the values fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from reconciler.core.ask.as_json import Path, place_of
from reconciler.core.ask.draft import Draft
from reconciler.core.dicom import constraints, values
from reconciler.core.dicom.content import KEY_UIDS
from reconciler.core.dicom.dictionary import Attribute, UnknownKeyError, by_key
from reconciler.core.dicom.levels import level_of
from reconciler.core.dicom.vr import ALL_VRS, alternatives
from reconciler.core.errors import Place, Replacement
from reconciler.core.model.address import Address, Level
from reconciler.core.model.ask import Claim, ClaimKind
from reconciler.core.model.node import ListNode, MappingNode, Node, Scalar

_NEVER_HINT = "Remove the line."
_VRS_HINT = "Remove it. It is for private elements, which can change at Instance level only."
_UID_HINT = "Write a valid UID. HealthImaging identifies the study, series or instance by it."
_KEY_HINT = "Every study, series and instance needs its UID. To change the UID, use `present`."


@dataclass(frozen=True, slots=True)
class Disallowed:
    """Why a key is not allowed, what to do, and the key that is meant or ""."""

    message: str
    hint: str
    meant: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line about an attribute: its key, its value (None in a list of `absent`), its path."""

    attribute: Attribute
    key: Scalar
    value: Node | None
    path: Path


def read_present(draft: Draft, address: Address, section: MappingNode, path: Path) -> None:
    """Read the claims of a section under `present`."""
    dicom = section.get("DICOM")
    listed = not isinstance(dicom, MappingNode)  # the schema check reports it
    lines = [] if listed else list(_lines(draft, address, dicom, (*path, "DICOM")))
    vrs = _vrs(draft, address, section, (*path, "DICOMVRs"), lines)
    for line in lines:
        _present(draft, address, line, vrs.get(line.attribute.tag))


def read_removed(draft: Draft, address: Address, section: MappingNode, path: Path) -> None:
    """Read the claims on attributes of a section under `absent`."""
    lines = list(_lines(draft, address, section.get("DICOM"), (*path, "DICOM")))
    vrs = _vrs(draft, address, section, (*path, "DICOMVRs"), lines)
    for line in lines:
        _removed(draft, address, line, vrs.get(line.attribute.tag))


def _present(draft: Draft, address: Address, line: Line, vr: str | None) -> None:
    assert line.value is not None
    attribute = line.attribute
    parsed = values.parse(attribute, reads_as(attribute, vr), line.value)
    draft.note(line.path, *parsed.errors)
    if attribute.tag in KEY_UIDS:
        _check_key_uid(draft, line, parsed)
    elif parsed.violations and not draft.source.force:
        draft.note(line.path, *parsed.violations)
    stated = vr if attribute.is_private else None
    draft.claim(
        Claim(
            ClaimKind.PRESENT,
            address,
            attribute.tag,
            parsed.value,
            stated,
            line.key.place,
            draft.source,
            is_literal=isinstance(line.value, Scalar)
            and line.value.place.line == line.key.place.line,
        )
    )


def _check_key_uid(draft: Draft, line: Line, parsed: values.Parsed) -> None:
    draft.note(line.path, *(replace(wrong, hint=_UID_HINT) for wrong in parsed.violations))
    if parsed.value is not None and not parsed.value.raw:
        assert line.value is not None
        message = f"{line.attribute.label} cannot be empty"
        draft.problem(line.path, line.value.place, message, "Write the new UID here.")


def _removed(draft: Draft, address: Address, line: Line, vr: str | None) -> None:
    attribute = line.attribute
    if attribute.tag in KEY_UIDS:
        message = f"{attribute.label} cannot be removed"
        draft.problem(line.path, line.key.place, message, _KEY_HINT)
    expected = None
    if line.value is not None:
        # The live value may violate its VR: that is a reason to remove it.
        parsed = values.parse(attribute, reads_as(attribute, vr), line.value)
        draft.note(line.path, *parsed.errors)
        expected = parsed.value
    stated = vr if attribute.is_private else None
    place, source = line.key.place, draft.source
    draft.claim(Claim(ClaimKind.ABSENT, address, attribute.tag, expected, stated, place, source))


def reads_as(attribute: Attribute, stated: str | None) -> str:
    """Return the VR to read a value with.

    A private value without a stated VR stays text until a live document states the VR.
    """
    if not attribute.is_private:
        return attribute.vr
    return stated or "UT"


def _lines(draft: Draft, address: Address, dicom: Node | None, path: Path) -> Iterator[Line]:
    """Yield the lines whose attribute is allowed here; report every other key."""
    seen: dict[int, Place] = {}
    for key, value, where in _keys(dicom, path):
        attribute = allowed(key.text, address.level)
        if isinstance(attribute, Disallowed):
            draft.problem(
                where, key.place, attribute.message, attribute.hint, _renamed(key, attribute, dicom)
            )
            continue
        if attribute.tag in seen:
            message = f"{attribute.label} is a duplicate of {seen[attribute.tag]}"
            hint = "A keyword and its tag mean the same attribute. Remove one of the two lines."
            draft.problem(where, key.place, message, hint)
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


def _renamed(key: Scalar, refused: Disallowed, dicom: Node | None) -> Replacement | None:
    """The key that is meant, in place of a misspelt key, unless it is there already."""
    is_there = any(other.text == refused.meant for other, _, _ in _keys(dicom, ()))
    return key.replaced_by(refused.meant) if refused.meant and not is_there else None


@lru_cache(maxsize=16384)
def allowed(key: str, level: Level) -> Attribute | Disallowed:
    """Return the attribute of a key at a level, or why the key is not allowed."""
    never = constraints.never(key)
    if never:
        return Disallowed(never, _NEVER_HINT)
    try:
        attribute = by_key(key)
    except UnknownKeyError as unknown:
        return Disallowed(unknown.message, unknown.hint, unknown.meant)
    wrong = constraints.wrong_level(attribute.tag, level)
    wrong = wrong or constraints.private_level(attribute.tag, level)
    hint = f"Move the line to the {level_of(attribute.tag).title} level."
    return Disallowed(wrong, hint) if wrong else attribute


def _vrs(
    draft: Draft, address: Address, section: MappingNode, path: Path, lines: list[Line]
) -> dict[int, str]:
    """Return the VRs that DICOMVRs states, by tag."""
    node = section.get("DICOMVRs")
    if node is None:
        return {}
    if address.level is not Level.INSTANCE:
        place = place_of(draft.document, path, key=True)
        draft.problem(path, place, "DICOMVRs is allowed at Instance level only", _VRS_HINT)
        return {}
    asked = {line.attribute.tag for line in lines}
    found: dict[int, str] = {}
    seen: dict[int, Place] = {}
    for key, value, where in _keys(node, path):
        try:
            attribute = by_key(key.text)
        except UnknownKeyError:
            continue  # the schema check reports it
        problem = _vr_problem(attribute, key, value, asked, seen)
        if problem:
            right = value.replaced_by(problem.meant) if isinstance(value, Scalar) else None
            right = right if problem.meant else None
            draft.problem(where, key.place, problem.message, problem.hint, right)
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
) -> Disallowed | None:
    """Why a line of DICOMVRs is refused; the VR that is meant, if any."""
    label = attribute.label
    if attribute.tag in seen:
        first = seen[attribute.tag]
        message = f"the VR of {label} is a duplicate of {first}"
        return Disallowed(message, "Remove one of the two lines.")
    if attribute.tag not in asked:
        hint = f'Add "{key.text}" to the DICOM block, or remove this line.'
        return Disallowed(f"DICOMVRs has {label}, but the DICOM block beside it does not", hint)
    if not isinstance(value, Scalar):
        return None
    if value.text not in ALL_VRS:
        capital = value.text.upper() if value.text.upper() in ALL_VRS else ""
        hint = "Write two capital letters, such as DS or LO."
        return Disallowed(f"the VR of {label} does not exist", hint, capital)
    if attribute.is_private or value.text in alternatives(attribute.vr):
        return None
    hint = "Remove the line: DICOMVRs is for private elements."
    return Disallowed(f"{label} always has VR {attribute.vr}", hint)
