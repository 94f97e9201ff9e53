"""Reports that reviewers may meet: what became of the plans in `plans.py`. Made up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import PurePath

from reconciler.core.errors import EXIT_INTERRUPTED, CredentialsError, RecordError
from reconciler.core.model.outcome import Landed, Outcome, Result
from reconciler.core.model.plan import Plan, Unread
from reconciler.core.model.results import Applied
from reconciler.core.model.settings import Redact
from reconciler.core.report.file import from_json, to_json
from reconciler.core.review import AppliedReview, review_applied
from tests.reviews.plans import HOSTILE, many, refused, removals

COMMIT = "9a1b" * 10
RECORDS = tuple(PurePath(f"records/{'d' * 32}/{n:02x}.json") for n in range(12))


def clean() -> Applied:
    """Every image set is as planned."""
    plan = removals()
    return Applied(
        plan,
        _ended(plan),
        (PurePath("reconciler.key"), *RECORDS[:1]),
        COMMIT,
        sent=len(plan.steps),
        seconds=14,
    )


def partly() -> Applied:
    """Nearly all of 400 image sets, and every way to end otherwise."""
    plan = many()
    names = [step.image_set_id for step in plan.steps]
    ends: dict[str, tuple[Result, str]] = {}
    for name in names[:12]:
        text = (
            f"image set {name}: the failed update created version 2 (UPDATE_FAILED)\n"
            "To see the service's own message: aws medical-imaging get-image-set --datastore-id "
            f"{'d' * 32} --image-set-id {name} --version-id 2 --region us-east-1"
        )
        ends[name] = (Result.FAILED, text)
    for name in names[12:14]:
        text = f"image set {name}: version 2 does not have the planned content"
        ends[name] = (Result.UNVERIFIED, text)
    text = (
        f"image set {names[14]} went from version 1 to 3: another process changed it, and version "
        "2 does not have the planned content"
    )
    ends[names[14]] = (Result.CONFLICT, text)
    ends[names[15]] = (Result.UNRESOLVED, "sent and accepted, but its end was not seen")
    for name in names[16:20]:
        ends[name] = (Result.ALREADY_CONVERGED, "")
    for name in names[390:]:
        ends[name] = (Result.NOT_ATTEMPTED, "not sent: the limit of --limit is reached")
    return Applied(
        plan,
        _ended(plan, ends),
        RECORDS,
        COMMIT,
        recovered=(Landed(f"{900:032x}", "3", "2", None),),
        sent=386,
        seconds=1_573,
    )


def held() -> Applied:
    """The plan holds image sets back, one data store was not read, and records are missing."""
    plan = refused()
    hint = "Sign in again with `aws sso login`."
    unread = Unread("archive", "e" * 32, 30, "the AWS credentials have expired", hint)
    plan = replace(plan, unread=(unread,))
    outcomes = _ended(plan)
    names = tuple(one.step.image_set_id for one in outcomes)
    problem = RecordError(
        "records cannot be written: no space is left", "Make room, then run the command again."
    )
    return Applied(plan, outcomes, problems=(problem,), unrecorded=names, sent=1, seconds=4)


def hostile() -> Applied:
    """Texts of a report that draw, command, link, mention or reverse text."""
    plan = many()
    ends = {
        step.image_set_id: (Result.FAILED, text)
        for step, text in zip(plan.steps, HOSTILE, strict=False)
    }
    problem = CredentialsError(HOSTILE[0], HOSTILE[-1])
    return Applied(plan, _ended(plan, ends)[: len(HOSTILE)], problems=(problem,))


def nothing() -> Applied:
    """No image set was to change."""
    return Applied(Plan(many().basis, ()))


def stopped() -> AppliedReview:
    """A signal ended the run before the first call."""
    plan = removals()
    ends = {step.image_set_id: (Result.NOT_ATTEMPTED, "not sent: SIGINT") for step in plan.steps}
    return read(Applied(plan, _ended(plan, ends)), EXIT_INTERRUPTED)


def read(applied: Applied, exit_code: int | None = None) -> AppliedReview:
    """As `show` reads the file that `apply` wrote."""
    shown = review_applied(applied, Redact.ALL)
    return from_json(to_json(shown, shown.exit_code if exit_code is None else exit_code))


def _ended(plan: Plan, ends: Mapping[str, tuple[Result, str]] = {}) -> tuple[Outcome, ...]:
    return tuple(_outcome(plan, number, ends) for number in range(len(plan.steps)))


def _outcome(plan: Plan, number: int, ends: Mapping[str, tuple[Result, str]]) -> Outcome:
    step = plan.steps[number]
    result, text = ends.get(step.image_set_id, (Result.CONVERGED, ""))
    pin = int(step.pin)
    new = Landed(step.image_set_id, str(pin + 1), str(pin), None)
    return Outcome(step, result, text, (new,) if result.is_good else ())


REPORTS: Mapping[str, Callable[[], AppliedReview]] = {
    "report-clean": lambda: read(clean()),
    "report-partly": lambda: read(partly()),
    "report-held": lambda: read(held()),
    "report-hostile": lambda: read(hostile()),
    "report-nothing": lambda: read(nothing()),
    "report-stopped": stopped,
}
