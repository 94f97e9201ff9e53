"""`reconcile apply` that ends early: limits, errors, reports, and the summary of a job."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.core.errors import RecordError
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.outcome import Landed, Outcome, Result
from reconciler.core.model.plan import Basis, HazardUse, Plan, Status
from reconciler.core.model.results import Applied
from reconciler.core.model.settings import Redact
from reconciler.core.review import review_applied
from reconciler.edges import schemas
from reconciler.render.step_summary import step_summary
from tests.cli import samples
from tests.cli.conftest import DATASTORE_ID, Command, expect

DATES = "manifests/acr-nema-dates.yaml"
GOOD = ("converged", "already-converged")


def report(path: Path) -> dict[str, Any]:
    """Check a report against its schema: every planned step is in it."""
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schemas.load("report")).validate(told)
    totals = told["totals"]
    assert totals["steps"] == len(told["outcomes"])
    assert totals["steps"] == sum(totals[str(result)] for result in Result)
    return told


def test_a_limit_stops_and_the_same_command_goes_on(reconcile: Command, workspace: Path) -> None:
    assert reconcile("plan", "--out", "plan.json").code == 0
    seen = []
    for _ in range(4):
        ran = reconcile("apply", "plan.json", "--limit", "4", "--report", "report.json")
        told = report(workspace / "report.json")
        assert told["exitCode"] == ran.code
        seen.append((told["totals"]["converged"], told["totals"]["not-attempted"], ran.code))
        if not ran.code:
            break
        assert "the limit of --limit is reached" in ran.out
    assert [code for _, _, code in seen] == [2] * (len(seen) - 1) + [0]
    assert len(seen) == 3
    assert sum(converged for converged, _, _ in seen) == told["totals"]["steps"]
    assert reconcile("plan", "--detailed-exitcode").code == 0


def test_what_is_done_of_a_saved_plan_takes_nothing_of_the_quota(
    reconcile: Command, workspace: Path
) -> None:
    """Otherwise each run of a large plan would spend its time on finished steps."""
    assert reconcile("plan", "--out", "plan.json").code == 0
    assert reconcile("apply", "plan.json").code == 0
    with (workspace / "reconciler.yaml").open("a", encoding="utf-8") as settings:
        settings.write("quotas: {UpdateImageSetMetadata: 0.001}\n")
    ran = reconcile("apply", "plan.json", "--max-duration", "10s", "--json")
    assert {one["result"] for one in json.loads(ran.out)["outcomes"]} == {"already-converged"}
    assert ran.code == 0


def test_a_time_that_is_over_leaves_the_rest(reconcile: Command, workspace: Path) -> None:
    ran = reconcile("apply", "--auto-approve", "--max-duration", "0.000001s", "--json")
    assert ran.code == 2
    assert {one["result"] for one in json.loads(ran.out)["outcomes"]} == {"not-attempted"}
    assert "--max-duration has passed" in json.loads(ran.out)["outcomes"][0]["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--max-duration", "soon"),
        ("--max-duration", "0m"),
        ("--max-duration", "-1h"),
        ("--max-duration", "٣m"),
        ("--limit", "0"),
        ("--on-error", "ignore"),
    ],
    ids=lambda arguments: "=".join(arguments),
)
def test_what_makes_no_sense_is_told(
    reconcile: Command, workspace: Path, arguments: tuple[str, str]
) -> None:
    ran = reconcile("apply", "--auto-approve", *arguments)
    assert ran.code == 1
    assert arguments[0] in ran.err
    assert not (workspace / "records").exists()


def test_json_is_the_report(reconcile: Command, workspace: Path) -> None:
    ran = reconcile("apply", DATES, "--auto-approve", "--json", "--report", "report.json")
    assert json.loads(ran.out) == report(workspace / "report.json")


# A name that is valid for the file and too long for the temporary file beside it, so that only the
# end fails.
UNWRITABLE = "r" * 250


def test_a_report_that_cannot_be_written_is_told_after_the_work(
    reconcile: Command, workspace: Path
) -> None:
    ran = reconcile("apply", DATES, "--auto-approve", "--report", UNWRITABLE)
    assert ran.code == 1
    assert "✓ converged" in ran.out
    assert f"error: the report {UNWRITABLE} cannot be written: File name too long" in ran.err


def test_json_knows_the_exit_code_where_the_report_cannot_be_written(
    reconcile: Command, workspace: Path
) -> None:
    arguments = ("--auto-approve", "--limit", "1", "--json", "--report", UNWRITABLE)
    ran = reconcile("apply", *arguments)
    assert ran.code == 1  # an error, although the other steps are only pending
    assert json.loads(ran.out)["exitCode"] == 1


def test_the_page_of_a_github_run_is_appended_to(
    reconcile: Command, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = workspace / "page.md"
    page.write_text("an earlier step\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    assert reconcile("apply", "--auto-approve").code == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("an earlier step\n### reconcile apply\n")
    assert "**10 converged**" in text
    # One of the ten steps is study-wide: it changes two image sets.
    assert len(re.findall(r"^\| converged \| `[0-9a-f]{32}`", text, re.MULTILINE)) == 11


def test_where_there_can_be_no_records_nothing_is_sent(reconcile: Command, workspace: Path) -> None:
    (workspace / "records").write_text("no folder")
    ran = reconcile("apply", DATES, "--auto-approve", "--report", "report.json")
    assert ran.code == 1
    told = report(workspace / "report.json")
    assert [one["result"] for one in told["outcomes"]] == ["not-attempted"]
    assert "Not a directory" in told["problems"][0]["message"]
    assert f"error: records/{DATASTORE_ID}: cannot be written" in ran.err
    (workspace / "records").unlink()


def test_a_record_that_cannot_be_written_leaves_the_outcomes(
    reconcile: Command, workspace: Path
) -> None:
    in_the_way = workspace / "records" / DATASTORE_ID / "ac.json"
    plan = reconcile("plan", DATES, "--out", "plan.json")
    assert plan.code == 0
    in_the_way.mkdir(parents=True)
    ran = reconcile("apply", "plan.json", "--report", "report.json")
    assert ran.code == 1
    told = report(workspace / "report.json")
    assert [one["result"] for one in told["outcomes"]] == ["converged"]
    assert f"error: records/{DATASTORE_ID}/ac.json: is not a regular file" in ran.err
    in_the_way.rmdir()
    assert reconcile("apply", DATES, "--auto-approve").code == 0
    assert (workspace / "records" / DATASTORE_ID / "ac.json").exists()


NOTHING_HELD = Plan(Basis("", 1), ())


def ended(result: Result, number: int, message: str = "") -> Outcome:
    name = samples.ident(number)
    landed = (Landed(name, "2", "1", None),) if str(result) in GOOD else ()
    return Outcome(samples.step(name, "1"), result, message, landed)


def page(applied: Applied) -> str:
    return step_summary(review_applied(applied, Redact.ALL))


def test_the_page_tells_every_end_and_no_markup_of_others() -> None:
    outcomes = [ended(result, number) for number, result in enumerate(Result, start=1)]
    outcomes.append(ended(Result.FAILED, 99, "<img src=x> | a `b` [c](d)\n# e"))
    held = [samples.action(Status.BUSY, 50, steps=()), *samples.drift(consented=False).actions]
    problem = RecordError("records/research/00.json: cannot be written", "make room")
    found = [Landed(samples.ident(77), "2", "1", None)]
    applied = Applied(
        Plan(Basis("", 1), tuple(held)), tuple(outcomes), (), "c" * 40, (problem,), tuple(found)
    )
    expect("step-summary.md", page(applied))


def test_the_page_shows_a_line_that_answers_two_hazards_once() -> None:
    line = "allow: [CHANGES_UID, REMOVES_INSTANCE]"
    uses = [
        HazardUse(hazard, samples.ident(1), False, line)
        for hazard in (Hazard.CHANGES_UID, Hazard.REMOVES_INSTANCE)
    ]
    held = samples.action(Status.BLOCKED, 1, steps=(), hazards=tuple(uses))
    assert page(Applied(Plan(Basis("", 1), (held,)))).count("allow:") == 1


def test_the_page_of_a_large_apply_stays_below_what_github_takes() -> None:
    outcomes = [ended(Result.CONVERGED, number) for number in range(5000)]
    text = page(Applied(NOTHING_HELD, tuple(outcomes)))
    assert "**5,000 converged**" in text
    assert "and 4,950 more" in text
    for message in ("x" * 300, "no", "[ü]" * 5000):
        failed = [ended(Result.FAILED, number, message) for number in range(20_000)]
        text = page(Applied(NOTHING_HELD, tuple(failed)))
        left = re.search(r"^\| \| and ([0-9,]+) more \|", text, re.MULTILINE)
        assert left
        assert text.count("| failed |") == 20_000 - int(left[1].replace(",", ""))
        assert 2**19 < len(text.encode()) < 2**20
