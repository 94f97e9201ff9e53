"""The characters that SpecificCharacterSet can hold (PS3.3 C.12.1.1.2, PS3.5 section 6.1).

It concerns text of the VRs LO, LT, PN, SH, ST, UC and UT; text of other VRs is ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from reconciler.core.dicom.dictionary import Attribute, UnknownKeyError, by_key
from reconciler.core.model.value import Json

SPECIFIC_CHARACTER_SET = 0x00080005

_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
# Registered number: Python's codec, and the most bytes that it may need for one character. JIS X
# 0201 (13) is the part of Shift JIS with one byte. EUC-KR also has forms of eight bytes.
_CODECS = {
    6: ("ascii", 1),
    13: ("shift_jis", 1),
    58: ("gb2312", 2),
    87: ("iso2022_jp", 9),
    100: ("latin_1", 1),
    101: ("iso8859_2", 1),
    109: ("iso8859_3", 1),
    110: ("iso8859_4", 1),
    126: ("iso8859_7", 1),
    127: ("iso8859_6", 1),
    138: ("iso8859_8", 1),
    144: ("iso8859_5", 1),
    148: ("iso8859_9", 1),
    149: ("euc_kr", 2),
    159: ("iso2022_jp_1", 9),
    166: ("iso8859_11", 1),
    192: ("utf_8", 4),
    203: ("iso8859_15", 1),
}
_NAMED = {"GB18030": ("gb18030", 4), "GBK": ("gbk", 2)}
# `ISO-IR 100` stands in real documents.
_NUMBER = re.compile(r"(?:ISO[_-]IR|ISO 2022 IR) ([0-9]+)")


def character_sets(raw: Json) -> tuple[str, ...]:
    """Return the terms of a SpecificCharacterSet; the default repertoire if it has none."""
    values = raw if isinstance(raw, list) else [raw]
    terms = [value.strip(" \0") for value in values if isinstance(value, str)]
    return tuple(filter(None, terms)) or ("ISO_IR 6",)


def lacks(terms: tuple[str, ...], vr: str, raw: Json) -> bool:
    """Whether a value has characters that the character sets cannot hold.

    False if a term is not known. An item of a sequence may have character sets of its own.
    """
    return any(
        not _holds(own, character)
        for own, text in _texts(terms, vr, raw)
        if not text.isascii()
        for character in set(text)
    )


def _texts(terms: tuple[str, ...], vr: str, raw: Json) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each text of a value that character sets concern, with its character sets."""
    for value in raw if isinstance(raw, list) else [raw]:
        if isinstance(value, str) and vr in _VRS:
            yield terms, value
        elif isinstance(value, dict):
            yield from _texts_of_item(terms, value)


def _texts_of_item(
    terms: tuple[str, ...], item: dict[str, Json]
) -> Iterator[tuple[tuple[str, ...], str]]:
    inside = list(_attributes(item))
    for attribute, value in inside:
        if attribute.tag == SPECIFIC_CHARACTER_SET:
            terms = character_sets(value)
    for attribute, value in inside:
        yield from _texts(terms, attribute.vr, value)


def _attributes(item: dict[str, Json]) -> Iterable[tuple[Attribute, Json]]:
    for key, value in item.items():
        try:
            yield by_key(key), value
        except UnknownKeyError:
            continue


@lru_cache(maxsize=4096)
def _holds(terms: tuple[str, ...], character: str) -> bool:
    codecs = [_codec(term) for term in terms]
    return None in codecs or any(
        codec is not None and _encodes(*codec, character) for codec in codecs
    )


def _codec(term: str) -> tuple[str, int] | None:
    found = _NUMBER.fullmatch(term)
    return _CODECS.get(int(found[1])) if found else _NAMED.get(term)


def _encodes(codec: str, most: int, character: str) -> bool:
    try:
        return len(character.encode(codec)) <= most
    except UnicodeEncodeError:
        return False
