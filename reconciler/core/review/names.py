"""Which components of a person's name differ (PS3.5 section 6.2.1.1)."""

from __future__ import annotations

from itertools import zip_longest

from reconciler.core.model.value import Json

_GROUPS = ("", "ideographic ", "phonetic ")
_COMPONENTS = ("family name", "given name", "middle name", "name prefix", "name suffix")


def changed_components(before: Json, after: Json) -> tuple[str, ...]:
    """`given name`, `phonetic family name` and so on.

    () where either is not one name, and where nothing stays: then it is another name.
    """
    if not (isinstance(before, str) and isinstance(after, str)):
        return ()
    old, new = _parts(before), _parts(after)
    if len(old) > len(_GROUPS) or len(new) > len(_GROUPS):
        return ()
    found, stays = [], False
    for group, old_group, new_group in zip(_GROUPS, _filled(old), _filled(new), strict=True):
        for number, (left, right) in enumerate(zip_longest(old_group, new_group, fillvalue="")):
            if left.strip(" ") != right.strip(" "):
                name = _COMPONENTS[number] if number < len(_COMPONENTS) else "component"
                found.append(f"{group}{name}")
            elif left.strip(" "):
                stays = True
    return tuple(found) if stays else ()


def _parts(name: str) -> list[list[str]]:
    return [group.split("^") for group in name.split("=")]


def _filled(groups: list[list[str]]) -> list[list[str]]:
    return groups + [[""]] * (len(_GROUPS) - len(groups))
