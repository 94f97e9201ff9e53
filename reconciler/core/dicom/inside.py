"""Finds what changes inside a sequence: a sequence is sent as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from reconciler.core.dicom.canonical import canonical
from reconciler.core.model.value import Json

# Item numbers and tags from the outside in.
_Path: TypeAlias = tuple[int, ...]


def changed_inside(before: Json, after: Json) -> frozenset[int]:
    """Return the tags of all elements, at any depth, that differ between two values of a sequence.

    Items are compared by their position.
    """
    old, new = _elements(before), _elements(after)
    paths = (path for path in old.keys() | new.keys() if old.get(path, ()) != new.get(path, ()))
    return frozenset(path[-1] for path in paths)


def emptied_inside(before: Json, after: Json) -> frozenset[int]:
    """Return the tags of all elements, at any depth, that have a value before and none after."""
    new = _elements(after)
    return frozenset(
        path[-1]
        for path, held in _elements(before).items()
        if held is not None and new.get(path) is None
    )


def _elements(value: Json) -> Mapping[_Path, Json]:
    return dict(_walk(canonical("SQ", value), ()))


def _walk(form: Json, above: _Path) -> Iterator[tuple[_Path, Json]]:
    for number, item in enumerate(form if isinstance(form, list) else ()):
        for key, held in item.items() if isinstance(item, dict) else ():
            tag = _tag(key)
            if tag is not None:
                path = (*above, number, tag)
                yield path, held
                yield from _walk(held, path)


def _tag(key: str) -> int | None:
    """Return the tag of a canonical key, None for a key that DICOM does not know."""
    try:
        return int(key, 16) if len(key) == _DIGITS else None
    except ValueError:
        return None


_DIGITS = 8
