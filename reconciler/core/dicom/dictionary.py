"""The DICOM data dictionary: keyword <-> tag <-> VR <-> VM (PS3.6), on pydicom's tables.

The tag identifies an attribute. It is written as a keyword or as eight hex digits; `document_key`
returns the form that HealthImaging uses in its documents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import TypeAlias

from reconciler.core.dicom.edition import NEWER_THAN_2022B
from reconciler.core.dicom.tables import DICTIONARY, table
from reconciler.core.model.address import Address
from reconciler.core.model.node import shown

_Entry: TypeAlias = tuple[str, str, str, str, str]  # VR, VM, name, "Retired" or "", keyword

_HEX_KEY = re.compile("[0-9A-Fa-f]{8}")
_TAG_SPELLING = re.compile(r"(?:0[xX]|\()?([0-9A-Fa-f]{4})[, ]{0,2}([0-9A-Fa-f]{4})\)?")
_REPEATED = re.compile("(?<=[0-9A-Fa-f]{2})[xX]{2}")  # of a repeating group: 60xx
_SHOWN_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Attribute:
    """One row of PS3.6. `vr` may name alternatives ("US or SS"); `keyword` may be "".

    `tag` is 0xGGGGEEEE. Private and unknown attributes have VR "UN" and VM "1". `is_standard` says
    whether the dictionary contains the attribute, retired or not.
    """

    tag: int
    keyword: str
    vr: str
    vm: str
    retired: bool
    name: str = ""
    is_standard: bool = True

    @property
    def is_multi(self) -> bool:
        """Whether HealthImaging writes a list, even for one value: VM other than 1."""
        return self.vm != "1"

    @property
    def is_private(self) -> bool:
        """Whether the group is odd (PS3.5 section 7.8)."""
        return bool(self.tag >> 16 & 1)

    @property
    def is_newer(self) -> bool:
        """Whether it is newer than PS3.6 2022b, the edition that HealthImaging uses."""
        return self.tag in NEWER_THAN_2022B

    @property
    def multiplicity(self) -> str:
        """The VM to check values by: that of the dictionary, or any number of values."""
        return self.vm if self.is_standard else "1-n"

    @property
    def label(self) -> str:
        """The name in diagnostics: `PatientName (0010,0010)`, or the tag alone."""
        return f"{self.keyword} {format_tag(self.tag)}" if self.keyword else format_tag(self.tag)


class UnknownKeyError(ValueError):
    """A key that is neither a keyword nor eight hex digits.

    `hint` suggests the right key; `meant` is that key, or "".
    """

    def __init__(self, message: str, hint: str, meant: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.meant = meant


@lru_cache(maxsize=65536)
def by_tag(tag: int) -> Attribute:
    """Return the attribute of a tag, including repeating groups (60xx overlays, 50xx curves)."""
    entry = _entry(tag)
    if entry is None:
        return Attribute(tag, "", "UN", "1", retired=False, is_standard=False)
    vr, vm, name, retired, keyword = entry
    # The keyword of a repeating group means its first group only, so it is unique.
    own = _tags_by_keyword().get(keyword) == tag
    return Attribute(tag, keyword if own else "", vr, vm, bool(retired), name)


@lru_cache(maxsize=65536)
def by_key(key: str) -> Attribute:
    """Return the attribute of a keyword or eight hex digits. Raises UnknownKeyError."""
    tag = _tags_by_keyword().get(key) if key else None
    if tag is not None:
        return by_tag(tag)
    if _HEX_KEY.fullmatch(key):
        return by_tag(int(key, 16))
    name = "".join(char if char.isprintable() else "�" for char in shown(key))
    hint, meant = _hint(key)
    raise UnknownKeyError(f"{name} is not a DICOM keyword", hint, meant)


def by_spelling(text: str) -> Attribute | None:
    """Return the attribute that a person means, or None.

    The text is a keyword or a name in any case (`patientid`, "Patient's Name"), or a tag in any
    usual spelling: `00100010`, `(0010,0010)`, `0010,0010`, `0x00100010`, `60xx3000`.
    """
    spelling = _TAG_SPELLING.fullmatch(_REPEATED.sub("00", text.strip()))
    if spelling:
        return by_tag(int(spelling[1] + spelling[2], 16))
    keyword = _spellings().get(_squeeze(text))
    return by_key(keyword) if keyword else None


def keyword_near(text: str) -> str | None:
    """Return the keyword that a misspelt keyword or name resembles, or None."""
    return _near(_squeeze(text[:_SHOWN_CHARACTERS]))


def is_key(text: str) -> bool:
    """Whether this is a keyword or eight hex digits. Any other key may contain a value."""
    return bool(text) and (text in _tags_by_keyword() or bool(_HEX_KEY.fullmatch(text)))


def _hint(key: str) -> tuple[str, str]:
    """Return what to do about a key that is none, and the key that is meant or ""."""
    name, colon, value = key.partition(":")
    if colon and value and (name in _tags_by_keyword() or _HEX_KEY.fullmatch(name)):
        return "Write a colon and a space after the keyword.", ""
    return _suggest(key[:_SHOWN_CHARACTERS])


def document_key(tag: int) -> str:
    """Return the key in documents: the PS3.6 2022b keyword, else eight hex digits.

    Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/metadata-normalization.html
    """
    attribute = by_tag(tag)
    if attribute.keyword and not attribute.is_newer:
        return attribute.keyword
    return hex_key(tag)


def attribute_path(address: Address, tag: int | None, key: str = "") -> str:
    """Return the path of an attribute, spelled as in HealthImaging's documents.

    Without a tag, that of an attribute which only its key identifies; without both, the path of
    the series or instance itself.
    """
    name = document_key(tag) if tag is not None else key
    return f"{address.path()}/{name}" if name else address.path()


def format_tag(tag: int) -> str:
    """Return `(0010,0010)`, the form for people."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def hex_key(tag: int) -> str:
    """Return `00100010`, the form in documents and manifests."""
    return f"{tag:08X}"


