"""The actions of a plan of few, one by one; of a study, the edits that all members share."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from itertools import islice

from reconciler.core.model.at_base import AtBase
from reconciler.core.model.change import Block
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, HazardUse, Status
from reconciler.core.review.at_base import mark, stood
from reconciler.core.review.edits import LISTED, Pair, edit_of, edits_of
from reconciler.core.review.explain import MEANING, SHOWN_ONCE, verdict
from reconciler.core.review.model import (
    Detail,
    Edit,
    MissingConsent,
    ShownAction,
    ShownBlock,
    ShownHazard,
)

# Up to this number, actions are shown one by one. The overview is for any number.
FEW = 5


def details_of(
    actions: Iterable[Action], show: Callable[[Action], ShownAction]
) -> tuple[Detail, ...]:
    """The actions that need attention, in plan order; () if they are too many to read."""
    found = list(islice(filter(_needs_attention, actions), FEW + 1))
    return tuple(_detail(one, show(one)) for one in found) if len(found) <= FEW else ()


def _needs_attention(action: Action) -> bool:
    return bool(
        action.status is not Status.CONVERGED or action.notes or action.released or action.blocks
    )


def _detail(action: Action, shown: ShownAction) -> Detail:
    edits, own_edits = _edits(action, shown)
    distinct = _distinct(action.hazards)
    return Detail(
        datastore=action.datastore,
        status=action.status,
        verdict=verdict(action),
        members=shown.members,
        calls=len(action.steps),
        edits=edits,
        own_edits=own_edits,
        hazards=tuple(_hazard(use) for use in distinct if not _is_shown_elsewhere(action, use)),
        missing=_missing(distinct, action.at_base),
        blocks=_blocks(action.blocks, action.at_base),
        released=action.released,
        notes=action.notes,
        at_base=stood(action.status, action.at_base),
    )


def _edits(
    action: Action, shown: ShownAction
) -> tuple[tuple[Edit, ...], tuple[tuple[str, tuple[Edit, ...]], ...]]:
    """The edits that all members share, then the other edits of each member."""
    pairs = list(zip(action.changes, shown.changes, strict=True))
    count = len(action.members)
    if count < 2:
        return edits_of(pairs), ()
    same: dict[Hashable, list[Pair]] = {}
    for pair in pairs:
        same.setdefault((edit_of(pair[0]), pair[0].address), []).append(pair)
    shared = [group[0] for group in same.values() if len(group) == count]
    own: dict[str, list[Pair]] = {}
    for pair in pairs:
        if len(same[edit_of(pair[0]), pair[0].address]) < count:
            own.setdefault(pair[0].image_set_id, []).append(pair)
    return edits_of(shared), tuple(
        (image_set_id, edits_of(rest)) for image_set_id, rest in sorted(own.items())
    )


def _distinct(uses: Iterable[HazardUse]) -> list[HazardUse]:
    """One use for each hazard and answer, also if several image sets of a study share it."""
    seen: dict[Hashable, HazardUse] = {}
    for use in uses:
        seen.setdefault((use.hazard, use.consented, use.consent, use.place), use)
    return list(seen.values())


def _is_shown_elsewhere(action: Action, use: HazardUse) -> bool:
    """Whether a hazard is shown for the whole plan, or is evident from the list of the members."""
    all_named = all(member.asked for member in action.members) and not action.unlisted_series
    is_evident = use.consented and use.hazard is Hazard.STUDY_WIDE and all_named
    return is_evident or use.hazard in SHOWN_ONCE


def _hazard(use: HazardUse) -> ShownHazard:
    return ShownHazard(use.hazard, MEANING[use.hazard], use.consented)


def _missing(uses: Iterable[HazardUse], at_base: AtBase | None) -> tuple[MissingConsent, ...]:
    """The consent lines to add, by manifest."""
    found: dict[Hashable, list[HazardUse]] = {}
    for use in uses:
        if not use.consented:
            where = (use.place.file, use.place.line) if use.place else None
            found.setdefault(where, []).append(use)
    return tuple(
        MissingConsent(
            group[0].place,
            tuple(dict.fromkeys(use.consent for use in group)),
            mark(at_base, was_at_base=all(use.was_at_base for use in group)),
        )
        for group in found.values()
    )


def _blocks(blocks: Iterable[Block], at_base: AtBase | None) -> tuple[ShownBlock, ...]:
    """Blocks; the same block at many places is shown once, with a count."""
    groups: dict[tuple[str, str], list[Block]] = {}
    for block in blocks:
        groups.setdefault((block.message, block.hint), []).append(block)
    found: list[ShownBlock] = []
    for group in groups.values():
        if len(group) > LISTED:
            all_were = all(block.was_at_base for block in group)
            found.append(_block(group[0], mark(at_base, was_at_base=all_were), len(group)))
        else:
            found += [
                _block(block, mark(at_base, was_at_base=block.was_at_base)) for block in group
            ]
    return tuple(found)


def _block(block: Block, at_base: str, count: int = 1) -> ShownBlock:
    parent, _, last = block.path.rpartition("/")
    named = last in block.message or (parent.count("/") > 1 and parent in block.message)
    about = "" if named else block.path
    return ShownBlock(block.message, block.hint, block.place, about, count, at_base)
