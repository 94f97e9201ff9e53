"""Notes changes after which an instance and its file meta information identify different objects.

(0002,0003) repeats SOPInstanceUID, and (0002,0002) repeats SOPClassUID (PS3.10 section 7.1). A
document has these attributes only if the import kept them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from reconciler.core.dicom.content import (
    MEDIA_STORAGE_SOP_INSTANCE_UID,
    SOP_INSTANCE_UID,
    live_key,
    section_at,
    section_of,
    uid_text,
)
from reconciler.core.dicom.description import MEDIA_STORAGE_SOP_CLASS_UID, SOP_CLASS_UID
from reconciler.core.dicom.dictionary import by_tag
from reconciler.core.model.address import Address
from reconciler.core.model.change import Change, Note
from reconciler.core.model.value import Document

_COPIES = (
    (SOP_INSTANCE_UID, MEDIA_STORAGE_SOP_INSTANCE_UID),
    (SOP_CLASS_UID, MEDIA_STORAGE_SOP_CLASS_UID),
)
# The changes of attributes, by section and tag.
_Made: TypeAlias = Mapping[tuple[Address, int | None], Change]


def media_storage_notes(document: Document, changes: Iterable[Change]) -> Iterator[Note]:
    """Note each instance of which a change leaves one of two equal UIDs behind."""
    tags = {tag for pair in _COPIES for tag in pair}
    made: dict[tuple[Address, int | None], Change] = {
        (one.address, one.tag): one for one in changes if one.tag in tags
    }
    for address in dict.fromkeys(address for address, _ in made):
        for pair in _COPIES:
            change = next((made[address, tag] for tag in pair if (address, tag) in made), None)
            original, copy = (_after(document, made, address, tag) for tag in pair)
            if change is not None and original and copy and original != copy:
                names = " and ".join(by_tag(tag).label for tag in pair)
                text = (
                    f"after this change, {names} differ. They identify the same object: change both"
                )
                yield Note(change.image_set_id, text, change.place)


def _after(document: Document, made: _Made, address: Address, tag: int) -> str:
    """Return a UID as it is after the changes, "" if there is none."""
    if change := made.get((address, tag)):
        return uid_text(change.after.raw if change.after else None)
    section = section_at(document, address) or {}
    key = live_key(section, tag)
    return uid_text(section_of(section, "DICOM")[key]) if key else ""
