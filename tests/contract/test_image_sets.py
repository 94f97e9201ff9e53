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
from reconciler.core.model.search_filter import Span

if TYPE_CHECKING:
    from reconciler.core.model.observed import Summary
    from tests.contract.stores import ContractStore

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


def content(store: ContractStore, name: str, version: str) -> dict[str, Any]:
    """The document without the values that the service adds."""
    raw = copy.deepcopy(store.port.metadata(name, version).raw)
    return {"Patient": raw["Patient"], "Study": raw["Study"]}


def test_a_new_image_set_is_at_version_1(store: ContractStore) -> None:
    name = store.put(store.document())
    found = store.port.get(name)
    assert (found.image_set_id, found.version_id, found.state) == (name, "1", "ACTIVE")
    assert found.workflow_status == "CREATED"
    assert found.updated_at is not None


def test_the_document_comes_back(store: ContractStore) -> None:
    given = store.document(patient={"PatientName": "Müller^Jürgen "})
    found = content(store, store.put(given), "1")
    assert covers(found["Patient"]["DICOM"], given["Patient"]["DICOM"])
    assert covers(found["Study"]["DICOM"], given["Study"]["DICOM"])
    assert list(found["Study"]["Series"]) == list(given["Study"]["Series"])
    live, wanted = series_of(found), series_of(given)
    assert covers(live["DICOM"], wanted["DICOM"])
    assert set(live["Instances"]) == set(wanted["Instances"])
    for uid, block in wanted["Instances"].items():
        assert covers(live["Instances"][uid]["DICOM"], block["DICOM"])
        assert live["Instances"][uid]["DICOMVRs"] == block["DICOMVRs"]


def test_an_update_is_locked_first(store: ContractStore) -> None:
    name = store.put(store.document())
    assert store.port.update(store.step(name, updatable=describe("NEW"))) == "2"
    locked = store.seen_locked(name)
    assert (locked.version_id, locked.workflow_status) == ("2", "UPDATING")
    assert locked.state == "LOCKED"


def test_an_update_is_done_in_the_end(store: ContractStore) -> None:
    name = store.put(store.document())
    before = store.port.get(name)
    assert store.update(name, updatable=describe("NEW")) == "2"
    done = store.port.get(name)
    assert (done.version_id, done.state, done.workflow_status) == ("2", "ACTIVE", "UPDATED")
    assert done.updated_at is not None and before.updated_at is not None
    assert done.updated_at >= before.updated_at


def test_all_versions_state_when_the_image_set_was_created(store: ContractStore) -> None:
    name = store.put(store.document())
    store.update(name, "1", updatable=describe("TWO"))
    created = {store.port.get(name, version).created_at for version in (None, "1", "2")}
    created |= {one.created_at for one in store.port.versions(name)}
    assert len(created) == 1
    assert None not in created


def test_versions_are_kept_and_can_be_read(store: ContractStore) -> None:
    name = store.put(store.document())
    store.update(name, "1", updatable=describe("TWO"))
    store.update(name, "2", updatable=describe("THREE"))
    assert [one.version_id for one in store.port.versions(name)] == ["1", "2", "3"]
    descriptions = [content(store, name, v)["Study"]["DICOM"]["StudyDescription"] for v in "123"]
    assert descriptions == ["CHEST", "TWO", "THREE"]
    assert store.port.get(name, "2").version_id == "2"


def test_many_versions_are_in_the_order_of_their_numbers(store: ContractStore) -> None:
    name = store.put(store.document())
    for pin in range(1, 12):
        store.update(name, str(pin), updatable=describe(f"V{pin + 1}"))
    assert [one.version_id for one in store.port.versions(name)] == [str(n) for n in range(1, 13)]


