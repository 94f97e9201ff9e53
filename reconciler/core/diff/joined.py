"""Two versions of one entry, joined: what a run recorded and what others have pushed meanwhile.

A merge of two branches of records gives the same entry whichever side is taken first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.core.model import selected
from reconciler.core.model.record import (
    Baselines,
    Entry,
    Unverified,
    as_baselines,
    ranked,
)


def joined(one: Entry, other: Entry) -> Entry:
    """The entry that states what both state.

    The version and what was seen with it come from the side that saw the higher version, and each
    baseline from the side where it is higher. Where the sides differ in a baseline, neither has
    seen all that is asked converged: then the next plan reads the document once more. A path that
    one side calls asked and the other released is asked if the side with the higher version says
    so. The image set belongs to the selectors of both sides. The run and the commit are those of
    the side that states all of this, else those of the side with the higher version. Entries of
    different image sets of the same ID, or of another history, are not joined: the one that was
    created later stands.
    """
    if not _are_of_one(one, other):
        return max(one, other, key=lambda entry: (entry.created_at or 0.0, _order(entry)))
    low, high = sorted((one, other), key=_order)
    asked, released = _sides(low, high)
    differs = dict(low.baselines) != dict(high.baselines)
    is_whole = not differs and high.ask_digest
    found = replace(
        high,
        asked=asked,
        released=released,
        ask_digest=high.ask_digest if is_whole else "",
        study=high.study if is_whole else None,
        arn=high.arn or low.arn,
        unverified=_unverified(low, high, {**dict(released), **dict(asked)}),
        selected_by=selected.joined(low.selected_by, high.selected_by),
    )
    last = low if found.unsigned == low.unsigned and found.unsigned != high.unsigned else high
    return replace(found, run=last.run, applied_commit=last.applied_commit)


def _are_of_one(one: Entry, other: Entry) -> bool:
    if one.arn and other.arn and one.arn != other.arn:
        return False
    if not (one.is_dated and other.is_dated):
        return True
    return one.created_at == other.created_at


def _order(entry: Entry) -> tuple[object, ...]:
    """By version. The rest makes the order total, so that it is the same from both sides."""
    return (
        ranked(entry.version_id),
        entry.updated_at is not None,
        entry.updated_at or 0.0,
        entry.rules_version,
        entry.ask_digest,
        entry.previous_version_id,
        entry.asked,
        entry.released,
        entry.arn,
        repr(entry.study),
        entry.unverified,
        entry.selected_by,
        entry.run,
        entry.applied_commit,
    )


def _sides(low: Entry, high: Entry) -> tuple[Baselines, Baselines]:
    asked, released = dict(low.asked), dict(low.released)
    for path, baseline in high.asked:
        asked[path] = _highest(baseline, asked.get(path), released.pop(path, None))
    for path, baseline in high.released:
        released[path] = _highest(baseline, released.get(path), asked.pop(path, None))
    return as_baselines(asked), as_baselines(released)


def _highest(baseline: str, *others: str | None) -> str:
    return max((baseline, *(one for one in others if one is not None)), key=ranked)


def _unverified(low: Entry, high: Entry, baselines: Mapping[str, str]) -> tuple[Unverified, ...]:
    """The versions of both sides, without those whose paths have all been seen converged since."""
    found: dict[str, Unverified] = {}
    for held in (*low.unverified, *high.unverified):
        earlier = found.get(held.version_id)
        found[held.version_id] = _both(earlier, held) if earlier else held
    return tuple(sorted(one for one in found.values() if _stands(one, baselines)))


def _both(one: Unverified, other: Unverified) -> Unverified:
    return replace(
        one,
        paths=tuple(sorted({*one.paths, *other.paths})),
        requests=as_baselines({**dict(one.requests), **dict(other.requests)}),
        is_left=one.is_left or other.is_left,
    )


def _stands(one: Unverified, baselines: Mapping[str, str]) -> bool:
    """Whether a path of the version was not seen converged at that version, or later."""
    return not one.paths or any(
        ranked(baselines.get(path, "0")) < ranked(one.version_id) for path in one.paths
    )


def joined_entries(own: Iterable[Entry], theirs: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries of a file: those that only one side has, and the others joined; sorted."""
    found = {entry.image_set_id: entry for entry in theirs}
    for entry in own:
        held = found.get(entry.image_set_id)
        found[entry.image_set_id] = joined(entry, held) if held is not None else entry
    return tuple(found[name] for name in sorted(found))
