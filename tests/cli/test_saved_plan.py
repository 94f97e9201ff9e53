"""A saved plan is checked again before anything is sent."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.dicom.content import digest
from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from tests.cli import outside
from tests.cli.conftest import Command, Ran
from tests.cli.outside import STORE, imported, manifest, settings, write
from tests.documents import IMAGE_SET_ID, OTHER_ID, SERIES_UID, document, instance, series

PRIMARY_ID = "d" * 32
NAMED = "present: {Patient: {DICOM: {PatientName: Wrong^Name}}}\n"
CONSENT = "allow: [CHANGES_PATIENT_IDENTITY]\n"
DESCRIBED = "present: {Study: {DICOM: {StudyDescription: CT CHEST}}}\n"


@dataclass(frozen=True)
class SavedPlan:
    """A repository, its data store, and what `reconcile` prints."""

    root: Path
    emulator: Emulator
    reconcile: Command

    def plan(self, *paths: str) -> None:
        """Save a plan."""
        ran = self.reconcile("plan", *paths, "--out", "plan.json")
        assert ran.code == 0, ran.err

    def apply(self, *options: str) -> Ran:
        """Apply the saved plan."""
        return self.reconcile("apply", "plan.json", "--report", "report.json", *options)

    def results(self) -> dict[str, str]:
        """By image set, as the report has it."""
        report = json.loads((self.root / "report.json").read_text())
        return {one["imageSetId"]: one["result"] for one in report["outcomes"]}

    def reason(self) -> str:
        """The reason of the only outcome that is stale."""
        report = json.loads((self.root / "report.json").read_text())
        (found,) = {one["message"] for one in report["outcomes"] if one["result"] == "stale"}
        return str(found)

    def is_stale(self, reason: str, ran: Ran) -> None:
        """Assert that nothing was sent, and that the reason is printed."""
        assert (ran.code, set(self.results().values())) == (1, {"stale"})
        assert self.reason().startswith(reason), self.reason()
        assert "✗ stale " in ran.out
        assert reason in ran.out
        assert self.live()["version"] == "1"

    def live(self, image_set_id: str = IMAGE_SET_ID) -> dict[str, str]:
        """What the service has."""
        address = {"datastoreId": STORE, "imageSetId": image_set_id}
        blob = self.emulator.service.call("GetImageSetMetadata", address)["imageSetMetadataBlob"]
        raw = json.loads(gzip.decompress(blob))
        version = self.emulator.service.call("GetImageSet", address)["versionId"]
        return {
            "version": version,
            "name": raw["Patient"]["DICOM"]["PatientName"],
            "description": raw["Study"]["DICOM"]["StudyDescription"],
        }

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Edit the saved plan, and make its digest match."""
        path = self.root / "plan.json"
        raw = json.loads(path.read_text())
        change(raw)
        raw["digest"] = digest({key: raw[key] for key in raw if key != "digest"})
        path.write_text(json.dumps(raw))


@pytest.fixture
def saved(tmp_path: Path, reconcile: Command) -> Iterator[SavedPlan]:
    with outside.repository(tmp_path) as (root, emulator):
        imported(emulator, document())
        imported(emulator, document(image_set_id=OTHER_ID))
        yield SavedPlan(root, emulator, reconcile)


# --- what the manifests ask -----------------------------------------------------------------------


def test_a_plan_that_still_holds_is_executed(saved: SavedPlan) -> None:
    manifest(saved.root, "a.yaml", NAMED + CONSENT)
    saved.plan()
    manifest(saved.root, "a.yaml", f"# the same, on other lines\n\n{NAMED}{CONSENT}")
    assert saved.apply().code == 0
    assert saved.live()["name"] == "Wrong^Name"
    assert saved.apply().code == 0
    assert saved.results() == {IMAGE_SET_ID: "already-converged"}


