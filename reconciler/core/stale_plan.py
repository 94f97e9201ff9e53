"""Finds the actions of a saved plan that are stale, by the working tree of today. Pure.

A plan is saved, reviewed, and executed later. In between, a manifest may be corrected or a consent
withdrawn. Actions that today's manifests do not ask for, or today's settings do not allow, are not
sent. This module reads nothing from the service.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain, product
from typing import TypeAlias

from reconciler.core.dicom.agreement import typed
from reconciler.core.dicom.constraints import force_reasons
from reconciler.core.dicom.content import KEY_UIDS
from reconciler.core.dicom.dictionary import by_tag
from reconciler.core.dicom.live_form import LiveFormError, in_live_form
from reconciler.core.dicom.updates import payload_bytes
from reconciler.core.diff.hazards import hazards_of
from reconciler.core.diff.locate import Renames, renames
from reconciler.core.diff.paths import ask_digest, asked_paths
from reconciler.core.errors import Place
from reconciler.core.model.address import WILDCARD, Address, Level
from reconciler.core.model.ask import Claim, ClaimKind, ImageSetAsk, Source
from reconciler.core.model.change import Change, Op
from reconciler.core.model.diff import Diff, Reading, SourcedChange
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, HazardUse, Member, Plan, Status
from reconciler.core.model.settings import Permission, Rules, Settings
from reconciler.core.model.value import Json, Value
from reconciler.core.plan.checker import grouped_calls
from reconciler.core.plan.consent import change_hazards, judge
from reconciler.core.plan.merges import merge_hazards
from reconciler.core.plan.patients import new_patient_id
from reconciler.core.plan.split_consent import split_hazards

# The datastoreId and the first image set of an action.
Subject: TypeAlias = tuple[str, str]

_KINDS: Mapping[Op, ClaimKind] = {
    Op.ADD: ClaimKind.PRESENT,
    Op.UPDATE: ClaimKind.PRESENT,
    Op.REMOVE: ClaimKind.ABSENT,
    Op.REMOVE_INSTANCE: ClaimKind.REMOVED,
    Op.REMOVE_SERIES: ClaimKind.REMOVED,
}
_REMOVES = (Op.REMOVE_INSTANCE, Op.REMOVE_SERIES)


@dataclass(frozen=True, slots=True)
class Today:
    """The current state of the working tree.

    `asks` are those of all manifests, by data store and image set, with what the plan leaves out.
    """

    settings: Settings
    asks: Mapping[tuple[str, str], ImageSetAsk]


def subject(action: Action) -> Subject:
    """Return the identity of an action."""
    return action.datastore_id, action.image_set_id


def stale(plan: Plan, today: Today) -> dict[Subject, str]:
    """Return the reason for each stale action: it must not run or be recorded as converged."""
    judged = [
        action
        for action in plan.actions
        if action.steps or (action.status is Status.CONVERGED and not _is_recorded(action))
    ]
    planned = dict(plan.basis.rules)
    merges = _merges(plan, today)
    return {
        subject(action): reason
        for action in judged
        if (
            reason := next(
                chain(_reasons(action, planned, today), _withdrawn(merges[subject(action)])), ""
            )
        )
    }


def misjudged(action: Action) -> str:
    """Report a change with wrong hazards in a plan file; "" if all are right."""
    reverts = any(step.revert_to is not None for step in action.steps)
    for change in action.changes:
        if action.steps and hazards_of(change, reverts=reverts) != change.hazards:
            return f"image set {change.image_set_id}: the hazards of {change.shown()} are wrong"
    return ""


def _is_recorded(action: Action) -> bool:
    return all(member.recorded for member in action.members)


def _reasons(
    action: Action, planned: Mapping[str, str | bool | int], today: Today
) -> Iterator[str]:
    asks = _asks_of(action, today)
    for member in action.members:
        if changed := _changed(member, _carried(asks[member.image_set_id])):
            yield f"manifest changed: {changed}"
            return
    sourced = []
    claims = _Claims(action, asks)
    for change in action.changes if action.steps else ():
        sources = claims.asking(change)
        if not sources:
            yield (
                f"manifest changed: no manifest asks for {change.shown()} of image set "
                f"{change.image_set_id} as in the plan"
            )
            return
        sourced.append(SourcedChange(change, sources))
    yield from _withdrawn(_uses(action, sourced, asks, today.settings))
    for rule, refused in _refused(action, planned, today.settings):
        yield f"rules changed: `rules: {{{rule}}}` does not allow {refused}"


def _withdrawn(uses: Iterable[HazardUse]) -> Iterator[str]:
    for use in uses:
        if not use.consented:
            yield f"consent withdrawn: {use.hazard} needs consent: {use.consent}"


def _merges(plan: Plan, today: Today) -> Mapping[Subject, Sequence[HazardUse]]:
    """The hazard MERGES_PATIENTS of each action with today's consent.

    It is judged over all changes of PatientIDs in the plan, also of actions that are held back.
    """
    found: dict[Subject, list[HazardUse]] = defaultdict(list)
    by_datastore: dict[str, list[Action]] = defaultdict(list)
    for action in plan.actions:
        if any(new_patient_id(change) for change in action.changes):
            by_datastore[action.datastore].append(action)
    for actions in by_datastore.values():
        unproven = {name for action in actions for name in action.patient_unproven}
        owners = {one.image_set_id: action for action in actions for one in action.members}
        sourced = (one for action in actions for one in _of_patient_ids(action, today))
        for use in merge_hazards(sourced, unproven):
            found[subject(owners[use.image_set_id])].append(use)
    return found


def _of_patient_ids(action: Action, today: Today) -> Iterator[SourcedChange]:
    claims = _Claims(action, _asks_of(action, today))
    for change in action.changes:
        if new_patient_id(change) and (sources := claims.asking(change)):
            yield SourcedChange(change, sources)


def _asks_of(action: Action, today: Today) -> dict[str, ImageSetAsk | None]:
    return {
        member.image_set_id: today.asks.get((action.datastore, member.image_set_id))
        for member in action.members
    }


def _carried(ask: ImageSetAsk | None) -> ImageSetAsk | None:
    """What the plan carries of an ask, None where that is nothing."""
    return ask if ask is not None and ask.carried.sources else None


def _changed(member: Member, ask: ImageSetAsk | None) -> str:
    """Report how the ask of an image set differs from the plan; "" if it does not."""
    name = member.image_set_id
    if ask is None:
        return f"no manifest asks for image set {name} any more" if member.asked else ""
    if not member.asked:
        return f"a manifest now asks for image set {name}, which the plan does not contain"
    paths = asked_paths(ask.carried, renames(ask.claims))
    if paths == member.asked and ask_digest(ask.carried) == member.ask_digest:
        return ""
    others = sorted(set(paths) ^ set(member.asked))
    where = f": {others[0]}" if others else ""
    return f"the manifests and the plan differ for image set {name}{where}"


class _Claims:
    """Finds the claims of the manifests that ask for a change of an action."""

    def __init__(self, action: Action, asks: Mapping[str, ImageSetAsk | None]) -> None:
        self._asks = {name: ask for name, ask in asks.items() if ask is not None}
        self._lives: dict[tuple[Address, int | None], list[Value | None]] = defaultdict(list)
        for change in action.changes:
            self._lives[change.address, change.tag].append(change.before)
        self._is_wide = any(step.study_wide for step in action.steps)
        self._reverts = {
            step.image_set_id: step.revert_to for step in action.steps if step.revert_to is not None
        }
        self._indexes = {name: _Index(ask) for name, ask in self._asks.items()}

    def asking(self, change: Change) -> tuple[Source, ...]:
        """Return the manifests that ask for exactly this change; () if there are none."""
        name = change.image_set_id
        if name in self._reverts:
            revert = self._asks[name].revert if name in self._asks else None
            is_asked = revert is not None and revert.version_id == self._reverts[name]
            return (revert.source,) if revert is not None and is_asked else ()
        # A study-wide change may be asked in the manifest of any member.
        is_of_all = self._is_wide and change.address.level <= Level.STUDY
        names = sorted(self._indexes) if is_of_all else [name]
        winners = [
            claim
            for member in names
            if member in self._indexes
            for claim in self._indexes[member].governing(change)
        ]
        lives = self._lives[change.address, change.tag] if is_of_all else [change.before]
        if not any(_asks_for(claim, change, lives) for claim in winners):
            return ()
        return tuple(dict.fromkeys(claim.source for claim in winners))


class _Index:
    """The claims of one image set by address and place: an ask may name 2,000 instances."""

    def __init__(self, ask: ImageSetAsk) -> None:
        self._alias: Renames = renames(ask.claims)
        self._by_address: dict[tuple[object, ...], list[Claim]] = defaultdict(list)
        self._by_place: dict[tuple[object, ...], list[Claim]] = defaultdict(list)
        for claim in ask.claims:
            where = claim.address
            self._by_address[where.level, claim.tag, where.series, where.instance].append(claim)
            self._by_place[where.level, claim.tag, claim.place].append(claim)

    def governing(self, change: Change) -> list[Claim]:
        """Return the most specific claims of each manifest on the target of a change."""
        where = change.address
        keys = product(
            (where.level,),
            (change.tag,),
            _names(where.series, self._alias.series.names),
            _names(where.instance, self._alias.instances.names),
        )
        found = [claim for key in keys for claim in self._by_address.get(key, ())]
        # A document may keep an old UID as a key (decision 0002, U7). Then the line of the manifest
        # in the plan identifies the claim.
        found = found or self._by_place.get((where.level, change.tag, change.place), [])
        best: dict[Place, tuple[int, bool]] = {}
        for claim in found:
            source = claim.source.place
            best[source] = min(best.get(source, claim.address.rank), claim.address.rank)
        return [claim for claim in found if claim.address.rank == best[claim.source.place]]


def _names(key: str, aliases: Callable[[str], Iterable[str]]) -> Iterable[str]:
    """Return the names of a series or instance in asks; only "" if the address has none."""
    if not key:
        return ("",)
    return (*sorted(aliases(key)), WILDCARD)


def _asks_for(claim: Claim, change: Change, lives: Iterable[Value | None]) -> bool:
    """Whether a claim asks for a change. `lives` are the values whose form it may have kept."""
    if claim.kind is not _KINDS.get(change.op):
        return False
    if claim.kind is not ClaimKind.PRESENT:
        return True
    wanted = typed(claim, change.vr)
    if not isinstance(wanted, Value):
        return False
    after = repr(change.after.raw if change.after else None)
    # `repr` distinguishes 1, 1.0 and True.
    return any(repr(_sent(change.vr, wanted, live)) == after for live in lives)


def _sent(vr: str, wanted: Value, live: Value | None) -> Json:
    """Return the value that a call sends, as the plan wrote it."""
    try:
        return in_live_form(vr, wanted.raw, live.raw if live else None)
    except LiveFormError:
        return None


def _uses(
    action: Action,
    sourced: Sequence[SourcedChange],
    asks: Mapping[str, ImageSetAsk | None],
    settings: Settings,
) -> Iterator[HazardUse]:
    """Yield the hazards of an action with today's consent."""
    diffs = [_unread(action.datastore, name, ask) for name, ask in asks.items()]
    yield from change_hazards(sourced, diffs, settings.allow)
    # No consent is needed if manifests name every image set that the call changes.
    is_named = all(asks.values()) and not action.unlisted_series
    for group in grouped_calls(action):
        name, mine = group.image_set_id, [one for one in sourced if group.may_make(one.change)]
        yield from split_hazards(name, group.changes, mine, settings.allow)
        for one in mine if group.study_wide and not is_named else ():
            yield judge(Hazard.STUDY_WIDE, name, one.sources, settings.allow)


