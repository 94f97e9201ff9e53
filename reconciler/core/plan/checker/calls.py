"""Which changes each call of an action makes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.core.dicom.content import key_tag
from reconciler.core.model.change import Change
from reconciler.core.model.plan import Action, Step
from reconciler.core.plan.checker.edits import is_of_the_study
from reconciler.core.plan.checker.requests import decode


@dataclass(frozen=True, slots=True)
class Calls:
    """The study-wide calls of an action, or the calls of one image set, with their changes."""

    image_set_id: str
    study_wide: bool
    changes: tuple[tuple[Change, ...], ...] = ()

    def may_make(self, change: Change) -> bool:
        """Whether the change is of the level or of the image set of these calls."""
        if self.study_wide:
            return is_of_the_study(change)
        return change.image_set_id == self.image_set_id


def grouped_calls(action: Action) -> Iterator[Calls]:
    """The calls of an action, apart for the study and for each image set. Raises RequestError."""
    groups: dict[str, list[Step]] = defaultdict(list)
    for step in action.steps:
        groups["" if step.study_wide else step.image_set_id].append(step)
    for name, steps in groups.items():
        calls = tuple(tuple(made(action, step)) for step in steps)
        yield Calls(steps[0].image_set_id, not name, calls)


def made(action: Action, step: Step) -> Iterator[Change]:
    """The changes that a call makes: a study-wide call makes them on every image set.

    The image sets of a study may spell the key of an attribute in different ways.
    Raises RequestError.
    """
    edits = {(edit.address, key_tag(edit.key) or edit.key) for edit in decode(step)}
    calls = Calls(step.image_set_id, step.study_wide)
    for change in action.changes:
        if calls.may_make(change) and (change.address, change.tag or change.key) in edits:
            yield change
