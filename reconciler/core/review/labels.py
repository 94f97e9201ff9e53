"""Replace document keys that may hold patient data by labels.

A key of a document is a keyword, a tag in hex, or a UID. Any other key may be the name of a
patient. A key has the same label throughout a plan, so that a reviewer can follow it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from operator import is_
from typing import TypeVar

from reconciler.core.model.address import Address, uid_of_part
from reconciler.core.model.change import Block, Change
from reconciler.core.model.plan import Action, Member, Plan
from reconciler.core.model.settings import Redact
from reconciler.core.review.mask import is_key, is_uid, is_vr

# The other words in a path (`Address.path`), and the path of a revert.
_WORDS = frozenset({"", "*", "Patient", "Study", "Series", "Instances", "revertToVersionId"})

# Where a path has a UID: the part before it.
_ABOVE_UIDS = {2: ("Series",), 4: ("Instances",)}


def labelled(plan: Plan, redact: Redact) -> Plan:
    """The plan, with a label for every key that may not be shown in this output."""
    if redact is Redact.NONE:
        return plan
    labels = _Labels()
    return replace(plan, actions=tuple(labels.action(action) for action in plan.actions))


T = TypeVar("T")


def _each(found: tuple[T, ...], label: Callable[[T], T]) -> tuple[T, ...]:
    """What is found, labelled; the same tuple if nothing needs a label."""
    if not found:
        return found
    labels = tuple(map(label, found))
    return found if all(map(is_, labels, found)) else labels


class Label(str):
    """What an output has in place of a key that it may not show. It is not a key."""

    __slots__ = ()


class _Labels:
    """Labels are numbered in plan order, so they reveal nothing about the text.

    Nearly always nothing needs a label. Then each method returns what it got: copies take long.
    """

    def __init__(self) -> None:
        self._known: dict[str, Label] = {}
        self._defined: set[tuple[str, str]] = set()
        self._paths: dict[str, str] = {}

    def action(self, action: Action) -> Action:
        changes = _each(action.changes, self._change)
        blocks = _each(action.blocks, self._block)
        members = _each(action.members, self._member)
        released = _each(action.released, self._path)
        own = action.changes, action.blocks, action.members, action.released
        if all(map(is_, own, (changes, blocks, members, released))):
            return action
        return replace(action, changes=changes, blocks=blocks, members=members, released=released)

    def _label(self, text: str) -> Label:
        return self._known.setdefault(text, Label(f"<masked {len(self._known) + 1}>"))

    def _change(self, change: Change) -> Change:
        kind = change.vr, change.key
        if kind not in self._defined:
            if change.vr and not is_vr(change.vr):
                change = replace(change, vr=self._label(change.vr))
            if change.key and not is_key(change.key):
                change = replace(change, key=self._label(change.key))
            if (change.vr, change.key) == kind:
                self._defined.add(kind)
        address = self._address(change.address)
        return change if address is change.address else replace(change, address=address)

    def _address(self, address: Address) -> Address:
        if not address.series and not address.instance:
            return address
        series, instance = self._uid(address.series), self._uid(address.instance)
        if series is address.series and instance is address.instance:
            return address
        return replace(address, series=series, instance=instance)

    def _uid(self, text: str) -> str:
        return text if text in _WORDS or is_uid(text) else self._label(text)

    def _block(self, block: Block) -> Block:
        path = self._path(block.path)
        return block if path is block.path else replace(block, path=path)

    def _member(self, member: Member) -> Member:
        asked = _each(member.asked, self._path)
        return member if asked is member.asked else replace(member, asked=asked)

    def _path(self, path: str) -> str:
        known = self._paths.get(path)
        if known is None:
            known = self._paths[path] = self._labelled(path)
        return path if known == path else known

    def _labelled(self, path: str) -> str:
        parts = path.split("/")
        return "/".join(
            self._uid(uid_of_part(part))
            if parts[number - 1] in _ABOVE_UIDS.get(number, ())
            else self._name(part)
            for number, part in enumerate(parts)
        )

    def _name(self, part: str) -> str:
        return part if part in _WORDS or is_key(part) else self._label(part)
