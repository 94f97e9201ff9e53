"""What happens to image sets over several runs: drift, revert, renames, study siblings."""

from __future__ import annotations

import copy
import json
from typing import Any

from reconciler.core.dicom.content import content_digest
from reconciler.core.errors import EXIT_BUG, EXIT_OK
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.outcome import Result
from reconciler.core.model.plan import Status, Step
from reconciler.core.model.settings import Redact
from reconciler.core.model.value import Document
from reconciler.core.review import review_applied
from tests.documents import IMAGE_SET_ID, SERIES_UID, document, instance, series
from tests.pipeline.repository import Repository
from tests.planning import flawed_builder

DESCRIBED = "present: {Study: {DICOM: {StudyDescription: CT CHEST}}}\n"


def somebody_writes(repository: Repository, image_set_id: str, payload: dict[str, Any]) -> None:
    """An update by another program, which no manifest asks for."""
    repository.port.update(
        Step(
            datastore_id=repository.datastore.datastore_id,
            image_set_id=image_set_id,
            pin=repository.version(image_set_id),
            expected=(),
            updatable=json.dumps({"SchemaVersion": 1.1, **payload}),
        )
    )
    while repository.port.get(image_set_id).state == "LOCKED":
        repository.edges.clock.sleep(0.01)


def test_text_arrives_as_it_stands_in_the_manifest(repository: Repository) -> None:
    repository.load(document())
    repository.manifest(
        "a.yaml",
        "present:\n"
        "  Patient: {DICOM: {PatientID: 00123, PatientName: Null^No}}\n"
        "  Study: {DICOM: {StudyTime: 083000, PatientSize: 1.10, AccessionNumber: 1_000}}\n"
        "allow: [CHANGES_PATIENT_IDENTITY]\n",
        IMAGE_SET_ID,
    )
    repository.converge()
    now = repository.document(IMAGE_SET_ID)
    assert now["Patient"]["DICOM"]["PatientID"] == "00123"
    assert now["Patient"]["DICOM"]["PatientName"] == "Null^No"
    assert now["Study"]["DICOM"]["StudyTime"] == "083000"
    assert now["Study"]["DICOM"]["PatientSize"] == "1.10"
    assert now["Study"]["DICOM"]["AccessionNumber"] == "1_000"


def test_drift_is_held_back_until_its_version_is_named(repository: Repository) -> None:
    repository.load(document())
    repository.manifest("a.yaml", DESCRIBED, IMAGE_SET_ID)
    repository.converge()
    somebody_writes(repository, IMAGE_SET_ID, {"Study": {"DICOM": {"StudyDescription": "ABDOMEN"}}})

    (action,) = repository.plan().actions
    assert action.status is Status.DRIFTED
    assert action.steps == ()
    (use,) = [use for use in action.hazards if use.hazard is Hazard.OVERWRITES_DRIFT]
    assert use.consent == "allow: [OVERWRITES_DRIFT@3]"

    repository.manifest("a.yaml", DESCRIBED + use.consent + "\n", IMAGE_SET_ID)
    repository.converge()
    assert repository.document(IMAGE_SET_ID)["Study"]["DICOM"]["StudyDescription"] == "CT CHEST"


def test_an_edit_of_what_nobody_asks_is_no_drift(repository: Repository) -> None:
    repository.load(document())
    repository.manifest("a.yaml", DESCRIBED, IMAGE_SET_ID)
    repository.converge()
    somebody_writes(repository, IMAGE_SET_ID, {"Patient": {"DICOM": {"PatientComments": "x"}}})
    (action,) = repository.plan().actions
    assert action.status is Status.CONVERGED
    repository.apply()
    assert repository.entry(IMAGE_SET_ID).version_id == "3"
    assert repository.document(IMAGE_SET_ID)["Patient"]["DICOM"]["PatientComments"] == "x"


def test_a_revert_brings_back_the_content_to_the_byte(repository: Repository) -> None:
    repository.load(document())
    before = repository.document(IMAGE_SET_ID)  # with the DatastoreID of this data store
    repository.manifest("a.yaml", DESCRIBED, IMAGE_SET_ID)
    repository.converge()
    repository.manifest("a.yaml", 'revertToVersionId: "1"\n', IMAGE_SET_ID)
    repository.converge()
    now = repository.document(IMAGE_SET_ID)
    assert json.dumps(now, sort_keys=True) == json.dumps(before, sort_keys=True)
    assert content_digest(Document(now)) == content_digest(Document(before))
    assert repository.plan().steps == ()


def test_a_renamed_series_is_found_by_every_manifest(repository: Repository) -> None:
    repository.load(document())
    new = f"{SERIES_UID}.9"
    repository.manifest(
        "rename.yaml",
        f"present: {{Study: {{Series: {{{SERIES_UID}: {{DICOM: "
        f"{{SeriesInstanceUID: {new}}}}}}}}}}}\n"
        "force: true\nallow: [CHANGES_UID]\n",
        IMAGE_SET_ID,
    )
    repository.manifest(
        "other.yaml",
        f"present: {{Study: {{Series: {{{SERIES_UID}: {{DICOM: "
        "{SeriesDescription: Skull}}}}}\n",
        IMAGE_SET_ID,
    )
    repository.converge()
    assert repository.plan().steps == ()
    (found,) = repository.document(IMAGE_SET_ID)["Study"]["Series"].values()
    assert found["DICOM"]["SeriesInstanceUID"] == new
    assert found["DICOM"]["SeriesDescription"] == "Skull"


