"""The constraints of UpdateImageSetMetadata: updates that need `force`, or that are never accepted.

The comments give the number of each constraint on the page. The page does not say whether
constraints 4 and 5 also apply to removals; `rules.removalsNeedForce` decides (decision 0002, U23).

Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/dicom-metadata-constraints.html
"""

from __future__ import annotations

from reconciler.core.dicom.dictionary import Attribute, UnknownKeyError, by_key, by_tag
from reconciler.core.dicom.levels import level_of
from reconciler.core.dicom.vr import is_vr, problems
from reconciler.core.model.address import Level
from reconciler.core.model.value import Json

# Constraint 2. The page lists PixelData under constraint 3, too; the stricter one applies here.
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
        "7FE00010",  # PixelData
    }
)
# Constraint 3: StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID, StudyID.
_IDENTIFIERS = frozenset({0x0020000D, 0x0020000E, 0x00080018, 0x00200010})


_PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_COMMAND_GROUP = 0x0000  # PS3.7 section 6.3.1
# Delimiters of sequences (PS3.5 section 7.5), and odd groups that are not private (section 7.8).
_NO_GROUPS = frozenset({0x0001, 0x0003, 0x0005, 0x0007, 0xFFFE, 0xFFFF})


def never(key: str) -> str | None:
    """Return why this key can never be changed (constraint 2), or None."""
    if key in _GENERATED or key.upper() in _GENERATED:
        return f"{key} can never be changed: HealthImaging generates it"
    try:
        return never_sent(by_key(key))
    except UnknownKeyError:
        return None


def never_sent(attribute: Attribute) -> str | None:
    """Return why this attribute is never sent, at any depth of a sequence, or None."""
    group = attribute.tag >> 16
    if attribute.tag in _PIXEL_DATA:
        return f"{attribute.label} can never be changed: it holds pixel data"
    if group == _COMMAND_GROUP:
        return f"{attribute.label} belongs to network messages; no image set has it"
    if group in _NO_GROUPS:
        return f"{attribute.label} is not a valid tag: DICOM has no attributes in this group"
    return None


def holds_pixel_data(raw: Json) -> bool:
    """Whether a value is a sequence with pixel data at any depth, such as an icon image."""
    if isinstance(raw, list):
        return any(holds_pixel_data(inner) for inner in raw)
    return isinstance(raw, dict) and any(
        _is_pixel_data(key) or holds_pixel_data(inner) for key, inner in raw.items()
    )


def _is_pixel_data(key: str) -> bool:
    try:
        return by_key(key).tag in _PIXEL_DATA
    except UnknownKeyError:
        return False


def wrong_level(tag: int, level: Level) -> str | None:
    """Return why a standard attribute cannot change at this level (constraint 8), or None."""
    right = level_of(tag)
    if right is level or by_tag(tag).is_private:
        return None
    return f"HealthImaging keeps {by_tag(tag).label} at {right.title} level, not at {level.title}"


def private_level(tag: int, level: Level) -> str | None:
    """Return why a private element cannot change at this level (constraint 1), or None."""
    if level is Level.INSTANCE or not by_tag(tag).is_private:
        return None
    return f"{by_tag(tag).label} is private: it can change at Instance only, not at {level.title}"


def force_reasons(
    attribute: Attribute, vr: str, value: Json, *, removal: bool, removals_need_force: bool
) -> tuple[str, ...]:
    """List why this change needs `force`, in the order of the constraints; empty if it does not.

    `value` is the value that is sent: the new value, or for a removal the live value.
    """
    shape_counts = not removal or removals_need_force
    value_counts = not removal
    misfit = f"value does not fit {vr if is_vr(vr) else 'its VR'}"
    found = (
        ("private element", attribute.is_private),  # constraint 1
        ("identifier", attribute.tag in _IDENTIFIERS),  # 3
        ("sequence", shape_counts and vr == "SQ"),  # 4
        ("multi-valued attribute", shape_counts and _many(attribute, vr, value)),  # 5
        (misfit, value_counts and bool(problems(vr, attribute.multiplicity, value))),  # 6
        (_non_standard(attribute), value_counts and _unknown(attribute)),  # 7
    )
    return tuple(reason for reason, applies in found if applies)


def _many(attribute: Attribute, vr: str, value: Json) -> bool:
    return vr != "SQ" and (attribute.is_multi or isinstance(value, list))


def _unknown(attribute: Attribute) -> bool:
    return not attribute.is_private and (not attribute.is_standard or attribute.is_newer)


def _non_standard(attribute: Attribute) -> str:
    return "newer than DICOM 2022b" if attribute.is_newer else "not in the DICOM standard"
