"""The content of a metadata document: finds blocks and attributes, and compares documents.

The keys of a document are UIDs. AWS does not document whether a key changes with its UID (decision
0002, U7). So equality uses the UID *values*, and finding uses values and keys.
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
    """Return a mapping inside a block; `{}` if it is missing, as in documents of 2023."""
    found = block.get(name) if block else None
    return found if isinstance(found, dict) else {}


def series(document: Document) -> dict[str, Block]:
    """Return the series blocks by key."""
    return cast("dict[str, Block]", section(section(document.raw, "Study"), "Series"))


def instances(series_block: Block) -> dict[str, Block]:
    """Return the instance blocks of a series by key."""
    return cast("dict[str, Block]", section(series_block, "Instances"))


def block_at(document: Document, address: Address) -> Block | None:
    """Return the block at an address of live keys, or None."""
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
    """Return the keys of an attribute in a block, the documented spelling first.

    The tag identifies an attribute. Several keys mean that the document contains it twice.
    """
    preferred = document_key(tag)
    found = [key for key in section(block, "DICOM") if key == preferred or key_tag(key) == tag]
    return tuple(sorted(found, key=lambda key: (key != preferred, key)))


def live_key(block: Block, tag: int) -> str | None:
    """Return the key of an attribute in a block, None if the block lacks it."""
    preferred = document_key(tag)
    if preferred in section(block, "DICOM"):
        return preferred
    return next(iter(live_keys(block, tag)), None)


def key_tag(key: str) -> int | None:
    """Return the tag of a key, None for a key that is neither a keyword nor eight hex digits."""
    try:
        return by_key(key).tag
    except UnknownKeyError:
        return None


def key_vr(block: Block, key: str) -> str:
    """Return the VR of an attribute: from DICOMVRs (private elements), else the dictionary."""
    stated = section(block, "DICOMVRs").get(key)
    if isinstance(stated, str):
        return stated
    try:
        return by_key(key).vr
    except UnknownKeyError:
        return "UN"


def uid_value(block: Block, tag: int, key: str) -> str:
    """Return the UID of a series or instance: the value of the attribute, else the key."""
    found = live_key(block, tag)
    value = section(block, "DICOM").get(found) if found else None
    return value.strip(" \0") if isinstance(value, str) and value.strip(" \0") else key


def study_instance_uid(document: Document) -> str:
    """Return the StudyInstanceUID of a document, "" if it has none."""
    return uid_value(section(document.raw, "Study"), STUDY_INSTANCE_UID, "")


def frame_ids(block: Block) -> tuple[str, ...]:
    """Return the IDs of the image frames of an instance; a change of its UID keeps them."""
    frames = block.get("ImageFrames")
    listed = frames if isinstance(frames, list) else []
    return tuple(str(frame.get("ID")) for frame in listed if isinstance(frame, dict))


def canonical_attributes(block: Block) -> Block:
    """Return the attributes of a block by tag in canonical form; private elements with their VR."""
    result: Block = {}
    for key, value in sorted(section(block, "DICOM").items()):
        tag, vr = key_tag(key), key_vr(block, key)
        private = tag is None or tag >> 16 & 1
        form = canonical(vr, value)
        name = hex_key(tag) if tag is not None else key
        # If a document contains an attribute twice, keep both, regardless of their order.
        result[key if name in result else name] = [vr, form] if private else form
    return result


class ContentDigests:
    """Digests over the content that is compared: attributes, VRs of private elements and frames.

    They ignore generated IDs, SchemaVersion and unknown keys (ChecksumType, future keys: decision
    0002, U18), as well as the spelling and order of keys.

    An object caches the digests of instances. `simulate` shares unchanged instances, so computing
    the digest of 2,000 instances after each of 30 calls reads each instance once.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Block, str]] = {}  # keeps the block, so that its id is valid

    def of(self, document: Document) -> str:
        """Return `sha256:…`. Equal digests mean equal content."""
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
    """Return sorted pairs of UID and digest. Keys are ignored; duplicate UIDs are kept."""
    pairs = [[uid_value(block, tag, key), digest_of(block)] for key, block in blocks.items()]
    return cast(Json, sorted(pairs))


def content_digest(document: Document) -> str:
    """Return `sha256:…` over the content of one document (see `ContentDigests`)."""
    return ContentDigests().of(document)


def digest(value: Json) -> str:
    """Return `sha256:…` over canonical JSON.

    A value such as a birth date can be guessed from it. So it stays in plan files and attempts,
    which only their owner may read. Other digests are keyed (`reconciler.core.model.key`).
    """
    return "sha256:" + hashlib.sha256(canonical_json(value)).hexdigest()
