"""Outcomes -> evidence: what the records say of the image sets of a plan. No I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.core.diff.paths import covers
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.outcome import Landed, Outcome, Result
from reconciler.core.model.plan import Action, Member, Plan, Status, Step, final_versions, pins
from reconciler.core.model.record import Evidence, Unverified
from reconciler.core.plan.sent import paths_of_study, recordable_paths, sent_paths

# With these outcomes nothing was sent, and nothing is known that was not known before.
_UNTOUCHED = frozenset(
    {
        Result.BLOCKED,
        Result.STALE,
        Result.SUPERSEDED,
        Result.UNREVIEWED,
        Result.NOT_ATTEMPTED,
    }
)


class Ledger:
    """Finds the actions and members of a plan by the steps that have ended."""

    def __init__(self, plan: Plan) -> None:
        self._members = {
            (action.datastore_id, member.image_set_id): (action, member)
            for action in plan.actions
            for member in action.members
        }
        self._last = {
            (step.datastore_id, image_set_id): step
            for step in plan.steps
            for image_set_id, _ in step.expected
        }
        self._final = _final_versions(plan)
        self._action_of = {
            (step.datastore_id, step.image_set_id, step.pin): action
            for action in plan.actions
            for step in action.steps
        }

    def action_of(self, step: Step) -> Action:
        """Return the action of a step."""
        return self._action_of[step.datastore_id, step.image_set_id, step.pin]

    def landed(self, outcome: Outcome) -> Iterator[Evidence]:
        """What the versions show that a step made, as far as they were seen.

        A version that a later step of the plan replaces shows nothing yet. Of a study-wide call
        some image sets may be as planned though others are not: they are recorded all the same.
        """
        for landed in outcome.landed:
            key = (outcome.step.datastore_id, landed.image_set_id)
            if self._last[key] != outcome.step:
                continue
            action, member = self._members[key]
            # The version before is the one that was read, also where several calls lie between:
            # a person who wants the old content back has to look there.
            found = _evidence(action.datastore_id, member, landed, converged=member.asked)
            of_study = _asked_by_others(paths_of_study(action), member)
            found = replace(found, converged_of_study=of_study)
            if outcome.result.is_good:
                yield _in_study(found, member, self._final)
            else:
                # Another image set of the study does not hold it: nothing may be left unread.
                yield replace(found, ask_digest="")

    def ended(self, action: Action, outcomes: Collection[Outcome]) -> Iterator[Evidence]:
        """What an action shows of the image sets that it did not bring to what is asked.

        A path without a baseline gets the version that was planned for, so that a second run finds
        drift where another process has been faster. What the calls before the failure made is
        recorded by named paths.
        """
        if all(outcome.result in _UNTOUCHED for outcome in outcomes):
            return
        landed = {one.image_set_id: one for outcome in outcomes for one in outcome.landed}
        made, of_study = _made(action, outcomes), paths_of_study(action)
        unverified = _unverified(action, outcomes)
        for member in self._left(action, outcomes):
            name, theirs = member.image_set_id, _asked_by_others(of_study, member)
            paths = tuple(sorted({*member.asked, *theirs}))
            if not paths:
                continue
            seen, otherwise = unverified.get(name, (landed.get(name), None))
            yield replace(
                _evidence(
                    action.datastore_id,
                    member,
                    seen,
                    converged=tuple(path for path in made[name] if path not in theirs),
                    carried=member.asked,
                ),
                converged_of_study=tuple(path for path in made[name] if path in theirs),
                carried_of_study=theirs,
                unverified=replace(otherwise, paths=paths) if otherwise else None,
            )

    def _left(self, action: Action, outcomes: Iterable[Outcome]) -> list[Member]:
        """The members that the last call which changes them did not bring to what is asked."""
        done = {
            one.image_set_id
            for outcome in outcomes
            for one in outcome.landed
            if self._last[action.datastore_id, one.image_set_id] == outcome.step
        }
        return [member for member in action.members if member.image_set_id not in done]


def _made(action: Action, outcomes: Iterable[Outcome]) -> Mapping[str, Sequence[str]]:
    """The paths of each image set that calls changed, which were seen as planned; sorted."""
    made: dict[str, set[str]] = defaultdict(set)
    for outcome in outcomes:
        landed = {one.image_set_id for one in outcome.landed}
        for name, path in recordable_paths(action, outcome.step) if landed else ():
            if name in landed:
                made[name].add(path)
    return defaultdict(list, {name: sorted(paths) for name, paths in made.items()})


def _unverified(
    action: Action, outcomes: Iterable[Outcome]
) -> dict[str, tuple[Landed | None, Unverified]]:
    """The versions with other content than planned, by image set, with what was asked.

    After a study-wide call these are also the versions of members that it left as they were.
    """
    found: dict[str, tuple[Landed | None, Unverified]] = {}
    for outcome in outcomes:
        if outcome.result is not Result.UNVERIFIED:
            continue
        requests = _requests(action, outcome.step)
        landed = {one.image_set_id for one in outcome.landed}
        for name, pin in pins(action)[action.steps.index(outcome.step)].items():
            if name not in landed:
                found[name] = None, Unverified(pin, requests=requests, is_left=True)
        for one in outcome.unverified:
            found[one.image_set_id] = one, Unverified(one.version_id, requests=requests)
    return found


def _requests(action: Action, step: Step) -> tuple[tuple[str, str], ...]:
    """What was asked of the paths that a call changed.

    A path with `"*"` counts as sent once one of its places was. One that no change shows, because
    the action gives its instance another UID, counts as sent too: then it is not sent again.
    """
    sent = {path for _, path in sent_paths(action, step)}
    every = {path for one in action.steps for _, path in sent_paths(action, one)}
    asked = {row for member in action.members for row in member.requests}
    return tuple(
        sorted(
            (path, digest)
            for path, digest in asked
            if _stands_for(path, sent) or not _stands_for(path, every)
        )
    )


def _stands_for(path: str, places: Collection[str]) -> bool:
    return path in places or any(covers(path, place) for place in places)


def _asked_by_others(of_study: frozenset[str], member: Member) -> tuple[str, ...]:
    """The paths that manifests ask of the study of a member, and not of the member."""
    return tuple(sorted(of_study.difference(member.asked)))


def converged(plan: Plan, datastore: str) -> Iterator[tuple[Member, Evidence]]:
    """The members that a plan found converged in one data store, as they were read.

    The previous version is the version before an interrupted run of ours, or the recorded one.
    """
    final = _final_versions(plan)
    for action in plan.actions:
        if action.datastore != datastore or action.status is not Status.CONVERGED:
            continue
        for member in action.members:
            seen = _evidence(action.datastore_id, member, converged=member.asked)
            yield member, _in_study(seen, member, final)
        for sibling in action.siblings:
            found = _evidence(action.datastore_id, sibling)
            yield sibling, replace(found, converged_of_study=sibling.asked)


def _final_versions(plan: Plan) -> dict[tuple[str, str], str]:
    """The version of each image set after the plan, by data store and image set."""
    return {
        (action.datastore_id, name): version
        for action in plan.actions
        for name, version in final_versions(action).items()
    }


def _in_study(found: Evidence, member: Member, final: Mapping[tuple[str, str], str]) -> Evidence:
    """The evidence with the members of the study, in the versions that the plan leaves them in.

    Should one of them end in another version, then the record does not spare the next run a read.
    """
    if member.study is None or not found.ask_digest:
        return found
    versions = (
        (name, final.get((found.datastore_id, name), version))
        for name, version in member.study.versions
    )
    return replace(found, study=replace(member.study, versions=tuple(versions)))


def recovered(attempt: Attempt, landed: Landed) -> Evidence:
    """What a version shows that an interrupted run made, as its attempt had announced."""
    return Evidence(
        datastore_id=attempt.datastore_id,
        image_set_id=landed.image_set_id,
        version_id=landed.version_id,
        previous_version_id=landed.previous_version_id,
        updated_at=landed.updated_at,
        created_at=landed.created_at,
        converged=attempt.asked,
        converged_of_study=attempt.of_study,
        ask_digest=attempt.ask_digest,
        selected_by=attempt.selected_by,
    )


def _evidence(
    datastore_id: str,
    member: Member,
    landed: Landed | None = None,
    *,
    converged: tuple[str, ...] = (),
    carried: tuple[str, ...] = (),
) -> Evidence:
    """What is seen of a member: at a version that was made, else as it was read."""
    as_read = member.origin_version_id or member.previous_version_id
    return Evidence(
        datastore_id=datastore_id,
        image_set_id=member.image_set_id,
        version_id=landed.version_id if landed else member.pin,
        previous_version_id=member.before if landed else as_read,
        updated_at=landed.updated_at if landed else member.updated_at,
        created_at=landed.created_at if landed else member.created_at,
        arn=member.arn,
        converged=converged,
        carried=carried,
        carried_version=member.pin,
        released=member.released,
        renamed=member.renamed,
        refuted=member.refuted,
        accepted=member.accepted,
        ask_digest=member.ask_digest if member.is_whole and not carried else "",
        selected_by=member.selected_by,
    )
