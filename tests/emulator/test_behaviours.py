"""The switches that no other test sets, and their list."""

from __future__ import annotations

import copy
import dataclasses
import json
from typing import Any

import pytest

from reconciler.emulator.rules.behaviours import Behaviours, describe, with_settings

SERIES = "1.2.840.99.5.1"


def test_every_switch_tells_its_source() -> None:
    described = describe()
    names = [field.name for field in dataclasses.fields(Behaviours)]
    assert [switch.name for switch in described] == names
    assert all(len(switch.source) > 40 for switch in described)


def test_defaults_can_be_set_as_they_are_listed() -> None:
    listed = [f"{switch.name}={switch.default}" for switch in describe()]
    assert with_settings(listed) == with_settings([]) == Behaviours()
    for switch in describe():
        for choice in switch.choices:
            given = getattr(with_settings([f"{switch.name}={choice}"]), switch.name)
            assert str(given).lower() in (choice.lower(), str((choice,)).lower())


def test_settings() -> None:
    made = with_settings(
        ["remove_last=true", "payload_limit_bytes=99", "search_lag_seconds=1.5",
         "study_wide_levels=Study,Series", "same_key_twice=update-wins"]
    )  # fmt: skip
    assert made == Behaviours(
        remove_last=True, payload_limit_bytes=99, search_lag_seconds=1.5,
        study_wide_levels=("Study", "Series"), same_key_twice="update-wins",
    )  # fmt: skip


@pytest.mark.parametrize(
    "setting",
    ["remove_last", "nothing=1", "remove_last=yes", "payload_limit_bytes=1.5",
     "payload_limit_bytes=-1", "search_lag_seconds=nan", "search_lag_seconds=inf",
     "same_key_twice=maybe", "study_wide_levels=Image"],
)  # fmt: skip
def test_what_is_no_setting(setting: str) -> None:
    with pytest.raises(ValueError, match=setting.partition("=")[0]):
        with_settings([setting])


@pytest.mark.parametrize(
    "name",
    [
        "constraint_errors",
        "missing_datastore_code",
        "unversioned_read_while_updating",
        "same_key_twice",
    ],
)
def test_an_unknown_choice_is_an_error(name: str) -> None:
    choice: dict[str, Any] = {name: "sometimes"}
    with pytest.raises(ValueError, match=name):
        Behaviours(**choice)


