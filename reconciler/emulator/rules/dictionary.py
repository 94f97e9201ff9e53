"""Attributes by their key in a metadata document, from the dictionary of pydicom.

A key is a PS3.6 keyword, or eight hex digits where the dictionary has no keyword.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_HEX = re.compile(r"[0-9A-Fa-f]{8}")


@dataclass(frozen=True, slots=True)
class Attribute:
    """The entry of a key in the dictionary. `vr` and `vm` are "" where it has none."""

    tag: int
    vr: str = ""
    vm: str = ""

    @property
    def is_private(self) -> bool:
        """Whether the attribute is private: it has an odd group number (PS3.5 §7.8)."""
        return bool(self.tag >> 16 & 1)

    @property
    def is_multi_valued(self) -> bool:
        """Whether the dictionary allows any other number of values than 1."""
        return self.vm not in ("", "1")


@lru_cache(maxsize=8192)
def attribute(key: str) -> Attribute | None:
    """The attribute of a key; None where it is neither a keyword nor a tag that DICOM knows."""
    # Imported here: it takes about 0.1 s, which a server that only answers reads does not need.
    from pydicom import datadict

    tag = datadict.tag_for_keyword(key)
    if tag is None and _HEX.fullmatch(key):
        tag = int(key, 16)
        if tag >> 16 & 1:
            return Attribute(tag)
    if tag is None or not (datadict.dictionary_has_tag(tag) or datadict.repeater_has_tag(tag)):
        return None
    return Attribute(tag, datadict.dictionary_VR(tag), datadict.dictionary_VM(tag))


@lru_cache(maxsize=8192)
def identity(key: str) -> str:
    """The identity that two keys of one attribute share: the tag, otherwise the key itself."""
    known = attribute(key)
    return f"{known.tag:08X}" if known else key
