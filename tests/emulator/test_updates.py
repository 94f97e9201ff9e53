"""Pins, states, removals, private elements, UIDs, reverts."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from tests.emulator.conftest import EmulatedStore

SERIES, OTHER_SERIES = "1.2.840.99.5.1", "1.2.840.99.5.2"
FIRST, SECOND, THIRD = "1.2.840.99.7.1", "1.2.840.99.7.2", "1.2.840.99.7.3"
NAME = {"Patient": {"DICOM": {"PatientName": "Roe^Jane"}}}
STALE = "Requested version(s) of ImageSet(s) is not the latest."


def at_series(block: Any, uid: str = SERIES) -> dict[str, Any]:
    return {"Study": {"Series": {uid: block}}}


def at_instance(block: Any, uid: str = FIRST) -> dict[str, Any]:
    return at_series({"Instances": {uid: block}})


def dicom_of(document: dict[str, Any], uid: str = FIRST, series: str = SERIES) -> dict[str, Any]:
    block: dict[str, Any] = document["Study"]["Series"][series]["Instances"][uid]["DICOM"]
    return block


@pytest.fixture
def image_set(store: EmulatedStore, document: dict[str, Any]) -> str:
    return store.load(document, primary=False)


def test_states_of_an_update(store: Any, image_set: str, error_of: Any) -> None:
    before = store.metadata(image_set)
    store.clock.advance(1)
    store.call(image_set, NAME, pin="1")
    during = store.get(image_set)
    assert during["versionId"] == "2"
    assert (during["imageSetState"], during["imageSetWorkflowStatus"]) == ("LOCKED", "UPDATING")
    assert store.metadata(image_set) == before
    assert store.get(image_set, "1")["imageSetState"] == "ACTIVE"
    assert error_of(store.metadata, image_set, "2")[:2] == (404, "ResourceNotFoundException")
    assert error_of(store.call, image_set, NAME, pin="2")[:2] == (409, "ConflictException")
    assert error_of(store.call, image_set, NAME, pin="1")[:2] == (409, "ConflictException")
    store.finish()
    after = store.get(image_set)
    assert (after["imageSetState"], after["imageSetWorkflowStatus"]) == ("ACTIVE", "UPDATED")
    assert after["createdAt"] == during["createdAt"]
    assert after["updatedAt"] == during["updatedAt"] > after["createdAt"]
    assert store.metadata(image_set)["Patient"]["DICOM"]["PatientName"] == "Roe^Jane"


@pytest.mark.parametrize("pin", ["1", "3", "02", "99999999999999999999999"])
def test_a_stale_pin_is_a_404(store: Any, image_set: str, error_of: Any, pin: str) -> None:
    store.updated(image_set, NAME)
    expected = (404, "ResourceNotFoundException", STALE)
    assert error_of(store.call, image_set, NAME, pin=pin) == expected
    assert error_of(store.call, image_set, pin=pin, revert_to="1") == expected
    assert store.get(image_set)["versionId"] == "2"


def test_pin_before_lock_is_a_switch(
    store_with: Any, document: dict[str, Any], error_of: Any
) -> None:
    store = store_with(locked_before_pin=False)
    image_set = store.load(document, primary=False)
    store.call(image_set, NAME, pin="1")
    assert error_of(store.call, image_set, NAME, pin="1") == (
        404, "ResourceNotFoundException", STALE
    )  # fmt: skip
    assert error_of(store.call, image_set, NAME, pin="2")[:2] == (409, "ConflictException")


def test_of_many_writers_one_wins(store: Any, image_set: str) -> None:
    codes = []

    def write() -> None:
        try:
            store.call(image_set, NAME, pin="1")
            codes.append("done")
        except store.client.exceptions.ConflictException:
            codes.append("409")

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["409"] * 7 + ["done"]
    assert store.get(image_set)["versionId"] == "2"


def test_unknown_image_set_and_datastore(
    store: Any, store_with: Any, image_set: str, error_of: Any
) -> None:
    assert error_of(store.call, "f" * 32, NAME, pin="1")[:2] == (404, "ResourceNotFoundException")
    elsewhere = {"datastoreId": "e" * 32, "imageSetId": image_set}
    for call in (store.client.get_image_set, store.client.get_image_set_metadata):
        assert error_of(call, **elsewhere)[:2] == (404, "ResourceNotFoundException")
    denied = store_with(missing_datastore_code="AccessDeniedException")
    call = denied.client.get_image_set
    assert error_of(call, **elsewhere)[:2] == (403, "AccessDeniedException")


@pytest.mark.parametrize(
    "value", [None, "", "text", "Ä^ß", " padded ", "1.50"], ids=lambda value: repr(value)
)
def test_stores_exactly_what_is_given(store: Any, image_set: str, value: Any) -> None:
    update = {"Patient": {"DICOM": {"PatientComments": value}}}
    assert store.updated(image_set, update)["Patient"]["DICOM"]["PatientComments"] == value


def test_stores_exactly_what_is_forced(store: Any, image_set: str) -> None:
    values = [{"A": [1, 2.5, None, True]}, [], {}, 12, 1e-7, False, ["1", ""], [[[]]]]
    for value in values:
        update = at_instance({"DICOM": {"Nonsense": value}})
        stored = dicom_of(store.updated(image_set, update, force=True))["Nonsense"]
        assert json.dumps(stored) == json.dumps(value)


def test_a_tag_is_its_keyword(store: Any, image_set: str) -> None:
    after = store.updated(image_set, {"Patient": {"DICOM": {"00100010": "Roe^Jane"}}})
    assert after["Patient"]["DICOM"]["PatientName"] == "Roe^Jane"
    assert "00100010" not in after["Patient"]["DICOM"]


def test_several_levels_in_one_call(store: Any, image_set: str) -> None:
    updatable = NAME | {
        "Study": {
            "DICOM": {"StudyDescription": "X"},
            "Series": {
                SERIES: {
                    "DICOM": {"BodyPartExamined": "NECK"},
                    "Instances": {SECOND: {"DICOM": {"InstanceNumber": "9"}}},
                }
            },
        }
    }
    removable = {"Patient": {"DICOM": {"PatientComments": None}}}
    after = store.updated(image_set, updatable, removable)
    assert after["Patient"]["DICOM"]["PatientName"] == "Roe^Jane"
    assert "PatientComments" not in after["Patient"]["DICOM"]
    assert after["Study"]["Series"][SERIES]["DICOM"]["BodyPartExamined"] == "NECK"
    assert dicom_of(after, SECOND)["InstanceNumber"] == "9"
    assert dicom_of(after)["InstanceNumber"] == "1"


def test_an_update_that_changes_nothing_makes_a_version(store: Any, image_set: str) -> None:
    before = store.metadata(image_set)
    assert store.updated(image_set, {"SchemaVersion": "1.1"}) == before
    assert store.get(image_set)["versionId"] == "2"


@pytest.mark.parametrize(
    "dicom",
    [
        {"SliceThickness": "1.25 "},
        {"PatientOrientation": None},
        {"ImageType": ["ORIGINAL", "PRIMARY"]},
        {"SourceImageSequence": [{"ReferencedSOPInstanceUID": "1.2.840.99.9"}]},
        {"Rows": 4.0},
    ],
    ids=lambda dicom: next(iter(dicom)),
)
def test_removal_with_the_value(store: Any, image_set: str, dicom: dict[str, Any]) -> None:
    after = store.updated(image_set, None, at_instance({"DICOM": dicom}), force=True)
    assert not set(dicom) & set(dicom_of(after))


@pytest.mark.parametrize(
    "dicom",
    [
        {"SliceThickness": "1.25"},
        {"PatientOrientation": ""},
        {"ImageType": ["PRIMARY", "ORIGINAL"]},
        {"ImageType": None},
        {"Rows": "4"},
        {"InstanceNumber": 1},
        {"BurnedInAnnotation": "NO"},
    ],
    ids=str,
)
def test_removal_needs_the_exact_value(store: Any, image_set: str, dicom: dict[str, Any]) -> None:
    message = store.refused(image_set, None, at_instance({"DICOM": dicom}), force=True)
    assert "must match" in message or "does not exist" in message


def test_removal_may_be_lenient(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(removal_value_must_match=False)
    image_set = store.load(document, primary=False)
    after = store.updated(image_set, None, {"Patient": {"DICOM": {"PatientSex": "other"}}})
    assert "PatientSex" not in after["Patient"]["DICOM"]


def test_removing_a_series(store: Any, two_series: dict[str, Any]) -> None:
    image_set = store.load(two_series)
    after = store.updated(image_set, None, at_series({}, OTHER_SERIES))
    assert list(after["Study"]["Series"]) == [SERIES]
    assert "last Series" in store.refused(image_set, None, at_series({}))


def test_the_last_instance_stays(store: Any, two_series: dict[str, Any]) -> None:
    image_set = store.load(two_series)
    removal = at_series({"Instances": {THIRD: {}}}, OTHER_SERIES)
    assert "last Instance" in store.refused(image_set, None, removal)
    both = at_series({"Instances": {FIRST: {}, SECOND: {}}})
    assert "last Instance" in store.refused(image_set, None, both)


def test_removing_the_last_is_a_switch(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(remove_last=True)
    image_set = store.load(document)
    assert store.updated(image_set, None, at_series({}))["Study"]["Series"] == {}


@pytest.mark.parametrize("removal", [at_series({}, "1.9"), at_instance({}, "1.9")])
def test_removing_what_is_not_there(store: Any, image_set: str, removal: Any) -> None:
    assert store.refused(image_set, None, removal).startswith("Constraint 9:")


def test_private_elements(store: Any, image_set: str) -> None:
    added = at_instance({"DICOM": {"0019100a": "7"}, "DICOMVRs": {"0019100a": "DS"}})
    block = store.updated(image_set, added, force=True)["Study"]["Series"][SERIES]["Instances"]
    assert block[FIRST]["DICOM"]["0019100A"] == "7"
    assert block[FIRST]["DICOMVRs"] == {"00190010": "LO", "00191001": "DS", "0019100A": "DS"}
    assert "0019100A" not in block[SECOND]["DICOMVRs"]
    removed = at_instance({"DICOM": {"0019100A": "7", "00191001": "12.5"}})
    block = store.updated(image_set, None, removed, force=True)
    instance = block["Study"]["Series"][SERIES]["Instances"][FIRST]
    assert instance["DICOMVRs"] == {"00190010": "LO"}
    assert {"00191001", "0019100A"}.isdisjoint(instance["DICOM"])
    unknown = at_instance({"DICOM": {"00191002": "7"}})
    assert "DICOMVRs" in store.refused(image_set, unknown, force=True)
    nonsense = at_instance({"DICOM": {"00191002": "7"}, "DICOMVRs": {"00191002": "ZZ"}})
    assert "VR" in store.refused(image_set, nonsense, force=True)


def test_changing_a_series_uid(store: Any, image_set: str) -> None:
    before = store.metadata(image_set)
    after = store.updated(
        image_set, at_series({"DICOM": {"SeriesInstanceUID": "1.2.3"}}), force=True
    )
    block = before["Study"]["Series"].pop(SERIES)
    block["DICOM"]["SeriesInstanceUID"] = "1.2.3"
    before["Study"]["Series"]["1.2.3"] = block
    assert after == before


def test_changing_uids_of_a_series_and_its_instance(store: Any, image_set: str) -> None:
    update = at_series(
        {
            "DICOM": {"SeriesInstanceUID": "1.2.3"},
            "Instances": {FIRST: {"DICOM": {"SOPInstanceUID": "1.2.4", "InstanceNumber": "7"}}},
        }
    )
    after = store.updated(image_set, update, force=True)
    assert dicom_of(after, "1.2.4", "1.2.3")["InstanceNumber"] == "7"
    assert list(after["Study"]["Series"]["1.2.3"]["Instances"]) == ["1.2.4", SECOND]


def test_a_study_uid_is_only_set(store: Any, image_set: str) -> None:
    after = store.updated(image_set, {"Study": {"DICOM": {"StudyInstanceUID": "1.2"}}}, force=True)
    assert after["Study"]["DICOM"]["StudyInstanceUID"] == "1.2"


@pytest.mark.parametrize("uid", [SECOND, THIRD])
def test_a_uid_that_is_taken(store: Any, two_series: dict[str, Any], uid: str) -> None:
    image_set = store.load(two_series, primary=False)
    update = at_instance({"DICOM": {"SOPInstanceUID": uid}})
    assert "taken" in store.refused(image_set, update, force=True)


def test_two_instances_cannot_become_one(store: Any, image_set: str) -> None:
    block = {"DICOM": {"SOPInstanceUID": "1.2.3"}}
    update = at_series({"Instances": {FIRST: block, SECOND: block}})
    assert "taken" in store.refused(image_set, update, force=True)


@pytest.mark.parametrize("uid", ["", None, "1.2.x", "1" * 65, 12])
def test_a_new_uid_must_be_one(store: Any, image_set: str, uid: Any) -> None:
    update = at_instance({"DICOM": {"SOPInstanceUID": uid}})
    assert "UID" in store.refused(image_set, update, force=True)


def test_keeping_the_key_is_a_switch(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(rekey_on_uid_change=False)
    image_set = store.load(document, primary=False)
    update = at_instance({"DICOM": {"SOPInstanceUID": "1.2.3"}})
    assert dicom_of(store.updated(image_set, update, force=True))["SOPInstanceUID"] == "1.2.3"


def test_history_is_never_rewritten(store: Any, image_set: str) -> None:
    documents = {"1": store.metadata(image_set)}
    documents["2"] = store.updated(image_set, NAME)
    store.refused(image_set, {"Study": {"DICOM": {"StudyID": "x"}}})
    documents["3"] = documents["2"]
    after = store.update(image_set, revert_to="1")
    documents["4"] = documents["1"]
    assert after["imageSetWorkflowStatus"] == "UPDATED"
    for version, expected in documents.items():
        assert store.metadata(image_set, version) == expected
    assert store.metadata(image_set) == documents["1"]


def test_reverts_that_cannot_be(store: Any, image_set: str, error_of: Any) -> None:
    store.refused(image_set, {"Study": {"DICOM": {"StudyID": "x"}}})
    for version in ("3", "0", "9" * 30):
        status, code, message = error_of(store.call, image_set, revert_to=version)
        assert (status, code) == (404, "ResourceNotFoundException")
        assert message != STALE
    assert "failed" in store.refused(image_set, revert_to="2")


def test_a_revert_to_the_latest(store: Any, image_set: str) -> None:
    before = store.metadata(image_set)
    assert store.update(image_set, revert_to="1")["versionId"] == "2"
    assert store.metadata(image_set) == before
    assert store.update(image_set, revert_to="2")["versionId"] == "3"
    assert store.metadata(image_set) == before


def test_the_payload_quota(store: Any, image_set: str, error_of: Any) -> None:
    def call(size: int) -> Any:
        text = json.dumps({"Patient": {"DICOM": {"PatientComments": ""}}})
        return error_of(store.call, image_set, text + " " * (size - len(text)))

    # 7,500 bytes are 10,000 after base64; one byte more is above the quota, two blobs add up.
    assert call(7_501)[:2] == (402, "ServiceQuotaExceededException")
    assert call(30_001)[:2] == (400, "ValidationException")
    blob = json.dumps(NAME).ljust(4_000)
    both = error_of(store.call, image_set, blob, blob)
    assert both[:2] == (402, "ServiceQuotaExceededException")
    assert store.get(image_set)["versionId"] == "1"
    store.updated(image_set, json.dumps(NAME).ljust(7_500))


@pytest.mark.parametrize(
    "block",
    [
        {"Patient": {"DICOM": {"": "x"}}},
        {"Study": {"DICOM": {"": "x"}}},
        {"Study": {"Series": {"": {"DICOM": {"Modality": "CT"}}}}},
        {"Study": {"Series": {SERIES: {"Instances": {"": {"DICOM": {"KVP": "100"}}}}}}},
    ],
)
@pytest.mark.parametrize("member", ["updatable", "removable"])
def test_an_empty_name_is_no_name(
    store: Any, image_set: str, error_of: Any, block: Any, member: str
) -> None:
    given = {member: block}
    assert error_of(store.call, image_set, force=True, **given)[:2] == (400, "ValidationException")
    assert store.get(image_set)["versionId"] == "1"
