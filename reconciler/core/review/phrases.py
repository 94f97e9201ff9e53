"""Counts and durations in words, the same in every output."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from reconciler.core.dicom.search_tags import MEMBERS
from reconciler.core.model.guardrail import Amount, Stop
from reconciler.core.model.plan import Selection, Since, Unread
from reconciler.core.model.scope import Observation
from reconciler.core.review.search import ShownImageSet

# How many new consents are listed.
_CONSENTS = 10
# What stands before the lines of `changed_since`.
BEYOND_MANIFESTS = "This pull request also changes more than manifests:"
# How many image sets that changed their tier are named.
_RETIERED = 3
# How many image sets that leave a selector are named.
_LEAVING = 3


def plural(count: int, noun: str) -> str:
    """`1 image set`, `3 image sets`, `2 series`, `2 studies`."""
    if count == 1 or noun.endswith("s"):
        return f"{count:,} {noun}"
    return f"{count:,} {noun[:-1]}ies" if noun.endswith("y") else f"{count:,} {noun}s"


def released(path: str) -> str:
    """What happens to the value of a path that no manifest asks for any more: nothing."""
    return f"no manifest asks for {path} any more; its value stays"


def not_read(one: Unread) -> str:
    """`data store archive: 30 image sets not read: the AWS credentials have expired`."""
    image_sets = plural(one.image_sets, "image set")
    return f"data store {one.datastore}: {image_sets} not read: {one.message}"


def observed(observations: Iterable[Observation]) -> tuple[str, ...]:
    """How data stores were observed, where not every image set was looked at."""
    return tuple(sentence for one in observations if (sentence := _observed(one)))


def _observed(one: Observation) -> str:
    if one.why:
        return f"{one.datastore}: every image set was looked at, since {one.why}."
    if one.verified is None or one.full is None:
        return ""
    return (
        f"{one.datastore}: {plural(one.as_recorded, 'image set')} as recorded, verified as of "
        f"{_moment(one.verified)}; deletions as of the last full scan, {_moment(one.full)}."
    )


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def stopped(one: Stop) -> str:
    """Which guardrail stops an apply: what it would change, and the line that states the limit."""
    return (
        f"data store {one.datastore}: {_exceeding(one)}, more than `{one.guardrail.stated}` allows "
        f"({one.guardrail.place})"
    )


def _exceeding(one: Stop) -> str:
    match one.guardrail.amount:
        case Amount.IMAGE_SETS:
            return f"{plural(one.found, 'image set')} would change"
        case Amount.PERCENT:
            return f"{one.found:,} of {one.recorded:,} recorded image sets would change"
        case Amount.REMOVED_INSTANCES:
            return f"{plural(one.found, 'instance')} would be removed"
        case Amount.REMOVED_SERIES:
            return f"{plural(one.found, 'series')} would be removed"
        case Amount.PATIENTS:
            return f"image sets of {plural(one.found, 'patient')} would change"
        case Amount.FORCED_STEPS:
            return f"{plural(one.found, 'call')} would be sent with force"


def selected(selections: Sequence[Selection]) -> Iterator[str]:
    """What selectors select: a count, and what a reviewer has to know of some of them."""
    if not selections:
        return
    image_sets = plural(sum(one.image_sets for one in selections), "image set")
    yield f"Selected: {image_sets} by {plural(len(selections), 'manifest')}."
    for one in selections:
        if one.leaving:
            more = len(one.leaving) - _LEAVING
            names = ", ".join(one.leaving[:_LEAVING]) + (f" and {more:,} more" if more > 0 else "")
            verb = "leaves" if len(one.leaving) == 1 else "leave"
            those = f"{plural(len(one.leaving), 'image set')} {verb} {one.name} ({one.place})"
            yield f"{those}: {names}. What was changed there stays."


def not_selected(one: Selection) -> str:
    """`wrong-id (manifests/a.yaml:4:7) changes nothing: it selects no image set`."""
    return f"{one.name} ({one.place}) changes nothing: {one.problem}"


def moved(retiered: Sequence[str]) -> str:
    """What the reads of a plan cost: `Reading moved 3 image sets to the …`; "" if nothing."""
    if not retiered:
        return ""
    more = len(retiered) - _RETIERED
    names = ", ".join(retiered[:_RETIERED]) + (f" and {more:,} more" if more > 0 else "")
    return (
        f"Reading moved {plural(len(retiered), 'image set')} from the Archive Instant Access tier "
        f"to the Frequent Access tier for at least 30 days: {names}."
    )


def search_notes(
    found: Sequence[ShownImageSet], fields: Collection[str], *, is_cut: bool, has_failed: bool
) -> Iterator[str]:
    """What the list of a search does not show. `fields` are the columns that it has."""
    members = {MEMBERS[name] for name in fields if name in MEMBERS}
    masked = [len(members.intersection(image_set.masked)) for image_set in found]
    counts = [count for count in masked if count]
    if counts:
        image_sets = plural(len(counts), "image set")
        yield (
            f"Masked: {plural(sum(counts), 'value')} of {image_sets}. Add --show-values if this "
            "output may contain patient data."
        )
    if is_cut:
        yield (
            f"There are more: this list ends after {plural(len(found), 'image set')}. "
            "Narrow the search, or add --limit."
        )
    elif not found and not has_failed:
        yield "No image set was found."


def duration(seconds: float) -> str:
    """`4 s`, `12 min`, `1 h 06 min`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02} min"


def changed_since(since: Since) -> tuple[str, ...]:
    """What changed since the base besides the asks, the gravest first; () if nothing did."""
    found = []
    if since.settings:
        found.append(
            "reconciler.yaml changed. This plan is made with the settings of the base; the new "
            "settings hold after the merge"
        )
    if since.key:
        found.append("reconciler.key is new. It makes the digests of records and reviews")
    if since.local:
        files = plural(since.local, "file")
        found.append(f"{files} below .reconcile/, which no commit should have")
    if since.consents:
        more = len(since.consents) - _CONSENTS
        others = f"; and {more:,} more" if more > 0 else ""
        found.append(f"new consent: {'; '.join(since.consents[:_CONSENTS])}{others}")
    return tuple(f"{one}." for one in found)


def planned_later(since: Since | None) -> tuple[str, ...]:
    """What is asked of data stores that only the settings of the pull request have."""
    return tuple(
        f"Planned after the merge: {plural(one.image_sets, 'image set')} of data store "
        f"{one.datastore}, which the settings of the base do not have."
        for one in (since.later if since is not None else ())
    )


def not_compared(since: Since | None) -> str:
    """Why nothing is stated of the actions at the base; "" if they are compared."""
    if since is None or not since.problem:
        return ""
    return (
        "Not compared with the base: this plan does not state which refusals are new. At the base, "
        f"{since.problem}."
    )


def not_clean(commit: str) -> str:
    """State that a plan was made from files that the commit does not hold as they were."""
    held = f"commit {commit[:12]} does not hold" if commit else "no commit holds"
    return f"Tree not clean: {held} the manifests and reconciler.yaml as this plan read them."
