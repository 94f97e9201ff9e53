"""What a pull request gets: a plan, a comment, a review, and a check that passes or fails."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from reconciler.render.markdown import MARKER
from tests.cli.outside import manifest
from tests.documents import IMAGE_SET_ID, OTHER_ID
from tests.loop.conftest import Team
from tests.loop.host import BOT

NAME = (
    "allow: [CHANGES_PATIENT_IDENTITY]\npresent:\n  Patient:\n    DICOM:\n      PatientName: {}\n"
)
COMMENTS = "present:\n  Patient:\n    DICOM:\n      PatientComments: {}\n"


def artifact(team: Team, run: int, name: str) -> dict[str, bytes]:
    """The files of an artifact of a run."""
    (row,) = (
        one for one in team.host.state["artifacts"] if (one["run"], one["name"]) == (run, name)
    )
    data = (team.host.folder / f"artifact-{row['id']}.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {one: archive.read(one) for one in archive.namelist()}


def review_of(team: Team, run: int) -> dict[str, Any]:
    return dict(json.loads(artifact(team, run, "review")["review.json"]))


def test_a_pull_request_gets_a_plan_a_comment_and_a_review(team: Team) -> None:
    number = team.ask("name", NAME.format("Doe^Pieter"))
    ran = team.planned(number)
    assert ran.conclusion == "success", ran.log
    assert ran.results == {
        "fork": "skipped",
        "reconcile-plan.yml/plan": "success",
        "plan": "success",
        "reconcile": "success",
    }
    ((author, text),) = team.host.comments(number)
    assert author == BOT
    assert text.startswith(MARKER)
    assert "1 image set" in text
    assert f"artifacts/{team.host.state['artifacts'][1]['id']}" in text
    review = review_of(team, ran.id)
    assert review["head"] == team.host.tip("name")
    assert review["base"] == team.host.tip()
    page = artifact(team, ran.id, "reconcile-plan.html")["reconcile-plan.html"]
    assert page.startswith(b"<!DOCTYPE html>")
    assert MARKER in ran.summary
    only_ours_can_read(team, ran.id)
    assert team.version() == "1"


def test_a_second_plan_replaces_the_comment(team: Team) -> None:
    number = team.ask("name", NAME.format("Doe^Pieter"))
    team.planned(number)
    manifest(team.root, "name.yaml", NAME.format("Doe^Pieter"), IMAGE_SET_ID, OTHER_ID)
    assert team.open("name") == number
    team.planned(number)
    ((_, text),) = team.host.comments(number)
    assert "2 image sets" in text


def test_what_the_pull_request_asks_for_and_is_blocked_fails_the_check(team: Team) -> None:
    number = team.ask("name", NAME.format("Doe^Pieter").partition("\n")[2])
    ran = team.planned(number)
    assert ran.conclusion == "failure"
    assert ran.results["reconcile"] == "failure"
    assert any(
        one.startswith("::error file=manifests/name.yaml") for one in ran.step("Plan").commands
    )
    ((_, text),) = team.host.comments(number)
    assert "CHANGES_PATIENT_IDENTITY" in text


def test_what_was_blocked_at_the_base_does_not_fail_another_pull_request(team: Team) -> None:
    blocked = team.ask("name", NAME.format("Doe^Pieter").partition("\n")[2])
    team.host.merge(blocked)
    ran = team.planned(team.ask("comments", COMMENTS.format("seen"), OTHER_ID))
    assert ran.conclusion == "success", ran.log


def test_a_manifest_that_is_not_valid_is_annotated_and_the_comment_says_so(team: Team) -> None:
    number = team.ask("name", NAME.format("Doe^Pieter").replace("PatientName", "PatientNam"))
    ran = team.planned(number)
    assert ran.results["reconcile"] == "failure"
    (command,) = ran.step("Validate the manifests").commands
    assert command.startswith("::error file=manifests/name.yaml,line=10,title=Not valid::")
    ((_, text),) = team.host.comments(number)
    assert "There is no plan of this commit" in text
    assert not team.host.state["artifacts"]


def test_the_plan_is_of_the_merge_not_of_the_head(team: Team) -> None:
    """The head lacks a manifest that was merged meanwhile: it would look released."""
    number = team.ask("name", NAME.format("Doe^Pieter"))
    team.host.merge(team.ask("comments", COMMENTS.format("seen"), OTHER_ID))
    team.host.open("name")
    ran = team.planned(number)
    assert ran.conclusion == "success", ran.log
    assert "release" not in team.host.comments(number)[0][1]
    held = {one["imageSetId"] for one in review_of(team, ran.id)["changes"]}
    assert held == {IMAGE_SET_ID, OTHER_ID}


def only_ours_can_read(team: Team, run: int) -> None:
    """The plan holds patient data: it stays on the machine, and is private there."""
    plan = team.runner.folder / f"run-{run}-plan" / "temp" / "reconcile" / "plan.json"
    assert plan.stat().st_mode & 0o077 == 0
    assert plan.parent.stat().st_mode & 0o077 == 0
    assert _uploaded(team, run) == ["review.json", "reconcile-plan.html"]


def _uploaded(team: Team, run: int) -> list[str]:
    names = [one["name"] for one in team.host.state["artifacts"] if one["run"] == run]
    return [file for name in names for file in artifact(team, run, name)]