def _unread(datastore: str, name: str, ask: ImageSetAsk | None) -> Diff:
    """Return a diff without documents: judging consent needs only the manifests."""
    asked = ask or ImageSetAsk(datastore, name, ())
    return Diff(asked, "", (), Reading(None), Status.UPDATE)


def _refused(
    action: Action, planned: Mapping[str, str | bool | int], settings: Settings
) -> Iterator[tuple[str, str]]:
    """Yield (setting, change or call) for everything that today's rules do not allow."""
    rules = settings.rules
    # Without isPrimary, the image set may be primary (decision 0002, U25).
    may_be_primary = {one.image_set_id: one.is_primary is not False for one in action.members}
    reverts = any(step.revert_to is not None for step in action.steps)
    # Some rules depend on the live document, which is not read here. Such a change is refused if
    # the rule at planning time was less strict than today's rule.
    tightened = planned.keys() - dict(rules.stated).keys()
    for change in action.changes if action.steps else ():
        rule = (
            _refused_in_a_revert(change, rules, tightened, may_be_primary[change.image_set_id])
            if reverts
            else _refused_in_an_update(
                change, rules, tightened, may_be_primary[change.image_set_id]
            )
        )
        if rule:
            yield rule, change.shown()
    for step in action.steps:
        size = payload_bytes(step.updatable, step.removable)
        if size > rules.payload_bytes:
            yield f"payloadBytes: {rules.payload_bytes}", f"a call of {size} bytes"


