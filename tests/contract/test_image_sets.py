"""The contract of `reconciler.core.ports.ImageSets`, for every implementation."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.errors import (
    AccessDeniedError,
    ConflictError,
    NotFoundError,
    RejectedError,
    ServiceError,
)

if TYPE_CHECKING:
    from reconciler.core.model.observed import Summary
    from tests.contract.worlds import World

MISSING = "a" * 32


def describe(value: str) -> str:
    return json.dumps({"SchemaVersion": 1.1, "Study": {"DICOM": {"StudyDescription": value}}})


def study_removal(key: str, value: Any) -> str:
    return json.dumps({"SchemaVersion": 1.1, "Study": {"DICOM": {key: value}}})


def in_series(document: dict[str, Any], block: dict[str, Any]) -> dict[str, Any]:
    """An update or removal of the only series of a document."""
    return {"SchemaVersion": 1.1, "Study": {"Series": {series_uid(document): block}}}


def in_instance(document: dict[str, Any], block: dict[str, Any]) -> dict[str, Any]:
    """An update or removal of the first instance of that series."""
    return in_series(document, {"Instances": {f"{series_uid(document)}.1": block}})


def series_uid(document: dict[str, Any]) -> str:
    uid: str = next(iter(document["Study"]["Series"]))
    return uid


def series_of(content: dict[str, Any]) -> dict[str, Any]:
    """The only series."""
    (found,) = content["Study"]["Series"].values()
    return dict(found)


def covers(found: Any, asked: Any) -> bool:
    """Whether the document has all values asked. An import adds values, and may drop padding."""
    if isinstance(asked, dict):
        return isinstance(found, dict) and all(
            key in found and covers(found[key], value) for key, value in asked.items()
        )
    if isinstance(asked, list):
        return len(found) == len(asked) and all(map(covers, found, asked))
    if isinstance(asked, str):
        return isinstance(found, str) and found.strip() == asked.strip()
    return bool(found == asked)


def content(world: World, name: str, version: str) -> dict[str, Any]:
    """The document without the values that the service adds."""
    raw = copy.deepcopy(world.port.metadata(name, version).raw)
    return {"Patient": raw["Patient"], "Study": raw["Study"]}


def test_a_new_image_set_is_at_version_1(world: World) -> None:
    name = world.put(world.document())
    found = world.port.get(name)
    assert (found.image_set_id, found.version_id, found.state) == (name, "1", "ACTIVE")
    assert found.workflow_status == "CREATED"
    assert found.updated_at is not None


def test_the_document_comes_back(world: World) -> None:
    given = world.document(patient={"PatientName": "Müller^Jürgen "})
    found = content(world, world.put(given), "1")
    assert covers(found["Patient"]["DICOM"], given["Patient"]["DICOM"])
    assert covers(found["Study"]["DICOM"], given["Study"]["DICOM"])
    assert list(found["Study"]["Series"]) == list(given["Study"]["Series"])
    live, wanted = series_of(found), series_of(given)
    assert covers(live["DICOM"], wanted["DICOM"])
    assert set(live["Instances"]) == set(wanted["Instances"])
    for uid, block in wanted["Instances"].items():
        assert covers(live["Instances"][uid]["DICOM"], block["DICOM"])
        assert live["Instances"][uid]["DICOMVRs"] == block["DICOMVRs"]


def test_an_update_is_locked_first(world: World) -> None:
    name = world.put(world.document())
    assert world.port.update(world.step(name, updatable=describe("NEW"))) == "2"
    locked = world.seen_locked(name)
    assert (locked.version_id, locked.workflow_status) == ("2", "UPDATING")
    assert locked.state == "LOCKED"


def test_an_update_is_done_in_the_end(world: World) -> None:
    name = world.put(world.document())
    before = world.port.get(name)
    assert world.update(name, updatable=describe("NEW")) == "2"
    done = world.port.get(name)
    assert (done.version_id, done.state, done.workflow_status) == ("2", "ACTIVE", "UPDATED")
    assert done.updated_at is not None and before.updated_at is not None
    assert done.updated_at >= before.updated_at


def test_all_versions_state_when_the_image_set_was_created(world: World) -> None:
    name = world.put(world.document())
    world.update(name, "1", updatable=describe("TWO"))
    created = {world.port.get(name, version).created_at for version in (None, "1", "2")}
    created |= {one.created_at for one in world.port.versions(name)}
    assert len(created) == 1
    assert None not in created


def test_versions_are_kept_and_can_be_read(world: World) -> None:
    name = world.put(world.document())
    world.update(name, "1", updatable=describe("TWO"))
    world.update(name, "2", updatable=describe("THREE"))
    assert [one.version_id for one in world.port.versions(name)] == ["1", "2", "3"]
    descriptions = [content(world, name, v)["Study"]["DICOM"]["StudyDescription"] for v in "123"]
    assert descriptions == ["CHEST", "TWO", "THREE"]
    assert world.port.get(name, "2").version_id == "2"


def test_many_versions_are_in_the_order_of_their_numbers(world: World) -> None:
    name = world.put(world.document())
    for pin in range(1, 12):
        world.update(name, str(pin), updatable=describe(f"V{pin + 1}"))
    assert [one.version_id for one in world.port.versions(name)] == [str(n) for n in range(1, 13)]


def test_an_update_changes_what_it_names_and_nothing_else(world: World) -> None:
    given = world.document()
    name = world.put(given)
    expected = content(world, name, "1")
    patient = {"PatientID": "00123", "PatientComments": "added"}
    update = in_series(given, {"DICOM": {"BodyPartExamined": "CHEST"}})
    update["Patient"] = {"DICOM": patient}
    world.update(name, updatable=json.dumps(update))
    expected["Patient"]["DICOM"] |= patient
    series_of(expected)["DICOM"]["BodyPartExamined"] = "CHEST"
    assert content(world, name, "2") == expected


def test_a_private_element_travels_with_its_vr(world: World) -> None:
    given = world.document()
    name = world.put(given)
    block = {"DICOM": {"00091002": "97"}, "DICOMVRs": {"00091002": "DS"}}
    world.update(name, updatable=json.dumps(in_instance(given, block)), force=True)
    live = series_of(content(world, name, "2"))["Instances"][f"{series_uid(given)}.1"]
    assert (live["DICOM"]["00091002"], live["DICOMVRs"]["00091002"]) == ("97", "DS")


def test_an_attribute_is_removed_by_its_exact_value(world: World) -> None:
    name = world.put(world.document())
    world.update(name, removable=study_removal("StudyDescription", "CHEST"))
    assert "StudyDescription" not in content(world, name, "2")["Study"]["DICOM"]


def test_an_instance_is_removed_by_an_empty_block(world: World) -> None:
    given = world.document()
    name = world.put(given)
    world.update(name, removable=json.dumps(in_instance(given, {})))
    left = series_of(content(world, name, "2"))["Instances"]
    assert list(left) == [f"{series_uid(given)}.2"]


def test_a_series_of_two_is_removed_by_an_empty_block(world: World) -> None:
    given = world.document(all_series=2)
    name = world.put(given)
    gone, left = given["Study"]["Series"]
    removal = {"SchemaVersion": 1.1, "Study": {"Series": {gone: {}}}}
    world.update(name, removable=json.dumps(removal))
    assert list(content(world, name, "2")["Study"]["Series"]) == [left]


def test_a_failed_update_uses_up_a_version_and_changes_nothing(world: World) -> None:
    name = world.put(world.document())
    assert world.update(name, removable=study_removal("StudyDescription", "NOT THIS")) == "2"
    failed = world.port.get(name)
    assert (failed.version_id, failed.state) == ("2", "ACTIVE")
    assert failed.workflow_status == "UPDATE_FAILED"
    assert failed.message
    assert content(world, name, "2") == content(world, name, "1")
    world.update(name, "2", updatable=describe("NEXT"))
    assert world.port.get(name).workflow_status == "UPDATED"
    _, history, _ = world.port.versions(name)
    assert history == failed


def test_a_revert_is_a_new_version_with_the_old_content(world: World) -> None:
    name = world.put(world.document())
    world.update(name, "1", updatable=describe("MISTAKE"))
    assert world.update(name, "2", revert_to="1") == "3"
    assert content(world, name, "3") == content(world, name, "1")


def test_a_stale_pin_is_a_404_and_writes_nothing(world: World) -> None:
    name = world.put(world.document())
    world.update(name, "1", updatable=describe("NEW"))
    with pytest.raises(NotFoundError, match="is not the latest"):
        world.port.update(world.step(name, "1", updatable=describe("STALE")))
    assert world.port.get(name).version_id == "2"


def test_a_pin_of_the_future_is_refused(world: World) -> None:
    name = world.put(world.document())
    with pytest.raises(NotFoundError):
        world.port.update(world.step(name, "2", updatable=describe("NEW")))


def test_a_locked_image_set_is_a_conflict(world: World) -> None:
    name = world.put(world.document())
    world.port.update(world.step(name, "1", updatable=describe("NEW")))
    again = world.refused_while_locked(
        world.step(name, "2", updatable=describe("MORE")), locked=name
    )
    with pytest.raises(ConflictError):
        again()


@pytest.mark.parametrize("missing", [MISSING, "0" * 32])
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
    name = world.put(world.document())
    with pytest.raises(NotFoundError):
        world.port.get(name, "9")
    with pytest.raises(NotFoundError):
        world.port.metadata(name, "9")


def test_a_missing_data_store_is_told(world: World) -> None:
    with pytest.raises((NotFoundError, AccessDeniedError)):
        list(world.missing.search())
    with pytest.raises(ServiceError):
        world.missing.get(MISSING)


def test_nothing_to_update_is_rejected(world: World) -> None:
    name = world.put(world.document())
    with pytest.raises(RejectedError):
        world.port.update(world.step(name))


def test_search_finds_what_was_asked_for(world: World) -> None:
    a, b = world.put_all([world.document(1), world.document(2)], primary=True)
    c = world.put(world.document(3))
    elsewhere = world.put(world.document(4, study_number=2), primary=True)

    def check(expected: set[str], *filters: tuple[str, str]) -> None:
        found = world.search(*filters, until=lambda found: ids(found) == expected)
        assert ids(found) == expected

    of_study = ("DICOMStudyInstanceUID", world.study_uid())
    check({a, b, c, elsewhere})
    check({a, b, c}, of_study)
    check(set(), ("DICOMStudyInstanceUID", world.study_uid(9)))


def ids(found: list[Summary]) -> set[str]:
    return {one.image_set_id for one in found}


def test_search_tells_version_time_and_tags(world: World) -> None:
    name = world.put(world.document(), primary=True)
    world.update(name, "1", updatable=describe("NEW"), study_wide=True)
    (found,) = world.search(until=lambda found: [one.version_id for one in found] == ["2"])
    assert (found.image_set_id, found.version_id, found.is_primary) == (name, "2", True)
    assert found.updated_at == world.port.get(name).updated_at
    tags = dict(found.tags)
    assert tags["DICOMStudyInstanceUID"] == world.study_uid()
    assert list(tags) == sorted(tags)


def test_search_goes_over_all_pages(world: World) -> None:
    """Pages of 50, so that there are three."""
    names = world.put_all([world.document(number) for number in range(1, 102)], primary=True)
    found = world.search(until=lambda found: len(found) == len(names))
    assert len(found) == len(names) == 101
    assert ids(found) == set(names)


def test_a_study_wide_update_moves_every_primary_image_set_of_the_study(world: World) -> None:
    a, b = world.put_all([world.document(1), world.document(2)], primary=True)
    c = world.put(world.document(3))
    assert world.port.update(world.step(a, updatable=describe("ALL"), study_wide=True)) == "2"
    world.finish()
    for name in (a, b):
        assert world.port.get(name).workflow_status == "UPDATED"
        assert world.port.get(name).version_id == "2"
        assert content(world, name, "2")["Study"]["DICOM"]["StudyDescription"] == "ALL"
    assert world.port.get(c).version_id == "1"


def test_a_study_wide_update_locks_the_siblings(world: World) -> None:
    a, b = world.put_all([world.document(1), world.document(2)], primary=True)
    world.port.update(world.step(a, updatable=describe("ALL"), study_wide=True))
    during = world.seen_locked(b)
    assert (during.state, during.version_id) == ("LOCKED", "2")
    assert during.workflow_status == "UPDATING_FOR_STUDY_CONSISTENCY"


def test_a_study_wide_update_checks_no_pin_of_a_sibling(world: World) -> None:
    """This is why apply reads the siblings before and after the call."""
    sibling = world.document(2)
    a, b = world.put_all([world.document(1), sibling], primary=True)
    instance_level = in_instance(sibling, {"DICOM": {"KVP": "100"}})
    world.update(b, "1", updatable=json.dumps(instance_level))
    assert world.port.get(b).workflow_status == "UPDATED"
    world.update(a, "1", updatable=describe("ALL"), study_wide=True)
    assert world.port.get(b).version_id == "3"


def test_a_locked_sibling_stops_a_study_wide_update(world: World) -> None:
    sibling = world.document(2)
    a, b = world.put_all([world.document(1), sibling], primary=True)
    instance_level = in_instance(sibling, {"DICOM": {"KVP": "100"}})
    world.port.update(world.step(b, updatable=json.dumps(instance_level)))
    study_wide = world.refused_while_locked(
        world.step(a, updatable=describe("ALL"), study_wide=True), locked=b
    )
    with pytest.raises(ConflictError):
        study_wide()
    assert world.port.get(a).version_id == "1"


def test_a_study_wide_revert_does_not_exist(world: World) -> None:
    name = world.put(world.document(), primary=True)
    world.update(name, "1", updatable=describe("NEW"), study_wide=True)
    with pytest.raises(RejectedError):
        world.port.update(world.step(name, "2", revert_to="1", study_wide=True))
