"""The overview of a plan: what happens to all its image sets together, most important first.

Its rows stand for any number of image sets, so it has the same size for 3 image sets and for
10,000 with the same edits. It holds no DICOM value that its output may not show.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.errors import Place
from reconciler.core.model.address import Level
from reconciler.core.model.change import Op
from reconciler.core.model.hazard import Hazard
from reconciler.core.review.shown import ShownPart, ShownValue

# From this number of image sets with one value, another value may be an oversight.
_MOST = 5


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a row applies: counts, and the first image sets in plan order.

    `studies` is 0 if the plan states no study of these image sets.
    """

    image_sets: int
    studies: int
    series: int
    instances: int
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LiveValue:
    """One of the live values that the edits of a row replace or remove.

    `label` is the same for equal values throughout a plan; "" where the value itself is shown.
    """

    value: ShownValue
    label: str
    reach: Reach


@dataclass(frozen=True, slots=True)
class Row:
    """Identical edits, or edits of one attribute to many different values.

    `name` is the attribute with its private creator, "" for a whole series or instance. `before`
    has the most common live values, `others_before` is the number of further values. `after` is
    None without a new value and if `values` is more than 1. `parts` are the elements that change
    inside of a sequence, `components` those of a name, and `differs_in` is as in `ShownChange`: all
    in the first image set. `place` is the line that asks for the first edit, `places` the number of
    lines. `uids` are the first series or instances that are removed or restored as a whole. `drift`
    says since when the first value differs from the recorded value, "" for a row that has not
    drifted. `runs` says that the plan makes the edits.
    """

    op: Op
    level: Level
    name: str
    vr: str
    sends_vr: bool
    before: tuple[LiveValue, ...]
    others_before: int
    after: ShownValue | None
    values: int
    parts: tuple[ShownPart, ...]
    components: tuple[str, ...]
    differs_in: str
    reach: Reach
    place: Place | None
    places: int
    hazards: tuple[Hazard, ...]
    uids: tuple[str, ...]
    drift: str
    runs: bool

    @property
    def odd(self) -> tuple[LiveValue, ...]:
        """The live values of few image sets, where nearly all others hold the same value.

        A person should look at them: the ask may be meant for the others only.
        """
        if len(self.before) < 2 or self.others_before:
            return ()
        most, *others = self.before
        if most.reach.image_sets < _MOST:
            return ()
        few = max(1, most.reach.image_sets // 20)
        return tuple(one for one in others if one.reach.image_sets <= few)


@dataclass(frozen=True, slots=True)
class Danger:
    """A hazard of a plan, on all image sets together.

    `reach` has those that the plan changes: there it happens. `held` counts those that the plan
    leaves as they are, `refused` those of them without consent to this hazard.
    """

    hazard: Hazard
    meaning: str
    reach: Reach
    held: int
    refused: int

    @property
    def happens(self) -> bool:
        """Whether an image set changes with it."""
        return self.reach.image_sets > 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why image sets are not changed, and what to do next.

    `lines` are the consent to add to the manifest at `place`, () for any other reason. `at_base`
    says for how many of them it is new, "" if nothing is known of the base.
    """

    message: str
    hint: str
    place: Place | None
    about: str
    lines: tuple[str, ...]
    reach: Reach
    at_base: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """What a reviewer should know, and need not decide."""

    message: str
    place: Place | None
    reach: Reach


@dataclass(frozen=True, slots=True)
class Overview:
    """`verdict` says what happens if the plan is applied, in sentences.

    `rows` are the edits that are made, `drift` those of values that were changed outside this
    repository, and `held` those that are asked for and not made.
    """

    verdict: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    dangers: tuple[Danger, ...]
    drift: tuple[Row, ...]
    rows: tuple[Row, ...]
    held: tuple[Row, ...]
    notes: tuple[Remark, ...]
