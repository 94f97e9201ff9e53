"""Count where edits, dangers and refusals of a plan apply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeAlias

from reconciler.core.model.change import Change
from reconciler.core.model.plan import Action
from reconciler.core.review.overview import Reach

# A change, and the study of its image set.
Made: TypeAlias = tuple[Change, str]

# How many image sets are named.
NAMED = 3


@dataclass(slots=True)
class Count:
    """The image sets and studies so far."""

    image_sets: dict[str, None] = field(default_factory=dict)
    studies: set[str] = field(default_factory=set)

    def add(self, image_set_id: str, study: str) -> None:
        """Count an image set."""
        self.image_sets[image_set_id] = None
        if study:
            self.studies.add(study)

    def add_action(self, action: Action) -> None:
        """Count the image sets that an action stands for."""
        studies = studies_of(action)
        for name in action.image_sets:
            self.add(name, studies.get(name, ""))

    def reach(self) -> Reach:
        """The counts, with the first image sets in the order in which they were counted."""
        first = tuple(islice(self.image_sets, NAMED))
        return Reach(len(self.image_sets), len(self.studies), 0, 0, first)


def reach_of(made: Iterable[Made]) -> Reach:
    """Where changes are made, with the first image sets in their order."""
    count, series, instances = Count(), set(), set()
    for change, study in made:
        name, address = change.image_set_id, change.address
        count.add(name, study)
        if address.series:
            series.add((name, address.series))
        if address.instance:
            instances.add((name, address.instance))
    return replace(count.reach(), series=len(series), instances=len(instances))


class Studies:
    """Numbers for the studies of a plan, from 1 in plan order. They say nothing about the UIDs."""

    def __init__(self, actions: Iterable[Action]) -> None:
        self._known = {"": 0}
        for action in actions:
            for uid in studies_of(action).values():
                self._known.setdefault(uid, len(self._known))

    def number(self, study_instance_uid: str) -> int:
        """The number of a study of the plan; 0 for ""."""
        return self._known[study_instance_uid]


def studies_of(action: Action) -> Mapping[str, str]:
    """The study of each member. A member whose document was not read is of the same study."""
    known = {one.image_set_id: one.study_instance_uid for one in action.members}
    if len(known) == 1:
        return known
    any_of_them = next(filter(None, known.values()), "")
    return {name: uid or any_of_them for name, uid in known.items()}
