"""A builder with a bug: the commands say so, execute the rest, and end with exit code 3."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler import pipeline
from reconciler.cli import connect, formats, screen, workspace
from reconciler.core.errors import EXIT_BUG
from reconciler.core.model.results import Planned
from reconciler.core.model.settings import Redact
from reconciler.core.review import review
from reconciler.emulator.http.server import Emulator
from reconciler.render import text
from tests.cli import outside
from tests.cli.conftest import Command
from tests.cli.outside import STORE, imported, manifest
from tests.documents import IMAGE_SET_ID, OTHER_ID, document
from tests.planning import flawed_builder

DESCRIBED = "present: {Study: {DICOM: {StudyDescription: CT CHEST}}}\n"
BUG = "this is a bug in reconcile: "
REPORT = "Please report this message; it holds no DICOM value."


@dataclass(frozen=True)
class FlawedPlan:
    """A repository, its data store, and the plan of a builder with a bug."""

    emulator: Emulator
    planned: Planned
    reconcile: Command

    def version(self, image_set_id: str) -> str:
        address = {"datastoreId": STORE, "imageSetId": image_set_id}
        return str(self.emulator.service.call("GetImageSet", address)["versionId"])


@pytest.fixture
def flawed(tmp_path: Path, reconcile: Command) -> Iterator[FlawedPlan]:
    with outside.repository(tmp_path) as (root, emulator):
        imported(emulator, document())
        imported(emulator, document(image_set_id=OTHER_ID))
        manifest(root, "a.yaml", DESCRIBED, IMAGE_SET_ID, OTHER_ID)
        found = workspace.settings(None)
        builder = flawed_builder(IMAGE_SET_ID, "CT CHEST", "SECRET")
        with connect.edges(found) as edges:
            planned = pipeline.plan(found, pipeline.check(found), edges, builder=builder)
        workspace.save_plan(planned.plan, root / "plan.json", None)
        yield FlawedPlan(emulator, planned, reconcile)


def report(
    planned: Planned,
    named: Sequence[str],
    *,
    saved: bool = False,
    as_json: bool = False,
    detailed: bool = False,
) -> int:
    """As `reconcile plan` does it."""
    shown = review(planned.plan, Redact.IDENTIFYING)
    wanted = formats.output(None, as_json=as_json, summary=False)
    formats.print_review(shown, wanted, None, planned.calls)
    if not as_json:
        screen.say(text.next_step(shown.totals.calls, named, screen.look(), saved=saved))
    return shown.exit_code(detailed=detailed)


@pytest.mark.parametrize("detailed", [False, True])
@pytest.mark.parametrize("saved", [False, True])
def test_plan_reports_the_bug(
    flawed: FlawedPlan, capsys: pytest.CaptureFixture[str], detailed: bool, saved: bool
) -> None:
    code = report(flawed.planned, ["plan.json"], saved=saved, detailed=detailed)
    out = " ".join(capsys.readouterr().out.split())
    assert code == EXIT_BUG
    assert BUG in out
    assert REPORT in out
    assert "SECRET" not in out
    assert "Plan: 1 image set to update (1 call), 1 blocked." in out


@pytest.mark.parametrize("detailed", [False, True])
def test_plan_as_json_reports_the_bug(
    flawed: FlawedPlan, capsys: pytest.CaptureFixture[str], detailed: bool
) -> None:
    code = report(flawed.planned, [], as_json=True, detailed=detailed)
    rows = {
        row["members"][0]["imageSetId"]: row
        for row in json.loads(capsys.readouterr().out)["actions"]
    }
    assert code == EXIT_BUG
    (block,) = rows[IMAGE_SET_ID]["blocks"]
    assert (rows[IMAGE_SET_ID]["status"], rows[IMAGE_SET_ID]["steps"]) == ("blocked", [])
    assert block["message"].startswith(BUG)
    assert block["bug"] is True
    assert len(rows[OTHER_ID]["steps"]) == 1


def test_a_saved_plan_with_a_bug_is_executed_but_for_that_action(flawed: FlawedPlan) -> None:
    shown = flawed.reconcile("show", "plan.json")
    assert shown.code == 0
    assert BUG in " ".join(shown.out.split())

    ran = flawed.reconcile("apply", "plan.json", "--report", "report.json")
    assert ran.code == EXIT_BUG
    assert BUG in ran.out
    assert REPORT in ran.out
    assert "Apply: 1 converged, 1 blocked." in ran.out
    assert "SECRET" not in f"{ran.out}{ran.err}"
    report = json.loads(Path("report.json").read_text())
    assert report["exitCode"] == EXIT_BUG
    assert [one["imageSetId"] for one in report["outcomes"]] == [OTHER_ID]
    (held,) = report["held"]
    assert (held["imageSetId"], held["status"]) == (IMAGE_SET_ID, "blocked")
    assert held["reasons"][0]["message"].startswith(BUG)
    assert f"image set {IMAGE_SET_ID}" in held["reasons"][0]["message"]
    assert (flawed.version(OTHER_ID), flawed.version(IMAGE_SET_ID)) == ("2", "1")


def test_apply_as_json_ends_with_3_as_well(flawed: FlawedPlan) -> None:
    ran = flawed.reconcile("apply", "plan.json", "--json")
    assert ran.code == EXIT_BUG
    assert json.loads(ran.out)["exitCode"] == EXIT_BUG


def test_without_the_bug_the_same_commands_end_with_0(flawed: FlawedPlan) -> None:
    assert flawed.reconcile("plan", "--out", "plan.json").code == 0
    assert flawed.reconcile("apply", "plan.json").code == 0
    assert (flawed.version(OTHER_ID), flawed.version(IMAGE_SET_ID)) == ("2", "2")
