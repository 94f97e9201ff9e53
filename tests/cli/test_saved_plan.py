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
from tests.cli.conftest import Command, Ran
from tests.cli.outside import STORE, imported, manifest, settings, write
from tests.documents import IMAGE_SET_ID, OTHER_ID, SERIES_UID, document, instance, series

PRIMARY_ID = "d" * 32
NAMED = "present: {Patient: {DICOM: {PatientName: Wrong^Name}}}\n"
CONSENT = "allow: [CHANGES_PATIENT_IDENTITY]\n"
DESCRIBED = "present: {Study: {DICOM: {StudyDescription: CT CHEST}}}\n"


@dataclass(frozen=True)
class World:
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
def world(tmp_path: Path, reconcile: Command, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.chdir(root)
    with Emulator(tmp_path / "store", Options(update_seconds=0.0)) as emulator:
        emulator.service.ensure_datastore(STORE, "research")
        imported(emulator, document())
        imported(emulator, document(image_set_id=OTHER_ID))
        settings(root, emulator)
        yield World(root, emulator, reconcile)


# --- what the manifests ask -----------------------------------------------------------------------


def test_a_plan_that_still_holds_is_executed(world: World) -> None:
    manifest(world.root, "a.yaml", NAMED + CONSENT)
    world.plan()
    manifest(world.root, "a.yaml", f"# the same, on other lines\n\n{NAMED}{CONSENT}")
    assert world.apply().code == 0
    assert world.live()["name"] == "Wrong^Name"
    assert world.apply().code == 0
    assert world.results() == {IMAGE_SET_ID: "already-converged"}


def test_a_manifest_that_was_corrected_and_its_consent_withdrawn(world: World) -> None:
    manifest(world.root, "a.yaml", NAMED + CONSENT)
    world.plan()
    manifest(world.root, "a.yaml", NAMED.replace("Wrong", "Right"))
    world.is_stale("manifest changed: ", world.apply())
    assert world.live()["name"] == "Garcia^Gloria"


def test_what_is_stale_keeps_nothing_else_back(world: World) -> None:
    manifest(world.root, "a.yaml", NAMED + CONSENT)
    manifest(world.root, "b.yaml", DESCRIBED, OTHER_ID)
    world.plan()
    manifest(world.root, "a.yaml", NAMED.replace("Wrong", "Right") + CONSENT)
    ran = world.apply("--json")
    assert world.results() == {IMAGE_SET_ID: "stale", OTHER_ID: "converged"}
    report = json.loads(ran.out)
    assert (ran.code, report["exitCode"], report["totals"]["stale"]) == (1, 1, 1)
    assert world.live(OTHER_ID)["description"] == "CT CHEST"


def test_unless_any_error_is_to_stop_the_run(world: World) -> None:
    manifest(world.root, "a.yaml", NAMED + CONSENT)
    manifest(world.root, "b.yaml", DESCRIBED, OTHER_ID)
    world.plan()
    manifest(world.root, "a.yaml", NAMED.replace("Wrong", "Right") + CONSENT)
    assert world.apply("--on-error", "stop").code == 1
    assert world.results() == {IMAGE_SET_ID: "stale", OTHER_ID: "not-attempted"}


def test_the_page_of_a_run_tells_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    page = world.root / "page.md"
    page.touch()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    manifest(world.root, "a.yaml", NAMED + CONSENT)
    world.plan()
    manifest(world.root, "a.yaml", NAMED)
    world.apply()
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
def test_another_ask(world: World, other: str) -> None:
    manifest(world.root, "a.yaml", NAMED + CONSENT)
    world.plan()
    manifest(world.root, "a.yaml", other)
    world.is_stale("manifest changed: ", world.apply())


def test_a_manifest_that_went(world: World) -> None:
    manifest(world.root, "a.yaml", NAMED + CONSENT)
    manifest(world.root, "b.yaml", DESCRIBED, OTHER_ID)
    world.plan("manifests")
    (world.root / "manifests" / "a.yaml").unlink()
    assert world.apply().code == 1
    assert world.results() == {IMAGE_SET_ID: "stale", OTHER_ID: "converged"}
    assert "no manifest asks for image set" in world.reason()


def test_without_manifests_nothing_is_applied(world: World) -> None:
    path = manifest(world.root, "a.yaml", NAMED + CONSENT)
    world.plan()
    path.unlink()
    ran = world.apply()
    assert ran.code == 1
    assert "the manifests of the saved plan have problems" in ran.err
    path.write_text("present: [")
    assert world.apply().code == 1
    assert world.live()["version"] == "1"


def test_paths_are_judged_against_the_same_selection(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest(world.root, "a.yaml", NAMED + CONSENT)
    manifest(world.root, "b.yaml", DESCRIBED)
    monkeypatch.chdir(world.root / "manifests")
    ran = world.reconcile("plan", "a.yaml", "--out", "../plan.json")
    assert ran.code == 0, ran.err
    monkeypatch.chdir(world.root)
    manifest(world.root, "b.yaml", DESCRIBED.replace("CHEST", "HEAD"))
    assert world.apply().code == 0
    assert world.live() == {"version": "2", "name": "Wrong^Name", "description": "CHEST"}


def test_manifests_outside_the_repository_give_no_consent(world: World) -> None:
    manifest(world.root, "a.yaml", NAMED + CONSENT)
    world.plan()
    manifest(world.root, "a.yaml", NAMED)
    other = manifest(world.root.parent, "a.yaml", NAMED + CONSENT)

    def name_other(raw: dict[str, Any]) -> None:
        raw["basis"]["paths"] = [str(other)]

    world.edit(name_other)
    ran = world.apply()
    assert ran.code == 1
    assert "which is not in this repository" in ran.err
    assert world.live()["version"] == "1"


def test_a_selection_that_changed(world: World) -> None:
    manifest(world.root, "a.yaml", NAMED + CONSENT)
    world.plan("manifests/a.yaml")
    manifest(world.root, "a.yaml", NAMED.replace("Wrong", "Right") + CONSENT)
    world.is_stale("manifest changed: ", world.apply())


def plan_half_a_study(world: World) -> None:
    """Two primary image sets of one study, and a plan whose manifest names the first alone."""
    for number, name in enumerate(("0" * 32, "1" * 32)):
        uid = f"{SERIES_UID}.{number}"
        content = document(series(uid, [instance(f"{uid}.1")]), image_set_id=name)
        imported(world.emulator, content, primary=True)
    manifest(world.root, "a.yaml", f"{DESCRIBED}allow: [STUDY_WIDE]\n", "0" * 32)
    world.plan()


def test_a_sibling_that_a_manifest_names_since(world: World) -> None:
    plan_half_a_study(world)
    manifest(world.root, "b.yaml", NAMED + CONSENT, "1" * 32)
    assert world.apply().code == 1
    assert world.results() == {"0" * 32: "stale"}
    (world.root / "manifests" / "b.yaml").unlink()
    assert world.apply().code == 0


def test_a_record_that_is_asked_for_again_is_not_dropped(world: World) -> None:
    text = manifest(world.root, "a.yaml", DESCRIBED).read_text()
    manifest(world.root, "b.yaml", DESCRIBED, OTHER_ID)
    assert world.reconcile("apply", "--auto-approve").code == 0
    (world.root / "manifests" / "a.yaml").unlink()
    world.plan()
    (world.root / "manifests" / "a.yaml").write_text(text)
    assert world.apply().code == 0
    assert (world.root / "records" / STORE / "ea.json").exists()


# --- consent, guardrails, rules -------------------------------------------------------------------


def test_consent_of_the_manifest_that_was_withdrawn(world: World) -> None:
    manifest(world.root, "a.yaml", NAMED + CONSENT)
    world.plan()
    manifest(world.root, "a.yaml", NAMED)
    world.is_stale("consent withdrawn: CHANGES_PATIENT_IDENTITY needs consent", world.apply())


def test_consent_of_the_settings_that_was_withdrawn(world: World) -> None:
    manifest(world.root, "a.yaml", NAMED)
    settings(world.root, world.emulator, CONSENT)
    world.plan()
    settings(world.root, world.emulator)
    world.is_stale("consent withdrawn: CHANGES_PATIENT_IDENTITY needs consent", world.apply())


def test_consent_that_moved_to_the_settings_still_holds(world: World) -> None:
    manifest(world.root, "a.yaml", NAMED + CONSENT)
    world.plan()
    manifest(world.root, "a.yaml", NAMED)
    settings(world.root, world.emulator, CONSENT)
    assert world.apply().code == 0


def test_force_that_was_withdrawn(world: World) -> None:
    asked = f"absent: {{Study: {{Series: {{{SERIES_UID}: {{DICOM: [SoftwareVersions]}}}}}}}}\n"
    manifest(world.root, "a.yaml", f"{asked}force: true\n")
    world.plan()
    manifest(world.root, "a.yaml", asked)
    world.is_stale("consent withdrawn: FORCE needs consent: force: true", world.apply())


def test_consent_to_overwrite_drift_that_was_withdrawn(world: World) -> None:
    manifest(world.root, "a.yaml", DESCRIBED)
    assert world.reconcile("apply", "--auto-approve").code == 0
    write(world.emulator, IMAGE_SET_ID, {"Study": {"DICOM": {"StudyDescription": "THEIRS"}}})
    manifest(world.root, "a.yaml", f"{DESCRIBED}allow: [OVERWRITES_DRIFT@3]\n")
    world.plan()
    manifest(world.root, "a.yaml", DESCRIBED)
    assert world.apply().code == 1
    assert world.reason().startswith("consent withdrawn: OVERWRITES_DRIFT")
    assert world.live()["description"] == "THEIRS"


def test_consent_to_move_a_whole_study_that_was_withdrawn(world: World) -> None:
    plan_half_a_study(world)
    manifest(world.root, "a.yaml", DESCRIBED, "0" * 32)
    assert world.apply().code == 1
    assert world.reason().startswith("consent withdrawn: STUDY_WIDE")
    # Where manifests name every image set of the study, no consent is needed.
    manifest(world.root, "a.yaml", f"{DESCRIBED}allow: [STUDY_WIDE]\n", "0" * 32, "1" * 32)
    world.plan()
    manifest(world.root, "a.yaml", DESCRIBED, "0" * 32, "1" * 32)
    assert world.apply().code == 0


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("", "guardrails: {imageSets: 0}\n", "guardrail: 2 image sets would change"),
        ("", "rules: {payloadBytes: 50}\n", "rules changed: `rules: {payloadBytes: 50}`"),
    ],
)
def test_settings_that_allow_less(world: World, before: str, after: str, reason: str) -> None:
    manifest(world.root, "a.yaml", DESCRIBED, IMAGE_SET_ID, OTHER_ID)
    settings(world.root, world.emulator, before)
    world.plan()
    settings(world.root, world.emulator, after)
    ran = world.apply()
    assert (ran.code, set(world.results().values())) == (1, {"stale"})
    assert reason in ran.out


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
def test_a_rule_that_was_tightened(world: World, rule: str, asked: str, primary: bool) -> None:
    name = "a" * 32
    imported(world.emulator, document(image_set_id=name), primary=primary)
    manifest(world.root, "a.yaml", asked, name)
    settings(world.root, world.emulator, f"rules: {{{rule}}}\n")
    world.plan()
    settings(world.root, world.emulator)
    assert world.apply().code == 1
    assert world.reason().startswith(f"rules changed: `rules: {{{rule.split(':')[0]}: ")
    assert world.live(name)["version"] == "1"


