"""Notes changes to text that the SpecificCharacterSet of an instance cannot hold.

A document itself is UTF-8, and the update succeeds. But in DICOM, an instance has the character set
that it states (PS3.5 section 6.1.2).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from reconciler.core.dicom.charset import SPECIFIC_CHARACTER_SET, character_sets, lacks
from reconciler.core.dicom.content import instances, live_key, section_of, series
from reconciler.core.model.address import PATIENT, STUDY, Address, instance_at, series_at
from reconciler.core.model.change import Change, Note
from reconciler.core.model.value import Document, Json

# Per address, the different character sets of the instances there or below.
_Sets: TypeAlias = Mapping[Address, Iterable[tuple[str, ...]]]


def charset_notes(document: Document, changes: Iterable[Change]) -> Iterator[Note]:
    """Note each change to a value with characters that an instance cannot hold afterwards."""
    made = list(changes)
    asked = [one for one in made if one.after is not None and not _is_ascii(one.after.raw)]
    sets = _character_sets(document, made) if asked else {}
    for change in asked:
        for terms in sets.get(change.address, ()):
            if change.after is not None and lacks(terms, change.vr, change.after.raw):
                yield Note(change.image_set_id, _text(change, terms), change.place)


def _text(change: Change, terms: tuple[str, ...]) -> str:
    # `lacks` knows each term, so none of them is other text.
    shown = ", ".join(terms)
    return (
        f"{change.shown()} gets characters that SpecificCharacterSet ({shown}) cannot hold: an "
        "export as DICOM may replace them"
    )


def _character_sets(document: Document, changes: Iterable[Change]) -> _Sets:
    """Return the character sets as they are after the changes."""
    after = {
        one.address: one.after.raw if one.after else None
        for one in changes
        if one.tag == SPECIFIC_CHARACTER_SET
    }
    found: dict[Address, dict[tuple[str, ...], None]] = defaultdict(dict)
    for key, section in series(document).items():
        for instance, inner in instances(section).items():
            address = instance_at(key, instance)
            raw = after[address] if address in after else _live(inner)
            for place in (PATIENT, STUDY, series_at(key), address):
                found[place][character_sets(raw)] = None
    return found


def _live(section: dict[str, Json]) -> Json:
    key = live_key(section, SPECIFIC_CHARACTER_SET)
    return section_of(section, "DICOM")[key] if key else None


def _is_ascii(raw: Json) -> bool:
    if isinstance(raw, list):
        return all(map(_is_ascii, raw))
    if isinstance(raw, dict):
        return all(map(_is_ascii, raw.values()))
    return not isinstance(raw, str) or raw.isascii()
