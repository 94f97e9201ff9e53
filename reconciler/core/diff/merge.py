"""Evidence, merged into the entry that is there: no baseline goes down, and no path is lost.

Several runs may find out about one image set, in any order, and each of them about some paths
only. So an entry is never replaced: what a run did not carry keeps its baseline.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from reconciler.core.diff.paths import covers, is_below, is_pattern, is_whole
from reconciler.core.model import selected
from reconciler.core.model.record import (
    Baselines,
    Entry,
    Evidence,
    StudyMembers,
    Unverified,
    as_baselines,
    ranked,
)


def merged(entry: Entry | None, evidence: Evidence) -> Entry:
    """The entry that states what both state; its version is the newest of the two."""
    is_other = entry is not None and _is_other(entry, evidence)
    held = entry.disbelieved if entry is not None and is_other else entry
    asked, released = _amended(held, evidence)
    rows = as_baselines(asked), as_baselines(released)
    unverified = _unverified(held.unverified if held else (), evidence)
    selected_by = selected.merged(
        entry.selected_by if entry is not None and not is_other else (), evidence.selected_by
    )
    if entry is not None and not is_other:
        if ranked(evidence.version_id) < ranked(entry.version_id):
            return replace(entry, asked=rows[0], released=rows[1], unverified=unverified)
        known = (entry.asked, entry.released, entry.unverified, entry.selected_by)
        if (*rows, unverified, selected_by) == known and _only_carried(evidence):
            return entry
    return Entry(
        datastore_id=evidence.datastore_id,
        image_set_id=evidence.image_set_id,
        version_id=evidence.version_id,
        previous_version_id=evidence.previous_version_id,
        updated_at=evidence.updated_at,
        created_at=evidence.created_at,
        arn=evidence.arn or (entry.arn if entry is not None and not is_other else ""),
        asked=rows[0],
        released=rows[1],
        ask_digest=_digest(entry, evidence, is_other=is_other),
        unverified=unverified,
        study=_study(entry, evidence, is_other=is_other),
        selected_by=selected_by,
    )


def _only_carried(evidence: Evidence) -> bool:
    """Whether the run saw nothing new of the image set."""
    carried = evidence.carried or evidence.carried_of_study
    return bool(carried) and not (evidence.converged or evidence.converged_of_study)


def _amended(entry: Entry | None, evidence: Evidence) -> tuple[dict[str, str], dict[str, str]]:
    """The baselines of the asked and of the released paths, after what was found."""
    asked = _renamed(entry.asked if entry else (), evidence.renamed)
    released = _renamed(entry.released if entry else (), evidence.renamed)
    for path in evidence.carried:
        asked[path] = _known(path, asked, released) or evidence.carried_version
    for path in evidence.converged:
        asked[path] = _higher(_known(path, asked, released), evidence.version_id)
        if is_pattern(path):
            _raise_covered(path, evidence.version_id, asked, released)
        if is_whole(path):
            asked, released = _without_below(path, asked), _without_below(path, released)
    for path in (*evidence.carried, *evidence.converged):
        released.pop(path, None)
    # What other manifests ask of the study is kept beside the released paths, so that each image
    # set of the study has a baseline of its own.
    for path in evidence.converged_of_study:
        held = asked if path in asked else released
        held[path] = _higher(held.get(path), evidence.version_id)
    for path in evidence.carried_of_study:
        if _known(path, asked, released) is None:
            released[path] = evidence.carried_version
    for one in evidence.accepted:
        for path in one.paths:
            held = released if path in released and path not in asked else asked
            held[path] = _higher(held.get(path), one.version_id)
    for path in evidence.released:
        if path in asked:
            released[path] = _higher(released.get(path), asked.pop(path))
    return asked, released


def with_accepted(entry: Entry, accepted: Iterable[Unverified]) -> Entry:
    """The entry once manifests have accepted unverified versions: these are baselines then."""
    evidence = Evidence(
        entry.datastore_id,
        entry.image_set_id,
        entry.version_id,
        entry.previous_version_id,
        entry.updated_at,
        accepted=tuple(accepted),
    )
    asked, released = _amended(entry, evidence)
    return replace(
        entry,
        asked=as_baselines(asked),
        released=as_baselines(released),
        unverified=_unverified(entry.unverified, evidence),
    )


def _unverified(held: Iterable[Unverified], evidence: Evidence) -> tuple[Unverified, ...]:
    """What is still unverified: what no manifest has accepted.

    A request ends with its path: had the service stored it otherwise, and were it still asked, then
    the action would have been blocked, and nothing were accepted.
    """
    names = dict(evidence.renamed)
    found = {one.version_id: _moved(one, names) for one in held}
    if evidence.unverified is not None:
        found[evidence.unverified.version_id] = evidence.unverified
    for one in evidence.accepted:
        if one.version_id in found:
            found[one.version_id] = _without(found[one.version_id], one.paths)
    return tuple(sorted(one for one in found.values() if one.paths))


def _moved(held: Unverified, names: Mapping[str, str]) -> Unverified:
    """The same under the new UIDs."""
    return replace(
        held,
        paths=tuple(sorted({names.get(path, path) for path in held.paths})),
        requests=as_baselines((names.get(path, path), digest) for path, digest in held.requests),
    )


def _without(held: Unverified, accepted: Collection[str]) -> Unverified:
    return replace(
        held,
        paths=tuple(path for path in held.paths if path not in accepted),
        requests=tuple(row for row in held.requests if row[0] not in accepted),
    )


def with_all_released(entry: Entry) -> Entry:
    """The entry of an image set of which no manifest asks anything any more."""
    released = dict(entry.released)
    for path, baseline in entry.asked:
        released[path] = _higher(released.get(path), baseline)
    return replace(entry, asked=(), released=as_baselines(released), ask_digest="", selected_by=())


def signed(before: Entry | None, after: Entry | None, run: str, commit: str) -> Entry | None:
    """The entry after an amendment, with the run and the commit of it if anything else changed.

    So the same outcome gives the same entry, whichever run sees it. A run that applied no commit
    leaves the one that was applied before.
    """
    if after is None or (before is not None and after.unsigned == before.unsigned):
        return before
    kept = before.applied_commit if before is not None else ""
    return replace(after, run=run, applied_commit=commit or kept)


def _is_other(entry: Entry, evidence: Evidence) -> bool:
    """Whether the entry is of another store or history than what was just seen."""
    is_refuted = entry.version_id == evidence.refuted
    return entry.datastore_id != evidence.datastore_id or is_refuted or not entry.is_of(evidence)


def _renamed(held: Baselines, renamed: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Paths under the new UIDs; where both are there, with the higher baseline."""
    names = dict(renamed)
    found: dict[str, str] = {}
    for path, baseline in held:
        name = names.get(path, path)
        found[name] = _higher(found.get(name), baseline)
    return found


