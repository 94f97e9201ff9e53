"""The file of a report: what `apply` writes is what `show` reads."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest

from reconciler.core.errors import ReconcilerError
from reconciler.core.model.results import Published
from reconciler.core.model.settings import Redact
from reconciler.core.report.build import LISTED, recording
from reconciler.core.report.file import from_json, parse, summary_json, to_json, unreadable
from reconciler.core.review import review_applied
from reconciler.core.review.applied import ShownRecords
from reconciler.edges import schemas
from tests.reviews import reports
from tests.reviews.reports import REPORTS


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_read_as_it_was_written(name: str) -> None:
    report = REPORTS[name]()
    written = json.dumps(to_json(report, report.exit_code)).encode()
    assert from_json(parse(written)) == report


@pytest.mark.parametrize("made", [reports.clean, reports.partly, reports.held, reports.nothing])
def test_a_file_loses_nothing_of_what_an_apply_reports(made: Any) -> None:
    shown = review_applied(made(), Redact.ALL)
    read = from_json(parse(json.dumps(to_json(shown, shown.exit_code)).encode()))
    assert (read.outcomes, read.held, read.records) == (shown.outcomes, shown.held, shown.records)
    assert (read.summary, read.advice, read.counts) == (shown.summary, shown.advice, shown.counts)


@pytest.mark.parametrize(
    "published",
    [
        Published(),
        Published("origin/main", True),
        Published("reconcile/records", waiting=0),
        Published("origin/reconcile/records", False, (("a" * 32, "2"), ("b" * 32, "7")), 3),
    ],
)
def test_where_the_records_are_is_read_as_it_was_written(published: Published) -> None:
    report = REPORTS["report-clean"]()
    report = replace(report, records=replace(report.records, published=published))
    written = to_json(report, 1)
    jsonschema_rs.validate(schemas.load("report"), written)
    assert from_json(parse(json.dumps(written).encode())).records.published == published


def test_what_is_not_in_git_is_named_up_to_a_hundred() -> None:
    missing = tuple((f"{number:032d}", "2") for number in range(LISTED + 5))
    records = ShownRecords((), "", published=Published("origin/main", missing=missing))
    (said,) = recording(records)
    assert said.startswith("Applied, and not recorded on origin/main: image set 0")
    assert said.count("(version 2)") == LISTED
    assert said.endswith(" and 5 more, which `--report FILE` lists.")


@pytest.mark.parametrize("name", REPORTS)
def test_the_schema_describes_a_report(name: str) -> None:
    report = REPORTS[name]()
    jsonschema_rs.validate(schemas.load("report"), to_json(report, report.exit_code))


def test_a_report_has_the_edits_without_their_values() -> None:
    raw: Any = to_json(REPORTS["report-clean"](), 0)
    edits = [edit for row in raw["outcomes"] for one in row["members"] for edit in one["edits"]]
    assert {(edit["op"], edit["level"], edit["name"]) for edit in edits} == {
        ("update", "Patient", "OtherPatientIDsSequence"),
        ("remove", "Study", "AccessionNumber"),
        ("remove-instance", "Instance", ""),
    }
    assert "33" not in json.dumps([edit["name"] for edit in edits])


def test_a_summary_counts_image_sets() -> None:
    summary = summary_json(REPORTS["report-partly"]())
    assert summary["imageSets"] == {"total": 400, "asPlanned": 374}
    assert (summary["kind"], summary["exitCode"]) == ("ReportSummary", 1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"apiVersion": "reconciler/v1", "kind": "Report", "out', "incomplete or damaged"),
        (b"[]", "not the report of an apply"),
        (b'{"kind": "Plan"}', "not the report of an apply"),
        (b"[" * 100_000, "incomplete or damaged"),
    ],
)
def test_what_is_no_complete_report_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ReconcilerError, match=message):
        parse(data)


def test_a_report_of_another_version_names_it() -> None:
    raw: Any = {**to_json(REPORTS["report-nothing"](), 0), "toolVersion": "0.0.9"}
    assert "version 0.0.9 of reconcile wrote the report" in unreadable(raw).message
    del raw["toolVersion"]
    assert unreadable(raw).message == "the file does not hold a valid report"
