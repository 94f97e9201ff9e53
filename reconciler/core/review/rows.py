"""The rows of an overview: identical edits, wherever in the plan they are made.

The values compared are those of the plan, unmasked. They are never kept.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from reconciler.core.dicom.canonical import canonical
from reconciler.core.model.address import Level
from reconciler.core.model.change import Change
from reconciler.core.model.plan import Action, Status
from reconciler.core.model.value import Value, canonical_json
from reconciler.core.review.explain import since
from reconciler.core.review.letters import Letters
from reconciler.core.review.model import ShownAction, ShownChange
from reconciler.core.review.overview import LiveValue, Row
from reconciler.core.review.reach import Count, studies_of
from reconciler.core.review.severity import SEVERITY, rank

# Up to this number, different new values of an attribute have a row each; more share a row.
FEW = 3
# How many of the live values of a row are listed.
LISTED = 3


@dataclass(slots=True)
class _Edits:
    """Edits that share a row. `first` stands for all of them."""

    first: tuple[Change, ShownChange]
    runs: bool
    where: Count = field(default_factory=Count)
    before: dict[Hashable, tuple[ShownChange, Count]] = field(default_factory=dict)
    lines: dict[Hashable, None] = field(default_factory=dict)
    uids: dict[str, None] = field(default_factory=dict)

    def add(self, change: Change, shown: ShownChange, study: str) -> None:
        self.where.add(change.image_set_id, study, change.address)
        if change.before is not None:
            value = _compared(change.before, change.vr)
            self.before.setdefault(value, (shown, Count()))[1].add(change.image_set_id, study)
        if change.place is not None:
            self.lines[change.place] = None
        if not shown.key:
            self.uids[shown.uid] = None


def rows_of(
    pairs: Iterable[tuple[Action, ShownAction]], *, drifted: bool, letters: Letters
) -> tuple[Row, ...]:
    """The rows of the changes that have drifted, or of all others that the plan makes."""
    attributes: dict[Hashable, dict[Hashable, _Edits]] = {}
    for action, shown in pairs:
        if not (action.steps or (drifted and action.status is Status.DRIFTED)):
            continue
        studies = studies_of(action)
        for change, seen in zip(action.changes, shown.changes, strict=True):
            if change.drifted is not drifted:
                continue
            same = attributes.setdefault(_attribute(action, change), {})
            edits = same.setdefault(_after(change), _Edits((change, seen), bool(action.steps)))
            edits.add(change, seen, studies.get(change.image_set_id, ""))
    found = [row for same in attributes.values() for row in _rows(list(same.values()), letters)]
    return tuple(sorted(found, key=_order))


def _attribute(action: Action, change: Change) -> Hashable:
    """What rows of different new values have in common."""
    return (
        action.datastore,
        bool(action.steps),
        change.op,
        change.address.level,
        change.tag if change.tag is not None else change.key,
        _compared(change.creator, "LO"),
        (change.vr, change.send_vr),
        change.hazards,
    )


def _after(change: Change) -> Hashable:
    return _compared(change.after, change.vr)


def _compared(value: Value | None, vr: str) -> Hashable:
    """A value by its canonical form: what the plan takes for equal is one value here, too."""
    return None if value is None else canonical_json(canonical(vr, value.raw))


def _rows(same: Sequence[_Edits], letters: Letters) -> Sequence[Row]:
    """A row for each new value, or one row for all of them if they are many."""
    if len(same) <= FEW:
        return [_row(edits, 1, letters) for edits in same]
    return [_row(_together(same), len(same), letters)]


def _together(same: Sequence[_Edits]) -> _Edits:
    whole = _Edits(same[0].first, same[0].runs)
    for edits in same:
        whole.where.add_all(edits.where)
        whole.lines.update(edits.lines)
        whole.uids.update(edits.uids)
    return whole


def _row(edits: _Edits, values: int, letters: Letters) -> Row:
    change, shown = edits.first
    before = _before(edits, letters)
    listed = before if len(before) <= LISTED else before[: LISTED - 1]
    return Row(
        op=change.op,
        level=change.address.level,
        name=_name(shown),
        vr=shown.vr,
        sends_vr=change.send_vr,
        before=listed,
        others_before=len(before) - len(listed),
        after=shown.after if values == 1 else None,
        values=values,
        parts=shown.parts if values == 1 else (),
        reach=edits.where.reach(),
        place=change.place,
        places=len(edits.lines),
        hazards=change.hazards,
        uids=tuple(edits.uids)[:LISTED],
        drift=since(change.baseline) if change.drifted else "",
        runs=edits.runs,
    )


def _name(shown: ShownChange) -> str:
    creator = f" [{shown.creator.plain}]" if shown.creator else ""
    return f"{shown.key}{creator}" if shown.key else ""


def _before(edits: _Edits, letters: Letters) -> tuple[LiveValue, ...]:
    """The live values, the most common first. Without another beside it, a label says nothing."""
    several = len(edits.before) > 1
    found = []
    for value, (shown, where) in edits.before.items():
        assert shown.before is not None
        label = letters.of(value) if several and shown.before.is_masked else ""
        found.append(LiveValue(shown.before, label, where.reach()))
    # `sorted` is stable: between equal counts, plan order decides.
    return tuple(sorted(found, key=lambda one: -one.reach.image_sets))


def _order(row: Row) -> tuple[int, Level, str]:
    """What is dangerous comes first, then the levels from the outermost to the innermost."""
    worst = min((rank(hazard) for hazard in row.hazards), default=len(SEVERITY))
    return worst, row.level, row.name
