"""Private creators: which element of a section or an item reserves the block of a private element.

An element (gggg,bbee) is identified by its tag and by the value of the element (gggg,00bb) beside
it, its private creator: two vendors may use the same tag for different things (PS3.5 section 7.8).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from reconciler.core.dicom.dictionary import hex_key
from reconciler.core.dicom.tables import PRIVATE, table
from reconciler.core.model.value import Json

_FIRST_BLOCK = 0x10


def is_creator(tag: int) -> bool:
    """Whether this is a private creator, (gggg,0010) to (gggg,00FF) of an odd group."""
    return bool(tag >> 16 & 1) and _FIRST_BLOCK <= tag & 0xFFFF <= 0xFF


def creator_tag(tag: int) -> int | None:
    """Return the tag of the private creator of an element, None for an element without a block."""
    block = tag >> 8 & 0xFF
    if not tag >> 16 & 1 or block < _FIRST_BLOCK:
        return None
    return tag & 0xFFFF0000 | block


def creator_in(attributes: Mapping[str, Json], tag: int) -> str:
    """Return the private creator of an element among the attributes beside it, "" without one."""
    wanted = creator_tag(tag)
    if wanted is None:
        return ""
    name = hex_key(wanted)
    if name in attributes:
        return creator_text(attributes[name])
    found = (value for key, value in attributes.items() if key.upper() == name)
    return creator_text(next(found, None))


def creator_text(value: Json) -> str:
    """Return the value of a private creator without its padding."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value.strip(" \0") if isinstance(value, str) else ""


@cache
def is_known_creator(name: str) -> bool:
    """Whether this is a private creator of the vendors that pydicom lists."""
    return name in table(PRIVATE).private_dictionaries
