"""The commands on the embedded emulator: output, files and exit codes."""

from __future__ import annotations

import io
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.demo.colleague import changes_study
from tests.cli.conftest import Command, expect

DATES = "manifests/acr-nema-dates.yaml"
DATES_ID = "aca469ab431797e6c78c0306c39c40ee"
UNCONSENTED = """\
apiVersion: reconciler/v1
kind: ImageSet
datastore: research
imageSetId: ae75f18eb08d2ce17337cc57bf022f4d
present: {Patient: {DICOM: {PatientName: Somebody^Else}}}
"""


class Terminal(io.StringIO):
    """Standard input on which a person types."""

    def isatty(self) -> bool:
        return True


def test_the_manifests_of_the_repository_plan(reconcile: Command, workspace: Path) -> None:
    ran = reconcile("plan", "--show-values")
    assert (ran.code, ran.err) == (0, "")
    expect("plan-repository.txt", ran.out)
    assert not (workspace / "records").exists()


def test_where_output_is_stored_no_value_is_shown(reconcile: Command, workspace: Path) -> None:
    ran = reconcile("plan")
    assert ran.code == 0
    assert "たろう" not in ran.out
    assert "AKH" not in ran.out
    assert "text(1-8)>" in ran.out


def test_a_saved_plan_is_executed_and_the_next_one_is_empty(
    reconcile: Command, workspace: Path
) -> None:
    assert reconcile("plan", "--out", "plan.json", "--detailed-exitcode").code == 2
    assert stat.S_IMODE((workspace / "plan.json").stat().st_mode) == 0o600
    assert reconcile("show", "plan.json").out.startswith(reconcile("plan").out.split("Reads")[0])
    applied = reconcile("apply", "plan.json")
    assert applied.code == 0
    assert applied.out.count("✓ converged ") == 10
    assert "Recorded in 12 files below records/, with a new reconciler.key." in applied.out
    again = reconcile("plan", "--detailed-exitcode")
    assert (again.code, again.out) == (
        0,
        "Plan: nothing to do, 13 converged.\nReads made: 13 GetImageSet, 5 SearchImageSets.\n",
    )


def test_apply_as_json(reconcile: Command, workspace: Path) -> None:
    ran = reconcile("apply", DATES, "--auto-approve", "--json")
    report = json.loads(ran.out)
    assert ran.code == 0
    assert [outcome["result"] for outcome in report["outcomes"]] == ["converged"]
    (member,) = report["outcomes"][0]["members"]
    edits = member.pop("edits")
    assert member == {"imageSetId": DATES_ID, "latestVersionId": "1", "versionId": "2"}
    assert {edit["level"] for edit in edits} == {"Study"}
    assert ran.err == f"[1/1] converged          image set {DATES_ID}  version 1 → 2\n"


@pytest.mark.parametrize(("answer", "code"), [("yes\n", 0), ("y\n", 1), ("", 1)])
def test_only_yes_is_a_yes(
    reconcile: Command,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    ran = reconcile("apply", DATES)
    assert ran.code == code
    assert f"~ image set {DATES_ID}" in ran.out
    assert "1 call of UpdateImageSetMetadata" in ran.err
    assert (workspace / "records").exists() is (code == 0)


def test_what_is_not_consented_to_is_held_back_and_the_rest_is_done(
    reconcile: Command, workspace: Path
) -> None:
    (workspace / "manifests" / "name.yaml").write_text(UNCONSENTED)
    planned = reconcile("plan", "manifests/name.yaml")
    assert planned.code == 0
    expect("plan-unconsented.txt", planned.out)
    ran = reconcile("apply", "manifests/name.yaml", DATES, "--auto-approve")
    assert ran.code == 1
    assert "✗ blocked            image set ae75f18eb08d2ce17337cc57bf022f4d" in ran.out
    assert "Apply: 1 converged, 1 blocked." in ran.out
    line = "allow: [CHANGES_PATIENT_IDENTITY]"
    assert line in planned.out
    (workspace / "manifests" / "name.yaml").write_text(f"{UNCONSENTED}{line}\n")
    assert reconcile("apply", "manifests/name.yaml", "--auto-approve").code == 0


def test_drift_is_held_back_until_the_line_is_there(reconcile: Command, workspace: Path) -> None:
    assert reconcile("apply", DATES, "--auto-approve").code == 0
    assert changes_study(workspace, DATES_ID, "StudyDate", "20000101") == "3"
    planned = reconcile("plan", DATES, "--show-values")
    expect("plan-drift-live.txt", planned.out)
    assert reconcile("apply", DATES, "--auto-approve").code == 1
    with (workspace / DATES).open("a") as file:
        file.write("allow: [OVERWRITES_DRIFT@3]\n")
    assert reconcile("apply", DATES, "--auto-approve").code == 0
    assert reconcile("plan", DATES, "--detailed-exitcode").code == 0


def test_validate_as_json_tells_every_problem(reconcile: Command, workspace: Path) -> None:
    (workspace / DATES).write_text(UNCONSENTED.replace("PatientName", "PatientsName"))
    ran = reconcile("validate", "--json")
    told = json.loads(ran.out)
    assert (ran.code, told["valid"]) == (1, False)
    assert told["problems"][0]["place"]["file"] == DATES


def test_datastores(reconcile: Command, workspace: Path) -> None:
    expect("datastores.txt", reconcile("datastores").out)
    assert json.loads(reconcile("datastores", "--json").out)[0]["endpoint"] == "emulator"


def test_schemas_are_printed(reconcile: Command) -> None:
    names = reconcile("schema").out.split()
    assert "manifest" in names
    for name in names:
        assert json.loads(reconcile("schema", name).out)["$schema"].endswith("2020-12/schema")


def test_records_are_committed(reconcile: Command, workspace: Path) -> None:
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "Ask"]):
        identity = ["-c", "user.name=Steward", "-c", "user.email=steward@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=workspace, check=True)
    ran = reconcile("apply", DATES, "--auto-approve", "--record", "commit")
    assert ran.code == 0
    log = subprocess.run(
        ["git", "log", "-1", "--format=%B"], cwd=workspace, capture_output=True, text=True
    ).stdout
    assert f"research/{DATES_ID} 1 → 2" in log
    assert "Plan-Digest: hmac-sha256:" in log
