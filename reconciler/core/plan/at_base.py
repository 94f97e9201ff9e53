"""Compares the actions of a plan with those that the base of a pull request would have."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from reconciler.core.model.at_base import AtBase, StatusAtBase
from reconciler.core.model.plan import Action, HazardUse

# A refusal that is new for one image set of an action is new. So the first of these counts.
_ORDER = (
    StatusAtBase.UNKNOWN,
    StatusAtBase.UNMANAGED,
    StatusAtBase.CONVERGED,
    StatusAtBase.UPDATE,
    StatusAtBase.BUSY,
    StatusAtBase.DRIFTED,
    StatusAtBase.BLOCKED,
)


@dataclass(frozen=True)
class BaseActions:
    """What the base would plan for one data store. `asked` are the image sets that it asks for.

    `unknown` are those that could not be decided without a further call. `changed` are the image
    sets of which the plan asks something else, or with other consent.
    """

    actions: tuple[Action, ...]
    asked: Collection[str]
    unknown: Collection[str] = ()
    changed: Collection[str] = ()

    @cached_property
    def _by_image_set(self) -> Mapping[str, Action]:
        return {one.image_set_id: action for action in self.actions for one in action.members}

    @cached_property
    def _reasons(self) -> Mapping[str, Collection[Hashable]]:
        """Why the action of each image set is refused. One of a study has all its reasons."""
        return {
            name: frozenset(_reasons_of(action))
            for name, action in self._by_image_set.items()
            if self.status(name) is not StatusAtBase.UNKNOWN
        }

    def status(self, image_set_id: str) -> StatusAtBase:
        """The status of an image set."""
        if image_set_id not in self.asked:
            return StatusAtBase.UNMANAGED
        action = self._by_image_set.get(image_set_id)
        if action is None or any(one.image_set_id in self.unknown for one in action.members):
            return StatusAtBase.UNKNOWN
        return StatusAtBase(action.status)

    def refuses(self, image_set_id: str, reason: Hashable) -> bool:
        """Whether the action of an image set is refused for a reason."""
        return reason in self._reasons.get(image_set_id, ())


def with_base(action: Action, base: BaseActions) -> Action:
    """The action as it stood at the base."""
    named = [one.image_set_id for one in action.members if one.asked]
    named = named or [one.image_set_id for one in action.members]
    return replace(
        action,
        at_base=AtBase(
            min((base.status(name) for name in named), key=_ORDER.index),
            any(name in base.changed for name in named),
        ),
        blocks=tuple(
            replace(one, was_at_base=base.refuses(one.image_set_id, (one.message, one.path)))
            for one in action.blocks
        ),
        hazards=tuple(
            replace(one, was_at_base=base.refuses(one.image_set_id, _missing(one)))
            if not one.consented
            else one
            for one in action.hazards
        ),
    )


def _reasons_of(action: Action) -> Iterable[Hashable]:
    yield from ((one.message, one.path) for one in action.blocks)
    yield from (_missing(one) for one in action.hazards if not one.consented)


def _missing(use: HazardUse) -> Hashable:
    return use.hazard, use.image_set_id, use.version_id, use.number