def test_an_update_changes_what_it_names_and_nothing_else(store: ContractStore) -> None:
    given = store.document()
    name = store.put(given)
    expected = content(store, name, "1")
    patient = {"PatientID": "00123", "PatientComments": "added"}
    update = in_series(given, {"DICOM": {"BodyPartExamined": "CHEST"}})
    update["Patient"] = {"DICOM": patient}
    store.update(name, updatable=json.dumps(update))
    expected["Patient"]["DICOM"] |= patient
    series_of(expected)["DICOM"]["BodyPartExamined"] = "CHEST"
    assert content(store, name, "2") == expected


def test_a_private_element_travels_with_its_vr(store: ContractStore) -> None:
    given = store.document()
    name = store.put(given)
    block = {"DICOM": {"00091002": "97"}, "DICOMVRs": {"00091002": "DS"}}
    store.update(name, updatable=json.dumps(in_instance(given, block)), force=True)
    live = series_of(content(store, name, "2"))["Instances"][f"{series_uid(given)}.1"]
    assert (live["DICOM"]["00091002"], live["DICOMVRs"]["00091002"]) == ("97", "DS")


def test_an_attribute_is_removed_by_its_exact_value(store: ContractStore) -> None:
    name = store.put(store.document())
    store.update(name, removable=study_removal("StudyDescription", "CHEST"))
    assert "StudyDescription" not in content(store, name, "2")["Study"]["DICOM"]


def test_an_instance_is_removed_by_an_empty_block(store: ContractStore) -> None:
    given = store.document()
    name = store.put(given)
    store.update(name, removable=json.dumps(in_instance(given, {})))
    left = series_of(content(store, name, "2"))["Instances"]
    assert list(left) == [f"{series_uid(given)}.2"]


def test_a_series_of_two_is_removed_by_an_empty_block(store: ContractStore) -> None:
    given = store.document(all_series=2)
    name = store.put(given)
    gone, left = given["Study"]["Series"]
    removal = {"SchemaVersion": 1.1, "Study": {"Series": {gone: {}}}}
    store.update(name, removable=json.dumps(removal))
    assert list(content(store, name, "2")["Study"]["Series"]) == [left]


def test_a_failed_update_uses_up_a_version_and_changes_nothing(store: ContractStore) -> None:
    name = store.put(store.document())
    assert store.update(name, removable=study_removal("StudyDescription", "NOT THIS")) == "2"
    failed = store.port.get(name)
    assert (failed.version_id, failed.state) == ("2", "ACTIVE")
    assert failed.workflow_status == "UPDATE_FAILED"
    assert failed.message
    assert content(store, name, "2") == content(store, name, "1")
    store.update(name, "2", updatable=describe("NEXT"))
    assert store.port.get(name).workflow_status == "UPDATED"
    _, history, _ = store.port.versions(name)
    assert history == failed


def test_a_revert_is_a_new_version_with_the_old_content(store: ContractStore) -> None:
    name = store.put(store.document())
    store.update(name, "1", updatable=describe("MISTAKE"))
    assert store.update(name, "2", revert_to="1") == "3"
    assert content(store, name, "3") == content(store, name, "1")


def test_a_stale_pin_is_a_404_and_writes_nothing(store: ContractStore) -> None:
    name = store.put(store.document())
    store.update(name, "1", updatable=describe("NEW"))
    with pytest.raises(NotFoundError, match="is not the latest"):
        store.port.update(store.step(name, "1", updatable=describe("STALE")))
    assert store.port.get(name).version_id == "2"


def test_a_pin_of_the_future_is_refused(store: ContractStore) -> None:
    name = store.put(store.document())
    with pytest.raises(NotFoundError):
        store.port.update(store.step(name, "2", updatable=describe("NEW")))


def test_a_locked_image_set_is_a_conflict(store: ContractStore) -> None:
    name = store.put(store.document())
    store.port.update(store.step(name, "1", updatable=describe("NEW")))
    again = store.refused_while_locked(
        store.step(name, "2", updatable=describe("MORE")), locked=name
    )
    with pytest.raises(ConflictError):
        again()


