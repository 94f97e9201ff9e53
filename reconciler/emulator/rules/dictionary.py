"""Attributes by the key under which they stand in a metadata document, from pydicom's dictionary.

A key is a PS3.6 keyword, or eight hex digits for what the dictionary has no keyword for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_HEX = re.compile(r"[0-9A-Fa-f]{8}")


@dataclass(frozen=True, slots=True)
class Attribute:
    """What the dictionary says of a key. `vr` and `vm` are "" where it says nothing."""

    tag: int
    vr: str = ""
    vm: str = ""

    @property
    def is_private(self) -> bool:
        """PS3.5 §7.8: private elements have an odd group number."""
        return bool(self.tag >> 16 & 1)

    @property
    def is_multi_valued(self) -> bool:
        """Whether the dictionary allows another number of values than one."""
        return self.vm not in ("", "1")


@lru_cache(maxsize=8192)
def attribute(key: str) -> Attribute | None:
    """The attribute of a key; None where it is neither a keyword nor a tag that DICOM knows."""
    # Some 0.1 s, which a server that only answers reads need not spend.
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
    """Two keys of one attribute have one identity: its tag, else the key itself."""
    known = attribute(key)
    return f"{known.tag:08X}" if known else key
