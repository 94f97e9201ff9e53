"""Nothing is laundered: the baseline is kept per attribute, and no run moves that of another.

Every test writes to the emulator as another process would, beside the command line. "Theirs" is
that other process.
"""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from reconciler.core.model.record import RULES_VERSION
from reconciler.emulator.http.server import Emulator
from tests.cli import outside
from tests.cli.conftest import Command
from tests.cli.outside import STORE, imported, in_the_first_form, manifest, settings, write
from tests.documents import IMAGE_SET_ID as OWN
from tests.documents import OTHER_ID, document, instance, series

APPLY = ("apply", "--auto-approve")


@pytest.fixture
def reconcile(reconcile_at_once: Command) -> Command:
    """No operation of the data store takes time."""
    return reconcile_at_once


@dataclass(frozen=True)
class BaselineRepository:
    """A repository and its data store."""

    root: Path
    emulator: Emulator
    reconcile: Command

    def ask(self, name: str, body: str, *image_set_ids: str, allow: str = "") -> Path:
        allowed = f"allow: [{allow}]\n" if allow else ""
        return manifest(self.root, name, f"{allowed}present:\n  {body}\n", *image_set_ids)

    def apply(self, *arguments: str, code: int = 0) -> str:
        ran = self.reconcile(*APPLY, *arguments)
        assert ran.code == code, ran.out + ran.err
        return ran.out

    def plan(self, *paths: str) -> dict[str, Any]:
        ran = self.reconcile("plan", "--json", *paths)
        assert ran.code == 0, ran.err
        found: dict[str, Any] = json.loads(ran.out)
        return found

    def status(self, image_set_id: str = OWN) -> str:
        """The status of the action of an image set."""
        (found,) = (
            action["status"]
            for action in self.plan()["actions"]
            if image_set_id in [member["imageSetId"] for member in action["members"]]
        )
        return str(found)

    def drifted(self) -> list[str]:
        """The paths of all drifted changes."""
        return [
            change["path"]
            for action in self.plan()["actions"]
            for change in action["changes"]
            if change["drifted"]
        ]

    def theirs(self, updates: dict[str, Any], image_set_id: str = OWN) -> None:
        write(self.emulator, image_set_id, updates)

    def fault(self, *faults: dict[str, Any]) -> None:
        """Set these faults of the emulator, and no others."""
        body = json.dumps({"faults": faults}).encode()
        url = f"{self.emulator.endpoint}/_emulator/faults"
        with urlopen(Request(url, body, method="PUT")) as answer:
            assert answer.status == 200

    def value(self, keyword: str, image_set_id: str = OWN) -> object:
        """A value of Patient or Study level."""
        raw = self.document(image_set_id)
        return {**raw["Patient"]["DICOM"], **raw["Study"]["DICOM"]}.get(keyword)

    def document(self, image_set_id: str = OWN) -> dict[str, Any]:
        address = {"datastoreId": STORE, "imageSetId": image_set_id}
        answer = self.emulator.service.call("GetImageSetMetadata", address)
        found: dict[str, Any] = json.loads(gzip.decompress(answer["imageSetMetadataBlob"]))
        return found

    def entry(self, image_set_id: str = OWN) -> dict[str, Any]:
        path = self.root / "records" / STORE / f"{image_set_id[:2]}.json"
        rows = json.loads(path.read_text())["entries"]
        (found,) = (row for row in rows if row["imageSetId"] == image_set_id)
        return dict(found)


@pytest.fixture
def repository(tmp_path: Path, reconcile: Command) -> Iterator[BaselineRepository]:
    with outside.repository(tmp_path) as (root, emulator):
        yield BaselineRepository(root, emulator, reconcile)


def study(text: str) -> dict[str, Any]:
    return {"Study": {"DICOM": {"StudyDescription": text}}}


DESCRIBED = "Study: {DICOM: {StudyDescription: CT CHEST}}"
COMMENTS = "Patient: {DICOM: {PatientComments: one}}"


# --- several manifests ------------------------------------------------------------------------