def _refused_in_a_revert(
    change: Change, rules: Rules, tightened: Set[str], may_be_primary: bool
) -> str:
    if may_be_primary and change.address.level <= Level.STUDY and "revertOnPrimary" in tightened:
        return "revertOnPrimary: refuse"
    if may_be_primary and (rule := _refused_on_a_primary(change, rules)):
        return rule
    return "removeLast: refuse" if change.op in _REMOVES and "removeLast" in tightened else ""


def _refused_in_an_update(
    change: Change, rules: Rules, tightened: Set[str], may_be_primary: bool
) -> str:
    if may_be_primary and (rule := _refused_on_a_primary(change, rules)):
        return rule
    if change.op in _REMOVES and "removeLast" in tightened:
        return "removeLast: refuse"
    if change.op is Op.REMOVE and rules.removals_need_force and _lacks_force(change):
        return "removalsNeedForce: true"
    return ""


def _refused_on_a_primary(change: Change, rules: Rules) -> str:
    if change.tag in KEY_UIDS and rules.uids_on_primary != Permission.ALLOW:
        return "uidsOnPrimary: refuse"
    if change.address.level is Level.SERIES and rules.series_on_primary != Permission.ALLOW:
        return "seriesOnPrimary: refuse"
    return ""


def _lacks_force(change: Change) -> bool:
    if change.tag is None or change.before is None:
        return False
    needed = force_reasons(
        by_tag(change.tag), change.vr, change.before.raw, removal=True, removals_need_force=True
    )
    return not set(needed) <= set(change.force_reasons)
