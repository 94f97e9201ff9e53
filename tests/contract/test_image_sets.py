"""What `reconciler.ports.ImageSets` promises, whoever implements it."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.errors import (
    AccessDeniedError,
    ConflictError,
    NotFoundError,
    RejectedError,
    ServiceError,
)
from tests.documents import SERIES_UID, STUDY_UID, document, instance, series

if TYPE_CHECKING:
    from tests.contract.conftest import World

A, B, C = (letter * 32 for letter in "abc")


def describe(value: str) -> str:
    return json.dumps({"SchemaVersion": 1.1, "Study": {"DICOM": {"StudyDescription": value}}})


def study_removal(key: str, value: Any) -> str:
    return json.dumps({"SchemaVersion": 1.1, "Study": {"DICOM": {key: value}}})


def content(world: World, name: str, version: str) -> dict[str, Any]:
    """Without what the service adds or numbers by itself."""
    raw = copy.deepcopy(world.port.metadata(name, version).raw)
    return {"Patient": raw["Patient"], "Study": raw["Study"]}


def test_a_new_image_set_is_at_version_1(world: World) -> None:
    world.put(document(image_set_id=A))
    found = world.port.get(A)
    assert (found.image_set_id, found.version_id, found.state) == (A, "1", "ACTIVE")
    assert found.workflow_status == "CREATED"
    assert found.updated_at is not None


def test_the_document_comes_back_as_it_is(world: World) -> None:
    given = document(image_set_id=A, patient={"PatientName": "Müller^Jürgen "})
    world.put(given)
    assert content(world, A, "1") == {"Patient": given["Patient"], "Study": given["Study"]}


def test_an_update_is_locked_first_and_then_done(world: World) -> None:
    world.put(document(image_set_id=A))
    before = world.port.get(A)
    assert world.port.update(world.step(A, updatable=describe("NEW"))) == "2"
    locked = world.port.get(A)
    assert (locked.version_id, locked.state) == ("2", "LOCKED")
    assert locked.workflow_status == "UPDATING"
    world.finish()
    done = world.port.get(A)
    assert (done.version_id, done.state, done.workflow_status) == ("2", "ACTIVE", "UPDATED")
    assert done.updated_at is not None and before.updated_at is not None
    assert done.updated_at >= before.updated_at


def test_versions_are_kept_and_can_be_read(world: World) -> None:
    given = document(image_set_id=A)
    world.put(given)
    world.update(A, "1", updatable=describe("TWO"))
    world.update(A, "2", updatable=describe("THREE"))
    assert [one.version_id for one in world.port.versions(A)] == ["1", "2", "3"]
    told = [content(world, A, v)["Study"]["DICOM"]["StudyDescription"] for v in "123"]
    assert told == ["CHEST", "TWO", "THREE"]
    assert world.port.get(A, "2").version_id == "2"


def test_many_versions_are_in_the_order_of_their_numbers(world: World) -> None:
    world.put(document(image_set_id=A))
    for pin in range(1, 12):
        world.update(A, str(pin), updatable=describe(f"V{pin + 1}"))
    assert [one.version_id for one in world.port.versions(A)] == [str(n) for n in range(1, 13)]


def test_an_update_changes_what_it_names_and_nothing_else(world: World) -> None:
    given = document(image_set_id=A)
    world.put(given)
    update = {
        "SchemaVersion": 1.1,
        "Patient": {"DICOM": {"PatientID": "00123", "PatientComments": "added"}},
        "Study": {"Series": {SERIES_UID: {"DICOM": {"BodyPartExamined": "CHEST"}}}},
    }
    world.update(A, updatable=json.dumps(update))
    expected = copy.deepcopy(given)
    expected["Patient"]["DICOM"] |= update["Patient"]["DICOM"]  # type: ignore[index]
    expected["Study"]["Series"][SERIES_UID]["DICOM"]["BodyPartExamined"] = "CHEST"
    assert content(world, A, "2") == {"Patient": expected["Patient"], "Study": expected["Study"]}


def test_a_private_element_travels_with_its_vr(world: World) -> None:
    world.put(document(image_set_id=A))
    uid = f"{SERIES_UID}.1"
    block = {"DICOM": {"00091002": "97"}, "DICOMVRs": {"00091002": "DS"}}
    update = {"SchemaVersion": 1.1, "Study": {"Series": {SERIES_UID: {"Instances": {uid: block}}}}}
    world.update(A, updatable=json.dumps(update), force=True)
    live = content(world, A, "2")["Study"]["Series"][SERIES_UID]["Instances"][uid]
    assert (live["DICOM"]["00091002"], live["DICOMVRs"]["00091002"]) == ("97", "DS")


def test_an_attribute_is_removed_by_its_exact_value(world: World) -> None:
    world.put(document(image_set_id=A))
    world.update(A, removable=study_removal("StudyDescription", "CHEST"))
    assert "StudyDescription" not in content(world, A, "2")["Study"]["DICOM"]


def test_an_instance_is_removed_by_an_empty_block(world: World) -> None:
    world.put(document(image_set_id=A))
    gone = {"Study": {"Series": {SERIES_UID: {"Instances": {f"{SERIES_UID}.1": {}}}}}}
    world.update(A, removable=json.dumps({"SchemaVersion": 1.1, **gone}))
    left = content(world, A, "2")["Study"]["Series"][SERIES_UID]["Instances"]
    assert list(left) == [f"{SERIES_UID}.2"]


def test_a_series_of_two_is_removed_by_an_empty_block(world: World) -> None:
    other = "1.2.99"
    blocks = [series(uid, [instance(f"{uid}.1")]) for uid in (SERIES_UID, other)]
    world.put(document(*blocks, image_set_id=A))
    world.update(A, removable=json.dumps({"SchemaVersion": 1.1, "Study": {"Series": {other: {}}}}))
    assert list(content(world, A, "2")["Study"]["Series"]) == [SERIES_UID]


def test_a_failed_update_uses_up_a_version_and_changes_nothing(world: World) -> None:
    world.put(document(image_set_id=A))
    assert world.update(A, removable=study_removal("StudyDescription", "NOT THIS")) == "2"
    failed = world.port.get(A)
    assert (failed.version_id, failed.state) == ("2", "ACTIVE")
    assert failed.workflow_status == "UPDATE_FAILED"
    assert failed.message
    assert content(world, A, "2") == content(world, A, "1")
    world.update(A, "2", updatable=describe("NEXT"))
    assert world.port.get(A).workflow_status == "UPDATED"


def test_a_revert_is_a_new_version_with_the_old_content(world: World) -> None:
    world.put(document(image_set_id=A))
    world.update(A, "1", updatable=describe("MISTAKE"))
    assert world.update(A, "2", revert_to="1") == "3"
    assert content(world, A, "3") == content(world, A, "1")


def test_a_stale_pin_is_a_404_and_writes_nothing(world: World) -> None:
    world.put(document(image_set_id=A))
    world.update(A, "1", updatable=describe("NEW"))
    with pytest.raises(NotFoundError, match="is not the latest"):
        world.port.update(world.step(A, "1", updatable=describe("STALE")))
    assert world.port.get(A).version_id == "2"


def test_a_pin_of_the_future_is_refused(world: World) -> None:
    world.put(document(image_set_id=A))
    with pytest.raises(NotFoundError):
        world.port.update(world.step(A, "2", updatable=describe("NEW")))


def test_a_locked_image_set_is_a_conflict(world: World) -> None:
    world.put(document(image_set_id=A))
    world.port.update(world.step(A, "1", updatable=describe("NEW")))
    with pytest.raises(ConflictError):
        world.port.update(world.step(A, "2", updatable=describe("MORE")))


@pytest.mark.parametrize("missing", [A, "0" * 32])
def test_a_missing_image_set_is_not_found(world: World, missing: str) -> None:
    for call in (
        lambda: world.port.get(missing),
        lambda: world.port.metadata(missing, "1"),
        lambda: world.port.versions(missing),
        lambda: world.port.update(world.step(missing, updatable=describe("X"))),
    ):
        with pytest.raises(NotFoundError):
            call()


def test_a_missing_version_is_not_found(world: World) -> None:
    world.put(document(image_set_id=A))
    with pytest.raises(NotFoundError):
        world.port.get(A, "9")
    with pytest.raises(NotFoundError):
        world.port.metadata(A, "9")


def test_a_missing_data_store_is_told(world: World) -> None:
    with pytest.raises((NotFoundError, AccessDeniedError)):
        list(world.missing.search())
    with pytest.raises(ServiceError):
        world.missing.get(A)


def test_nothing_to_update_is_rejected(world: World) -> None:
    world.put(document(image_set_id=A))
    with pytest.raises(RejectedError):
        world.port.update(world.step(A))


def test_search_finds_what_was_asked_for(world: World) -> None:
    for name, primary in ((A, True), (B, True), (C, False)):
        world.put(document(image_set_id=name), primary=primary)
    elsewhere = document(image_set_id="d" * 32, study={"StudyInstanceUID": "1.2.3"})
    world.put(elsewhere, primary=True)

    def ids(*filters: tuple[str, str]) -> set[str]:
        return {one.image_set_id for one in world.port.search(filters)}

    of_study = ("DICOMStudyInstanceUID", STUDY_UID)
    assert ids() == {A, B, C, "d" * 32}
    assert ids(of_study) == {A, B, C}
    assert ids(of_study, ("isPrimary", "true")) == {A, B}
    assert ids(("isPrimary", "false")) == {C}
    assert ids(("DICOMStudyInstanceUID", "9.9.9")) == set()


def test_search_tells_version_time_and_tags(world: World) -> None:
    world.put(document(image_set_id=A), primary=True)
    world.update(A, "1", updatable=describe("NEW"), study_wide=True)
    (found,) = world.port.search()
    assert (found.image_set_id, found.version_id, found.is_primary) == (A, "2", True)
    assert found.updated_at == world.port.get(A).updated_at
    tags = dict(found.tags)
    assert tags["DICOMStudyInstanceUID"] == STUDY_UID
    assert list(tags) == sorted(tags)


def test_search_goes_over_all_pages(world: World) -> None:
    names = {f"{number:032x}" for number in range(120)}
    small = document(series("1.2", [instance("1.2.3")]))
    for name in sorted(names):
        world.put(small | {"ImageSetID": name})
    found = [one.image_set_id for one in world.port.search()]
    assert len(found) == 120
    assert set(found) == names


def test_a_study_wide_update_moves_every_primary_image_set_of_the_study(world: World) -> None:
    for name, primary in ((A, True), (B, True), (C, False)):
        world.put(document(image_set_id=name), primary=primary)
    assert world.port.update(world.step(A, updatable=describe("ALL"), study_wide=True)) == "2"
    during = world.port.get(B)
    assert (during.state, during.version_id) == ("LOCKED", "2")
    assert during.workflow_status == "UPDATING_FOR_STUDY_CONSISTENCY"
    world.finish()
    for name in (A, B):
        assert world.port.get(name).workflow_status == "UPDATED"
        assert content(world, name, "2")["Study"]["DICOM"]["StudyDescription"] == "ALL"
    assert world.port.get(C).version_id == "1"


def test_a_study_wide_update_checks_no_pin_of_a_sibling(world: World) -> None:
    """Why apply reads the siblings before and after."""
    for name in (A, B):
        world.put(document(image_set_id=name), primary=True)
    instance_level = {
        "SchemaVersion": 1.1,
        "Study": {
            "Series": {SERIES_UID: {"Instances": {f"{SERIES_UID}.1": {"DICOM": {"KVP": "100"}}}}}
        },
    }
    world.update(B, "1", updatable=json.dumps(instance_level))
    assert world.port.get(B).workflow_status == "UPDATED"
    world.update(A, "1", updatable=describe("ALL"), study_wide=True)
    assert world.port.get(B).version_id == "3"


def test_a_locked_sibling_stops_a_study_wide_update(world: World) -> None:
    for name in (A, B):
        world.put(document(image_set_id=name), primary=True)
    world.port.update(world.step(B, revert_to="1"))
    with pytest.raises(ConflictError):
        world.port.update(world.step(A, updatable=describe("ALL"), study_wide=True))
    assert world.port.get(A).version_id == "1"


def test_a_study_wide_revert_does_not_exist(world: World) -> None:
    world.put(document(image_set_id=A), primary=True)
    world.update(A, "1", updatable=describe("NEW"), study_wide=True)
    with pytest.raises(RejectedError):
        world.port.update(world.step(A, "2", revert_to="1", study_wide=True))
