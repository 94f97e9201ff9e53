"""What differs inside of a sequence, element by element: `[2].PatientID`."""

from __future__ import annotations

from reconciler.core.dicom.content import key_tag
from reconciler.core.dicom.dictionary import is_key
from reconciler.core.model.settings import Redact
from reconciler.core.model.value import Json
from reconciler.core.review.shown import ShownPart, ShownValue, show

# A sequence may have thousands of items. A reviewer looks at the first differences.
MOST = 12

_ABSENT = object()
_NONE = Redact.NONE


def parts_of(before: Json, after: Json, redact: Redact) -> tuple[ShownPart, ...]:
    """The first differences between two sequences, () if either is no sequence.

    Items are compared by position, and counted from 1 as in PS3.3.
    """
    found: list[ShownPart] = []
    if _is_sequence(before) and _is_sequence(after):
        _add_items(found, before, after, "", redact)
    return tuple(found[:MOST])


def _is_sequence(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


# The functions below add to a list, which takes a third of the time of nested generators.


def _add_items(
    found: list[ShownPart], before: object, after: object, path: str, redact: Redact
) -> None:
    assert isinstance(before, list) and isinstance(after, list)
    for number in range(max(len(before), len(after))):
        old = before[number] if number < len(before) else _ABSENT
        new = after[number] if number < len(after) else _ABSENT
        _add(found, (old, new), f"{path}[{number + 1}]", None, redact)
        if len(found) >= MOST:
            return


def _add(
    found: list[ShownPart],
    values: tuple[object, object],
    path: str,
    tag: int | None,
    redact: Redact,
) -> None:
    old, new = values
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            one, other = old.get(key, _ABSENT), new.get(key, _ABSENT)
            if isinstance(one, str) and one == other:
                continue  # Nearly all elements of two items are equal.
            _add(found, (one, other), f"{path}.{_name(key, redact)}", key_tag(key), redact)
    elif _is_filled_sequence(old) and _is_filled_sequence(new):
        _add_items(found, old, new, path, redact)
    elif old != new or type(old) is not type(new):
        found.append(ShownPart(path, _shown(old, tag, redact), _shown(new, tag, redact)))


def _is_filled_sequence(value: object) -> bool:
    return bool(value) and _is_sequence(value)


def _name(key: str, redact: Redact) -> str:
    """An element by its key. A key that DICOM does not define may be the name of a patient."""
    return key if redact is _NONE or is_key(key) else "<unknown element>"


def _shown(value: object, tag: int | None, redact: Redact) -> ShownValue | None:
    return None if value is _ABSENT else show(value, tag, redact)  # type: ignore[arg-type]
