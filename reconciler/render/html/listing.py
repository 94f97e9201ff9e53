"""The data of the list: columns of numbers, and tables of the texts that the numbers stand for.

A fleet of 10,000 image sets has 40,000 changes and few different ones, so columns compress well.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from reconciler.core.errors import Place
from reconciler.core.escape import escape
from reconciler.core.model.value import Json
from reconciler.core.review.explain import MEANING, since
from reconciler.core.review.model import ShownAction, ShownMember
from reconciler.render.html.items import Item, Listed, What, image_sets

T = TypeVar("T", bound=Hashable)

# How many series or instances of one edit are listed; more are counted.
LISTED = 100
# The number of nothing.
_NONE = -1


@dataclass(slots=True)
class _Tables:
    """The different texts so far, each with its number."""

    whats: dict[What, int] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    parts: dict[tuple[tuple[str, ...], ...], int] = field(default_factory=dict)
    uids: dict[tuple[str, ...], int] = field(default_factory=dict)
    stores: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)


def packed(actions: Iterable[ShownAction], link: str) -> str:
    """The data as base64 of gzip: the same bytes for the same review."""
    text = json.dumps(listing(actions, link), separators=(",", ":"), ensure_ascii=False)
    return b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def listing(actions: Iterable[ShownAction], link: str) -> dict[str, Json]:
    """The tables, and the columns of image sets and of their items. Every text is escaped."""
    tables = _Tables()
    found = list(image_sets(actions))
    sets = [_image_set(one, tables) for one in found]
    items = [_item(item, uids, tables) for one in found for item, uids in one.items.items()]
    names = "id", "store", "study", "status", "pin", "to", "at", "items"
    columns = "what", "old", "new", "file", "line", "parts", "uids", "places"
    return {
        "link": link,
        "meanings": {str(hazard): meaning for hazard, meaning in MEANING.items()},
        "stores": _texts(tables.stores),
        "statuses": _texts(tables.statuses),
        "files": _texts(tables.files),
        "values": _texts(tables.values),
        "whats": [_what(what) for what in tables.whats],
        "parts": [[_texts(row) for row in rows] for rows in tables.parts],
        "uids": [_texts(uids) for uids in tables.uids],
        "studies": _studies(one.member for one in found),
        "sets": _columns(names, sets),
        "history": _sparse(_history(one) for one in found),
        "items": _columns(columns, items),
        "manifests": _sparse(_manifests(item) for one in found for item in one.items),
    }


def _number(table: dict[T, int], one: T) -> int:
    return table.setdefault(one, len(table))


def _texts(found: Iterable[str]) -> Json:
    return [escape(one) for one in found]


def _columns(names: Iterable[str], rows: list[tuple[Json, ...]]) -> Json:
    columns: Iterable[Iterable[Json]] = zip(*rows, strict=True) if rows else [()] * 8
    return {name: list(column) for name, column in zip(names, columns, strict=True)}


def _image_set(listed: Listed, tables: _Tables) -> tuple[Json, ...]:
    member = listed.member
    return (
        member.image_set_id,
        _number(tables.stores, listed.datastore),
        member.study,
        _number(tables.statuses, listed.status),
        member.pin,
        member.version_to_come,
        int(member.updated_at or 0),
        len(listed.items),
    )


def _item(item: Item, uids: Iterable[str], tables: _Tables) -> tuple[Json, ...]:
    listed = tuple(uids)
    place = item.place or Place("")
    return (
        _number(tables.whats, item.what),
        _number(tables.values, item.old),
        _number(tables.values, item.new),
        _number(tables.files, place.file),
        place.line,
        _number(tables.parts, item.parts) if item.parts else _NONE,
        _number(tables.uids, listed[:LISTED]) if listed else _NONE,
        len(listed),
    )


def _what(what: What) -> Json:
    return {
        "kind": what.kind,
        "op": what.op.split("-")[0] if what.op else "",
        "level": what.level.title if what.level else "",
        "name": escape(what.name),
        "vr": escape(what.vr),
        "sendsVr": what.sends_vr,
        "hazards": [str(hazard) for hazard in what.hazards],
        "since": since(what.baseline) if what.baseline else "",
        "reasons": _texts(what.reasons),
        "held": what.is_held,
    }


def _studies(members: Iterable[ShownMember]) -> Json:
    """The StudyInstanceUIDs by number, "" where this output masks them."""
    found = {one.study: one.study_instance_uid for one in members if one.study}
    shown = {n: uid.plain for n, uid in found.items() if uid is not None and not uid.is_masked}
    return _texts(shown.get(number, "") for number in range(max(found, default=0) + 1))


def _history(listed: Listed) -> list[str]:
    """The versions before and after this one that the plan knows."""
    member = listed.member
    lines = []
    if member.previous_version_id:
        lines.append(f"Version {member.previous_version_id}: before the last recorded change.")
    if member.origin_version_id:
        lines.append(f"Version {member.origin_version_id}: before an interrupted apply.")
    if member.revert_to is not None:
        lines.append(f"Version {member.revert_to}: the version whose content comes back.")
    return lines


def _manifests(item: Item) -> list[str]:
    """The manifests that ask for an edit, if they are several."""
    return [f"{place.file}:{place.line}" for place in item.manifests]


def _sparse(lines: Iterable[list[str]]) -> Json:
    """Lines by the number of what they are about, without those that have none."""
    return {str(number): _texts(one) for number, one in enumerate(lines) if one}