def test_an_apply_of_one_manifest_keeps_the_drift_of_another(
    repository: BaselineRepository,
) -> None:
    imported(repository.emulator, document())
    repository.ask("a.yaml", COMMENTS)
    repository.ask("b.yaml", DESCRIBED)
    repository.apply()
    repository.theirs(study("CORRECTED BY A PHYSICIAN"))
    repository.ask("a.yaml", COMMENTS.replace("one", "two"))
    out = repository.apply("manifests/a.yaml")
    assert "released" not in out
    assert repository.value("PatientComments") == "two"
    assert repository.drifted() == ["Study/StudyDescription"]
    repository.apply(code=1)
    assert repository.value("StudyDescription") == "CORRECTED BY A PHYSICIAN"
    assert repository.entry()["asked"] == {
        "Patient/PatientComments": "4",
        "Study/StudyDescription": "2",
    }


def test_a_broken_consent_of_another_manifest_does_not_hold_back_the_selected_one(
    repository: BaselineRepository,
) -> None:
    imported(repository.emulator, document())
    repository.ask("a.yaml", COMMENTS)
    repository.ask("b.yaml", "Patient: {DICOM: {PatientID: OTHER}}")  # needs consent
    assert repository.status() == "blocked"
    assert "b.yaml" not in repository.reconcile("plan", "manifests/a.yaml").out
    repository.apply("manifests/a.yaml")
    assert repository.value("PatientComments") == "one"
    assert repository.status() == "blocked"


def test_manifests_that_contradict_are_an_error_also_if_only_one_is_selected(
    repository: BaselineRepository,
) -> None:
    imported(repository.emulator, document())
    repository.ask("a.yaml", DESCRIBED)
    repository.ask("b.yaml", DESCRIBED.replace("CHEST", "HEAD"))
    ran = repository.reconcile("plan", "manifests/a.yaml")
    assert ran.code == 1
    assert "a.yaml" in ran.err and "b.yaml" in ran.err


@pytest.fixture
def siblings(repository: BaselineRepository) -> BaselineRepository:
    """Two primary image sets of one study, each with its own manifest, applied."""
    for name, uid in ((OWN, "1.2.3.1"), (OTHER_ID, "1.2.3.2")):
        content = document(series(uid, [instance(f"{uid}.1")]), image_set_id=name)
        imported(repository.emulator, content, primary=True)
    repository.ask("a.yaml", DESCRIBED, OWN)
    repository.ask("b.yaml", on_instance("1.2.3.2", "ours"), OTHER_ID)
    repository.apply()
    return repository


def on_instance(uid: str, text: str) -> str:
    attribute = f"{{DICOM: {{ImageComments: {text}}}}}"
    return f'Study: {{Series: {{{uid}: {{Instances: {{"{uid}.1": {attribute}}}}}}}}}'


def instance_update(uid: str, text: str) -> dict[str, Any]:
    block = {"DICOM": {"ImageComments": text}}
    return {"Study": {"Series": {uid: {"Instances": {f"{uid}.1": block}}}}}


def test_a_study_wide_apply_keeps_the_baselines_of_a_sibling(siblings: BaselineRepository) -> None:
    siblings.theirs(instance_update("1.2.3.2", "theirs"), OTHER_ID)
    siblings.ask("a.yaml", DESCRIBED.replace("CHEST", "HEAD"), OWN)
    siblings.apply("manifests/a.yaml")
    assert siblings.value("StudyDescription", OTHER_ID) == "CT HEAD"
    path = "Study/Series/1.2.3.2/Instances/1.2.3.2.1/ImageComments"
    assert path in siblings.entry(OTHER_ID)["asked"]
    assert siblings.drifted() == [path]
    siblings.apply(code=1)
    block = siblings.document(OTHER_ID)["Study"]["Series"]["1.2.3.2"]["Instances"]["1.2.3.2.1"]
    assert block["DICOM"]["ImageComments"] == "theirs"


def shared(repository: BaselineRepository, named: tuple[str, ...], text: str, **more: str) -> None:
    """Ask for a description of the study of two primary image sets."""
    allow = ", ".join(("STUDY_WIDE", *more.values()))
    repository.ask("a.yaml", DESCRIBED.replace("CT CHEST", text), *named, allow=allow)


