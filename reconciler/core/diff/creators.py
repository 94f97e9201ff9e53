"""Judges changes of private elements by their private creators (PS3.5 section 7.8).

A tag alone does not identify a private element: in another instance, the same tag may be the
element of another vendor. So a line may change it in several instances only if their private
creators are equal, or if the manifest states the creator.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from reconciler.core.dicom.content import key_tag, live_key, section_at, section_of
from reconciler.core.dicom.creators import creator_in, creator_tag, creator_text, is_creator
from reconciler.core.dicom.dictionary import by_tag, hex_key
from reconciler.core.dicom.vr import is_vr
from reconciler.core.diff.paths import claim_path
from reconciler.core.errors import Place
from reconciler.core.model.address import Address
from reconciler.core.model.ask import Claim, ClaimKind, ImageSetAsk
from reconciler.core.model.change import Block, Change, Note, Op
from reconciler.core.model.diff import SourcedChange
from reconciler.core.model.value import Document, Json, Value

# The claims on each attribute of each section.
Targets: TypeAlias = Mapping[tuple[Address, int], Sequence[Claim]]
# One `DICOM:` block of a manifest: the place of the manifest, and the address.
_Spot: TypeAlias = tuple[Place, Address]

_LISTED = 3


def creator_blocks(ask: ImageSetAsk, document: Document, targets: Targets) -> Iterator[Block]:
    """Block the lines whose targets are elements of different private creators."""
    stated = _stated(ask.carried.claims)
    found: dict[tuple[_Spot, int, ClaimKind], tuple[Claim, set[str]]] = {}
    for (place, tag), claims in targets.items():
        if creator_tag(tag) is None:
            continue
        section = section_at(document, place) or {}
        name = creator_in(section_of(section, "DICOM"), tag)
        for claim in claims:
            _, names = found.setdefault((_spot(claim), tag, claim.kind), (claim, set()))
            if claim.kind is ClaimKind.PRESENT or live_key(section, tag):
                names.add(name)
    for (spot, tag, _), (claim, names) in found.items():
        asked = stated.get((spot, creator_tag(tag) or 0))
        if asked is None and len(names) > 1:
            yield _unclear(ask.image_set_id, claim, tag)
        elif asked is not None and names - _allowed(claim, asked):
            yield _other(ask.image_set_id, claim, tag)


def _spot(claim: Claim) -> _Spot:
    return claim.source.place, claim.address


def _stated(claims: Iterable[Claim]) -> dict[tuple[_Spot, int], str]:
    """Return the private creators that each block states, also as the value to remove."""
    return {
        (_spot(claim), claim.tag): creator_text(claim.value.raw)
        for claim in claims
        if claim.tag is not None and is_creator(claim.tag) and claim.value is not None
    }


def _allowed(claim: Claim, name: str) -> set[str]:
    """A missing creator is written together with a new element."""
    return {name, ""} if claim.kind is ClaimKind.PRESENT else {name}


def _unclear(image_set_id: str, claim: Claim, tag: int) -> Block:
    owner = hex_key(creator_tag(tag) or 0)
    return Block(
        image_set_id,
        f"{hex_key(tag)} has different private creators in the instances of this line",
        f'State which element you mean: add `"{owner}": NAME` under `present` for the same '
        "instances. Or write one line for each instance.",
        claim.place,
        claim_path(claim),
    )


def _other(image_set_id: str, claim: Claim, tag: int) -> Block:
    owner = hex_key(creator_tag(tag) or 0)
    return Block(
        image_set_id,
        f"in an instance of this line, {hex_key(tag)} does not have the stated private creator",
        f"Name only the instances whose {owner} is the stated creator. In the others, the tag is "
        "another element.",
        claim.place,
        claim_path(claim),
    )


def orphan_blocks(document: Document, changes: Iterable[Change]) -> Iterator[Block]:
    """Block the removal of a private creator that still has elements."""
    for change, left in _creator_changes(document, changes):
        if not left or (change.op is not Op.REMOVE and _text(change)):
            continue
        listed = ", ".join(map(hex_key, left[:_LISTED])) + (" …" if len(left) > _LISTED else "")
        yield Block(
            change.image_set_id,
            f"{change.key} is the private creator of elements that remain",
            f"Remove its elements, too: {listed}.",
            change.place,
            change.path(),
        )


def private_notes(document: Document, changes: Iterable[Change]) -> tuple[Note, ...]:
    """Note elements without a private creator, other creators, and other VRs."""
    found = list(changes)
    notes = [*_without_creator(document, found), *_other_creators(document, found)]
    notes += _other_vrs(document, found)
    return tuple(dict.fromkeys(notes))


def with_creators(document: Document, changes: Iterable[SourcedChange]) -> list[SourcedChange]:
    """State the private creator of each private element, also a creator of the same call."""
    found = list(changes)
    written = {
        (one.change.address, one.change.tag): _text(one.change)
        for one in found
        if is_creator(one.change.tag or 0)
    }
    return [_with_creator(document, sourced, written) for sourced in found]


def _with_creator(
    document: Document, sourced: SourcedChange, written: Mapping[tuple[Address, int | None], str]
) -> SourcedChange:
    change = sourced.change
    owner = creator_tag(change.tag or 0)
    if owner is None:
        return sourced
    held = section_of(section_at(document, change.address), "DICOM")
    name = creator_in(held, change.tag or 0) or written.get((change.address, owner), "")
    return replace(sourced, change=replace(change, creator=Value(name))) if name else sourced


def _without_creator(document: Document, changes: Iterable[Change]) -> Iterator[Note]:
    found = list(changes)
    written = {(one.address, one.tag) for one in found if one.op is not Op.REMOVE}
    for change in found:
        tag = change.tag
        if tag is None or not by_tag(tag).is_private or is_creator(tag):
            continue
        held = section_of(section_at(document, change.address), "DICOM")
        if not creator_in(held, tag) and (change.address, creator_tag(tag)) not in written:
            text = f"{change.key} has no private creator: no vendor is stated for it"
            yield Note(change.image_set_id, text, change.place)


def _other_creators(document: Document, changes: Iterable[Change]) -> Iterator[Note]:
    for change, left in _creator_changes(document, changes):
        if left and change.op is Op.UPDATE and _text(change):
            text = f"{change.key} changes: its elements then belong to another private creator"
            yield Note(change.image_set_id, text, change.place)


def _other_vrs(document: Document, changes: Iterable[Change]) -> Iterator[Note]:
    for change in changes:
        if change.op is not Op.UPDATE or not change.send_vr:
            continue
        section = section_at(document, change.address)
        before = section_of(section, "DICOMVRs").get(change.key)
        stated = before if isinstance(before, str) and is_vr(before) else "an unknown VR"
        text = f"the VR of {change.key} changes from {stated} to {change.vr}"
        yield Note(change.image_set_id, text, change.place)


def _creator_changes(
    document: Document, changes: Iterable[Change]
) -> Iterator[tuple[Change, list[int]]]:
    """Yield each change of a private creator, with the elements that it has afterwards."""
    by_address: dict[Address, list[Change]] = defaultdict(list)
    for change in changes:
        by_address[change.address].append(change)
    for address, here in by_address.items():
        creators = [one for one in here if one.tag is not None and is_creator(one.tag)]
        left = _tags_after(document, address, here) if creators else set()
        for change in creators:
            yield change, sorted(tag for tag in left if creator_tag(tag) == change.tag)


def _tags_after(document: Document, address: Address, changes: Iterable[Change]) -> set[int]:
    held = section_of(section_at(document, address), "DICOM")
    tags = {tag for key in held if (tag := key_tag(key)) is not None}
    for change in changes:
        if change.tag is not None:
            (tags.discard if change.op is Op.REMOVE else tags.add)(change.tag)
    return tags


def _text(change: Change) -> str:
    after: Json = change.after.raw if change.after else None
    return creator_text(after)