def test_a_plan_applied_in_parts_does_not_exceed_a_guardrail_by_its_own_progress(
    world: World,
) -> None:
    names = [f"{number:032d}" for number in range(12)]
    for name in names:
        imported(world.emulator, document(image_set_id=name))
    settings(world.root, world.emulator, "guardrails: {percent: 30}\n")
    manifest(world.root, "a.yaml", DESCRIBED, *names)
    world.plan()
    assert world.apply("--limit", "11").code == 2
    assert world.apply().code == 0
    assert world.apply().code == 0


# --- what is sent is what is shown ----------------------------------------------------------------


def request(raw: dict[str, Any], text: str) -> None:
    (step,) = raw["actions"][0]["steps"]
    step["updatableAttributes"] = step["updatableAttributes"].replace("Wrong^Name", text)


def shown(raw: dict[str, Any], text: str) -> None:
    raw["actions"][0]["changes"][0]["after"]["value"] = text


def test_a_request_that_is_not_what_is_shown_is_refused_by_show_and_apply(world: World) -> None:
    manifest(world.root, "a.yaml", NAMED + CONSENT)
    manifest(world.root, "b.yaml", DESCRIBED, OTHER_ID)
    world.plan()
    world.edit(lambda raw: request(action_of(raw, IMAGE_SET_ID), "Other^Name"))
    for ran in (world.reconcile("show", "plan.json"), world.apply()):
        assert (ran.code, ran.out) == (1, "")
        assert "the plan file was edited: image set ea92" in ran.err
        assert "Other^Name" not in ran.err
    assert world.live()["version"] == world.live(OTHER_ID)["version"] == "1"


