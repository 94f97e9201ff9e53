"""The content of a metadata document: finding what is in it, and telling whether two are equal.

A document is keyed by UIDs, and whether a key follows when the UID itself is changed is not
documented (decision 0002, U7). So equality goes by the UID *values*; finding goes by either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import cast

from reconciler.core.dicom.canonical import canonical
from reconciler.core.dicom.dictionary import UnknownKeyError, by_key, document_key, hex_key
from reconciler.core.model.address import Address, Level
from reconciler.core.model.value import Document, Json, canonical_json

Block = dict[str, Json]

SOP_INSTANCE_UID = 0x00080018
STUDY_INSTANCE_UID = 0x0020000D
SERIES_INSTANCE_UID = 0x0020000E


def section(block: Mapping[str, Json] | None, name: str) -> Block:
    """A mapping inside a block, `{}` where there is none (2023 documents leave some out)."""
    found = block.get(name) if block else None
    return found if isinstance(found, dict) else {}


def series(document: Document) -> dict[str, Block]:
    """The series blocks under their keys."""
    return cast("dict[str, Block]", section(section(document.raw, "Study"), "Series"))


def instances(series_block: Block) -> dict[str, Block]:
    """The instance blocks of a series under their keys."""
    return cast("dict[str, Block]", section(series_block, "Instances"))


def block_at(document: Document, address: Address) -> Block | None:
    """The block at an address made of live keys, or None."""
    match address.level:
        case Level.PATIENT:
            return section(document.raw, "Patient")
        case Level.STUDY:
            return section(document.raw, "Study")
        case Level.SERIES:
            return series(document).get(address.series)
        case Level.INSTANCE:
            found = series(document).get(address.series)
            return instances(found).get(address.instance) if found is not None else None


def live_keys(block: Block, tag: int) -> tuple[str, ...]:
    """The keys under which a block holds an attribute, the documented spelling first.

    Identity is the tag. More than one means that the document spells it twice.
    """
    preferred = document_key(tag)
    found = [key for key in section(block, "DICOM") if key == preferred or key_tag(key) == tag]
    return tuple(sorted(found, key=lambda key: (key != preferred, key)))


def live_key(block: Block, tag: int) -> str | None:
    """The key under which a block holds an attribute, None where it holds it under none."""
    preferred = document_key(tag)
    if preferred in section(block, "DICOM"):
        return preferred
    return next(iter(live_keys(block, tag)), None)


def key_tag(key: str) -> int | None:
    """The tag of a document's key, None for a key that is neither keyword nor hex."""
    try:
        return by_key(key).tag
    except UnknownKeyError:
        return None


def key_vr(block: Block, key: str) -> str:
    """The VR an attribute is read as: DICOMVRs first (private elements), else the dictionary."""
    stated = section(block, "DICOMVRs").get(key)
    if isinstance(stated, str):
        return stated
    try:
        return by_key(key).vr
    except UnknownKeyError:
        return "UN"


def uid_value(block: Block, tag: int, key: str) -> str:
    """The UID a series or instance has: the attribute's value, else its key."""
    found = live_key(block, tag)
    value = section(block, "DICOM").get(found) if found else None
    return value.strip(" \0") if isinstance(value, str) and value.strip(" \0") else key


def study_instance_uid(document: Document) -> str:
    """The study a document belongs to, "" where it states none."""
    return uid_value(section(document.raw, "Study"), STUDY_INSTANCE_UID, "")


def frame_ids(block: Block) -> tuple[str, ...]:
    """The IDs of an instance's image frames in order; they stay when its UID is changed."""
    frames = block.get("ImageFrames")
    listed = frames if isinstance(frames, list) else []
    return tuple(str(frame.get("ID")) for frame in listed if isinstance(frame, dict))


def canonical_attributes(block: Block) -> Block:
    """The attributes of a block by tag, values in canonical form, private ones with their VR."""
    result: Block = {}
    for key, value in sorted(section(block, "DICOM").items()):
        tag, vr = key_tag(key), key_vr(block, key)
        private = tag is None or tag >> 16 & 1
        form = canonical(vr, value)
        name = hex_key(tag) if tag is not None else key
        # A document that spells an attribute twice holds both, whatever their order.
        result[key if name in result else name] = [vr, form] if private else form
    return result


class ContentDigests:
    """Digests over what counts when documents are compared: attributes, private VRs and frames.

    IDs that the service generates, SchemaVersion and keys we do not know (ChecksumType, future
    ones: decision 0002, U18) do not count, nor do the spelling of keys and their order.

    An object remembers the instances it has seen: `simulate` shares what a change leaves alone,
    so that the digest of a document of 2,000 instances after each of 30 calls costs one pass.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Block, str]] = {}  # holds the block, so that its id stays

    def of(self, document: Document) -> str:
        """`sha256:…`: equal digests mean equal content."""
        study = section(document.raw, "Study")
        return digest(
            {
                "Patient": canonical_attributes(section(document.raw, "Patient")),
                "Study": canonical_attributes(study),
                "Series": _by_uid(series(document), SERIES_INSTANCE_UID, self._series),
            }
        )

    def _series(self, block: Block) -> str:
        return digest(
            {
                "DICOM": canonical_attributes(block),
                "Instances": _by_uid(instances(block), SOP_INSTANCE_UID, self._instance),
            }
        )

    def _instance(self, block: Block) -> str:
        known = self._known.get(id(block))
        if known is None:
            frames = cast(Json, list(frame_ids(block)))
            content: Json = {"DICOM": canonical_attributes(block), "Frames": frames}
            known = self._known[id(block)] = (block, digest(content))
        return known[1]


def _by_uid(blocks: Mapping[str, Block], tag: int, digest_of: Callable[[Block], str]) -> Json:
    """UIDs with digests, sorted: keys do not count, and of two that state one UID both do."""
    pairs = [[uid_value(block, tag, key), digest_of(block)] for key, block in blocks.items()]
    return cast(Json, sorted(pairs))


def content_digest(document: Document) -> str:
    """`sha256:…` over what counts in one document (see `ContentDigests`)."""
    return ContentDigests().of(document)


def digest(value: Json) -> str:
    """`sha256:…` over canonical JSON.

    Whoever has it can try all birth dates: it stays in plan files and attempts, which only their
    owner may read. What may leave this machine is keyed (`reconciler.core.model.key`).
    """
    return "sha256:" + hashlib.sha256(canonical_json(value)).hexdigest()
