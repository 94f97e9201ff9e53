"""Which characters the character set of an object can hold (PS3.3 section C.12.1.1.2).

HealthImaging's documents are UTF-8. Who exports an object as DICOM meets its SpecificCharacterSet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from reconciler.core.dicom.content import instances, live_key, section_of, series
from reconciler.core.model.value import Document, Json

SPECIFIC_CHARACTER_SET = 0x00080005
# The VRs whose texts it concerns (PS3.5 section 6.1.2.3).
TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})


def holds(terms: Sequence[str], text: str) -> bool:
    """Whether each character is in one of the character sets. True for a term that is unknown."""
    if text.isascii():
        return True
    codecs = [_codec(term) for term in terms or ("",)]
    return None in codecs or all(
        any(_encodes(codec, one) for codec in codecs if codec) for one in text
    )


def _codec(term: str) -> str | None:
    from pydicom.charset import python_encoding

    found = python_encoding.get(term.strip(" "))
    # ISO 646, the default, is written with the codec of ISO 8859-1.
    return "ascii" if term.strip(" ") in ("", "ISO_IR 6", "ISO 2022 IR 6") else found


@cache
def _encodes(codec: str, character: str) -> bool:
    try:
        character.encode(codec)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def character_sets(document: Document) -> frozenset[tuple[str, ...]]:
    """The character sets that the instances of a document state, () for the default."""
    return frozenset(_stated(document))


def _stated(document: Document) -> Iterator[tuple[str, ...]]:
    for one in series(document).values():
        for section in instances(one).values():
            key = live_key(section, SPECIFIC_CHARACTER_SET)
            yield _terms(section_of(section, "DICOM").get(key) if key else None)


def _terms(raw: Json) -> tuple[str, ...]:
    values = raw if isinstance(raw, list) else [raw]
    return tuple(one for one in values if isinstance(one, str) and one)
