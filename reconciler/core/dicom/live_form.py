"""Writes an asked value so that each part that is equal keeps the form of the live value.

An update sends a sequence or a list as a whole. Manifests hold text without padding, and inside a
sequence they cannot state the VR of a private element. So every equal part is sent byte for byte as
it was read, and a private element that changes keeps the JSON type of its live value.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from reconciler.core.dicom.canonical import canonical, canonical_element
from reconciler.core.dicom.constraints import never_sent
from reconciler.core.dicom.creators import creator_in, creator_tag
from reconciler.core.dicom.dictionary import Attribute, UnknownKeyError, by_key, hex_key
from reconciler.core.dicom.vr import number_of
from reconciler.core.model.value import Json

_Item = dict[str, Json]

_NUMBER_HINT = (
    "Write a number. A manifest cannot change the VR of a private element inside a sequence."
)
_ODD_KEY = "an item of the sequence has a key that a manifest cannot write, or an attribute twice"
_ODD_HINT = (
    "Remove the line. An update takes a sequence only as a whole, so that key would be lost."
)


class LiveFormError(ValueError):
    """The live value has a part that cannot be kept. The message contains no value."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def in_live_form(vr: str, asked: Json, live: Json) -> Json:
    """Return the asked value with each equal part in its live form. Raises LiveFormError."""
    if vr == "SQ":
        return _items(asked, live)
    if not isinstance(asked, list) or not isinstance(live, list) or len(asked) != len(live):
        return asked
    pairs = zip(asked, live, strict=True)
    return [old if canonical(vr, new) == canonical(vr, old) else new for new, old in pairs]


def _items(asked: Json, live: Json) -> Json:
    if not _is_items(asked) or not _is_items(live):
        return asked
    new, old = cast("list[_Item]", asked), cast("list[_Item]", live)
    wanted, forms = [_form(item) for item in new], [_form(item) for item in old]
    result: list[Json] = []
    for number, partner in enumerate(_partners(wanted, forms)):
        if partner is None:
            result.append(new[number])
        elif wanted[number] == forms[partner]:
            result.append(old[partner])
        else:
            result.append(_item(new[number], old[partner]))
    return result


def _is_items(raw: Json) -> bool:
    return isinstance(raw, list) and all(isinstance(item, dict) for item in raw)


def _form(item: Json) -> str:
    return json.dumps(canonical("SQ", [item]), sort_keys=True)


def _partners(wanted: Sequence[str], forms: Sequence[str]) -> list[int | None]:
    """Return the live item of each asked item: an equal item, else the next without a partner.

    Of several, the item at the same position is taken.
    """
    shared = range(min(len(wanted), len(forms)))
    found = {number: number for number in shared if wanted[number] == forms[number]}
    left: dict[str, list[int]] = {}
    for number in reversed(range(len(forms))):
        if number not in found:
            left.setdefault(forms[number], []).append(number)
    for number, form in enumerate(wanted):
        if number not in found and left.get(form):
            found[number] = left[form].pop()
    taken = set(found.values())
    free = dict.fromkeys(number for number in range(len(forms)) if number not in taken)
    for number in range(len(wanted)):
        if number not in found and free:
            found[number] = number if number in free else next(iter(free))
            del free[found[number]]
    return [found.get(number) for number in range(len(wanted))]


def _item(asked: _Item, live: _Item) -> _Item:
    """Merge one item: live keys in their order, then the new attributes."""
    attributes = _attributes(live)
    _check_creators(asked, live)
    by_tag = {by_key(key).tag: key for key in asked}
    result: _Item = {}
    for key, attribute in attributes.items():
        name = by_tag.pop(attribute.tag, None)
        if name is None:
            continue
        is_other = creator_in(asked, attribute.tag) != creator_in(live, attribute.tag)
        result[key] = asked[name] if is_other else _element(attribute, asked[name], live[key])
    result.update((name, asked[name]) for name in by_tag.values())
    return result


def _check_creators(asked: _Item, live: _Item) -> None:
    """Refuse an item that loses a private creator and keeps an element of it."""
    for key in asked:
        tag = by_key(key).tag
        if creator_in(live, tag) and not creator_in(asked, tag):
            owner = hex_key(creator_tag(tag) or 0)
            message = f"inside the sequence, {hex_key(tag)} would lose its private creator"
            raise LiveFormError(message, f"Write {owner} in the same item, or remove the element.")


def _attributes(live: _Item) -> dict[str, Attribute]:
    """Return the attributes of a live item. A manifest cannot ask to keep any other key."""
    try:
        found = {key: by_key(key) for key in live}
    except UnknownKeyError:
        raise LiveFormError(_ODD_KEY, _ODD_HINT) from None
    is_odd = any(map(never_sent, found.values()))
    if is_odd or len({attribute.tag for attribute in found.values()}) < len(found):
        raise LiveFormError(_ODD_KEY, _ODD_HINT)
    return found


def _element(attribute: Attribute, asked: Json, live: Json) -> Json:
    if canonical_element(attribute, asked) == canonical_element(attribute, live):
        return live
    if not attribute.is_private:
        return in_live_form(attribute.vr, asked, live)
    if _is_items(asked) and asked:
        return _items(asked, live)
    return _typed(attribute, asked, live)


def _typed(attribute: Attribute, asked: Json, live: Json) -> Json:
    """Give a private element the JSON type of its live value: the VR is not known."""
    before = live if isinstance(live, list) else [live]
    if not any(_is_number(value) for value in before):
        return asked
    if isinstance(asked, list):
        return [_number(attribute, value) for value in asked]
    return _number(attribute, asked)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(attribute: Attribute, asked: Json) -> Json:
    if not isinstance(asked, str):
        return asked
    number = number_of(asked)
    if number is None:
        message = f"inside the sequence, the live value of {attribute.label} is a number, not text"
        raise LiveFormError(message, _NUMBER_HINT)
    return number
