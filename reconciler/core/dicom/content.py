"""The content of a metadata document: finds sections and attributes, and compares documents.

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

Section = dict[str, Json]

SOP_INSTANCE_UID = 0x00080018
STUDY_INSTANCE_UID = 0x0020000D
SERIES_INSTANCE_UID = 0x0020000E
# Documents are keyed by these, so they can be changed but not removed.
KEY_UIDS = frozenset({STUDY_INSTANCE_UID, SERIES_INSTANCE_UID, SOP_INSTANCE_UID})
MEDIA_STORAGE_SOP_INSTANCE_UID = 0x00020003
TRANSFER_SYNTAX = "StoredTransferSyntaxUID"
CHECKSUMS = "PixelDataChecksumFromBaseToFullResolution"
_HTJ2K_LOSSLESS_RPCL = "1.2.840.10008.1.2.4.202"


def section_of(outer: Mapping[str, Json] | None, name: str) -> Section:
    """Return a section inside another; `{}` if it is missing, as in documents of 2023."""
    found = outer.get(name) if outer else None
    return found if isinstance(found, dict) else {}


def series(document: Document) -> dict[str, Section]:
    """Return the series sections by key."""
    return cast("dict[str, Section]", section_of(section_of(document.raw, "Study"), "Series"))


def instances(series_section: Section) -> dict[str, Section]:
    """Return the instance sections of a series by key."""
    return cast("dict[str, Section]", section_of(series_section, "Instances"))


def section_at(document: Document, address: Address) -> Section | None:
    """Return the section at an address of live keys, or None."""
    match address.level:
        case Level.PATIENT:
            return section_of(document.raw, "Patient")
        case Level.STUDY:
            return section_of(document.raw, "Study")
        case Level.SERIES:
            return series(document).get(address.series)
        case Level.INSTANCE:
            found = series(document).get(address.series)
            return instances(found).get(address.instance) if found is not None else None


def live_keys(section: Section, tag: int) -> tuple[str, ...]:
    """Return the keys of an attribute in a section, the documented spelling first.

    The tag identifies an attribute. Several keys mean that the document contains it twice.
    """
    preferred = document_key(tag)
    found = [key for key in section_of(section, "DICOM") if key == preferred or key_tag(key) == tag]
    return tuple(sorted(found, key=lambda key: (key != preferred, key)))


def live_key(section: Section, tag: int) -> str | None:
    """Return the key of an attribute in a section, None if the section lacks it."""
    preferred = document_key(tag)
    if preferred in section_of(section, "DICOM"):
        return preferred
    return next(iter(live_keys(section, tag)), None)


def key_tag(key: str) -> int | None:
    """Return the tag of a key, None for a key that is neither a keyword nor eight hex digits."""
    try:
        return by_key(key).tag
    except UnknownKeyError:
        return None


def key_vr(section: Section, key: str) -> str:
    """Return the VR of an attribute: from DICOMVRs (private elements), else the dictionary."""
    stated = section_of(section, "DICOMVRs").get(key)
    if isinstance(stated, str):
        return stated
    try:
        return by_key(key).vr
    except UnknownKeyError:
        return "UN"


def uid_value(section: Section, tag: int, key: str) -> str:
    """Return the UID of a series or instance: the value of the attribute, else the key."""
    found = live_key(section, tag)
    return uid_text(section_of(section, "DICOM").get(found) if found else None) or key


def uid_text(value: Json) -> str:
    """Return a UID without padding, "" if the value is no text."""
    return value.strip(" \0") if isinstance(value, str) else ""


def study_instance_uid(document: Document) -> str:
    """Return the StudyInstanceUID of a document, "" if it has none."""
    return uid_value(section_of(document.raw, "Study"), STUDY_INSTANCE_UID, "")


def frame_ids(section: Section) -> tuple[str, ...]:
    """Return the IDs of the image frames of an instance; a change of its UID keeps them."""
    frames = section.get("ImageFrames")
    listed = frames if isinstance(frames, list) else []
    return tuple(str(frame.get("ID")) for frame in listed if isinstance(frame, dict))


def images_of(section: Section) -> Section:
    """What HealthImaging itself states about the images of an instance, as far as it is compared.

    A missing StoredTransferSyntaxUID stands for lossless HTJ2K, 1.2.840.10008.1.2.4.202. Source:
    https://docs.aws.amazon.com/healthimaging/latest/devguide/supported-transfer-syntaxes.html
    """
    listed = section.get("ImageFrames")
    frames = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    rows: list[Json] = [[str(frame.get("ID")), frame.get(CHECKSUMS) or None] for frame in frames]
    return {"Frames": rows, TRANSFER_SYNTAX: section.get(TRANSFER_SYNTAX) or _HTJ2K_LOSSLESS_RPCL}


def canonical_attributes(section: Section) -> Section:
    """Return the attributes by tag in canonical form; private elements with their VR."""
    result: Section = {}
    for key, value in sorted(section_of(section, "DICOM").items()):
        tag, vr = key_tag(key), key_vr(section, key)
        private = tag is None or tag >> 16 & 1
        form = canonical(vr, value)
        name = hex_key(tag) if tag is not None else key
        # If a document contains an attribute twice, keep both, regardless of their order.
        result[key if name in result else name] = [vr, form] if private else form
    return result


class ContentDigests:
    """Digests over the content that is compared: attributes, VRs of private elements and images.

    Of the images, they cover the frames, their checksums and the stored transfer syntax. They
    ignore generated IDs, SchemaVersion and other keys (ChecksumType, future keys: decision 0002,
    U18), as well as the spelling and order of keys.

    An object caches the digests of instances. `simulate` shares unchanged instances, so computing
    the digest of 2,000 instances after each of 30 calls reads each instance once.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Section, str]] = {}  # keeps it, so that its id is valid

    def of(self, document: Document) -> str:
        """Return `sha256:…`. Equal digests mean equal content."""
        study = section_of(document.raw, "Study")
        return digest(
            {
                "Patient": canonical_attributes(section_of(document.raw, "Patient")),
                "Study": canonical_attributes(study),
                "Series": _by_uid(series(document), SERIES_INSTANCE_UID, self._series),
            }
        )

    def _series(self, section: Section) -> str:
        return digest(
            {
                "DICOM": canonical_attributes(section),
                "Instances": _by_uid(instances(section), SOP_INSTANCE_UID, self._instance),
            }
        )

    def _instance(self, section: Section) -> str:
        known = self._known.get(id(section))
        if known is None:
            content: Json = {"DICOM": canonical_attributes(section), **images_of(section)}
            known = self._known[id(section)] = (section, digest(content))
        return known[1]


def _by_uid(sections: Mapping[str, Section], tag: int, digest_of: Callable[[Section], str]) -> Json:
    """Return sorted pairs of UID and digest. Keys are ignored; duplicate UIDs are kept."""
    pairs = [
        [uid_value(section, tag, key), digest_of(section)] for key, section in sections.items()
    ]
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
