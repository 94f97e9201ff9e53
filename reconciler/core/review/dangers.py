"""The dangers of a plan, and why it leaves image sets as they are: over all image sets together."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace

from reconciler.core.model.change import Block
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, HazardUse, Status
from reconciler.core.review import at_base
from reconciler.core.review.explain import MEANING
from reconciler.core.review.overview import Danger, Reach, Refusal, Remark
from reconciler.core.review.phrases import released
from reconciler.core.review.reach import Count, studies_of
from reconciler.core.review.severity import rank


def dangers_of(actions: Iterable[Action]) -> tuple[Danger, ...]:
    """Every hazard of the actions, the gravest first."""
    found: dict[Hazard, tuple[Count, dict[str, None], dict[str, None]]] = {}
    for action in actions:
        if action.status is Status.CONVERGED:
            continue
        studies = studies_of(action)
        for use in action.hazards:
            where, held, refused = found.setdefault(use.hazard, (Count(), {}, {}))
            if action.steps:
                where.add(use.image_set_id, studies.get(use.image_set_id, ""))
            else:
                held[use.image_set_id] = None
            if not use.consented:
                refused[use.image_set_id] = None
    return tuple(
        Danger(hazard, MEANING[hazard], where.reach(), len(held), len(refused))
        for hazard, (where, held, refused) in sorted(found.items(), key=lambda one: rank(one[0]))
    )


def refusals_of(actions: Iterable[Action]) -> tuple[Refusal, ...]:
    """Why the plan leaves image sets as they are; the same reason for many is stated once."""
    found: dict[Hashable, tuple[Refusal, Count, dict[str, str]]] = {}
    for action in actions:
        for key, refusal, was_at_base in _refusals(action):
            _, where, marks = found.setdefault(key, (refusal, Count(), {}))
            where.add_action(action)
            own = at_base.mark(action.at_base, was_at_base=was_at_base)
            for name in action.image_sets:
                # A reason that is new for one path of an image set is new.
                if marks.get(name) != at_base.NEW:
                    marks[name] = own
    return tuple(
        replace(one, reach=where.reach(), at_base=at_base.together(marks))
        for one, where, marks in found.values()
    )


def _refusals(action: Action) -> Iterator[tuple[Hashable, Refusal, bool]]:
    for block in action.blocks:
        yield (block.message, block.hint), _blocked(block), block.was_at_base
    for use in action.hazards:
        if not use.consented:
            yield (use.place, use.consent), _unconsented(use), use.was_at_base


def notes_of(actions: Iterable[Action]) -> tuple[Remark, ...]:
    """The notes of a plan and what it releases; the same for many image sets is stated once."""
    found: dict[Hashable, tuple[Remark, Count]] = {}
    for action in actions:
        texts = [(note.message, note.place) for note in action.notes]
        texts += [(released(path), None) for path in action.released]
        for text, place in texts:
            _, where = found.setdefault(text, (Remark(text, place, _NOWHERE), Count()))
            where.add_action(action)
    return tuple(replace(one, reach=where.reach()) for one, where in found.values())


_NOWHERE = Reach(0, 0, 0, 0, ())


def _blocked(block: Block) -> Refusal:
    return Refusal(block.message, block.hint, block.place, block.path, (), _NOWHERE)


def _unconsented(use: HazardUse) -> Refusal:
    message = f"{use.hazard} needs consent: {MEANING[use.hazard]}"
    return Refusal(message, "", use.place, "", (use.consent,), _NOWHERE)
