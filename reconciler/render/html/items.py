"""What the list of a page says of each image set: its refusals, dangers, changes and notes."""

from __future__ import annotations

from collections.abc import Iterator
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

_REMOVED_WHOLE = frozenset({Op.REMOVE_SERIES, Op.REMOVE_INSTANCE})
_RESTORED_WHOLE = frozenset({Op.RESTORE_SERIES, Op.RESTORE_INSTANCE})


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


class Listed(NamedTuple):
    """An image set of the list. With each item stands the series or instance it is about, or "".

    The same item may stand there several times.
    """

    datastore: str
    status: str
    member: ShownMember
    items: list[tuple[Item, str]]


def image_sets(action: ShownAction) -> Iterator[Listed]:
    """The image sets of an action, without those that nothing is said about."""
    status = verdict(action)
    listed = {one.image_set_id: Listed(action.datastore, status, one, []) for one in action.members}
    first = next(iter(listed.values()))
    if len(listed) == 1:
        first.items.extend([(item, uid) for _, item, uid in _items(action)])
    else:
        for image_set_id, item, uid in _items(action):
            listed.get(image_set_id, first).items.append((item, uid))
    for one in listed.values():
        if one.items or action.status is not Status.CONVERGED:
            yield one


def _items(action: ShownAction) -> list[tuple[str, Item, str]]:
    """The items with the image set and the series or instance of each."""
    found = list(_remarks(action)) if action.blocks or action.hazards else []
    is_held = not action.steps
    found += [(one.image_set_id, _change(one, is_held), _uid(one)) for one in action.changes]
    for note in action.notes:
        found.append((note.image_set_id, Item(What("note"), "", note.message, note.place), ""))
    for path in action.released:
        words = released(path)
        found.append((action.members[0].image_set_id, Item(What("note"), "", words, None), ""))
    return found


def _remarks(action: ShownAction) -> Iterator[tuple[str, Item, str]]:
    for block in action.blocks:
        about = f"{block.path}: " if block.path else ""
        parts = ((block.hint,),) if block.hint else ()
        item = Item(What("refusal"), "", f"{about}{block.message}", block.place, parts)
        yield block.image_set_id, item, ""
    at_changes = {(one.image_set_id, hazard) for one in action.changes for hazard in one.hazards}
    for use in action.hazards:
        hazard, hazards = use.hazard, (use.hazard,)
        if not use.consented:
            words = f"{hazard} needs consent: {MEANING[hazard]}"
            lines = (("Add to the manifest:",), (use.consent,))
            item = Item(What("refusal", hazards), "", words, use.place, lines)
            yield use.image_set_id, item, ""
        elif (use.image_set_id, hazard) not in at_changes:
            words = f"{hazard}: {MEANING[hazard]}"
            yield use.image_set_id, Item(What("danger", hazards), "", words, use.place), ""


def _change(change: ShownChange, is_held: bool) -> Item:
    what = What(
        "change",
        change.hazards,
        change.op,
        change.address.level,
        wording.name_of(change),
        change.vr,
        change.send_vr,
        change.baseline if change.drifted else "",
        change.force_reasons,
        is_held,
    )
    before, after = reveal_both(_before(change), _after(change))
    parts = tuple(map(wording.part_text, change.parts)) if change.parts else ()
    return Item(what, before, after, change.place, parts, change.manifests)


def _before(change: ShownChange) -> str:
    if change.op in _REMOVED_WHOLE:
        return change.uid
    return change.before.as_vr(change.vr, change.label) if change.before else ""


def _after(change: ShownChange) -> str:
    if SYMBOL[change.op] == "-":
        return REMOVED
    if change.op in _RESTORED_WHOLE:
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
