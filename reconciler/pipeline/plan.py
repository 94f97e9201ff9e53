"""Asks -> a plan: reads the image sets of the asks and writes nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from reconciler.core.ask.selection import digests_of, expanded, lost
from reconciler.core.diff.requests import is_same_request
from reconciler.core.errors import ServiceError
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.plan import Action, Plan, Recorded, Released, Unread
from reconciler.core.model.record import Entry
from reconciler.core.model.results import Checked, Planned
from reconciler.core.model.scope import Observation, Observing, Refresh, Scope
from reconciler.core.model.settings import Datastore, Settings
from reconciler.core.plan import build, eta_seconds, with_digests, without_study_wide
from reconciler.core.plan.at_base import BaseActions, with_base
from reconciler.core.plan.bugs import without_bugs
from reconciler.core.plan.guardrails import stops
from reconciler.core.plan.unchanged import counted
from reconciler.core.ports import PacedImageSets
from reconciler.core.survey import Base, Surveyed
from reconciler.edges import attempts
from reconciler.observe.driver import Store, observe
from reconciler.pipeline.base import base_of, with_selected
from reconciler.pipeline.basis import basis_of
from reconciler.pipeline.edges import Edges
from reconciler.pipeline.held import Builder, Held
from reconciler.pipeline.known import (
    attempts_of,
    key_of,
    refuse_missing_records,
    released,
)
from reconciler.pipeline.local_files import tracked_files
from reconciler.pipeline.record_branch import entries_of
from reconciler.pipeline.select import Memory, select

_EVERYTHING = Observing()


def plan(
    settings: Settings,
    checked: Checked,
    edges: Edges,
    *,
    builder: Builder = build,
    base: str | None = None,
    found: Sequence[Attempt] = (),
    observing: Observing = _EVERYTHING,
) -> Planned:
    """Read the image sets of the asks and plan their changes. Writes nothing.

    An action that contradicts itself is a bug of `builder`. It is blocked; the others are not. The
    tests pass a builder with a bug. A data store that cannot be read is in `Plan.unread`; the
    others are planned. The plan states what changed since the commit `base`. Without it, a job that
    tests a pull request compares with the first parent of its merge commit. `found` are attempts of
    lost runs, known by what they made: they count like those that are on this disk. After a scan,
    `checked` are the asks in scope; WiderError is raised where a study has members beyond it.
    Raises GitError if the repository does not have the base, RecordError for an edited record, and
    ServiceError if no data store can be read.
    """
    root, scope = Path(settings.root), observing.scope
    since, at_base = base_of(settings, checked, base, scope)
    key = key_of(root)
    settled = {} if scope is None else {name: one.settled for name, one in scope.stores.items()}
    carried = checked.datastores
    wanted = [one for one in settings.datastores if one.name in carried]
    # All of them before the first read: each makes sure that it is the account that was meant.
    ports, errors = edges.connect(wanted)
    entries = entries_of(settings, settings.datastores, scope)
    asked = [one for one in wanted if one.name in ports]
    if scope is None:  # else the records are those of the scan, to the last file
        refuse_missing_records(root, asked)
    left = (*attempts.read(root, tracked_files(root)), *found)
    before = counts(ports.values())
    chosen = select(checked, asked, ports, Memory(entries, left, key))
    checked = expanded(checked, chosen)
    since, at_base = with_selected(settings, checked, chosen, since, at_base)
    asks, managed = _by_datastore(checked.asks), _by_datastore(checked.managed)
    held = [Held(one, settings, managed.get(one.name, ()), entries[one.name], key) for one in asked]
    then = [at_base.held(one) if at_base is not None else None for one in asked]
    stores = [
        _store(
            ports[now.datastore.name],
            now,
            old,
            attempts_of(left, now.datastore),
            observing,
            int(edges.clock.utc()),
        )
        for now, old in zip(held, then, strict=True)
    ]
    actions: list[Action] = []
    bases: dict[str, BaseActions] = {}
    retiered: list[str] = []
    began: dict[str, int | None] = {}
    gone: list[Released] = []
    for now, old, seen in zip(held, then, observe(stores, settings.rules), strict=True):
        name = now.datastore.name
        if not isinstance(seen, Surveyed):
            errors[name] = seen
            continue
        if scope is not None:
            _refuse_wider(name, seen, scope)
        if ended := lost(seen.diffs):
            gone += [Released(name, now.datastore.datastore_id, one) for one in ended]
            seen = seen.without(ended)
        actions += now.actions(seen, builder)
        retiered += seen.retiered
        began[name] = seen.began
        if old is not None and seen.base is not None:
            bases[name] = _base_actions(now, old, seen.base, builder)
    unread = [one for one in wanted if one.name in errors]
    if unread and len(unread) == len(wanted):
        raise errors[unread[0].name]
    ordered = [
        with_base(action, bases[action.datastore]) if action.datastore in bases else action
        for action in _ordered(actions, settings)
    ]
    gone += [
        image_set
        for one in settings.datastores
        if not checked.paths and one.name not in errors
        for image_set in released(one, entries[one.name], managed.get(one.name, ()))
    ]
    attempted = {(one.datastore_id, one.image_set_id) for one in left}
    outside = {
        (one.name, one.datastore_id): settled.get(one.name, 0) for one in settings.datastores
    }
    listed, unchanged = counted(ordered, attempted, outside)
    recorded = _recorded(settings, [one.name for one in asked], entries, scope)
    made = Plan(
        basis=basis_of(settings, checked, since, [name for name, some in settled.items() if some]),
        actions=with_digests(listed, key),
        released=tuple(sorted(gone)),
        eta_seconds=eta_seconds(listed, settings),
        unread=tuple(_unread(one, len(asks.get(one.name, ())), errors[one.name]) for one in unread),
        unchanged=unchanged,
        recorded=recorded,
        stops=stops(listed, recorded, settings.guardrails),
        without_study_wide=without_study_wide(listed, settings),
        selections=tuple(sorted(one.selection for one in chosen)),
        selector_digests=digests_of(chosen),
    )
    calls = counts(ports.values()) - before
    return Planned(
        made,
        dict(sorted(calls.items())),
        tuple(errors[one.name] for one in unread),
        tuple(retiered),
        tuple(Observation(one.name, one.datastore_id, began=began.get(one.name)) for one in asked),
    )


def _recorded(
    settings: Settings,
    asked: Collection[str],
    entries: Mapping[str, Mapping[str, Entry]],
    scope: Scope | None,
) -> tuple[Recorded, ...]:
    """How many image sets the records of each data store know."""
    if scope is None:
        counted = {name: len(entries[name]) for name in asked}
    else:
        named = scope.stores.items()
        counted = {name: one.recorded for name, one in named if one.settled or name in asked}
    return tuple(
        Recorded(one.name, one.datastore_id, counted[one.name])
        for one in settings.datastores
        if counted.get(one.name)
    )


class WiderError(Exception):
    """Studies have members beyond the scope of a plan: image sets by the name of a data store."""

    def __init__(self, image_sets: Mapping[str, frozenset[str]]) -> None:
        super().__init__()
        self.image_sets = image_sets


def _refuse_wider(name: str, seen: Surveyed, scope: Scope) -> None:
    members = frozenset(
        one.properties.image_set_id for study in seen.studies for one in study.members
    )
    if more := members - scope.stores[name].entries:
        raise WiderError({name: more})


def _store(
    port: PacedImageSets,
    now: Held,
    then: Held | None,
    left: Mapping[str, Sequence[Attempt]],
    observing: Observing,
    time: int,
) -> Store:
    base, known = None, now.known(left)
    if then is not None:
        base = Base(then.asks, then.known(left), then.settings.rules)
    if observing.refresh is Refresh.DOCUMENTS:
        known = replace(known, reads_all=True)
    is_all = observing.scope is None
    asks = tuple(now.asks.values())
    return Store(port, asks, known, base, time if is_all else None, observing.is_dated)


def _base_actions(now: Held, then: Held, seen: Surveyed, builder: Builder) -> BaseActions:
    actions, asked = _ordered(then.actions(seen, builder), then.settings), then.asks
    changed = [name for name, ask in now.asks.items() if not is_same_request(ask, asked.get(name))]
    return BaseActions(actions, asked.keys(), seen.unknown, frozenset(changed))


def _ordered(actions: Iterable[Action], settings: Settings) -> tuple[Action, ...]:
    """The actions in plan order. Those that contradict themselves are blocked."""
    return without_bugs(
        sorted(actions, key=lambda action: (action.datastore, action.image_set_id)),
        settings.rules.payload_bytes,
    )


def _unread(datastore: Datastore, image_sets: int, error: ServiceError) -> Unread:
    return Unread(datastore.name, datastore.datastore_id, image_sets, error.message, error.hint)


def _by_datastore(asks: Iterable[ImageSetAsk]) -> dict[str, list[ImageSetAsk]]:
    found: dict[str, list[ImageSetAsk]] = defaultdict(list)
    for ask in asks:
        found[ask.datastore].append(ask)
    return dict(found)


def counts(ports: Iterable[PacedImageSets]) -> Counter[str]:
    """The calls of some ports so far, by operation. Two data stores may share a port."""
    total: Counter[str] = Counter()
    for port in set(ports):
        total.update(port.counts())
    return total