def test_the_update_may_win(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(same_key_twice="update-wins")
    image_set = store.load(document, primary=False)
    after = store.updated(
        image_set,
        {"Patient": {"DICOM": {"PatientName": "X"}}},
        {"Patient": {"DICOM": {"PatientName": "Doe^Jane"}}},
    )
    assert after["Patient"]["DICOM"]["PatientName"] == "X"
    gone: dict[str, Any] = {"Study": {"Series": {SERIES: {"Instances": {"1.2.840.99.7.1": {}}}}}}
    changed = {
        "Study": {"Series": {SERIES: {"Instances": {"1.2.840.99.7.1": {"DICOM": {"Rows": 5}}}}}}
    }
    assert "removed by the same request" in store.refused(image_set, changed, gone)


def test_the_payload_limit(store_with: Any, document: dict[str, Any], error_of: Any) -> None:
    store = store_with(payload_limit_bytes=100)
    image_set = store.load(document, primary=False)
    text = json.dumps({"Patient": {"DICOM": {"PatientName": "X"}}})
    assert error_of(store.call, image_set, text.ljust(76))[0] == 402
    assert store.updated(image_set, text.ljust(75))


def test_removals_without_force(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(removals_need_force=False)
    image_set = store.load(document, primary=False)
    removal = {"Patient": {"DICOM": {"OtherPatientNames": ["Roe^Jane"]}}}
    assert "OtherPatientNames" not in store.updated(image_set, None, removal)["Patient"]["DICOM"]


def test_other_levels_study_wide(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(study_wide_levels=("Study",))
    image_set = store.load(document)
    name = {"Patient": {"DICOM": {"PatientName": "X"}}}
    assert "Study level only" in store.refused(image_set, name, includeStudyImageSets=True)


def test_is_primary_where_it_is_shown(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(is_primary_in=("SearchImageSets",))
    image_set = store.load(document, primary=True)
    assert "isPrimary" not in store.get(image_set)
    (version,) = store.client.list_image_set_versions(**store.of(image_set))[
        "imageSetPropertiesList"
    ]
    assert "isPrimary" not in version
    (row,) = store.client.search_image_sets(datastoreId=store.datastore_id)[
        "imageSetsMetadataSummaries"
    ]
    assert row["isPrimary"] is True


def test_a_failed_version_may_have_no_metadata(
    store_with: Any, document: dict[str, Any], error_of: Any
) -> None:
    store = store_with(failed_version_metadata="missing")
    image_set = store.load(document, primary=False)
    store.call(image_set, {"Study": {"Series": {"1.2.3": {"DICOM": {"Modality": "CT"}}}}})
    store.clock.advance(60.0)
    assert store.get(image_set)["imageSetWorkflowStatus"] == "UPDATE_FAILED"
    assert error_of(store.metadata, image_set)[:2] == (404, "ResourceNotFoundException")
    assert store.metadata(image_set, "1")["Study"] == document["Study"]


def test_one_search_filter(store_with: Any, document: dict[str, Any], error_of: Any) -> None:
    store = store_with(search_filters=1)
    primary = {"operator": "EQUAL", "values": [{"isPrimary": True}]}
    study = {"operator": "EQUAL", "values": [{"DICOMStudyInstanceUID": "1.2"}]}

    def search(*filters: dict[str, Any]) -> Any:
        return store.client.search_image_sets(
            datastoreId=store.datastore_id, searchCriteria={"filters": list(filters)}
        )

    assert search(study)["imageSetsMetadataSummaries"] == []
    assert error_of(search, study, primary)[:2] == (400, "ValidationException")


NAMED: dict[str, Any] = {"Patient": {"DICOM": {"PatientName": " Roe^Jane "}}}
EMPTIED: dict[str, Any] = {"Patient": {"DICOM": {"PatientName": None}}}
UNNAMED: dict[str, Any] = {"Patient": {"DICOM": {"PatientID": "P-1"}}}


def patient(
    store_with: Any, document: dict[str, Any], *blobs: Any, **switches: Any
) -> dict[str, Any]:
    """The Patient level after an update that ends as UPDATED."""
    document["Patient"]["DICOM"].update(PatientName="Doe^Jane", PatientID="P-1")
    store = store_with(**switches)
    found: dict[str, Any] = store.updated(store.load(document, primary=False), *blobs)
    return dict(found["Patient"]["DICOM"])


@pytest.mark.parametrize(
    ("stored", "name"),
    [("as-sent", " Roe^Jane "), ("trimmed", "Roe^Jane"), ("capitals", " ROE^JANE ")],
)
def test_stored_text(store_with: Any, document: dict[str, Any], stored: str, name: str) -> None:
    assert patient(store_with, document, NAMED, stored_text=stored)["PatientName"] == name


def test_null_may_remove(store_with: Any, document: dict[str, Any]) -> None:
    after = patient(store_with, document, EMPTIED, null_in_updates="removes")
    assert "PatientName" not in after


def test_null_is_stored(store_with: Any, document: dict[str, Any]) -> None:
    assert patient(store_with, document, EMPTIED)["PatientName"] is None


def test_removals_may_have_no_effect(store_with: Any, document: dict[str, Any]) -> None:
    after = patient(store_with, document, NAMED, UNNAMED, removals_take_effect=False)
    assert (after["PatientName"], after["PatientID"]) == (" Roe^Jane ", "P-1")


@pytest.mark.parametrize(
    ("part", "name", "has_id"),
    [("updatableAttributes", " Roe^Jane ", True), ("removableAttributes", "Doe^Jane", False)],
)
def test_one_part_of_two_may_take_effect(
    store_with: Any, document: dict[str, Any], part: str, name: str, has_id: bool
) -> None:
    after = patient(store_with, document, NAMED, UNNAMED, applied_of_two=(part,))
    assert (after["PatientName"], "PatientID" in after) == (name, has_id)


@pytest.mark.parametrize("part", ["updatableAttributes", "removableAttributes"])
def test_a_call_of_one_part_takes_effect(
    store_with: Any, document: dict[str, Any], part: str
) -> None:
    blobs = (NAMED,) if part == "updatableAttributes" else (None, UNNAMED)
    after = patient(store_with, document, *blobs, applied_of_two=("removableAttributes",))
    assert (after["PatientName"] == " Roe^Jane ") is (part == "updatableAttributes")
    assert ("PatientID" in after) is (part == "updatableAttributes")


def test_an_update_may_remove_what_is_empty(store_with: Any, document: dict[str, Any]) -> None:
    document["Patient"]["DICOM"]["PatientComments"] = None
    assert "PatientComments" in patient(store_with, document, NAMED)
    assert "PatientComments" not in patient(store_with, document, NAMED, keeps_empty=False)


@pytest.mark.parametrize("fields", ["kept", "added", "changed"])
def test_an_update_may_touch_service_fields(
    store_with: Any, document: dict[str, Any], fields: str
) -> None:
    store = store_with(service_fields=fields)
    found = store.updated(store.load(document, primary=False), NAMED)
    (series,) = found["Study"]["Series"].values()
    instance = next(iter(series["Instances"].values()))
    checksums = instance["ImageFrames"][0]["PixelDataChecksumFromBaseToFullResolution"]
    assert (instance.get("StoredTransferSyntaxUID", "") != "") == (fields == "added")
    assert (checksums[0]["Checksum"] == 0) == (fields == "changed")


DESCRIBED: dict[str, Any] = {"Study": {"DICOM": {"StudyDescription": "CT CHEST"}}}
ELSEWHERE: dict[str, Any] = {"Study": {"Series": {"1.2.3": {"DICOM": {"Modality": "CT"}}}}}


def described(store: Any, image_set: str, version: str | None = None) -> object:
    return store.metadata(image_set, version)["Study"]["DICOM"].get("StudyDescription")


def siblings(store: Any, document: dict[str, Any]) -> tuple[str, str]:
    """Two primary image sets of one study."""
    other = copy.deepcopy(document)
    block = other["Study"]["Series"].pop(SERIES)
    block["DICOM"]["SeriesInstanceUID"] = f"{SERIES}.9"
    block["Instances"] = {f"{uid}.9": one for uid, one in block["Instances"].items()}
    other["Study"]["Series"][f"{SERIES}.9"] = block
    return store.load(document, primary=True), store.load(other, primary=True)


def test_force_may_skip_the_pin(store_with: Any, document: dict[str, Any], error_of: Any) -> None:
    store = store_with(pin_checked_with_force=False)
    image_set = store.load(document, primary=False)
    store.update(image_set, NAMED)
    assert error_of(store.call, image_set, DESCRIBED, pin="1")[0] == 404
    assert store.call(image_set, DESCRIBED, pin="1", force=True)["latestVersionId"] == "3"
    store.finish()
    after = store.metadata(image_set)
    assert after["Patient"]["DICOM"]["PatientName"] == " Roe^Jane "
    assert described(store, image_set) == "CT CHEST"


def test_a_failed_update_may_make_no_version(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(failed_update_makes_version=False)
    image_set = store.load(document, primary=False)
    before = store.get(image_set)
    store.clock.advance(1.0)
    store.call(image_set, ELSEWHERE)
    assert store.get(image_set)["imageSetState"] == "LOCKED"
    store.finish()
    after = store.get(image_set)
    assert (after["versionId"], after["imageSetWorkflowStatus"]) == ("1", "UPDATE_FAILED")
    assert (after["updatedAt"] > before["updatedAt"], bool(after["message"])) == (True, True)
    assert store.metadata(image_set)["Study"] == document["Study"]


def test_an_update_may_make_no_version(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(update_makes_version=False)
    image_set = store.load(document, primary=False)
    assert store.call(image_set, DESCRIBED)["latestVersionId"] == "1"
    store.finish()
    assert (store.get(image_set)["versionId"], described(store, image_set)) == ("1", "CT CHEST")
    (row,) = store.client.search_image_sets(datastoreId=store.datastore_id)[
        "imageSetsMetadataSummaries"
    ]
    assert row["DICOMTags"]["DICOMStudyDescription"] == "CT CHEST"


def test_an_equal_update_may_make_no_version(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(equal_update_makes_version=False)
    image_set = store.load(document, primary=False)
    store.update(image_set, DESCRIBED)
    assert store.update(image_set, DESCRIBED)["versionId"] == "2"
    assert store.update(image_set, revert_to="1")["versionId"] == "3"
    assert store.update(image_set, revert_to="1")["versionId"] == "3"


def test_siblings_may_be_left(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(siblings_of_study_wide="left")
    image_set, sibling = siblings(store, document)
    store.update(image_set, DESCRIBED, includeStudyImageSets=True)
    assert [store.get(one)["versionId"] for one in (image_set, sibling)] == ["2", "1"]


@pytest.mark.parametrize(
    ("what", "versions", "status"),
    [("left", ["2", "1"], "CREATED"), ("failed", ["2", "2"], "UPDATE_FAILED"),
     ("changed", ["2", "2"], "UPDATED")],
)  # fmt: skip
def test_siblings_of_a_failed_update(
    store_with: Any, document: dict[str, Any], what: str, versions: list[str], status: str
) -> None:
    store = store_with(siblings_of_failed=what)
    image_set, sibling = siblings(store, document)
    store.emulator.service.call(
        "UpdateImageSetMetadata",
        {
            **store.of(image_set),
            "latestVersionId": "1",
            "includeStudyImageSets": True,
            "updateImageSetMetadataUpdates": {
                "DICOMUpdates": {"updatableAttributes": json.dumps(DESCRIBED).encode()}
            },
        },
        fail_updates_with="no",
    )
    store.finish()
    found = [store.get(one) for one in (image_set, sibling)]
    assert [one["versionId"] for one in found] == versions
    assert [one["imageSetWorkflowStatus"] for one in found] == ["UPDATE_FAILED", status]
    assert described(store, image_set) != "CT CHEST"
    assert (described(store, sibling) == "CT CHEST") is (what == "changed")


def test_a_number_may_be_shown_late(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(number_lag_seconds=20.0)
    image_set = store.load(document, primary=False)
    assert store.update(image_set, DESCRIBED)["versionId"] == "1"
    versions = store.client.list_image_set_versions(**store.of(image_set))
    assert [one["versionId"] for one in versions["imageSetPropertiesList"]] == ["1"]
    store.clock.advance(20.0)
    assert store.get(image_set)["versionId"] == "2"


def test_content_may_be_shown_late(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(content_lag_seconds=20.0)
    image_set = store.load(document, primary=False)
    store.update(image_set, DESCRIBED)
    assert store.get(image_set)["imageSetState"] == "ACTIVE"
    assert described(store, image_set, "2") == document["Study"]["DICOM"].get("StudyDescription")
    store.clock.advance(20.0)
    assert described(store, image_set, "2") == "CT CHEST"


def test_content_may_be_missing_at_first(
    store_with: Any, document: dict[str, Any], error_of: Any
) -> None:
    store = store_with(content_lag_seconds=20.0, content_until_then="missing")
    image_set = store.load(document, primary=False)
    store.update(image_set, DESCRIBED)
    assert error_of(store.metadata, image_set, "2")[0] == 404
    assert store.metadata(image_set, "1")
    store.clock.advance(20.0)
    assert described(store, image_set) == "CT CHEST"


def test_versions_in_another_order(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(versions_order="oldest-first")
    image_set = store.load(document, primary=False)
    store.update(image_set, DESCRIBED)
    versions = store.client.list_image_set_versions(**store.of(image_set))
    assert [one["versionId"] for one in versions["imageSetPropertiesList"]] == ["1", "2"]


@pytest.mark.parametrize(("name", "other"), [("number", "1.1"), ("text", 1.1)])
def test_one_type_of_the_schema_version(
    store_with: Any, document: dict[str, Any], error_of: Any, name: str, other: object
) -> None:
    store = store_with(schema_version_types=(name,))
    image_set = store.load(document, primary=False)
    assert error_of(store.call, image_set, {"SchemaVersion": other, **DESCRIBED})[0] == 400
    mine = {"number": 1.1, "text": "1.1"}[name]
    assert store.updated(image_set, {"SchemaVersion": mine, **DESCRIBED})


def test_a_series_may_not_be_removable(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(remove_series=False, remove_last=True)
    image_set = store.load(document, primary=False)
    removal: dict[str, Any] = {"Study": {"Series": {SERIES: {}}}}
    assert "cannot be removed" in store.refused(image_set, None, removal)


def test_fields_that_nothing_describes(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(undescribed_fields=True)
    image_set = store.load(document, primary=False)
    assert "DocumentKind" not in store.metadata(image_set)
    after = store.updated(image_set, DESCRIBED)
    assert after["DocumentKind"] == "undescribed"
    (series,) = after["Study"]["Series"].values()
    assert all(one["StorageClass"] == "undescribed" for one in series["Instances"].values())