@pytest.fixture
def pair(repository: BaselineRepository) -> BaselineRepository:
    """Two primary image sets of a study; one manifest names the first, and was applied."""
    for name, uid in ((OWN, "1.2.3.1"), (OTHER_ID, "1.2.3.2")):
        content = document(series(uid, [instance(f"{uid}.1")]), image_set_id=name)
        imported(repository.emulator, content, primary=True)
    shared(repository, (OWN,), "CT CHEST")
    repository.apply()
    return repository


def test_a_sibling_that_no_manifest_names_has_baselines_of_its_own(
    pair: BaselineRepository,
) -> None:
    entry = pair.entry(OTHER_ID)
    assert (entry["asked"], entry["released"]) == ({}, {"Study/StudyDescription": "2"})


def test_drift_of_a_sibling_that_no_manifest_names_is_not_overwritten(
    pair: BaselineRepository,
) -> None:
    pair.theirs(study("THEIRS"), OTHER_ID)
    shared(pair, (OWN,), "CT HEAD")
    assert pair.drifted() == ["Study/StudyDescription"]
    pair.apply(code=1)
    assert pair.value("StudyDescription", OTHER_ID) == "THEIRS"
    line = f"OVERWRITES_DRIFT@3:{OTHER_ID}"
    assert line in pair.reconcile("plan").out
    shared(pair, (OWN,), "CT HEAD", drift=line)
    assert "is not needed" not in pair.reconcile("plan").out
    pair.apply()
    assert pair.value("StudyDescription", OTHER_ID) == "CT HEAD"


def test_after_a_conflict_the_value_of_an_unnamed_sibling_is_drift(
    repository: BaselineRepository,
) -> None:
    for name, uid in ((OWN, "1.2.3.1"), (OTHER_ID, "1.2.3.2")):
        content = document(series(uid, [instance(f"{uid}.1")]), image_set_id=name)
        imported(repository.emulator, content, primary=True)
    shared(repository, (OWN,), "CT CHEST")
    assert repository.reconcile("plan", "--out", ".reconcile/plan.json").code == 0
    repository.theirs(study("THEIRS"), OTHER_ID)
    repository.apply(".reconcile/plan.json", code=1)
    repository.apply(code=1)
    assert repository.value("StudyDescription", OTHER_ID) == "THEIRS"


# --- lines that go and come back --------------------------------------------------------------


def test_a_drifted_line_that_is_deleted_and_put_back_is_still_drifted(
    repository: BaselineRepository,
) -> None:
    imported(repository.emulator, document())
    both = f"{COMMENTS}\n  {DESCRIBED}"
    repository.ask("a.yaml", both)
    repository.apply()
    repository.theirs(study("THEIRS"))
    repository.ask("a.yaml", COMMENTS)
    out = repository.apply()
    assert "no manifest asks for Study/StudyDescription any more" in out
    assert repository.entry()["released"] == {"Study/StudyDescription": "2"}
    repository.ask("a.yaml", both)
    assert repository.drifted() == ["Study/StudyDescription"]


def test_a_deleted_manifest_that_is_put_back_finds_the_drift(
    repository: BaselineRepository,
) -> None:
    imported(repository.emulator, document())
    imported(repository.emulator, document(image_set_id=OTHER_ID))
    repository.ask("a.yaml", DESCRIBED)
    repository.ask("b.yaml", DESCRIBED, OTHER_ID)
    repository.apply()
    (repository.root / "manifests" / "a.yaml").unlink()
    repository.apply()
    repository.theirs(study("THEIRS"))
    repository.ask("a.yaml", DESCRIBED)
    assert repository.status() == "drifted"


@pytest.mark.parametrize("way", ["star", "old-uid"])
def test_what_is_asked_in_another_way_is_not_released(
    repository: BaselineRepository, way: str
) -> None:
    imported(repository.emulator, document(series("1.2.3.1", [instance("1.2.3.1.1")])))
    repository.ask("a.yaml", on_instance("1.2.3.1", "ours"))
    repository.apply()
    if way == "star":
        attribute = "{DICOM: {ImageComments: ours}}"
        repository.ask("a.yaml", f'Study: {{Series: {{"*": {{Instances: {{"*": {attribute}}}}}}}}}')
    else:
        rename(repository, "1.2.3.1.1", "1.2.3.1.9")
    assert "released" not in repository.reconcile("plan").out


