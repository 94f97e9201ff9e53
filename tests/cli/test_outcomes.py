"""The outcomes of a plan, as text and as an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import pytest

from reconciler.core.errors import EXIT_BUG, EXIT_ERROR, CredentialsError, gravest
from reconciler.core.model.change import Block
from reconciler.core.model.outcome import Landed, Outcome, Result
from reconciler.core.model.plan import Action, Basis, Member, Plan, Status
from reconciler.core.model.results import Applied
from reconciler.core.model.settings import Redact
from reconciler.core.report.file import to_json
from reconciler.core.review import AppliedReview, review_applied, reviewer
from reconciler.render.outcomes import outcome_lines, report_lines
from reconciler.render.step_summary import step_summary
from reconciler.render.style import Look
from tests.cli import samples
from tests.cli.conftest import expect

LOOK = Look(width=100)


def outcome(result: Result, number: int = 1, message: str = "") -> Outcome:
    """The end of a step on one image set."""
    name = samples.ident(number)
    seen = result in (Result.CONVERGED, Result.ALREADY_CONVERGED)
    landed = (Landed(name, "2", "1", None),) if seen else ()
    return Outcome(samples.step(name, "1"), result, message, landed)


def applied(outcomes: Sequence[Outcome], held: Sequence[Action], **more: Any) -> AppliedReview:
    """Outcomes, and actions that the plan blocked."""
    ended = Applied(Plan(Basis("", 1), tuple(held)), tuple(outcomes), **more)
    return review_applied(ended, Redact.IDENTIFYING)


def lines_of(outcome: Outcome, *actions: Action) -> list[str]:
    review = reviewer(Plan(Basis("", 1), actions), Redact.IDENTIFYING)
    return list(outcome_lines(review(outcome), LOOK))


@pytest.mark.parametrize(
    ("results", "held", "code"),
    [
        ([], [], 0),
        ([Result.CONVERGED, Result.ALREADY_CONVERGED], [], 0),
        ([Result.CONVERGED, Result.CONFLICT], [], 1),
        ([Result.FAILED], [], 1),
        ([Result.UNVERIFIED], [], 1),
        ([Result.BLOCKED], [], 1),
        ([Result.CONVERGED, Result.NOT_ATTEMPTED], [], 2),
        ([Result.UNRESOLVED], [], 2),
        ([Result.UNRESOLVED, Result.FAILED], [], 1),
        ([Result.CONVERGED], [Status.BLOCKED], 1),
        ([Result.CONVERGED], [Status.DRIFTED], 1),
        ([Result.CONVERGED], [Status.BUSY], 2),
        ([Result.CONVERGED], [Status.BUSY, Status.BLOCKED], 1),
    ],
)
def test_exit_code(results: list[Result], held: list[Status], code: int) -> None:
    outcomes = [outcome(result) for result in results]
    actions = [samples.action(status, 9, steps=()) for status in held]
    assert applied(outcomes, actions).exit_code == code


def test_a_problem_is_an_error() -> None:
    problems = (CredentialsError("expired"),)
    assert applied([outcome(Result.NOT_ATTEMPTED)], [], problems=problems).exit_code == EXIT_ERROR


def held_by_a_bug(number: int = 9) -> Action:
    """An action that the checker refused."""
    block = Block(samples.ident(number), "this is a bug", "Please report it.", is_bug=True)
    return samples.action(Status.BLOCKED, number, blocks=(block,))


@pytest.mark.parametrize(
    ("result", "more"),
    [
        (Result.CONVERGED, {}),
        (Result.NOT_ATTEMPTED, {}),
        (Result.FAILED, {"problems": (CredentialsError("expired"),)}),
    ],
)
def test_a_bug_outweighs_everything(result: Result, more: dict[str, Any]) -> None:
    held = [samples.action(Status.BLOCKED, 8), held_by_a_bug()]
    assert applied([outcome(result)], held, **more).exit_code == EXIT_BUG


@pytest.mark.parametrize(
    ("codes", "code"),
    [([], 0), ([0, 0], 0), ([0, 2], 2), ([2, 1], 1), ([2, 1, 3], 3), ([3, 1], 3)],
)
def test_the_gravest_exit_code(codes: list[int], code: int) -> None:
    assert gravest(codes) == code
    assert gravest(reversed(codes)) == code


def test_an_apply_says_what_to_do_about_a_bug() -> None:
    lines = list(report_lines(applied([], [held_by_a_bug()]), LOOK))
    assert lines[1:3] == ["    this is a bug", "    Please report it."]


@pytest.mark.parametrize("end", [*Result, *Status])
def test_every_end_is_good_an_error_or_pending(end: Result | Status) -> None:
    """But for what the run was not to execute: what no review holds, or a newer commit decides."""
    kinds = [end.is_good, end.is_error, end.is_pending].count(True)
    assert kinds == (0 if end in (Result.UNREVIEWED, Result.SUPERSEDED) else 1)


def test_a_hint_stands_on_a_line_of_its_own() -> None:
    """As an error has it: the message, then what to do next."""
    error = CredentialsError("the AWS credentials have expired", "sign in again")
    lines = lines_of(outcome(Result.FAILED, message=str(error)))
    assert lines[1:] == ["    the AWS credentials have expired", "    sign in again"]


def test_every_end_is_told() -> None:
    outcomes = [
        outcome(result, number, "The service says \x1b[2J no" if result is Result.FAILED else "")
        for number, result in enumerate(Result, start=1)
    ]
    held = [*samples.everyday().actions[1:4], *samples.drift(consented=False).actions]
    lines = [line for one in outcomes for line in lines_of(one)]
    ended = applied(
        outcomes,
        held,
        recorded=(PurePath("records/research/00.json"),),
        commit="c" * 40,
        recovered=(Landed(samples.ident(77), "2", "1", None),),
    )
    lines += report_lines(ended, LOOK)
    assert all(line.isprintable() for line in lines)
    expect("outcomes.txt", "\n".join(lines) + "\n")


def test_a_commit_of_what_an_earlier_run_recorded_is_told_as_that() -> None:
    assert list(report_lines(applied([], [], commit="c" * 40), LOOK)) == [
        "Apply: nothing to do.",
        "Committed the records of an earlier run, commit cccccccccccc.",
    ]


FIRST, SECOND, THIRD = map(samples.ident, (1, 2, 3))


def study_of_three() -> Action:
    """Two study-wide calls for the second, then a call of its own for the third."""
    pins = {FIRST: "7", SECOND: "1", THIRD: "4"}
    wide = [replace(samples.step(SECOND, pin, *pins), study_wide=True) for pin in "12"]
    return Action(
        "research",
        "d" * 32,
        Status.UPDATE,
        tuple(Member(name, pin, True) for name, pin in pins.items()),
        steps=(*wide, samples.step(THIRD, "6")),
    )


def landed(*versions: tuple[str, str, str]) -> tuple[Landed, ...]:
    return tuple(Landed(name, new, old, None) for name, old, new in versions)


def test_every_image_set_of_a_study_stands_beside_its_own_versions() -> None:
    action = study_of_three()
    first, second, own = action.steps
    seen = landed((FIRST, "7", "8"), (SECOND, "1", "2"), (THIRD, "4", "5"))
    done = Outcome(first, Result.CONVERGED, "", seen)
    assert lines_of(done, action) == [
        f"✓ converged          image set {FIRST}  version 7 → 8",
        f"                     image set {SECOND}  version 1 → 2",
        f"                     image set {THIRD}  version 4 → 5",
    ]
    partly = Outcome(second, Result.CONFLICT, "said", landed((THIRD, "5", "6")))
    assert lines_of(partly, action) == [
        f"✗ conflict           image set {FIRST}  planned at version 8",
        f"                     image set {SECOND}  planned at version 2",
        f"                     image set {THIRD}  version 5 → 6",
        "    said",
    ]
    last = Outcome(own, Result.NOT_ATTEMPTED)
    assert lines_of(last, action) == [
        f"· not-attempted      image set {THIRD}  planned at version 6"
    ]


def test_a_step_that_is_in_no_plan_is_reported_all_the_same() -> None:
    lost = Outcome(samples.step(SECOND, "1"), Result.CONFLICT, "", landed((FIRST, "7", "8")))
    assert lines_of(lost)[1:] == [f"                     image set {SECOND}  planned at version 1"]


def test_reports_and_the_step_summary_name_every_image_set_of_a_study() -> None:
    action = study_of_three()
    done = Outcome(action.steps[0], Result.UNVERIFIED, "said", landed((SECOND, "1", "2")))
    ended = Applied(Plan(Basis("", 1), (action,)), (done,))
    shown = review_applied(ended, Redact.ALL)
    report: Any = to_json(shown, 1)
    (row,) = report["outcomes"]
    assert row["members"] == [
        {"imageSetId": FIRST, "latestVersionId": "7", "versionId": None, "edits": []},
        {"imageSetId": SECOND, "latestVersionId": "1", "versionId": "2", "edits": []},
        {"imageSetId": THIRD, "latestVersionId": "4", "versionId": None, "edits": []},
    ]
    rows = [line for line in step_summary(shown).splitlines() if line.startswith("| unverified")]
    assert rows == [
        f"| unverified | `{FIRST}` | 7 | said |",
        f"| unverified | `{SECOND}` | 1 → 2 |  |",
        f"| unverified | `{THIRD}` | 4 |  |",
    ]
