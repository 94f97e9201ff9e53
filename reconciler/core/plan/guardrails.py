"""Guardrails bound what one apply may change: a mistake must not reach a whole archive.

They stop the apply and never the plan. A person decides which is the mistake, the change or the
limit: the limit is raised in reconciler.yaml, in a reviewed commit.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from reconciler.core.model.change import Change, Op
from reconciler.core.model.guardrail import Amount, Guardrail, Stop
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, Member, Recorded, final_versions
from reconciler.core.model.record import Entry
from reconciler.core.model.reviewed import ReviewedChange

# Of fewer recorded image sets, a percentage says little (octoDNS begins at 10 records).
FEWEST_RECORDED = 20


@dataclass(frozen=True, slots=True)
class _Changed:
    """What one apply changes in a data store.

    `with_record` are the image sets of which there was a record when the plan was made.
    """

    image_sets: int
    with_record: int
    removed_instances: int
    removed_series: int
    patients: int
    forced_steps: int


def stops(
    actions: Iterable[Action],
    recorded: Iterable[Recorded],
    guardrails: Sequence[Guardrail],
    earlier: Iterable[ReviewedChange] = (),
) -> tuple[Stop, ...]:
    """The guardrails that an apply of these actions would exceed, by data store.

    `earlier` are changes that earlier runs of the same reviews made: they count, too.
    """
    of_stores: dict[tuple[str, str], list[Action]] = defaultdict(list)
    for action in actions:
        of_stores[action.datastore, action.datastore_id].append(action)
    made: dict[str, list[ReviewedChange]] = defaultdict(list)
    for change in earlier:
        made[change.datastore_id].append(change)
    counts = {one.datastore_id: one.image_sets for one in recorded}
    found: list[Stop] = []
    for (name, identity), own in sorted(of_stores.items()):
        changed = _changed(own, made[identity])
        for rail in guardrails:
            amount, of = _amount(rail.amount, changed, counts.get(identity, 0))
            if amount > (rail.most if not of else rail.most * of / 100):
                found.append(Stop(name, identity, rail, amount, of))
    return tuple(found)


def first_of_each(actions: Iterable[Action], limit: int | None) -> tuple[Action, ...]:
    """The actions that `--limit` lets an apply take: the first ones of each data store."""
    seen: Counter[str] = Counter()
    kept: list[Action] = []
    for action in actions:
        seen[action.datastore_id] += 1
        if limit is None or seen[action.datastore_id] <= limit:
            kept.append(action)
    return tuple(kept)


def left(
    actions: Iterable[Action], entries: Mapping[str, Mapping[str, Entry]]
) -> tuple[Action, ...]:
    """The actions of a saved plan that an earlier apply of it has not made.

    `entries` are the records by the name of the data store. They state the versions after an action
    once it has ended well.
    """
    return tuple(one for one in actions if not _is_made(one, entries.get(one.datastore, {})))


def _is_made(action: Action, entries: Mapping[str, Entry]) -> bool:
    return all(
        (entry := entries.get(name)) is not None and int(entry.version_id) >= int(version)
        for name, version in final_versions(action).items()
    )


def _amount(amount: Amount, changed: _Changed, recorded: int) -> tuple[int, int]:
    """The number that a guardrail limits; for `percent`, also the number that it is a part of."""
    match amount:
        case Amount.IMAGE_SETS:
            return changed.image_sets, 0
        case Amount.PERCENT:
            return (changed.with_record, recorded) if recorded >= FEWEST_RECORDED else (0, 0)
        case Amount.REMOVED_INSTANCES:
            return changed.removed_instances, 0
        case Amount.REMOVED_SERIES:
            return changed.removed_series, 0
        case Amount.PATIENTS:
            return changed.patients, 0
        case Amount.FORCED_STEPS:
            return changed.forced_steps, 0


def _changed(actions: Sequence[Action], earlier: Sequence[ReviewedChange]) -> _Changed:
    """Count what actions change. What earlier runs made has no record from before, and no patient.

    So `percent` and `patients` count what is left. The first of these runs counted all of it.
    """
    steps = [step for action in actions for step in action.steps]
    raised = {name for step in steps for name, _ in step.expected}
    members = [one for action in actions for one in action.members if one.image_set_id in raised]
    forced = {one.image_set_id for one in earlier if str(Hazard.FORCE) in one.hazards}
    changes: list[Change | ReviewedChange] = [*earlier]
    changes += [one for action in actions if action.steps for one in action.changes]
    ops = Counter(one.op for one in changes)
    return _Changed(
        image_sets=len(raised | {one.image_set_id for one in earlier}),
        with_record=sum(one.has_record for one in members),
        removed_instances=ops[Op.REMOVE_INSTANCE] + sum(one.instances for one in changes),
        removed_series=ops[Op.REMOVE_SERIES],
        patients=_patients(raised, members),
        forced_steps=sum(step.force for step in steps) + len(forced),
    )


def _patients(raised: Set[str], members: Iterable[Member]) -> int:
    """The distinct PatientIDs before the change. An image set without one counts as a patient."""
    known = {one.image_set_id: one.patient_id for one in members if one.patient_id}
    return len(set(known.values())) + len(raised - known.keys())