def rename(repository: BaselineRepository, old: str, new: str) -> None:
    attributes = f"{{DICOM: {{SOPInstanceUID: {new}, ImageComments: ours}}}}"
    manifest(
        repository.root,
        "a.yaml",
        "force: true\nallow: [CHANGES_UID]\npresent:\n"
        f'  Study: {{Series: {{1.2.3.1: {{Instances: {{"{old}": {attributes}}}}}}}}}\n',
    )


def test_a_renamed_instance_keeps_its_baseline_when_the_manifest_takes_the_new_uid(
    repository: BaselineRepository,
) -> None:
    imported(repository.emulator, document(series("1.2.3.1", [instance("1.2.3.1.1")])))
    rename(repository, "1.2.3.1.1", "1.2.3.1.9")
    repository.apply()
    path = "Study/Series/1.2.3.1/Instances/1.2.3.1.9"
    assert set(repository.entry()["asked"]) == {f"{path}/ImageComments", f"{path}/SOPInstanceUID"}
    block = {"DICOM": {"ImageComments": "theirs"}}
    repository.theirs({"Study": {"Series": {"1.2.3.1": {"Instances": {"1.2.3.1.9": block}}}}})
    attribute = "{DICOM: {ImageComments: ours}}"
    repository.ask(
        "a.yaml", f"Study: {{Series: {{1.2.3.1: {{Instances: {{1.2.3.1.9: {attribute}}}}}}}}}"
    )
    assert repository.drifted() == [f"{path}/ImageComments"]


# --- runs that do not end well ----------------------------------------------------------------


@pytest.mark.parametrize("fault", ["conflict", "failed"])
def test_after_a_first_apply_that_met_another_process_its_value_is_drift(
    repository: BaselineRepository, fault: str, tmp_path: Path
) -> None:
    imported(repository.emulator, document())
    repository.ask("a.yaml", DESCRIBED)
    assert repository.reconcile("plan", "--out", ".reconcile/plan.json").code == 0
    if fault == "conflict":
        repository.theirs(study("THEIRS"))
    else:
        repository.fault({"kind": "update-failed"})
    repository.apply(".reconcile/plan.json", code=1)
    if fault == "failed":
        repository.fault()
        repository.theirs(study("THEIRS"))
    assert repository.status() == "drifted"
    repository.apply(code=1)
    assert repository.value("StudyDescription") == "THEIRS"


LONG = "x" * 300


def comments(first: str, second: str) -> str:
    """Comments on two instances, too large for one call of 700 bytes."""
    inner = ", ".join(
        f'"1.2.3.1.{number}": {{DICOM: {{ImageComments: {text}{LONG}}}}}'
        for number, text in ((1, first), (2, second))
    )
    return f"Study: {{Series: {{1.2.3.1: {{Instances: {{{inner}}}}}}}}}"


def test_a_conflict_of_the_second_call_of_a_split_leaves_its_value_as_drift(
    repository: BaselineRepository,
) -> None:
    settings(repository.root, repository.emulator, "rules: {payloadBytes: 700}\n")
    blocks = [instance("1.2.3.1.1"), instance("1.2.3.1.2")]
    imported(repository.emulator, document(series("1.2.3.1", blocks)))
    repository.ask("a.yaml", comments("a", "b"), allow="SPLIT_UPDATE")
    theirs = {"Instances": {"1.2.3.1.2": {"DICOM": {"ImageComments": "theirs"}}}}
    repository.fault(
        {
            "kind": "foreign-write",
            "operation": "UpdateImageSetMetadata",
            "nth": 2,
            "attributes": {"Study": {"Series": {"1.2.3.1": theirs}}},
        }
    )
    repository.apply(code=1)
    repository.fault()
    path = "Study/Series/1.2.3.1/Instances/1.2.3.1"
    assert repository.entry()["asked"] == {
        f"{path}.1/ImageComments": "2",
        f"{path}.2/ImageComments": "1",
    }
    assert repository.drifted() == [f"{path}.2/ImageComments"]