def _known(path: str, asked: Mapping[str, str], released: Mapping[str, str]) -> str | None:
    return asked.get(path, released.get(path))


def _raise_covered(
    pattern: str, version: str, asked: dict[str, str], released: dict[str, str]
) -> None:
    """A path with `"*"` was seen converged at every place that it stands for."""
    for held in (asked, released):
        for path in held:
            if covers(pattern, path):
                held[path] = _higher(held[path], version)


def _without_below(path: str, held: Mapping[str, str]) -> dict[str, str]:
    """What was inside of a removed series or instance is not there any more."""
    return {one: baseline for one, baseline in held.items() if not is_below(one, path)}


def _higher(one: str | None, other: str) -> str:
    return other if one is None else max(one, other, key=ranked)


def _digest(entry: Entry | None, evidence: Evidence, *, is_other: bool) -> str:
    """A run that did not see everything converged leaves what is known of this very version.

    After an update that did not bring the whole study to what is asked, nothing is left.
    """
    if evidence.ask_digest or entry is None or is_other:
        return evidence.ask_digest
    if evidence.unverified is not None or evidence.carried_of_study:
        return ""
    return entry.ask_digest if entry.version_id == evidence.version_id else ""


def _study(entry: Entry | None, evidence: Evidence, *, is_other: bool) -> StudyMembers | None:
    """The study, as long as the digest of the ask stands."""
    if evidence.study is not None or entry is None or is_other:
        return evidence.study
    return entry.study if _digest(entry, evidence, is_other=False) else None