@pytest.mark.parametrize("missing", [MISSING, "0" * 32])
def test_a_missing_image_set_is_not_found(store: ContractStore, missing: str) -> None:
    for call in (
        lambda: store.port.get(missing),
        lambda: store.port.metadata(missing, "1"),
        lambda: store.port.versions(missing),
        lambda: store.port.update(store.step(missing, updatable=describe("X"))),
    ):
        with pytest.raises(NotFoundError):
            call()


def test_a_missing_version_is_not_found(store: ContractStore) -> None:
    name = store.put(store.document())
    with pytest.raises(NotFoundError):
        store.port.get(name, "9")
    with pytest.raises(NotFoundError):
        store.port.metadata(name, "9")


def test_a_missing_data_store_is_told(store: ContractStore) -> None:
    with pytest.raises((NotFoundError, AccessDeniedError)):
        list(store.missing.search())
    with pytest.raises(ServiceError):
        store.missing.get(MISSING)


def test_nothing_to_update_is_rejected(store: ContractStore) -> None:
    name = store.put(store.document())
    with pytest.raises(RejectedError):
        store.port.update(store.step(name))


def test_search_finds_what_was_asked_for(store: ContractStore) -> None:
    a, b = store.put_all([store.document(1), store.document(2)], primary=True)
    c = store.put(store.document(3))
    elsewhere = store.put(store.document(4, study_number=2), primary=True)

    def check(expected: set[str], *filters: tuple[str, str]) -> None:
        found = store.search(*filters, until=lambda found: ids(found) == expected)
        assert ids(found) == expected

    of_study = ("DICOMStudyInstanceUID", store.study_uid())
    check({a, b, c, elsewhere})
    check({a, b, c}, of_study)
    check(set(), ("DICOMStudyInstanceUID", store.study_uid(9)))


def ids(found: list[Summary]) -> set[str]:
    return {one.image_set_id for one in found}


def test_search_tells_version_time_and_tags(store: ContractStore) -> None:
    name = store.put(store.document(), primary=True)
    store.update(name, "1", updatable=describe("NEW"), study_wide=True)
    (found,) = store.search(until=lambda found: [one.version_id for one in found] == ["2"])
    assert (found.image_set_id, found.version_id, found.is_primary) == (name, "2", True)
    assert found.updated_at == store.port.get(name).updated_at
    tags = dict(found.tags)
    assert tags["DICOMStudyInstanceUID"] == store.study_uid()
    assert list(tags) == sorted(tags)


def test_search_states_the_number_of_series_in_the_whole_study(store: ContractStore) -> None:
    names = store.put_all([store.document(number) for number in (1, 2)], primary=True)
    store.put(store.document(3, study_number=2), primary=True)
    of_study = ("DICOMStudyInstanceUID", store.study_uid())
    found = store.search(of_study, until=lambda found: ids(found) == set(names))
    assert [row.study_series for row in found] == [2, 2]
    assert all(row.series_instance_uid for row in found)


def test_search_goes_over_all_pages(store: ContractStore) -> None:
    """Pages of 50, so that there are three."""
    names = store.put_all([store.document(number) for number in range(1, 102)], primary=True)
    found = store.search(until=lambda found: len(found) == len(names))
    assert len(found) == len(names) == 101
    assert ids(found) == set(names)
    pages = list(store.port.pages())
    assert sum(len(page.rows) for page in pages) >= len(names)
    assert all(len(page.rows) <= 50 for page in pages)
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]


def test_every_page_has_the_date_of_the_service(store: ContractStore) -> None:
    """In whole seconds, by the clock that the times of image sets are of."""
    before = store.port.get(store.put(store.document())).updated_at
    pages = list(store.port.pages())
    after = store.port.get(store.put(store.document(2))).updated_at
    assert before is not None and after is not None
    dates = [page.date for page in pages if page.date is not None]
    assert len(dates) == len(pages)
    assert dates == sorted(dates)
    assert int(before) <= dates[0] <= dates[-1] <= after