def test_an_older_saved_plan_does_not_lower_a_baseline(repository: BaselineRepository) -> None:
    """Ours A at version 2, ours B at 4; theirs, back to A, at 5; a saved plan of version 2."""
    imported(repository.emulator, document())
    repository.ask("a.yaml", DESCRIBED.replace("CT CHEST", "A"))
    repository.apply()
    repository.ask("a.yaml", DESCRIBED.replace("CT CHEST", "B"))
    assert repository.reconcile("plan", "--out", ".reconcile/plan.json").code == 0
    repository.theirs({"Patient": {"DICOM": {"PatientComments": "theirs"}}})
    repository.apply()
    assert repository.entry()["asked"] == {"Study/StudyDescription": "4"}
    repository.theirs(study("A"))
    repository.apply(".reconcile/plan.json", code=1)
    assert repository.entry()["asked"] == {"Study/StudyDescription": "4"}
    assert repository.status() == "drifted"


def test_a_saved_plan_of_an_older_commit_drops_no_record(repository: BaselineRepository) -> None:
    imported(repository.emulator, document())
    imported(repository.emulator, document(image_set_id=OTHER_ID))
    repository.ask("b.yaml", DESCRIBED, OTHER_ID)
    assert repository.reconcile("plan", "--out", ".reconcile/plan.json").code == 0
    repository.ask("a.yaml", DESCRIBED)
    repository.apply()
    before = repository.entry()
    (repository.root / "manifests" / "a.yaml").unlink()
    repository.reconcile(*APPLY, ".reconcile/plan.json")
    assert repository.entry()["asked"] == before["asked"]


def test_consent_to_overwrite_drift_holds_for_the_value_that_it_was_given_for(
    repository: BaselineRepository,
) -> None:
    """OVERWRITES_DRIFT@3 permits to overwrite the value of version 3, also at version 4."""
    imported(repository.emulator, document())
    repository.ask("a.yaml", DESCRIBED)
    repository.apply()
    repository.theirs(study("THEIRS"))
    repository.theirs({"Patient": {"DICOM": {"PatientComments": "elsewhere"}}})
    repository.ask("a.yaml", DESCRIBED, allow="OVERWRITES_DRIFT@3")
    assert "is not needed" not in repository.reconcile("plan").out
    repository.apply()
    assert repository.value("StudyDescription") == "CT CHEST"


def test_consent_to_overwrite_drift_ends_with_another_value(repository: BaselineRepository) -> None:
    imported(repository.emulator, document())
    repository.ask("a.yaml", DESCRIBED)
    repository.apply()
    repository.theirs(study("THEIRS"))
    repository.theirs(study("THEIRS, CORRECTED"))
    repository.ask("a.yaml", DESCRIBED, allow="OVERWRITES_DRIFT@3")
    repository.apply(code=1)
    assert repository.value("StudyDescription") == "THEIRS, CORRECTED"


def test_consent_that_was_used_covers_no_later_drift_to_the_same_value(
    repository: BaselineRepository,
) -> None:
    imported(repository.emulator, document())
    repository.ask("a.yaml", DESCRIBED)
    repository.apply()
    repository.theirs(study("THEIRS"))
    repository.ask("a.yaml", DESCRIBED, allow="OVERWRITES_DRIFT@3")
    repository.apply()
    repository.theirs(study("THEIRS"))
    repository.apply(code=1)
    assert repository.value("StudyDescription") == "THEIRS"


def test_an_instance_whose_uid_and_value_were_changed_outside_has_drifted(
    repository: BaselineRepository,
) -> None:
    """Without image frames nothing but its UID distinguishes an instance from a new instance."""
    blocks = [{**instance(f"1.2.3.1.{number}"), "ImageFrames": []} for number in (1, 2)]
    imported(repository.emulator, document(series("1.2.3.1", blocks)))
    attribute = "{DICOM: {ImageComments: ours}}"
    repository.ask("a.yaml", f'Study: {{Series: {{"*": {{Instances: {{"*": {attribute}}}}}}}}}')
    repository.apply()
    dicom = {"SOPInstanceUID": "1.2.3.1.9", "ImageComments": "theirs"}
    updates = {"Study": {"Series": {"1.2.3.1": {"Instances": {"1.2.3.1.1": {"DICOM": dicom}}}}}}
    write(repository.emulator, OWN, updates, force=True)
    (change,) = repository.plan()["actions"][0]["changes"]
    assert change["drifted"]
    repository.apply(code=1)


