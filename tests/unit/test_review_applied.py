"""What became of a plan, as every renderer gets it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

import pytest

from reconciler.core.errors import Place
from reconciler.core.model.change import Block
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.outcome import Outcome, Result
from reconciler.core.model.plan import Action, Basis, HazardUse, Member, Plan, Status, Step, Unread
from reconciler.core.model.results import Applied
from reconciler.core.model.settings import Redact
from reconciler.core.review import AppliedReview, review_applied, reviewer
from reconciler.core.review.applied import Mark

STEP = Step("d" * 32, "a" * 32, "1", (("a" * 32, "sha256:0"),), updatable="{}")
BLOCKED = Action("research", "d" * 32, Status.BLOCKED, (Member("b" * 32, "4"),))
PLACE = Place("manifests/a.yaml", 3)


def reviewed(
    *results: Result,
    held: tuple[Action, ...] = (),
    recorded: tuple[str, ...] = (),
    commit: str = "",
) -> AppliedReview:
    outcomes = tuple(Outcome(STEP, result) for result in results)
    paths = tuple(map(PurePath, recorded))
    return review_applied(Applied(Plan(Basis("", 1), held), outcomes, paths, commit), Redact.ALL)


@pytest.mark.parametrize("result", Result)
def test_every_end_has_the_mark_of_what_it_means(result: Result) -> None:
    mark = reviewer(Plan(Basis("", 1), ()), Redact.ALL)(Outcome(STEP, result)).mark
    assert (mark is Mark.GOOD) == result.is_good
    assert (mark is Mark.ERROR) == result.is_error
    assert (mark is Mark.UNKNOWN) == (result is Result.UNRESOLVED)


def test_every_result_that_is_not_good_or_blocked_has_advice() -> None:
    """A blocked step has its reason, and the plan its hint."""
    advised = {result for result, _ in reviewed(*Result).advice}
    assert advised == {one for one in Result if not one.is_good and one is not Result.BLOCKED}


def test_held_actions_are_counted_with_the_steps_that_ended_alike() -> None:
    shown = reviewed(Result.BLOCKED, Result.CONVERGED, held=(BLOCKED,))
    assert shown.counts == (("converged", 1), ("blocked", 2))
    assert dict(shown.results)[Result.BLOCKED] == 1
    assert shown.summary == "Apply: 1 converged, 2 blocked."


def test_what_the_plan_did_not_read_is_counted_last_and_is_an_error() -> None:
    archive = Unread("archive", "e" * 32, 30, "the AWS credentials have expired")
    plan = Plan(Basis("", 1), (BLOCKED,), unread=(archive, archive))
    shown = review_applied(Applied(plan, (Outcome(STEP, Result.CONVERGED),)), Redact.ALL)
    assert shown.summary == "Apply: 1 converged, 1 blocked, 60 not read."
    assert shown.unread == (archive, archive)
    done = Applied(replace(plan, actions=(), unread=(archive,)))
    assert review_applied(done, Redact.ALL).exit_code == 1


def test_each_reason_and_each_missing_consent_is_stated_once() -> None:
    """A study has the same reason for each of its image sets."""
    blocks = tuple(Block(name, "no such series", "hint", PLACE, "") for name in ("b", "c"))
    line = "allow: [CHANGES_UID, REMOVES_INSTANCE]"
    uses = tuple(
        HazardUse(hazard, name, False, line)
        for hazard in (Hazard.CHANGES_UID, Hazard.REMOVES_INSTANCE)
        for name in ("b", "c")
    )
    consented = HazardUse(Hazard.FORCE, "b", True)
    action = Action(
        "research",
        "d" * 32,
        Status.BLOCKED,
        BLOCKED.members,
        blocks=blocks,
        hazards=(*uses, consented),
    )
    (held,) = reviewed(held=(action,)).held
    assert [reason.message for reason in held.reasons] == ["no such series"]
    assert [use.hazard for use in held.missing] == [Hazard.CHANGES_UID, Hazard.REMOVES_INSTANCE]
    assert held.consents == (line,)


def test_only_good_outcomes_are_left_out() -> None:
    shown = reviewed(Result.CONVERGED, Result.FAILED, Result.CONVERGED, Result.CONVERGED)
    kept, left_out = shown.shortened(1)
    assert [outcome.result for outcome in kept] == [Result.CONVERGED, Result.FAILED]
    assert left_out == 2


@pytest.mark.parametrize(
    ("recorded", "commit", "files", "new_key", "earlier"),
    [
        ((), "", 0, False, False),
        ((), "c" * 40, 0, False, True),
        (("records/d/0.json",), "", 1, False, False),
        (("reconciler.key", "records/d/0.json"), "c" * 40, 1, True, False),
    ],
)
def test_what_was_recorded(
    recorded: tuple[str, ...], commit: str, files: int, new_key: bool, earlier: bool
) -> None:
    records = reviewed(recorded=recorded, commit=commit).records
    assert records.paths == recorded
    assert (records.files, records.has_new_key) == (files, new_key)
    assert records.is_of_earlier_run is earlier
