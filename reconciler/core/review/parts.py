"""What differs inside of a sequence, element by element: `[2].PatientID`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from reconciler.core.dicom.content import key_tag
from reconciler.core.dicom.dictionary import is_key
from reconciler.core.model.settings import Redact
from reconciler.core.model.value import Json
from reconciler.core.review.shown import ShownPart, ShownValue, show

# A sequence may have thousands of items. A reviewer looks at the first differences.
MOST = 12

_ABSENT = object()


def parts_of(before: Json, after: Json, redact: Redact) -> tuple[ShownPart, ...]:
    """The first differences between two sequences, () if either is no sequence.

    Items are compared by position, and counted from 1 as in PS3.3.
    """
    if not (_is_sequence(before) and _is_sequence(after)):
        return ()
    return tuple(islice(_items(before, after, "", redact), MOST))


def _is_sequence(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _items(before: Json, after: Json, path: str, redact: Redact) -> Iterator[ShownPart]:
    assert isinstance(before, list) and isinstance(after, list)
    for number in range(max(len(before), len(after))):
        old = before[number] if number < len(before) else _ABSENT
        new = after[number] if number < len(after) else _ABSENT
        yield from _differences(old, new, f"{path}[{number + 1}]", None, redact)


def _differences(
    old: object, new: object, path: str, tag: int | None, redact: Redact
) -> Iterator[ShownPart]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            found = old.get(key, _ABSENT), new.get(key, _ABSENT)
            if isinstance(found[0], str) and found[0] == found[1]:
                continue  # Nearly all elements of two items are equal.
            yield from _differences(*found, f"{path}.{_name(key, redact)}", key_tag(key), redact)
    elif _is_filled_sequence(old) and _is_filled_sequence(new):
        yield from _items(old, new, path, redact)  # type: ignore[arg-type]
    elif old != new or type(old) is not type(new):
        yield ShownPart(path, _shown(old, tag, redact), _shown(new, tag, redact))


def _is_filled_sequence(value: object) -> bool:
    return isinstance(value, list) and bool(value) and _is_sequence(value)


def _name(key: str, redact: Redact) -> str:
    """An element by its key. A key that DICOM does not define may be the name of a patient."""
    return key if redact is Redact.NONE or is_key(key) else "<unknown element>"


def _shown(value: object, tag: int | None, redact: Redact) -> ShownValue | None:
    return None if value is _ABSENT else show(value, tag, redact)  # type: ignore[arg-type]