def test_drift_is_found_by_records_of_the_first_form(repository: BaselineRepository) -> None:
    imported(repository.emulator, document())
    repository.ask("a.yaml", DESCRIBED)
    repository.apply()
    in_the_first_form(repository.root)
    repository.theirs(study("THEIRS"))
    assert repository.status() == "drifted"


# --- what no record means ---------------------------------------------------------------------


def test_first_changes_are_counted(repository: BaselineRepository) -> None:
    imported(repository.emulator, document())
    repository.ask("a.yaml", DESCRIBED)
    found = repository.plan()["totals"]["firstChanges"]
    assert found == {"imageSets": 1, "attributes": 1, "instances": 0}
    repository.apply()
    repository.ask("a.yaml", f"{COMMENTS}\n  {DESCRIBED.replace('CHEST', 'HEAD')}")
    out = repository.reconcile("plan").out
    assert "First changes (no record yet): 1 attribute of 1 image set." in out


def test_a_renamed_data_store_keeps_its_records(repository: BaselineRepository) -> None:
    imported(repository.emulator, document())
    path = repository.ask("a.yaml", DESCRIBED)
    repository.apply()
    repository.theirs(study("THEIRS"))
    for file in (path, repository.root / "reconciler.yaml"):
        file.write_text(file.read_text().replace("research", "teaching"))
    assert repository.status() == "drifted"


def test_records_made_under_other_comparison_rules_keep_their_baselines(
    repository: BaselineRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(repository.emulator, document())
    repository.ask("a.yaml", DESCRIBED)
    repository.apply()
    repository.theirs(study("THEIRS"))
    monkeypatch.setattr("reconciler.core.diff.compare.RULES_VERSION", RULES_VERSION + 1)
    assert repository.status() == "drifted"


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Steward", "-c", "user.email=steward@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


@pytest.mark.parametrize("way", ["sparse", "deleted"])
def test_records_that_git_knows_and_that_are_not_checked_out_are_an_error(
    repository: BaselineRepository, way: str
) -> None:
    imported(repository.emulator, document())
    repository.ask("a.yaml", DESCRIBED)
    (repository.root / ".gitignore").write_text(".reconcile/\n")
    git(repository.root, "init", "-q")
    git(repository.root, "add", ".")
    git(repository.root, "commit", "-qm", "Ask")
    repository.apply("--record", "commit")
    repository.theirs(study("THEIRS"))
    if way == "sparse":
        git(repository.root, "sparse-checkout", "set", "manifests")
        assert not (repository.root / "records").exists()
    else:
        shutil.rmtree(repository.root / "records")
    for command in (("plan",), APPLY):
        ran = repository.reconcile(*command)
        assert ran.code == 1
        assert "are not checked out" in ran.err
    assert repository.value("StudyDescription") == "THEIRS"


def test_in_a_ci_job_apply_must_know_where_its_records_go(
    repository: BaselineRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(repository.emulator, document())
    repository.ask("a.yaml", DESCRIBED)
    git(repository.root, "init", "-q")
    git(repository.root, "add", ".")
    git(repository.root, "commit", "-q", "-m", "ask")
    monkeypatch.setenv("CI", "true")
    ran = repository.reconcile(*APPLY)
    assert ran.code == 1
    assert "record: {mode: commit}" in ran.err
    assert "If the default branch is protected, use `branch`, or `pull-request`" in ran.err
    assert repository.value("StudyDescription") != "CT CHEST"
    assert repository.reconcile("plan").code == 0
    repository.apply("--record", "files")


# --- which store ------------------------------------------------------------------------------


def test_the_record_states_the_arn(repository: BaselineRepository) -> None:
    imported(repository.emulator, document())
    repository.ask("a.yaml", DESCRIBED)
    repository.apply()
    assert repository.entry()["imageSetArn"].endswith(f"datastore/{STORE}/imageset/{OWN}")
