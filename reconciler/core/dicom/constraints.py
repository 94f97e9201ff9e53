"""What UpdateImageSetMetadata refuses, and what it takes only with `force`.

Source: AWS HealthImaging developer guide, page dicom-metadata-constraints; the numbers are the
order of its list. Where the page is silent about removals, the caller says whether rules 4 and 5
bind them (`rules.removals_need_force`).
"""

from __future__ import annotations

from enum import IntEnum

from reconciler.core.dicom.dictionary import Attribute, by_tag, document_key
from reconciler.core.dicom.levels import level_of
from reconciler.core.dicom.vr import is_vr, problems
from reconciler.core.model.address import Level
from reconciler.core.model.value import Json


class Rule(IntEnum):
    """The nine constraints by their number."""

    PRIVATE = 1
    GENERATED = 2
    IDENTIFIER = 3
    SEQUENCE = 4
    MULTI_VALUED = 5
    INCOMPATIBLE = 6
    NON_STANDARD = 7
    WRONG_LEVEL = 8
    NO_SUCH_BLOCK = 9

    @property
    def sentence(self) -> str:
        """The rule in one sentence."""
        return _SENTENCES[self]

    def __str__(self) -> str:
        return f"constraint {self.value}"


_SENTENCES = {
    Rule.PRIVATE: "private elements change only at the instance level, and only with force",
    Rule.GENERATED: "what HealthImaging generates itself can never be changed",
    Rule.IDENTIFIER: "StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID and StudyID change only"
    " with force",
    Rule.SEQUENCE: "sequences (VR SQ) change only with force",
    Rule.MULTI_VALUED: "multi-valued attributes change only with force",
    Rule.INCOMPATIBLE: "a value that does not fit the attribute's VR is taken only with force",
    Rule.NON_STANDARD: "an attribute that DICOM does not have is taken only with force",
    Rule.WRONG_LEVEL: "an attribute changes only at the level where HealthImaging keeps it",
    Rule.NO_SUCH_BLOCK: "an update cannot create a series or an instance",
}

# PixelData is in rule 2 and in rule 3 of the page; we take the stricter.
_GENERATED = frozenset(
    {
        "SchemaVersion",
        "DatastoreID",
        "ImageSetID",
        "PixelData",
        "Checksum",
        "Width",
        "Height",
        "MinPixelValue",
        "MaxPixelValue",
        "FrameSizeInBytes",
        "7FE00010",
    }
)
_IDENTIFIERS = frozenset({0x0020000D, 0x0020000E, 0x00080018, 0x00200010})


def never(key: str) -> str | None:
    """Why this key can never be changed (rule 2), or None."""
    if key not in _GENERATED and key.upper() not in _GENERATED:
        return None
    return f"{key} can never be changed: {Rule.GENERATED.sentence} ({Rule.GENERATED})"


def wrong_level(tag: int, level: Level) -> str | None:
    """Why a standard attribute cannot stand at this level (rule 8), naming the right one."""
    right = level_of(tag)
    if right is level or by_tag(tag).is_private:
        return None
    return f"{by_tag(tag).label} belongs to {right.title}, not {level.title} ({Rule.WRONG_LEVEL})"


def private_level(tag: int, level: Level) -> str | None:
    """Why a private element cannot change at this level (rule 1), or None."""
    if level is Level.INSTANCE or not by_tag(tag).is_private:
        return None
    label = by_tag(tag).label
    return f"{label} is private and can change at Instance only, not {level.title} ({Rule.PRIVATE})"


def force_reasons(
    attribute: Attribute, vr: str, value: Json, *, removal: bool, removals_need_force: bool
) -> tuple[str, ...]:
    """Which rules only `force` overrides for this change, in rule order; empty = none needed.

    `value` is what is sent: the value after, or, of a removal, the one that was read.
    """
    shape_counts = not removal or removals_need_force
    value_counts = not removal
    found = (
        (Rule.PRIVATE, "private element", attribute.is_private),
        (Rule.IDENTIFIER, document_key(attribute.tag), attribute.tag in _IDENTIFIERS),
        (Rule.SEQUENCE, "sequence", shape_counts and vr == "SQ"),
        (Rule.MULTI_VALUED, "multi-valued attribute", shape_counts and _many(attribute, vr, value)),
        (
            Rule.INCOMPATIBLE,
            f"value does not fit {vr if is_vr(vr) else 'its VR'}",
            value_counts and bool(problems(vr, attribute.multiplicity, value)),
        ),
        (Rule.NON_STANDARD, _non_standard(attribute), value_counts and _unknown(attribute)),
    )
    return tuple(f"{what} ({rule})" for rule, what, applies in found if applies)


def _many(attribute: Attribute, vr: str, value: Json) -> bool:
    return vr != "SQ" and (attribute.is_multi or isinstance(value, list))


def _unknown(attribute: Attribute) -> bool:
    return not attribute.is_private and (not attribute.is_standard or attribute.is_newer)


def _non_standard(attribute: Attribute) -> str:
    return "newer than DICOM 2022b" if attribute.is_newer else "not in the DICOM standard"