def test_a_search_without_a_match_has_one_page_and_its_date(store: ContractStore) -> None:
    (page,) = store.port.pages((("DICOMStudyInstanceUID", store.study_uid(9)),))
    assert (page.rows, page.is_last) == ((), True)
    assert page.date is not None


@pytest.mark.parametrize("name", ["updatedAt", "createdAt"])
def test_a_search_finds_what_was_changed_or_created_in_a_span(
    store: ContractStore, name: str
) -> None:
    """AWS does not document whether a span includes its bounds, so they are a second wider."""
    image_set = store.put(store.document())
    store.update(image_set, updatable=describe("NEW"))
    found = store.port.get(image_set)
    moment = {"updatedAt": found.updated_at, "createdAt": found.created_at}[name]
    assert moment is not None
    second = int(moment)
    inside, before = Span(second - 1, second + 2), Span(second - 1000, second - 1)
    rows = store.search((name, inside), until=lambda found: [*ids(found)] == [image_set])
    assert [(row.updated_at, row.created_at) for row in rows] == [
        (found.updated_at, found.created_at)
    ]
    assert not store.search((name, before), until=lambda found: not found)


def test_a_study_wide_update_moves_every_primary_image_set_of_the_study(
    store: ContractStore,
) -> None:
    a, b = store.put_all([store.document(1), store.document(2)], primary=True)
    c = store.put(store.document(3))
    assert store.port.update(store.step(a, updatable=describe("ALL"), study_wide=True)) == "2"
    store.finish()
    for name in (a, b):
        assert store.port.get(name).workflow_status == "UPDATED"
        assert store.port.get(name).version_id == "2"
        assert content(store, name, "2")["Study"]["DICOM"]["StudyDescription"] == "ALL"
    assert store.port.get(c).version_id == "1"


def test_a_study_wide_update_locks_the_siblings(store: ContractStore) -> None:
    a, b = store.put_all([store.document(1), store.document(2)], primary=True)
    store.port.update(store.step(a, updatable=describe("ALL"), study_wide=True))
    during = store.seen_locked(b)
    assert (during.state, during.version_id) == ("LOCKED", "2")
    assert during.workflow_status == "UPDATING_FOR_STUDY_CONSISTENCY"


def test_a_study_wide_update_checks_no_pin_of_a_sibling(store: ContractStore) -> None:
    """This is why apply reads the siblings before and after the call."""
    sibling = store.document(2)
    a, b = store.put_all([store.document(1), sibling], primary=True)
    instance_level = in_instance(sibling, {"DICOM": {"KVP": "100"}})
    store.update(b, "1", updatable=json.dumps(instance_level))
    assert store.port.get(b).workflow_status == "UPDATED"
    store.update(a, "1", updatable=describe("ALL"), study_wide=True)
    assert store.port.get(b).version_id == "3"


def test_a_locked_sibling_stops_a_study_wide_update(store: ContractStore) -> None:
    sibling = store.document(2)
    a, b = store.put_all([store.document(1), sibling], primary=True)
    instance_level = in_instance(sibling, {"DICOM": {"KVP": "100"}})
    store.port.update(store.step(b, updatable=json.dumps(instance_level)))
    study_wide = store.refused_while_locked(
        store.step(a, updatable=describe("ALL"), study_wide=True), locked=b
    )
    with pytest.raises(ConflictError):
        study_wide()
    assert store.port.get(a).version_id == "1"


def test_a_study_wide_revert_does_not_exist(store: ContractStore) -> None:
    name = store.put(store.document(), primary=True)
    store.update(name, "1", updatable=describe("NEW"), study_wide=True)
    with pytest.raises(RejectedError):
        store.port.update(store.step(name, "2", revert_to="1", study_wide=True))
