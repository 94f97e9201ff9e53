"""The switches that no other test sets, and their list."""

from __future__ import annotations

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
    assert ("ChecksumType" in instance) == (fields == "added")
    assert (not checksums) == (fields == "changed")
