"""The rows of an overview: identical edits, wherever in the plan they are made.

The values compared are those of the plan, unmasked. They are never kept.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import chain
from typing import TypeAlias

from reconciler.core.dicom.identity import PATIENT_ID
from reconciler.core.model.address import Level
from reconciler.core.model.change import Change
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, Status
from reconciler.core.review.actions import shown_change
from reconciler.core.review.explain import since
from reconciler.core.review.letters import Letters, compared
from reconciler.core.review.mask import View
from reconciler.core.review.overview import LiveValue, Reach, Row
from reconciler.core.review.reach import Made, reach_of, studies_of
from reconciler.core.review.severity import SEVERITY, rank
from reconciler.core.review.shown import show

# The first change that replaces a value, and where the value is.
_Before: TypeAlias = tuple[Change, Reach]

_MERGES = Hazard.MERGES_PATIENTS
# Up to this number, different new values of an attribute have a row each; more share a row.
FEW = 3
# How many of the live values of a row are listed.
LISTED = 3


@dataclass(frozen=True, slots=True)
class _Edits:
    """Edits that share a row, of one or several new values. The first stands for all of them."""

    made: Sequence[Made]
    values: int
    runs: bool
    hazards: tuple[Hazard, ...]

    @property
    def first(self) -> Change:
        return self.made[0][0]

    @property
    def places(self) -> int:
        """The number of lines that ask for them."""
        places = (change.place for change, _ in self.made)
        return len({(one.file, one.line, one.column) for one in places if one is not None})

    def uids(self) -> tuple[str, ...]:
        """The first series or instances that are removed or restored as a whole."""
        if self.first.key:
            return ()
        found = (one.address.instance or one.address.series for one, _ in self.made)
        return tuple(dict.fromkeys(found))[:LISTED]

    def before(self) -> Sequence[_Before]:
        """The live values, the most common first; () for several new values."""
        if self.values > 1:
            return ()
        groups: dict[Hashable, list[Made]] = {}
        for one in self.made:
            change, _ = one
            if change.before is not None:
                groups.setdefault(compared(change.before, change.vr), []).append(one)
        found = [(made[0][0], reach_of(made)) for made in groups.values()]
        # `sorted` is stable: between equal counts, plan order decides.
        return sorted(found, key=lambda one: -one[1].image_sets)


@dataclass(frozen=True, slots=True)
class _Attribute:
    """The changes that may share a row, by the new value."""

    runs: bool
    hazards: tuple[Hazard, ...]
    by_value: dict[Hashable, list[Made]] = field(default_factory=dict)

    def add(self, change: Change, study: str) -> None:
        value = compared(change.after, change.vr)
        self.by_value.setdefault(value, []).append((change, study))

    def edits(self) -> Iterator[_Edits]:
        """The edits to each new value, or all of them together if the values are many."""
        if len(self.by_value) <= FEW:
            for edits in self.by_value.values():
                yield _Edits(edits, 1, self.runs, self.hazards)
        else:
            made = tuple(chain.from_iterable(self.by_value.values()))
            yield _Edits(made, len(self.by_value), self.runs, self.hazards)


class Part(Enum):
    """The changes of a plan, in three parts. A reviewer reads them in this order."""

    DRIFT = auto()  # made or not
    MADE = auto()
    HELD = auto()  # asked for, and not made


def rows_of(
    actions: Iterable[Action], view: View, letters: Letters
) -> Mapping[Part, tuple[Row, ...]]:
    """The rows of each part of the changes. Labels are given part by part."""
    attributes: Mapping[Part, dict[Hashable, _Attribute]] = {part: {} for part in Part}
    for action in actions:
        studies = studies_of(action)
        merging = _merging(action)
        usual = attributes[Part.MADE if action.steps else Part.HELD]
        is_drift = action.steps or action.status is Status.DRIFTED
        drifted = attributes[Part.DRIFT] if is_drift else usual
        for change in action.changes:
            hazards = change.hazards
            if change.tag == PATIENT_ID and change.image_set_id in merging:
                hazards = (*hazards, Hazard.MERGES_PATIENTS)
            key = _key(action, change, hazards)
            found = drifted if change.drifted else usual
            if (attribute := found.get(key)) is None:
                attribute = found[key] = _Attribute(bool(action.steps), hazards)
            attribute.add(change, studies.get(change.image_set_id, ""))
    return {
        part: tuple(
            sorted(
                (_row(one, view, letters) for same in found.values() for one in same.edits()),
                key=_order,
            )
        )
        for part, found in attributes.items()
    }


def _merging(action: Action) -> frozenset[str]:
    """The image sets whose new PatientID merges patients: a hazard of the whole plan."""
    return frozenset([use.image_set_id for use in action.hazards if use.hazard is _MERGES])


def _key(action: Action, change: Change, hazards: tuple[Hazard, ...]) -> Hashable:
    """What rows of different new values have in common."""
    return (
        action.datastore,
        bool(action.steps),
        change.op,
        change.address.level,
        change.tag if change.tag is not None else change.key,
        compared(change.creator, "LO") if change.creator else None,
        (change.vr, change.send_vr),
        hazards,
    )


def _row(edits: _Edits, view: View, letters: Letters) -> Row:
    change, values = edits.first, edits.values
    shown, before = shown_change(change, view), edits.before()
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
        reach=reach_of(edits.made),
        place=change.place,
        places=edits.places,
        hazards=edits.hazards,
        uids=edits.uids(),
        drift=since(change.baseline) if change.drifted else "",
        runs=edits.runs,
    )


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