def test_a_stale_pin_is_a_conflict_for_that_action_alone(repository: Repository) -> None:
    other = document(image_set_id="0" * 32)
    repository.load(document())
    repository.load(other)
    repository.manifest("a.yaml", DESCRIBED, IMAGE_SET_ID, "0" * 32)
    plan = repository.plan()
    somebody_writes(repository, IMAGE_SET_ID, {"Study": {"DICOM": {"StudyDescription": "THEIRS"}}})
    results = {o.step.image_set_id: o.result for o in repository.apply(plan).outcomes}
    assert results == {IMAGE_SET_ID: Result.CONFLICT, "0" * 32: Result.CONVERGED}
    theirs = repository.document(IMAGE_SET_ID)
    assert theirs["Study"]["DICOM"]["StudyDescription"] == "THEIRS"
    assert repository.version(IMAGE_SET_ID) == "2"


def test_a_bug_of_the_builder_blocks_its_action_alone(repository: Repository) -> None:
    repository.load(document())
    repository.load(document(image_set_id="0" * 32))
    repository.manifest("a.yaml", DESCRIBED, IMAGE_SET_ID, "0" * 32)
    intact = repository.plan()
    plan = repository.plan(flawed_builder(IMAGE_SET_ID, "CT CHEST", "SECRET"))
    sound, flawed = plan.actions
    assert sound == intact.actions[0]
    assert (flawed.status, flawed.steps) == (Status.BLOCKED, ())
    assert flawed.changes == intact.actions[1].changes
    (block,) = flawed.blocks
    assert block.is_bug
    assert "SECRET" not in f"{block.message} {block.hint}"

    applied = repository.apply(plan)
    assert {one.step.image_set_id: one.result for one in applied.outcomes} == {
        "0" * 32: Result.CONVERGED
    }
    assert review_applied(applied, Redact.ALL).exit_code == EXIT_BUG
    assert repository.version(IMAGE_SET_ID) == "1"
    assert review_applied(repository.apply(intact), Redact.ALL).exit_code == EXIT_OK


def test_the_same_plan_twice_changes_nothing_twice(repository: Repository) -> None:
    repository.load(document())
    repository.manifest("a.yaml", DESCRIBED, IMAGE_SET_ID)
    plan = repository.plan()
    repository.apply(plan)
    (outcome,) = repository.apply(plan).outcomes
    assert outcome.result is Result.ALREADY_CONVERGED
    assert repository.version(IMAGE_SET_ID) == "2"
    assert repository.entry(IMAGE_SET_ID).version_id == "2"


def test_a_failed_update_tells_the_services_message(repository: Repository) -> None:
    repository.rules(series_on_primary="allow")
    repository.load(document(), primary=True)
    repository.manifest(
        "a.yaml",
        'present: {Study: {Series: {"*": {DICOM: {SeriesDescription: Skull}}}}}\n',
        IMAGE_SET_ID,
    )
    (outcome,) = repository.apply().outcomes
    assert outcome.result is Result.FAILED
    assert outcome.message
    assert repository.version(IMAGE_SET_ID) == "2"


def test_siblings_of_a_study_wide_call_are_recorded_too(repository: Repository) -> None:
    ids = ["0" * 31 + letter for letter in "ab"]
    for number, image_set_id in enumerate(ids):
        uid = f"{SERIES_UID}.{number}"
        repository.load(
            document(series(uid, [instance(f"{uid}.1")]), image_set_id=image_set_id), primary=True
        )
    repository.manifest("a.yaml", DESCRIBED + "allow: [STUDY_WIDE]\n", ids[1])
    plan = repository.converge()
    assert [step.image_set_id for step in plan.steps] == [ids[1]]
    for image_set_id in ids:
        assert repository.entry(image_set_id).version_id == "2"
        found = repository.document(image_set_id)
        assert found["Study"]["DICOM"]["StudyDescription"] == "CT CHEST"
    assert repository.entry(ids[0]).asked == ()


def test_records_of_which_no_manifest_asks_anything_are_released(repository: Repository) -> None:
    repository.load(document())
    repository.load(document(image_set_id="0" * 32))
    repository.manifest("a.yaml", DESCRIBED, IMAGE_SET_ID)
    repository.manifest("b.yaml", DESCRIBED, "0" * 32)
    repository.converge()
    (repository.root / "manifests" / "b.yaml").unlink()
    repository.apply()
    assert repository.entry(IMAGE_SET_ID).version_id == "2"
    gone = repository.entry("0" * 32)
    assert (gone.asked, gone.released) == ((), (("Study/StudyDescription", "2"),))


def test_an_unchanged_image_set_is_not_read_again(repository: Repository) -> None:
    from reconciler import pipeline

    repository.load(document())
    repository.manifest("a.yaml", DESCRIBED, IMAGE_SET_ID)
    repository.converge()
    planned = pipeline.plan(
        repository.settings, pipeline.check(repository.settings), repository.edges
    )
    assert planned.calls == {"GetImageSet": 1}


def test_a_document_with_odd_corners_survives_a_change_elsewhere(repository: Repository) -> None:
    odd = copy.deepcopy(document())
    odd["Study"]["Series"][SERIES_UID]["Instances"][f"{SERIES_UID}.1"]["DICOM"] |= {
        "7FDD1090": "",
        "PixelData": None,
        "FrameIncrementPointer": ["00181065"],
    }
    repository.load(odd)
    repository.manifest("a.yaml", DESCRIBED, IMAGE_SET_ID)
    repository.converge()
    now = repository.document(IMAGE_SET_ID)
    assert now["Study"]["Series"] == odd["Study"]["Series"]
