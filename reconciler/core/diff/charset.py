"""Notes new values that the character set of the objects cannot hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.core.dicom.charset import (
    SPECIFIC_CHARACTER_SET,
    TEXT_VRS,
    character_sets,
    holds,
)
from reconciler.core.model.change import Change, Note
from reconciler.core.model.value import Document, Json


def charset_notes(document: Document, changes: Iterable[Change]) -> tuple[Note, ...]:
    """A note for each new text that not every instance of the image set can hold.

    A plan that changes the character set itself is not noted.
    """
    changes = tuple(changes)
    texts = [one for one in changes if one.after is not None and not _is_ascii(one.after.raw)]
    if not texts or any(one.tag == SPECIFIC_CHARACTER_SET for one in changes):
        return ()
    sets = character_sets(document)
    return tuple(
        Note(
            change.image_set_id,
            f"{change.shown()} has characters that the SpecificCharacterSet of the objects cannot "
            "hold: an export as DICOM may replace them",
            change.place,
        )
        for change in texts
        if change.after is not None
        and change.vr in TEXT_VRS
        and not all(holds(terms, text) for terms in sets for text in _texts(change.after.raw))
    )


def _is_ascii(raw: Json) -> bool:
    return all(text.isascii() for text in _texts(raw))


def _texts(raw: Json) -> Iterator[str]:
    for one in raw if isinstance(raw, list) else [raw]:
        if isinstance(one, str):
            yield one