def action_of(raw: dict[str, Any], name: str) -> dict[str, Any]:
    return {"actions": [one for one in raw["actions"] if one["members"][0]["imageSetId"] == name]}


def test_what_is_shown_and_sent_but_asked_by_no_manifest_is_stale(world: World) -> None:
    manifest(world.root, "a.yaml", NAMED + CONSENT)
    world.plan()
    world.edit(lambda raw: request(raw, "Other^Name"))
    world.edit(lambda raw: shown(raw, "Other^Name"))
    assert world.reconcile("show", "plan.json", "--show-values").code == 0
    world.is_stale("manifest changed: no manifest asks for Patient/PatientName", world.apply())


def test_a_hazard_that_is_hidden_is_refused(world: World) -> None:
    manifest(world.root, "a.yaml", NAMED + CONSENT)
    world.plan()
    manifest(world.root, "a.yaml", NAMED)

    def hide(raw: dict[str, Any]) -> None:
        raw["actions"][0]["hazards"] = []
        raw["actions"][0]["changes"][0]["hazards"] = []

    world.edit(hide)
    ran = world.apply()
    assert (ran.code, ran.out) == (1, "")
    assert "the hazards of Patient/PatientName are wrong" in ran.err
    assert world.live()["version"] == "1"


# --- what the service shows -----------------------------------------------------------------------


