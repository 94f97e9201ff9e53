"""What a reader of a report sees: image sets that ended alike are one row."""

from __future__ import annotations

import pytest

from reconciler.core.errors import ReconcilerError
from reconciler.core.model.outcome import Landed, Outcome, Result
from reconciler.core.model.plan import Action, Basis, Member, Plan, Status
from reconciler.core.model.results import Applied, Published
from reconciler.core.model.settings import Redact
from reconciler.core.report import ReportView, view_of
from reconciler.core.report.narrow import narrowed
from reconciler.core.review import AppliedReview, review_applied
from tests.cli import samples
from tests.reviews.reports import REPORTS


def ended(number: int, result: Result, message: str = "", pin: str = "1") -> Outcome:
    name = samples.ident(number)
    new = str(int(pin) + 1)
    landed = (Landed(name, new, pin, None),) if result.is_good else ()
    return Outcome(samples.step(name, pin), result, message, landed)


def report(*outcomes: Outcome, held: tuple[Action, ...] = ()) -> AppliedReview:
    return review_applied(Applied(Plan(Basis("", 1), held), outcomes), Redact.ALL)


def view(*outcomes: Outcome, held: tuple[Action, ...] = ()) -> ReportView:
    return view_of(report(*outcomes, held=held))


def test_messages_that_differ_in_image_sets_and_versions_are_one_row() -> None:
    outcomes = [
        ended(
            number,
            Result.UNVERIFIED,
            f"image set {samples.ident(number)}: version {number} does not have the planned content"
            f"\nTo see it: aws --image-set-id {samples.ident(number)} --version-id {number}",
        )
        for number in (1, 2, 3, 4)
    ]
    (row,) = view(*outcomes).wrong
    assert (row.image_sets, row.varies, len(row.first)) == (4, True, 3)
    assert row.message.startswith(f"image set {samples.ident(1)}: version 1")


def test_messages_that_differ_in_anything_else_are_rows_of_their_own() -> None:
    found = view(
        ended(1, Result.FAILED, "HTTP 404"),
        ended(2, Result.FAILED, "HTTP 409"),
        ended(3, Result.FAILED, "HTTP 409"),
    )
    assert [(row.message, row.image_sets) for row in found.wrong] == [
        ("HTTP 409", 2),
        ("HTTP 404", 1),
    ]


def test_an_image_set_counts_once_by_its_gravest_call() -> None:
    """The first of two calls made version 2, the second failed."""
    found = view(
        ended(1, Result.CONVERGED), ended(1, Result.FAILED, pin="2"), ended(2, Result.CONVERGED)
    )
    assert found.verdict[:2] == (
        "1 of 2 image sets is as planned and verified.",
        "Not as planned: 1 failed.",
    )
    (row,) = found.wrong
    assert [(one.pin, one.version_id) for one in row.first] == [("1", "2")]


@pytest.mark.parametrize("result", Result)
def test_every_result_has_its_place(result: Result) -> None:
    found = view(ended(1, result))
    rows = [row.word for row in (*found.wrong, *found.unsent)]
    assert rows == ([] if result.is_good else [str(result)])
    assert [word for word, _ in found.next] == rows


def test_all_image_sets_of_a_held_study_are_counted() -> None:
    members = tuple(Member(samples.ident(number), "1", asked=("x",)) for number in (1, 2, 3))
    study = Action("research", "d" * 32, Status.BLOCKED, members)
    (row,) = view(held=(study,)).unsent
    assert row.image_sets == 3
    assert [word for word, _ in view(held=(study,)).next] == ["blocked"]


def test_an_image_set_is_shown_with_the_others_of_its_calls() -> None:
    whole = REPORTS["report-partly"]()
    name = samples.ident(1)
    part = view_of(narrowed(whole, None, name))
    assert [end.image_set_id for end in part.ends] == [name]
    assert (part.total, part.calls) == (1, "")
    assert part.errors == view_of(whole).errors


def test_a_data_store_is_shown_alone() -> None:
    whole = REPORTS["report-held"]()
    archive = view_of(narrowed(whole, "archive", None))
    assert [row.word for row in archive.unsent] == ["not read"]
    assert (archive.total, archive.recording) == (30, ())
    research = view_of(narrowed(whole, "research", None))
    assert "not read" not in [row.word for row in research.unsent]
    assert research.total == view_of(whole).total - 30


@pytest.mark.parametrize(
    ("datastore", "image_set", "missing"),
    [
        (None, "f" * 32, f"image set {'f' * 32}"),
        ("elsewhere", None, "image set of data store elsewhere"),
        ("archive", samples.ident(1), f"image set {samples.ident(1)} of data store archive"),
    ],
)
def test_what_a_report_does_not_have_is_an_error(
    datastore: str | None, image_set: str | None, missing: str
) -> None:
    with pytest.raises(ReconcilerError, match=f"the report has no {missing}"):
        narrowed(REPORTS["report-held"](), datastore, image_set)


def test_what_is_applied_and_not_recorded_is_said_first() -> None:
    published = Published("origin/main", False, ((samples.ident(1), "2"),))
    applied = Applied(Plan(Basis("", 1), ()), (ended(1, Result.CONVERGED),), published=published)
    assert view_of(review_applied(applied, Redact.ALL)).verdict[:2] == (
        "1 image set is applied and not recorded.",
        "The image set is as planned and verified.",
    )
