"""Outcomes -> evidence: what the records say of the image sets of a plan. No I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from reconciler.core.diff.paths import covers
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.outcome import Landed, Outcome, Result
from reconciler.core.model.plan import Action, Member, Plan, Status, Step
from reconciler.core.model.record import Evidence, Unverified
from reconciler.core.plan.sent import paths_of_study, sent_paths

# With these outcomes nothing was sent, and nothing is known that was not known before.
_UNTOUCHED = frozenset({Result.BLOCKED, Result.STALE, Result.NOT_ATTEMPTED})


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
            yield replace(
                found,
                converged_of_study=_asked_by_others(paths_of_study(action), member),
                # Another image set of the study does not hold it: nothing may be left unread.
                ask_digest=found.ask_digest if outcome.result.is_good else "",
            )

    def ended(self, action: Action, outcomes: Collection[Outcome]) -> Iterator[Evidence]:
        """What an action shows of the image sets that it did not bring to what is asked.

        A path without a baseline gets the version that was planned for, so that a second run finds
        drift where another process has been faster. What the calls before the failure made is
        recorded by named paths.
        """
        if all(outcome.result in _UNTOUCHED for outcome in outcomes):
            return
        landed = {one.image_set_id: one for outcome in outcomes for one in outcome.landed}
        done = {
            one.image_set_id
            for outcome in outcomes
            for one in outcome.landed
            if self._last[action.datastore_id, one.image_set_id] == outcome.step
        }
        left = [member for member in action.members if member.image_set_id not in done]
        if not left:
            return
        sent: dict[str, set[str]] = defaultdict(set)
        for outcome in outcomes:
            made = {one.image_set_id for one in outcome.landed}
            for name, path in sent_paths(action, outcome.step):
                if name in made:
                    sent[name].add(path)
        of_study = paths_of_study(action)
        unverified = _unverified(action, outcomes)
        for member in left:
            theirs = _asked_by_others(of_study, member)
            if not (member.asked or theirs):
                continue
            name = member.image_set_id
            made_paths = sorted(sent[name])
            seen, otherwise = unverified.get(name, (landed.get(name), None))
            paths = tuple(sorted({*member.asked, *theirs}))
            yield replace(
                _evidence(
                    action.datastore_id,
                    member,
                    seen,
                    converged=tuple(path for path in made_paths if path not in theirs),
                    carried=member.asked,
                ),
                converged_of_study=tuple(path for path in made_paths if path in theirs),
                carried_of_study=theirs,
                unverified=replace(otherwise, paths=paths) if otherwise else None,
            )


def _unverified(
    action: Action, outcomes: Iterable[Outcome]
) -> dict[str, tuple[Landed, Unverified]]:
    """The versions with other content than planned, by image set, with what was asked."""
    return {
        one.image_set_id: (
            one,
            Unverified(one.version_id, requests=_requests(action, outcome.step)),
        )
        for outcome in outcomes
        for one in outcome.unverified
    }


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
    for action in plan.actions:
        if action.datastore != datastore or action.status is not Status.CONVERGED:
            continue
        for member in action.members:
            yield member, _evidence(action.datastore_id, member, converged=member.asked)


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
    )
