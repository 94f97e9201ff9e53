"""What the list of a page says of each image set: its refusals, dangers, changes and notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.core.errors import Place
from reconciler.core.lookalikes import reveal_both
from reconciler.core.model.address import Level
from reconciler.core.model.change import Op
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Status
from reconciler.core.review import wording
from reconciler.core.review.explain import MEANING, verdict
from reconciler.core.review.model import SYMBOL, ShownAction, ShownChange, ShownMember
from reconciler.core.review.phrases import released
from reconciler.core.review.shown import EMPTY

# Instead of a new value.
REMOVED, THE_LINE = "removed", "the value of the line"


class What(NamedTuple):
    """What items of many image sets have in common. `kind` is `change`, or what a remark is.

    A remark has hazards, but nothing else of a change. `baseline` is "" without drift.
    """

    kind: str
    hazards: tuple[Hazard, ...] = ()
    op: Op | None = None
    level: Level | None = None
    name: str = ""
    vr: str = ""
    sends_vr: bool = False
    baseline: str = ""
    reasons: tuple[str, ...] = ()
    is_held: bool = False


class Item(NamedTuple):
    """A change, or a remark whose text is in `new` and whose further lines are in `parts`."""

    what: What
    old: str
    new: str
    place: Place | None
    parts: tuple[tuple[str, ...], ...] = ()
    manifests: tuple[Place, ...] = ()


@dataclass(slots=True)
class Listed:
    """An image set of the list. `items` has for each item the series and instances it is about."""

    datastore: str
    status: str
    member: ShownMember
    items: dict[Item, dict[str, None]]


def image_sets(action: ShownAction) -> Iterator[Listed]:
    """The image sets of an action, without those that nothing is said about."""
    status = verdict(action)
    listed = {one.image_set_id: Listed(action.datastore, status, one, {}) for one in action.members}
    first = next(iter(listed.values()))
    for image_set_id, item, uid in _items(action):
        uids = listed.get(image_set_id, first).items.setdefault(item, {})
        if uid:
            uids[uid] = None
    for one in listed.values():
        if one.items or action.status is not Status.CONVERGED:
            yield one


def _items(action: ShownAction) -> Iterator[tuple[str, Item, str]]:
    """The items with the image set and the series or instance of each; equal items are one."""
    yield from _remarks(action)
    for change in action.changes:
        yield change.image_set_id, _change(_what(action, change), change), _uid(change)
    for note in action.notes:
        yield note.image_set_id, Item(What("note"), "", note.message, note.place), ""
    for path in action.released:
        words = released(path)
        yield action.members[0].image_set_id, Item(What("note"), "", words, None), ""


def _remarks(action: ShownAction) -> Iterator[tuple[str, Item, str]]:
    for block in action.blocks:
        about = f"{block.path}: " if block.path else ""
        parts = ((block.hint,),) if block.hint else ()
        item = Item(What("refusal"), "", f"{about}{block.message}", block.place, parts)
        yield block.image_set_id, item, ""
    at_changes = {(one.image_set_id, hazard) for one in action.changes for hazard in one.hazards}
    for use in action.hazards:
        meaning, hazards = MEANING[use.hazard], (use.hazard,)
        if not use.consented:
            what, words = What("refusal", hazards=hazards), f"{use.hazard} needs consent: {meaning}"
            lines = (("Add to the manifest:",), (use.consent,))
            yield use.image_set_id, Item(what, "", words, use.place, lines), ""
        elif (use.image_set_id, use.hazard) not in at_changes:
            what, words = What("danger", hazards=hazards), f"{use.hazard}: {meaning}"
            yield use.image_set_id, Item(what, "", words, use.place), ""


def _what(action: ShownAction, change: ShownChange) -> What:
    return What(
        "change",
        change.hazards,
        change.op,
        change.address.level,
        wording.name_of(change),
        change.vr,
        change.send_vr,
        change.baseline if change.drifted else "",
        change.force_reasons,
        not action.steps,
    )


def _change(what: What, change: ShownChange) -> Item:
    before, after = reveal_both(_before(change), _after(change))
    return Item(
        what,
        before,
        after,
        change.place,
        tuple(map(wording.part_text, change.parts)) if change.parts else (),
        change.manifests,
    )


def _before(change: ShownChange) -> str:
    if change.op in (Op.REMOVE_SERIES, Op.REMOVE_INSTANCE):
        return change.uid
    return change.before.as_vr(change.vr, change.label) if change.before else ""


def _after(change: ShownChange) -> str:
    if SYMBOL[change.op] == "-":
        return REMOVED
    if change.op in (Op.RESTORE_SERIES, Op.RESTORE_INSTANCE):
        return change.uid
    if change.after is None:
        return EMPTY if change.op is Op.UPDATE else ""
    if change.after.is_masked and change.place is not None:
        return THE_LINE
    return change.after.as_vr(change.vr)


def _uid(change: ShownChange) -> str:
    """The series, or the series and the instance, that a change is made in."""
    address = change.address
    return f"{address.series} / {address.instance}" if address.instance else address.series
