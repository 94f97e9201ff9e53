"""Which image sets a selector selects: what its search finds, and what records keep. Pure.

An image set stays selected until `select` or `where` changes, so that a correction of what was
searched for does not end it. A selector that does not select what it is to select is left out: what
it asks is still managed, and nothing that it asks is changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.ask.resolve import merged
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.diff import Diff
from reconciler.core.model.form import Asks, Filled, made
from reconciler.core.model.key import Key
from reconciler.core.model.plan import Plan, Selection
from reconciler.core.model.record import Entry
from reconciler.core.model.results import Checked
from reconciler.core.model.selected import keyed
from reconciler.core.model.selector import Selector
from reconciler.core.model.settings import Datastore
from reconciler.core.model.workflow_status import State
from reconciler.core.review.phrases import plural

# The most image sets of a selector whose manifest states no number.
MOST_UNSTATED = 10_000
# The most rows that the search of one selector reads: 20,000 calls, 14 minutes at AWS's quota.
MOST_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Rows:
    """The image sets that a search found, in any order.

    `problem` and `hint` state why there may be more; "" if the search came to its end.
    """

    image_sets: frozenset[str]
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """The image sets that records and attempts state for a selector.

    `earlier` were selected by another `select` or `where` of the same name.
    """

    staying: frozenset[str] = frozenset()
    earlier: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a selector selects. `recalled` are image sets that its search does not find any more."""

    selector: Selector
    selection: Selection
    image_sets: tuple[str, ...]
    recalled: frozenset[str] = frozenset()

    def asks(self) -> Iterable[ImageSetAsk]:
        """What it asks of each image set."""
        one, is_left_out = self.selector, bool(self.selection.problem)
        if is_left_out:
            one = replace(one, ask=replace(one.ask, left_out=frozenset(one.ask.sources)))
        # What a selector selects wrongly leaves the records as they are.
        by = ((one.name, "" if is_left_out else one.digest),)
        for name in self.image_sets:
            yield one.of(name, by, is_recalled=name in self.recalled)


def kept_of(
    selectors: Iterable[Selector],
    datastore: Datastore,
    entries: Mapping[str, Entry],
    attempts: Iterable[Attempt],
    key: Key | None,
) -> Mapping[str, Kept]:
    """What is kept for each selector of a data store, by its name."""
    recorded: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for entry in entries.values():
        for name, held in entry.selected_by:
            recorded[name].append((entry.image_set_id, held))
    tried = [
        (name, attempt.image_set_id, held)
        for attempt in attempts
        if attempt.datastore_id == datastore.datastore_id
        for name, held in attempt.selected_by or ()
    ]
    found = {}
    for one in selectors:
        own = keyed(datastore.datastore_id, one.name, one.digest, key) if key else ""
        # "" is of a key that was lost when another run had made one, too.
        staying = {image_set for image_set, held in recorded[one.name] if held in (own, "")}
        staying |= {name for by, name, held in tried if (by, held) == (one.name, one.digest)}
        earlier = {image_set for image_set, _ in recorded[one.name]} - staying
        found[one.name] = Kept(frozenset(staying), frozenset(earlier))
    return found


def most_of(selector: Selector) -> int:
    """The most image sets that a selector may select."""
    stated = selector.expected.most
    return MOST_UNSTATED if stated is None else stated


def choose(selector: Selector, datastore: Datastore, rows: Rows, kept: Kept) -> Chosen:
    """Decide what a selector selects."""
    selected = rows.image_sets | kept.staying
    problem, hint = (rows.problem, rows.hint) if rows.problem else _unexpected(selector, selected)
    if problem:
        selected |= kept.earlier
    leaving = kept.earlier - selected
    selection = Selection(
        selector.datastore,
        datastore.datastore_id,
        selector.name,
        selector.place,
        len(selected),
        tuple(sorted(leaving)),
        problem,
        hint,
    )
    return Chosen(selector, selection, tuple(sorted(selected)), selected - rows.image_sets)


def _unexpected(selector: Selector, selected: frozenset[str]) -> tuple[str, str]:
    """Why the number of image sets is wrong, and what to do; "" if it is right."""
    expected, count = selector.expected, len(selected)
    if not count and expected.allows_empty:
        return "", ""
    if not count:
        return (
            "it selects no image set",
            "Correct `select` or `where`. If it may select none, add `allowEmpty: true`.",
        )
    if count > most_of(selector):
        more = f"it selects more than {plural(most_of(selector), 'image set')}"
        if expected.most is None:
            return more, "Narrow `select`, or state the number: `expect: {atMost: N}`."
        return more, "Narrow `select` or `where`, or correct `expect`."
    if expected.least is not None and count < expected.least:
        return (
            f"it selects {count:,} of {expected.least:,} expected image sets",
            "Correct `select`, `where` or `expect`. A search may lag behind an import.",
        )
    return "", ""


def expanded(checked: Checked, chosen: Sequence[Chosen]) -> Checked:
    """The asks of all manifests, with those for the image sets that selectors select."""
    if not checked.selectors:
        return checked
    found: dict[tuple[str, str], ImageSetAsk | Filled] = {
        (ask.datastore, ask.image_set_id): ask for ask in checked.managed.found
    }
    shared: dict[tuple[str, str], list[ImageSetAsk]] = {}
    for ask in (ask for one in chosen for ask in one.asks()):
        subject = ask.datastore, ask.image_set_id
        if subject in found:
            shared.setdefault(subject, [made(found[subject])]).append(ask)
        else:  # its claims are in order: those of a selector are sorted once
            found[subject] = ask
    for subject, group in shared.items():
        found[subject] = merged(sorted(group, key=lambda ask: ask.sources[0].place))
    return replace(checked, managed=Asks([found[subject] for subject in sorted(found)]))


def lost(diffs: Iterable[Diff]) -> tuple[str, ...]:
    """The image sets that only records select, and that do not exist any more.

    Their deletion ends what a selector asks of them. Nothing is left to be corrected.
    """
    return tuple(found.image_set_id for found in diffs if found.ask.is_recalled and _is_gone(found))


def _is_gone(found: Diff) -> bool:
    live = found.reading.properties
    if live is None:
        return found.reading.unread is None
    return live.state == State.DELETED


def digests_of(chosen: Iterable[Chosen]) -> tuple[tuple[str, str, str], ...]:
    """The data store, the name and the digest of each selector, as a plan keeps them."""
    found = (one.selector for one in chosen)
    return tuple(sorted((one.datastore, one.name, one.digest) for one in found))


def selected_otherwise(checked: Checked, plan: Plan) -> frozenset[str]:
    """The data stores with a selector that is not as it was for a plan."""
    now = {(one.datastore, one.name, one.digest) for one in checked.selectors}
    return frozenset(datastore for datastore, _, _ in now ^ set(plan.selector_digests))


def pinned(checked: Checked, plan: Plan) -> Checked:
    """The asks of today's manifests for a saved plan: its image sets, and no search.

    A selector that selects otherwise today asks nothing of them.
    """
    planned = {(one.datastore, one.name): one for one in plan.selections}
    digests, members = frozenset(plan.selector_digests), _members(plan)
    chosen = [
        Chosen(one, planned[subject], tuple(members[subject]))
        for one in checked.selectors
        if (*(subject := (one.datastore, one.name)), one.digest) in digests
    ]
    return expanded(checked, chosen)


def _members(plan: Plan) -> Mapping[tuple[str, str], list[str]]:
    """The image sets of the actions of a plan by data store and selector."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for action in plan.actions:
        for member in action.members:
            for name, _ in member.selected_by or ():
                found[action.datastore, name].append(member.image_set_id)
    return found
