"""The content of a metadata document: finding what is in it, and telling whether two are equal.

A document is keyed by UIDs, and whether a key follows when the UID itself is changed is not
documented (healthimaging §10, U7). So equality goes by the UID *values*; finding goes by either.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import cast

from reconciler.dicom.canonical import canonical
from reconciler.dicom.dictionary import UnknownKeyError, by_key, document_key, hex_key
from reconciler.model.address import PATIENT, STUDY, Address, Level, instance_at, series_at
from reconciler.model.value import Document, Json

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


def addresses(document: Document) -> Iterator[Address]:
    """Every block of a document: Patient, Study, then each series with its instances."""
    yield PATIENT
    yield STUDY
    for series_key, series_block in sorted(series(document).items()):
        yield series_at(series_key)
        for instance_key in sorted(instances(series_block)):
            yield instance_at(series_key, instance_key)


def live_key(block: Block, tag: int) -> str | None:
    """The key under which a block holds an attribute: identity is the tag, not the spelling."""
    dicom = section(block, "DICOM")
    preferred = document_key(tag)
    if preferred in dicom:
        return preferred
    return next((key for key in dicom if key_tag(key) == tag), None)


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


def canonical_attributes(block: Block) -> dict[str, Json]:
    """The attributes of a block by tag, values in canonical form, private ones with their VR."""
    result: dict[str, Json] = {}
    for key, value in section(block, "DICOM").items():
        tag, vr = key_tag(key), key_vr(block, key)
        private = tag is None or tag >> 16 & 1
        form = canonical(vr, value)
        result[hex_key(tag) if tag is not None else key] = [vr, form] if private else form
    return result


def canonical_content(document: Document) -> Json:
    """What counts when two documents are compared: attributes, private VRs and frames.

    IDs that the service generates, SchemaVersion and keys we do not know (ChecksumType, future
    ones: healthimaging §10, U18) do not count, nor do the spelling of keys and their order.
    """
    study = section(document.raw, "Study")
    return {
        "Patient": cast(Json, canonical_attributes(section(document.raw, "Patient"))),
        "Study": cast(Json, canonical_attributes(study)),
        "Series": {
            uid_value(block, SERIES_INSTANCE_UID, key): {
                "DICOM": cast(Json, canonical_attributes(block)),
                "Instances": {
                    uid_value(inner, SOP_INSTANCE_UID, inner_key): _canonical_instance(inner)
                    for inner_key, inner in instances(block).items()
                },
            }
            for key, block in series(document).items()
        },
    }


def _canonical_instance(block: Block) -> Json:
    frames = block.get("ImageFrames")
    ids = (
        [frame.get("ID") for frame in frames or [] if isinstance(frame, dict)]
        if isinstance(frames, list)
        else []
    )
    return {"DICOM": cast(Json, canonical_attributes(block)), "Frames": cast(Json, ids)}


def content_digest(document: Document) -> str:
    """`sha256:…` over the canonical content: equal digests mean equal content."""
    return digest(canonical_content(document))


def digest(value: Json) -> str:
    """`sha256:…` over canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