def test_a_manifest_that_was_corrected_and_its_consent_withdrawn(saved: SavedPlan) -> None:
    manifest(saved.root, "a.yaml", NAMED + CONSENT)
    saved.plan()
    manifest(saved.root, "a.yaml", NAMED.replace("Wrong", "Right"))
    saved.is_stale("manifest changed: ", saved.apply())
    assert saved.live()["name"] == "Garcia^Gloria"


def test_what_is_stale_keeps_nothing_else_back(saved: SavedPlan) -> None:
    manifest(saved.root, "a.yaml", NAMED + CONSENT)
    manifest(saved.root, "b.yaml", DESCRIBED, OTHER_ID)
    saved.plan()
    manifest(saved.root, "a.yaml", NAMED.replace("Wrong", "Right") + CONSENT)
    ran = saved.apply("--json")
    assert saved.results() == {IMAGE_SET_ID: "stale", OTHER_ID: "converged"}
    report = json.loads(ran.out)
    assert (ran.code, report["exitCode"], report["totals"]["stale"]) == (1, 1, 1)
    assert saved.live(OTHER_ID)["description"] == "CT CHEST"


def test_unless_any_error_is_to_stop_the_run(saved: SavedPlan) -> None:
    manifest(saved.root, "a.yaml", NAMED + CONSENT)
    manifest(saved.root, "b.yaml", DESCRIBED, OTHER_ID)
    saved.plan()
    manifest(saved.root, "a.yaml", NAMED.replace("Wrong", "Right") + CONSENT)
    assert saved.apply("--on-error", "stop").code == 1
    assert saved.results() == {IMAGE_SET_ID: "stale", OTHER_ID: "not-attempted"}