def standard_tags() -> tuple[int, ...]:
    """Return every tag with a keyword in ascending order; of a repeating group the first tag."""
    return tuple(sorted(_tags_by_keyword().values()))


def _entry(tag: int) -> _Entry | None:
    rows, repeaters = _tables()
    row = rows.get(tag)
    if row is not None:
        return row
    for mask, value, repeater in repeaters:
        if tag & mask == value:
            return repeater
    return None


@cache
def _tables() -> tuple[dict[int, _Entry], tuple[tuple[int, int, _Entry], ...]]:
    """Return pydicom's rows, and its repeating groups as (mask, value under the mask, row)."""
    found = table(DICTIONARY)
    # The item delimiters (FFFE,xxxx) structure a sequence and hold no value (PS3.5 section 7.5).
    rows = {tag: row for tag, row in found.DicomDictionary.items() if row[0] != "NONE"}
    return rows, tuple(
        (_mask(pattern), _under_mask(pattern), row)
        for pattern, row in found.RepeatersDictionary.items()
    )


def _mask(pattern: str) -> int:
    """`60xx0010` -> 0xFF00FFFF."""
    return int("".join("0" if digit == "x" else "F" for digit in pattern), 16)


def _under_mask(pattern: str) -> int:
    """`60xx0010` -> 0x60000010."""
    return int(pattern.replace("x", "0"), 16)


@cache
def _tags_by_keyword() -> dict[str, int]:
    rows, repeaters = _tables()
    tags = {row[4]: tag for tag, row in rows.items() if row[4]}
    for mask, value, row in repeaters:
        tags[row[4]] = _first(mask, value, row)
    return tags


def _first(mask: int, value: int, row: _Entry) -> int:
    """Return the first tag of a repeating group without a row of its own, unlike (0028,0400)."""
    step = ~mask & -~mask & 0xFFFFFFFF  # the lowest digit that repeats
    tag = value
    while _entry(tag) is not row:
        tag += step
    return tag


_SLIP = 3  # the maximum difference in length of a misspelt keyword
_ALIKE = 0.8  # the minimum similarity in difflib


@lru_cache(maxsize=4096)
def _suggest(key: str) -> tuple[str, str]:
    spelling = _TAG_SPELLING.fullmatch(key.strip())
    if spelling:
        tag = int(spelling[1] + spelling[2], 16)
        keyword = by_tag(tag).keyword
        hint = f'Write "{hex_key(tag)}"' + (f" or {keyword}." if keyword else ".")
        return hint, keyword or hex_key(tag)
    near = _near(_squeeze(key))
    if near:
        return f"Did you mean {near}?", near
    return "Write a DICOM keyword, such as PatientName, or the tag as eight hex digits.", ""


def _near(squeezed: str) -> str | None:
    spellings = _spellings()
    if squeezed in spellings:
        return spellings[squeezed]
    # Comparing with all 5,000 spellings takes too long. A typing error keeps the initial letter and
    # almost the length.
    alike, letters = _spellings_alike(), frozenset(squeezed)
    candidates = [
        spelling
        for length in range(len(squeezed) - _SLIP, len(squeezed) + _SLIP + 1)
        for spelling, own in alike.get((squeezed[:1], length), ())
        # Letters in only one of the two cannot match. This excludes most candidates quickly.
        if 2.0 * min(len(squeezed) - len(letters - own), length - len(own - letters))
        >= _ALIKE * (len(squeezed) + length)
    ]
    matches = get_close_matches(squeezed, candidates, n=1, cutoff=_ALIKE)
    return spellings[matches[0]] if matches else None


@cache
def _spellings_alike() -> dict[tuple[str, int], list[tuple[str, frozenset[str]]]]:
    """Return the spellings by initial letter and length, each with its letters."""
    alike: dict[tuple[str, int], list[tuple[str, frozenset[str]]]] = {}
    for spelling in _spellings():
        alike.setdefault((spelling[:1], len(spelling)), []).append((spelling, frozenset(spelling)))
    return alike


@cache
def _spellings() -> dict[str, str]:
    """Map squeezed keywords and names to keywords, such as "Patient's Name" to PatientName."""
    spellings: dict[str, str] = {}
    for tag in standard_tags():
        attribute = by_tag(tag)
        spellings.setdefault(_squeeze(attribute.name), attribute.keyword)
    for tag in standard_tags():
        keyword = by_tag(tag).keyword
        spellings[_squeeze(keyword)] = keyword
    return spellings


def _squeeze(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
