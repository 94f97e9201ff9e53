"""Which actions of a plan stay within what was reviewed.

A pull request is planned, reviewed and merged; then the merged commit is planned again, and only
what a review holds is executed. In between, other pull requests may have been merged and applied.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.core.model.change import Change
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.key import Key
from reconciler.core.model.plan import Action, HazardUse, Member, Plan
from reconciler.core.model.reviewed import Reviewed, ReviewedChange
from reconciler.core.reviewed.changes import change_digest, named, own_uses, shared_uses

# The rows that hold a change, by its digest.
_Rows = Mapping[str, Sequence[ReviewedChange]]


@dataclass(frozen=True, slots=True, order=True)
class Moved:
    """A change whose image set is at a later version than the review: `digest` names the change."""

    datastore: str
    image_set_id: str
    reviewed_pin: str
    pin: str
    digest: str


@dataclass(frozen=True, slots=True)
class Unreviewed:
    """An action that no review holds as it is now, and why.

    `is_asked` says that a merge asks for it: a merged commit changed one of its manifests, or a
    review has one of its changes.
    """

    action: Action
    reason: str
    is_asked: bool = True


@dataclass(frozen=True, slots=True)
class Judgement:
    """`reviewed` and `unreviewed` are the actions with calls, in plan order.

    `left_over` are reviewed changes that the plan does not have: they hold already, or no manifest
    asks for them any more. `begun` are those of them, each once, whose review holds something that
    this apply executes. `aside` are actions that the plan holds back, and that this apply was
    not to execute: no review has one of their image sets, and no merged commit touched them.
    """

    reviewed: tuple[Action, ...]
    unreviewed: tuple[Unreviewed, ...]
    left_over: tuple[ReviewedChange, ...] = ()
    aside: tuple[Action, ...] = ()
    begun: tuple[ReviewedChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known besides the plan and its reviews.

    `utc` is the time, in seconds since 1970. `untouched` are those of `moved_pins` whose attribute
    is as it was in the reviewed version, with every version in between recorded by this repository.
    `touched` are the manifests that commits changed since the last applied one; None if that is not
    known, which counts as all of them.
    """

    utc: float
    untouched: frozenset[Moved] = frozenset()
    touched: frozenset[str] | None = None


def moved_pins(plan: Plan, reviews: Iterable[Reviewed], key: Key) -> dict[Moved, Change]:
    """The changes of which only a look at the version of the review shows whether it holds."""
    rows = _by_digest(reviews)
    found: dict[Moved, Change] = {}
    for action in plan.runnable:
        for change, member, digest in _changes(action, key):
            pins = {row.pin for row in rows.get(digest, ())}
            if pins and member.pin not in pins:
                for pin in sorted(pins):
                    if int(pin) < int(member.pin):
                        one = Moved(action.datastore, member.image_set_id, pin, member.pin, digest)
                        found[one] = change
    return found


def judge(plan: Plan, reviews: Sequence[Reviewed], key: Key, known: Evidence) -> Judgement:
    """Judge every action that has calls.

    An action is reviewed if reviews that have not expired hold all its changes, and all its
    hazards.
    """
    valid = _by_digest(one for one in reviews if not one.is_expired(known.utc))
    expired = {
        row.digest: f"its review expired on {_day(one.expires_at)}"
        for one in reviews
        if one.is_expired(known.utc)
        for row in one.changes
    }
    good: list[Action] = []
    bad: list[Unreviewed] = []
    seen: set[str] = set()
    executed: set[str] = set()
    for action in plan.runnable:
        held: list[ReviewedChange] = []
        reasons: list[str] = []
        digests: set[str] = set()
        is_asked = _is_touched(action, known.touched)
        for change, member, digest in _changes(action, key):
            rows = valid.get(digest, ())
            holding = [row for row in rows if _is_at(row, action, member, known.untouched)]
            if problem := _differs(change, member, rows, holding, own_uses(action, change)):
                reasons.append(problem if rows else expired.get(digest, problem))
            digests.add(digest)
            held += holding
            is_asked |= bool(rows)
        seen |= digests
        reasons.append(_beyond(shared_uses(action), held))
        if reason := next(filter(None, reasons), ""):
            bad.append(Unreviewed(action, reason, is_asked))
        else:
            good.append(action)
            executed |= digests
    rows = [row for some in valid.values() for row in some]
    named_in = {(row.datastore_id, row.image_set_id) for row in rows}
    aside = [
        action
        for action in plan.held
        if not _is_touched(action, known.touched)
        and named_in.isdisjoint((action.datastore_id, one) for one in action.image_sets)
    ]
    over = {row for row in rows if row.digest not in seen}
    begun = {
        row.digest: row
        for one in reviews
        if not one.is_expired(known.utc) and any(row.digest in executed for row in one.changes)
        for row in one.changes
        if row.digest not in seen
    }
    return Judgement(
        tuple(good),
        tuple(bad),
        tuple(sorted(over)),
        tuple(aside),
        tuple(sorted(begun.values())),
    )


def _is_touched(action: Action, touched: frozenset[str] | None) -> bool:
    files = {place.file for place in action.places}
    return touched is None or not files or not files.isdisjoint(touched)


def _by_digest(reviews: Iterable[Reviewed]) -> _Rows:
    found: dict[str, list[ReviewedChange]] = defaultdict(list)
    for one in reviews:
        for row in one.changes:
            found[row.digest].append(row)
    return found


def _changes(action: Action, key: Key) -> Iterator[tuple[Change, Member, str]]:
    members = {member.image_set_id: member for member in action.members}
    for change in action.changes:
        member = members[change.image_set_id]
        yield change, member, change_digest(action.datastore_id, member.arn, change, key)


def _is_at(
    row: ReviewedChange, action: Action, member: Member, untouched: Collection[Moved]
) -> bool:
    moved = Moved(action.datastore, member.image_set_id, row.pin, member.pin, row.digest)
    return row.pin == member.pin or moved in untouched


def _differs(
    change: Change,
    member: Member,
    rows: Sequence[ReviewedChange],
    holding: Sequence[ReviewedChange],
    uses: Sequence[HazardUse],
) -> str:
    """Why no review holds a change; "" if one does."""
    if not rows:
        return f"no review holds the change of {change.shown()}"
    if not holding:
        pins = ", ".join(sorted({row.pin for row in rows}, key=int))
        return (
            f"{change.shown()} was reviewed at version {pins}, and version {member.pin} is not "
            "known to have left it as it was"
        )
    if all(_beyond(uses, [row]) for row in holding):
        return f"{_beyond(uses, holding[:1])} of {change.shown()}"
    return ""


def _beyond(uses: Iterable[HazardUse], rows: Sequence[ReviewedChange]) -> str:
    """The first hazard that the rows do not have; "" if they have all of them."""
    reviewed = {hazard for row in rows for hazard in row.hazards}
    missing = sorted(named(use) for use in uses if not _has(reviewed, use))
    return f"no review holds the hazard {missing[0]}" if missing else ""


def _has(reviewed: Collection[str], use: HazardUse) -> bool:
    if use.hazard is not Hazard.MERGES_PATIENTS:
        return named(use) in reviewed
    # Fewer patients than reviewed: part of the image sets has been changed since.
    numbers = [one.partition("@") for one in reviewed]
    return any(
        name == use.hazard and int(number or "0") >= use.number for name, _, number in numbers
    )


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