def test_the_page_of_a_run_tells_it(saved: SavedPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    page = saved.root / "page.md"
    page.touch()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    manifest(saved.root, "a.yaml", NAMED + CONSENT)
    saved.plan()
    manifest(saved.root, "a.yaml", NAMED)
    saved.apply()
    assert re.search(r"\| stale \| `ea92\w+` \| 1 \| consent withdrawn: ", page.read_text())


@pytest.mark.parametrize(
    "other",
    [
        f"{DESCRIBED}{CONSENT}",
        f"{NAMED.replace('PatientName', 'PatientID')}{CONSENT}",
        f"absent: {{Patient: {{DICOM: [PatientName]}}}}\n{CONSENT}",
    ],
    ids=["another-attribute", "another-key", "removed"],
)
def test_another_ask(saved: SavedPlan, other: str) -> None:
    manifest(saved.root, "a.yaml", NAMED + CONSENT)
    saved.plan()
    manifest(saved.root, "a.yaml", other)
    saved.is_stale("manifest changed: ", saved.apply())


def test_a_manifest_that_went(saved: SavedPlan) -> None:
    manifest(saved.root, "a.yaml", NAMED + CONSENT)
    manifest(saved.root, "b.yaml", DESCRIBED, OTHER_ID)
    saved.plan("manifests")
    (saved.root / "manifests" / "a.yaml").unlink()
    assert saved.apply().code == 1
    assert saved.results() == {IMAGE_SET_ID: "stale", OTHER_ID: "converged"}
    assert "no manifest asks for image set" in saved.reason()


def test_without_manifests_nothing_is_applied(saved: SavedPlan) -> None:
    path = manifest(saved.root, "a.yaml", NAMED + CONSENT)
    saved.plan()
    path.unlink()
    ran = saved.apply()
    assert ran.code == 1
    assert "the manifests of the saved plan have problems" in ran.err
    path.write_text("present: [")
    assert saved.apply().code == 1
    assert saved.live()["version"] == "1"


def test_paths_are_judged_against_the_same_selection(
    saved: SavedPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest(saved.root, "a.yaml", NAMED + CONSENT)
    manifest(saved.root, "b.yaml", DESCRIBED)
    monkeypatch.chdir(saved.root / "manifests")
    ran = saved.reconcile("plan", "a.yaml", "--out", "../plan.json")
    assert ran.code == 0, ran.err
    monkeypatch.chdir(saved.root)
    manifest(saved.root, "b.yaml", DESCRIBED.replace("CHEST", "HEAD"))
    assert saved.apply().code == 0
    assert saved.live() == {"version": "2", "name": "Wrong^Name", "description": "CHEST"}


def test_manifests_outside_the_repository_give_no_consent(saved: SavedPlan) -> None:
    manifest(saved.root, "a.yaml", NAMED + CONSENT)
    saved.plan()
    manifest(saved.root, "a.yaml", NAMED)
    other = manifest(saved.root.parent, "a.yaml", NAMED + CONSENT)

    def name_other(raw: dict[str, Any]) -> None:
        raw["basis"]["paths"] = [str(other)]

    saved.edit(name_other)
    ran = saved.apply()
    assert ran.code == 1
    assert "which is not in this repository" in ran.err
    assert saved.live()["version"] == "1"


def test_a_selection_that_changed(saved: SavedPlan) -> None:
    manifest(saved.root, "a.yaml", NAMED + CONSENT)
    saved.plan("manifests/a.yaml")
    manifest(saved.root, "a.yaml", NAMED.replace("Wrong", "Right") + CONSENT)
    saved.is_stale("manifest changed: ", saved.apply())


def plan_half_a_study(saved: SavedPlan) -> None:
    """Two primary image sets of one study, and a plan whose manifest names the first alone."""
    for number, name in enumerate(("0" * 32, "1" * 32)):
        uid = f"{SERIES_UID}.{number}"
        content = document(series(uid, [instance(f"{uid}.1")]), image_set_id=name)
        imported(saved.emulator, content, primary=True)
    manifest(saved.root, "a.yaml", f"{DESCRIBED}allow: [STUDY_WIDE]\n", "0" * 32)
    saved.plan()


def test_a_sibling_that_a_manifest_names_since(saved: SavedPlan) -> None:
    plan_half_a_study(saved)
    manifest(saved.root, "b.yaml", NAMED + CONSENT, "1" * 32)
    assert saved.apply().code == 1
    assert saved.results() == {"0" * 32: "stale"}
    (saved.root / "manifests" / "b.yaml").unlink()
    assert saved.apply().code == 0


def test_a_record_that_is_asked_for_again_is_not_dropped(saved: SavedPlan) -> None:
    text = manifest(saved.root, "a.yaml", DESCRIBED).read_text()
    manifest(saved.root, "b.yaml", DESCRIBED, OTHER_ID)
    assert saved.reconcile("apply", "--auto-approve").code == 0
    (saved.root / "manifests" / "a.yaml").unlink()
    saved.plan()
    (saved.root / "manifests" / "a.yaml").write_text(text)
    assert saved.apply().code == 0
    assert (saved.root / "records" / STORE / "ea.json").exists()


# --- consent, guardrails, rules -------------------------------------------------------------------


def test_consent_of_the_manifest_that_was_withdrawn(saved: SavedPlan) -> None:
    manifest(saved.root, "a.yaml", NAMED + CONSENT)
    saved.plan()
    manifest(saved.root, "a.yaml", NAMED)
    saved.is_stale("consent withdrawn: CHANGES_PATIENT_IDENTITY needs consent", saved.apply())


LONG = (
    f"present: {{Study: {{DICOM: {{ReasonForVisit: {'x' * 5000}, PatientState: {'x' * 5000}}}}}}}\n"
)


def test_consent_that_only_another_manifest_still_gives(saved: SavedPlan) -> None:
    forced = f"{LONG}force: true\n"
    other = f"{DESCRIBED}allow: [SPLIT_UPDATE]\n"
    manifest(saved.root, "a.yaml", f"{forced}allow: [SPLIT_UPDATE]\n")
    manifest(saved.root, "b.yaml", other)
    saved.plan()
    manifest(saved.root, "a.yaml", forced)
    saved.is_stale("consent withdrawn: SPLIT_UPDATE needs consent", saved.apply())


def test_consent_to_change_the_study_that_only_another_manifest_still_gives(
    saved: SavedPlan,
) -> None:
    plan_half_a_study(saved)
    other = "present: {Study: {DICOM: {StudyID: '9'}}}\nallow: [STUDY_WIDE]\n"
    manifest(saved.root, "b.yaml", f"{other}force: true\n", "0" * 32)
    saved.plan()
    manifest(saved.root, "a.yaml", DESCRIBED, "0" * 32)
    assert saved.apply().code == 1
    assert saved.reason().startswith("consent withdrawn: STUDY_WIDE")


def test_consent_of_the_settings_that_was_withdrawn(saved: SavedPlan) -> None:
    manifest(saved.root, "a.yaml", NAMED)
    settings(saved.root, saved.emulator, CONSENT)
    saved.plan()
    settings(saved.root, saved.emulator)
    saved.is_stale("consent withdrawn: CHANGES_PATIENT_IDENTITY needs consent", saved.apply())


def test_consent_that_moved_to_the_settings_still_holds(saved: SavedPlan) -> None:
    manifest(saved.root, "a.yaml", NAMED + CONSENT)
    saved.plan()
    manifest(saved.root, "a.yaml", NAMED)
    settings(saved.root, saved.emulator, CONSENT)
    assert saved.apply().code == 0


def test_force_that_was_withdrawn(saved: SavedPlan) -> None:
    asked = f"absent: {{Study: {{Series: {{{SERIES_UID}: {{DICOM: [SoftwareVersions]}}}}}}}}\n"
    manifest(saved.root, "a.yaml", f"{asked}force: true\n")
    saved.plan()
    manifest(saved.root, "a.yaml", asked)
    saved.is_stale("consent withdrawn: FORCE needs consent: force: true", saved.apply())


def test_consent_to_overwrite_drift_that_was_withdrawn(saved: SavedPlan) -> None:
    manifest(saved.root, "a.yaml", DESCRIBED)
    assert saved.reconcile("apply", "--auto-approve").code == 0
    write(saved.emulator, IMAGE_SET_ID, {"Study": {"DICOM": {"StudyDescription": "THEIRS"}}})
    manifest(saved.root, "a.yaml", f"{DESCRIBED}allow: [OVERWRITES_DRIFT@3]\n")
    saved.plan()
    manifest(saved.root, "a.yaml", DESCRIBED)
    assert saved.apply().code == 1
    assert saved.reason().startswith("consent withdrawn: OVERWRITES_DRIFT")
    assert saved.live()["description"] == "THEIRS"


def test_consent_to_move_a_whole_study_that_was_withdrawn(saved: SavedPlan) -> None:
    plan_half_a_study(saved)
    manifest(saved.root, "a.yaml", DESCRIBED, "0" * 32)
    assert saved.apply().code == 1
    assert saved.reason().startswith("consent withdrawn: STUDY_WIDE")
    # Where manifests name every image set of the study, no consent is needed.
    manifest(saved.root, "a.yaml", f"{DESCRIBED}allow: [STUDY_WIDE]\n", "0" * 32, "1" * 32)
    saved.plan()
    manifest(saved.root, "a.yaml", DESCRIBED, "0" * 32, "1" * 32)
    assert saved.apply().code == 0


def test_a_rule_that_allows_less(saved: SavedPlan) -> None:
    manifest(saved.root, "a.yaml", DESCRIBED, IMAGE_SET_ID, OTHER_ID)
    settings(saved.root, saved.emulator)
    saved.plan()
    settings(saved.root, saved.emulator, "rules: {payloadBytes: 50}\n")
    ran = saved.apply()
    assert (ran.code, set(saved.results().values())) == (1, {"stale"})
    assert "rules changed: `rules: {payloadBytes: 50}`" in ran.out


@pytest.mark.parametrize(
    ("rule", "asked", "primary"),
    [
        (
            "seriesOnPrimary: allow",
            "present: {Study: {Series: {'*': {DICOM: {SeriesDescription: X}}}}}\n",
            True,
        ),
        (
            "uidsOnPrimary: allow",
            f"present: {{Study: {{Series: {{'*': {{Instances: {{{SERIES_UID}.1: {{DICOM: "
            "{SOPInstanceUID: 1.2.3}}}}}}}\nforce: true\nallow: [CHANGES_UID]\n",
            True,
        ),
        (
            "removeLast: allow",
            f"absent: {{Study: {{Series: [{SERIES_UID}]}}}}\nallow: [REMOVES_SERIES]\n",
            False,
        ),
        (
            "removalsNeedForce: false",
            f"absent: {{Study: {{Series: {{{SERIES_UID}: {{DICOM: [SoftwareVersions]}}}}}}}}\n",
            False,
        ),
    ],
)
def test_a_rule_that_was_tightened(saved: SavedPlan, rule: str, asked: str, primary: bool) -> None:
    name = "a" * 32
    imported(saved.emulator, document(image_set_id=name), primary=primary)
    manifest(saved.root, "a.yaml", asked, name)
    settings(saved.root, saved.emulator, f"rules: {{{rule}}}\n")
    saved.plan()
    settings(saved.root, saved.emulator)
    assert saved.apply().code == 1
    assert saved.reason().startswith(f"rules changed: `rules: {{{rule.split(':')[0]}: ")
    assert saved.live(name)["version"] == "1"


REMOVED = f"""\
absent: {{Study: {{Series: {{{SERIES_UID}: {{Instances: [{SERIES_UID}.2]}}}}}}}}
allow: [REMOVES_INSTANCE]
"""


@pytest.mark.parametrize("before", ["", "guardrails: {imageSets: 9, percent: 90}\n"])
@pytest.mark.parametrize(
    ("asked", "rail", "reason"),
    [
        (DESCRIBED.replace("CT", "MR"), "imageSets: 8", "9 image sets would change"),
        (DESCRIBED.replace("CT", "MR"), "percent: 40", "9 of 22 recorded image sets would change"),
        (REMOVED, "removedInstances: 8", "9 instances would be removed"),
    ],
)
def test_a_guardrail_that_was_lowered_holds(
    saved: SavedPlan, before: str, asked: str, rail: str, reason: str
) -> None:
    """Whether there was a guardrail when the plan was made, or none."""
    names = [f"{number:032d}" for number in range(22)]
    for name in names:
        imported(saved.emulator, document(image_set_id=name))
    manifest(saved.root, "a.yaml", DESCRIBED, *names)
    assert saved.reconcile("apply", "--auto-approve").code == 0
    settings(saved.root, saved.emulator, before)
    manifest(saved.root, "a.yaml", DESCRIBED, *names[9:])
    manifest(saved.root, "b.yaml", asked, *names[:9])
    saved.plan()
    settings(saved.root, saved.emulator, f"guardrails: {{{rail}}}\n")
    ran = saved.apply()
    assert (ran.code, ran.out) == (1, "")
    assert "nothing was sent: a guardrail stops this apply" in ran.err
    assert (
        f"data store research: {reason}, more than `guardrails: {{{rail}}}` allows (reconciler.yaml"
    ) in ran.err
    assert {saved.live(name)["version"] for name in names} == {"2"}


@pytest.mark.parametrize("rail", ["imageSets: 6", "percent: 30"])
def test_a_plan_applied_in_parts_counts_what_is_left(saved: SavedPlan, rail: str) -> None:
    """What it has made already is not what this apply would change."""
    names = [f"{number:032d}" for number in range(12)]
    for name in names:
        imported(saved.emulator, document(image_set_id=name))
    settings(saved.root, saved.emulator, f"guardrails: {{{rail}}}\n")
    manifest(saved.root, "a.yaml", DESCRIBED, *names)
    saved.plan()
    if rail == "imageSets: 6":
        assert saved.apply().code == 1
        assert saved.apply("--limit", "7").code == 1
    assert saved.apply("--limit", "6").code == 2
    assert {saved.live(name)["version"] for name in names[:6]} == {"2"}
    assert saved.apply().code == 0
    assert saved.apply().code == 0
    assert {saved.live(name)["version"] for name in names} == {"2"}


# --- what is sent is what is shown ----------------------------------------------------------------


def request(raw: dict[str, Any], text: str) -> None:
    (step,) = raw["actions"][0]["steps"]
    step["updatableAttributes"] = step["updatableAttributes"].replace("Wrong^Name", text)


def shown(raw: dict[str, Any], text: str) -> None:
    raw["actions"][0]["changes"][0]["after"]["value"] = text


def test_a_request_that_is_not_what_is_shown_is_refused_by_show_and_apply(saved: SavedPlan) -> None:
    manifest(saved.root, "a.yaml", NAMED + CONSENT)
    manifest(saved.root, "b.yaml", DESCRIBED, OTHER_ID)
    saved.plan()
    saved.edit(lambda raw: request(action_of(raw, IMAGE_SET_ID), "Other^Name"))
    for ran in (saved.reconcile("show", "plan.json"), saved.apply()):
        assert (ran.code, ran.out) == (1, "")
        assert "the plan file was edited: image set ea92" in ran.err
        assert "Other^Name" not in ran.err
    assert saved.live()["version"] == saved.live(OTHER_ID)["version"] == "1"


def action_of(raw: dict[str, Any], name: str) -> dict[str, Any]:
    return {"actions": [one for one in raw["actions"] if one["members"][0]["imageSetId"] == name]}


def test_what_is_shown_and_sent_but_asked_by_no_manifest_is_stale(saved: SavedPlan) -> None:
    manifest(saved.root, "a.yaml", NAMED + CONSENT)
    saved.plan()
    saved.edit(lambda raw: request(raw, "Other^Name"))
    saved.edit(lambda raw: shown(raw, "Other^Name"))
    assert saved.reconcile("show", "plan.json", "--show-values").code == 0
    saved.is_stale("manifest changed: no manifest asks for Patient/PatientName", saved.apply())


def test_a_hazard_that_is_hidden_is_refused(saved: SavedPlan) -> None:
    manifest(saved.root, "a.yaml", NAMED + CONSENT)
    saved.plan()
    manifest(saved.root, "a.yaml", NAMED)

    def hide(raw: dict[str, Any]) -> None:
        raw["actions"][0]["hazards"] = []
        raw["actions"][0]["changes"][0]["hazards"] = []

    saved.edit(hide)
    ran = saved.apply()
    assert (ran.code, ran.out) == (1, "")
    assert "the hazards of Patient/PatientName are wrong" in ran.err
    assert saved.live()["version"] == "1"


# --- what the service shows -----------------------------------------------------------------------


def test_a_primary_image_set_that_the_plan_calls_another_is_stale(saved: SavedPlan) -> None:
    imported(saved.emulator, document(image_set_id=PRIMARY_ID), primary=True)
    asked = "present: {Study: {Series: {'*': {DICOM: {SeriesDescription: X}}}}}\n"
    settings(saved.root, saved.emulator, "rules: {seriesOnPrimary: allow}\n")
    manifest(saved.root, "a.yaml", asked, PRIMARY_ID)
    saved.plan()
    settings(saved.root, saved.emulator)

    def demote(raw: dict[str, Any]) -> None:
        del raw["basis"]["rules"]
        raw["actions"][0]["members"][0]["isPrimary"] = False

    saved.edit(demote)
    assert saved.apply().code == 1
    assert saved.results() == {PRIMARY_ID: "stale"}
    assert "is primary, but the plan states that it is not" in saved.reason()
    assert saved.live(PRIMARY_ID)["version"] == "1"


def test_a_study_wide_call_that_became_a_call_to_one_image_set_is_refused(saved: SavedPlan) -> None:
    imported(saved.emulator, document(image_set_id=PRIMARY_ID), primary=True)
    manifest(saved.root, "a.yaml", f"{DESCRIBED}allow: [STUDY_WIDE]\n", PRIMARY_ID)
    saved.plan()

    def split(raw: dict[str, Any]) -> None:
        (action,) = raw["actions"]
        action["hazards"] = []
        action["steps"][0]["includeStudyImageSets"] = False

    saved.edit(split)
    ran = saved.apply()
    assert (ran.code, ran.out) == (1, "")
    assert "changes Patient or Study attributes of a primary image set without its study" in ran.err
    assert saved.live(PRIMARY_ID)["version"] == "1"


def test_a_rule_is_judged_also_where_the_plan_hides_that_it_was_looser(saved: SavedPlan) -> None:
    asked = f"absent: {{Study: {{Series: {{{SERIES_UID}: {{DICOM: [SoftwareVersions]}}}}}}}}\n"
    settings(saved.root, saved.emulator, "rules: {removalsNeedForce: false}\n")
    manifest(saved.root, "a.yaml", asked)
    saved.plan()
    settings(saved.root, saved.emulator)

    def hide(raw: dict[str, Any]) -> None:
        del raw["basis"]["rules"]

    saved.edit(hide)
    saved.is_stale("rules changed: `rules: {removalsNeedForce: true}`", saved.apply())


def test_another_store_with_the_same_versions_is_stale(saved: SavedPlan, tmp_path: Path) -> None:
    manifest(saved.root, "a.yaml", NAMED + CONSENT)
    saved.plan()
    with Emulator(tmp_path / "another", Options(update_seconds=0.0)) as emulator:
        emulator.service.ensure_datastore(STORE, "research")
        imported(emulator, document())
        settings(saved.root, emulator)
        ran = saved.apply()
        assert (ran.code, saved.results()) == (1, {IMAGE_SET_ID: "stale"})
        assert "its createdAt differs" in saved.reason()
        assert SavedPlan(saved.root, emulator, saved.reconcile).live()["version"] == "1"


def test_another_version_is_a_conflict_as_ever(saved: SavedPlan) -> None:
    manifest(saved.root, "a.yaml", NAMED + CONSENT)
    saved.plan()
    write(saved.emulator, IMAGE_SET_ID, {"Patient": {"DICOM": {"PatientComments": "x"}}})
    assert saved.apply().code == 1
    assert saved.results() == {IMAGE_SET_ID: "conflict"}


def test_what_was_converged_is_recorded_only_where_it_still_is(saved: SavedPlan) -> None:
    asked = DESCRIBED.replace("CT CHEST", "CHEST")
    manifest(saved.root, "a.yaml", asked, IMAGE_SET_ID, OTHER_ID)
    saved.plan()
    write(saved.emulator, IMAGE_SET_ID, {"Study": {"DICOM": {"StudyDescription": "THEIRS"}}})
    ran = saved.apply("--json")
    assert ran.code == 1
    (problem,) = json.loads(ran.out)["problems"]
    assert problem["message"].startswith(f"stale: image set {IMAGE_SET_ID} is at version 2")
    recorded = {path.name for path in (saved.root / "records" / STORE).glob("*.json")}
    assert recorded == {f"{OTHER_ID[:2]}.json"}


def test_nor_where_the_manifest_changed_since(saved: SavedPlan) -> None:
    manifest(saved.root, "a.yaml", DESCRIBED.replace("CT CHEST", "CHEST"))
    saved.plan()
    manifest(saved.root, "a.yaml", DESCRIBED)
    ran = saved.apply()
    assert ran.code == 1
    assert "error: stale: manifest changed: " in ran.err
    assert not list((saved.root / "records").glob("*/*.json"))
