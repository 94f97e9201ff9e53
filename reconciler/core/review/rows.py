"""The rows of an overview: identical edits, wherever in the plan they are made.

The values compared are those of the plan, unmasked. They are never kept.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from reconciler.core.model.address import Level
from reconciler.core.model.change import Change
from reconciler.core.model.plan import Action, Status
from reconciler.core.review.actions import shown_change
from reconciler.core.review.explain import since
from reconciler.core.review.letters import Letters, compared
from reconciler.core.review.mask import View
from reconciler.core.review.overview import LiveValue, Reach, Row
from reconciler.core.review.reach import Count, studies_of
from reconciler.core.review.severity import SEVERITY, rank
from reconciler.core.review.shown import show

# The first change that replaces a value, and where the value is.
_Before: TypeAlias = tuple[Change, Reach]

# Up to this number, different new values of an attribute have a row each; more share a row.
FEW = 3
# How many of the live values of a row are listed.
LISTED = 3


@dataclass(slots=True)
class _Edits:
    """Edits that share a row. `first` stands for all of them."""

    first: Change
    runs: bool
    where: Count = field(default_factory=Count)
    before: dict[Hashable, tuple[Change, Count]] = field(default_factory=dict)
    lines: dict[Hashable, None] = field(default_factory=dict)
    uids: dict[str, None] = field(default_factory=dict)

    def add(self, change: Change, study: str) -> None:
        self.where.add(change.image_set_id, study, change.address)
        if change.before is not None:
            value = compared(change.before, change.vr)
            self.before.setdefault(value, (change, Count()))[1].add(change.image_set_id, study)
        if change.place is not None:
            self.lines[change.place] = None
        if not change.key:
            self.uids[change.address.instance or change.address.series] = None


def rows_of(
    actions: Iterable[Action], view: View, letters: Letters, *, drifted: bool
) -> tuple[Row, ...]:
    """The rows of the changes that have drifted, or of all others that the plan makes."""
    attributes: dict[Hashable, dict[Hashable, _Edits]] = {}
    for action in actions:
        if not (action.steps or (drifted and action.status is Status.DRIFTED)):
            continue
        studies = studies_of(action)
        for change in action.changes:
            if change.drifted is not drifted:
                continue
            same = attributes.setdefault(_attribute(action, change), {})
            after = _after(change)
            if after not in same:
                same[after] = _Edits(change, bool(action.steps))
            same[after].add(change, studies.get(change.image_set_id, ""))
    found = [row for same in attributes.values() for row in _rows(same, view, letters)]
    return tuple(sorted(found, key=_order))


def _attribute(action: Action, change: Change) -> Hashable:
    """What rows of different new values have in common."""
    return (
        action.datastore,
        bool(action.steps),
        change.op,
        change.address.level,
        change.tag if change.tag is not None else change.key,
        compared(change.creator, "LO"),
        (change.vr, change.send_vr),
        change.hazards,
    )


def _after(change: Change) -> Hashable:
    return compared(change.after, change.vr)


def _rows(same: Mapping[Hashable, _Edits], view: View, letters: Letters) -> Sequence[Row]:
    """A row for each new value, or one row for all of them if they are many."""
    edits = list(same.values())
    if len(edits) <= FEW:
        return [_row(one, 1, view, letters) for one in edits]
    return [_row(_together(edits), len(edits), view, letters)]


def _together(same: Sequence[_Edits]) -> _Edits:
    whole = _Edits(same[0].first, same[0].runs)
    for edits in same:
        whole.where.add_all(edits.where)
        whole.lines.update(edits.lines)
        whole.uids.update(edits.uids)
    return whole


def _row(edits: _Edits, values: int, view: View, letters: Letters) -> Row:
    change, shown = edits.first, shown_change(edits.first, view)
    before = _before(edits)
    listed = before if len(before) <= LISTED else before[: LISTED - 1]
    if len(before) > 1:  # Without another value beside it, a label says nothing.
        _give_labels(before, view, letters)
    return Row(
        op=change.op,
        level=change.address.level,
        name=shown.name,
        vr=shown.vr,
        sends_vr=change.send_vr,
        before=tuple(_live(one, view, letters if len(before) > 1 else None) for one in listed),
        others_before=len(before) - len(listed),
        after=shown.after if values == 1 else None,
        values=values,
        parts=shown.parts if values == 1 else (),
        components=shown.components if len(before) == values == 1 else (),
        differs_in=shown.differs_in if len(before) == values == 1 else "",
        reach=edits.where.reach(),
        place=change.place,
        places=len(edits.lines),
        hazards=change.hazards,
        uids=tuple(edits.uids)[:LISTED],
        drift=since(change.baseline) if change.drifted else "",
        runs=edits.runs,
    )


def _before(edits: _Edits) -> Sequence[_Before]:
    """The live values, the most common first."""
    found = [(change, where.reach()) for change, where in edits.before.values()]
    # `sorted` is stable: between equal counts, plan order decides.
    return sorted(found, key=lambda one: -one[1].image_sets)


def _give_labels(before: Sequence[_Before], view: View, letters: Letters) -> None:
    for change, _ in before:
        assert change.before is not None
        if show(change.before.raw, change.tag, view.redact).is_hidden:
            letters.give(change)


def _live(before: _Before, view: View, letters: Letters | None) -> LiveValue:
    change, reach = before
    shown = shown_change(change, view).before
    assert shown is not None
    return LiveValue(shown, letters.of(change) if letters and shown.is_hidden else "", reach)


def _order(row: Row) -> tuple[int, Level, str]:
    """What is dangerous comes first, then the levels from the outermost to the innermost."""
    worst = min((rank(hazard) for hazard in row.hazards), default=len(SEVERITY))
    return worst, row.level, row.name