def test_a_primary_image_set_that_the_plan_calls_another_is_stale(world: World) -> None:
    imported(world.emulator, document(image_set_id=PRIMARY_ID), primary=True)
    asked = "present: {Study: {Series: {'*': {DICOM: {SeriesDescription: X}}}}}\n"
    settings(world.root, world.emulator, "rules: {seriesOnPrimary: allow}\n")
    manifest(world.root, "a.yaml", asked, PRIMARY_ID)
    world.plan()
    settings(world.root, world.emulator)

    def demote(raw: dict[str, Any]) -> None:
        del raw["basis"]["rules"]
        raw["actions"][0]["members"][0]["isPrimary"] = False

    world.edit(demote)
    assert world.apply().code == 1
    assert world.results() == {PRIMARY_ID: "stale"}
    assert "is primary, but the plan states that it is not" in world.reason()
    assert world.live(PRIMARY_ID)["version"] == "1"


def test_a_study_wide_call_that_became_a_call_to_one_image_set_is_refused(world: World) -> None:
    imported(world.emulator, document(image_set_id=PRIMARY_ID), primary=True)
    manifest(world.root, "a.yaml", f"{DESCRIBED}allow: [STUDY_WIDE]\n", PRIMARY_ID)
    world.plan()

    def split(raw: dict[str, Any]) -> None:
        (action,) = raw["actions"]
        action["hazards"] = []
        action["steps"][0]["includeStudyImageSets"] = False

    world.edit(split)
    ran = world.apply()
    assert (ran.code, ran.out) == (1, "")
    assert "Patient or Study attributes of a primary image set change without its study" in ran.err
    assert world.live(PRIMARY_ID)["version"] == "1"


def test_a_rule_is_judged_also_where_the_plan_hides_that_it_was_looser(world: World) -> None:
    asked = f"absent: {{Study: {{Series: {{{SERIES_UID}: {{DICOM: [SoftwareVersions]}}}}}}}}\n"
    settings(world.root, world.emulator, "rules: {removalsNeedForce: false}\n")
    manifest(world.root, "a.yaml", asked)
    world.plan()
    settings(world.root, world.emulator)

    def hide(raw: dict[str, Any]) -> None:
        del raw["basis"]["rules"]

    world.edit(hide)
    world.is_stale("rules changed: `rules: {removalsNeedForce: true}`", world.apply())


def test_another_store_with_the_same_versions_is_stale(world: World, tmp_path: Path) -> None:
    manifest(world.root, "a.yaml", NAMED + CONSENT)
    world.plan()
    with Emulator(tmp_path / "another", Options(update_seconds=0.0)) as emulator:
        emulator.service.ensure_datastore(STORE, "research")
        imported(emulator, document())
        settings(world.root, emulator)
        ran = world.apply()
        assert (ran.code, world.results()) == (1, {IMAGE_SET_ID: "stale"})
        assert "its createdAt differs" in world.reason()
        assert World(world.root, emulator, world.reconcile).live()["version"] == "1"


def test_another_version_is_a_conflict_as_ever(world: World) -> None:
    manifest(world.root, "a.yaml", NAMED + CONSENT)
    world.plan()
    write(world.emulator, IMAGE_SET_ID, {"Patient": {"DICOM": {"PatientComments": "x"}}})
    assert world.apply().code == 1
    assert world.results() == {IMAGE_SET_ID: "conflict"}


def test_what_was_converged_is_recorded_only_where_it_still_is(world: World) -> None:
    asked = DESCRIBED.replace("CT CHEST", "CHEST")
    manifest(world.root, "a.yaml", asked, IMAGE_SET_ID, OTHER_ID)
    world.plan()
    write(world.emulator, IMAGE_SET_ID, {"Study": {"DICOM": {"StudyDescription": "THEIRS"}}})
    ran = world.apply("--json")
    assert ran.code == 1
    (problem,) = json.loads(ran.out)["problems"]
    assert problem["message"].startswith(f"stale: image set {IMAGE_SET_ID} is at version 2")
    recorded = {path.name for path in (world.root / "records" / STORE).glob("*.json")}
    assert recorded == {f"{OTHER_ID[:2]}.json"}


def test_nor_where_the_manifest_changed_since(world: World) -> None:
    manifest(world.root, "a.yaml", DESCRIBED.replace("CT CHEST", "CHEST"))
    world.plan()
    manifest(world.root, "a.yaml", DESCRIBED)
    ran = world.apply()
    assert ran.code == 1
    assert "error: stale: manifest changed: " in ran.err
    assert not list((world.root / "records").glob("*/*.json"))
