"""Primary image sets and includeStudyImageSets."""

from __future__ import annotations

from typing import Any

import pytest

SERIES = "1.2.840.99.5.1"
FIRST = "1.2.840.99.7.1"
NAME = {"Patient": {"DICOM": {"PatientName": "Roe^Jane"}}}
DESCRIPTION = {"Study": {"DICOM": {"StudyDescription": "X"}}}
SERIES_LEVEL = {"Study": {"Series": {SERIES: {"DICOM": {"BodyPartExamined": "NECK"}}}}}
INSTANCE_LEVEL = {
    "Study": {"Series": {SERIES: {"Instances": {FIRST: {"DICOM": {"InstanceNumber": "7"}}}}}}
}
SOP_UID = {
    "Study": {"Series": {SERIES: {"Instances": {FIRST: {"DICOM": {"SOPInstanceUID": "1.2"}}}}}}
}
STUDY_UID = {"Study": {"DICOM": {"StudyInstanceUID": "1.2"}}}


@pytest.fixture
def pair(store: Any, document: dict[str, Any], sibling: dict[str, Any]) -> tuple[str, str]:
    return store.load(document), store.load(sibling)


def versions(store: Any, *image_sets: str) -> list[str]:
    return [store.get(image_set)["versionId"] for image_set in image_sets]


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("update", [NAME, SERIES_LEVEL, SOP_UID, STUDY_UID])
def test_bans_on_primary(store: Any, pair: Any, update: Any, force: bool) -> None:
    assert "primary" in store.refused(pair[0], update, force=force)


@pytest.mark.parametrize("update", [DESCRIPTION, INSTANCE_LEVEL])
def test_allowed_on_primary(store: Any, pair: Any, update: Any) -> None:
    assert store.updated(pair[0], update)
    assert versions(store, *pair) == ["2", "1"]


def test_bans_are_a_switch(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(primary_bans=False)
    assert store.updated(store.load(document), NAME)


def test_a_study_is_updated_as_one(store: Any, pair: Any, document: dict[str, Any]) -> None:
    other_study = document
    other_study["Study"]["DICOM"]["StudyInstanceUID"] = "1.2.840.99.2"
    other_study["Study"]["Series"] = {
        "1.2.9": document["Study"]["Series"][SERIES] | {"DICOM": {"SeriesInstanceUID": "1.2.9"}}
    }
    strangers = [store.load(other_study), store.load(other_study, primary=False)]
    store.call(pair[0], NAME | DESCRIPTION, includeStudyImageSets=True)
    first, second = (store.get(image_set) for image_set in pair)
    assert (first["imageSetState"], first["imageSetWorkflowStatus"]) == ("LOCKED", "UPDATING")
    assert second["imageSetState"] == "LOCKED"
    assert second["imageSetWorkflowStatus"] == "UPDATING_FOR_STUDY_CONSISTENCY"
    assert versions(store, *pair, *strangers) == ["2", "2", "1", "1"]
    store.finish()
    for image_set in pair:
        assert store.get(image_set)["imageSetWorkflowStatus"] == "UPDATED"
        after = store.metadata(image_set)
        assert after["Patient"]["DICOM"]["PatientName"] == "Roe^Jane"
        assert after["Study"]["DICOM"]["StudyDescription"] == "X"
    assert list(store.metadata(pair[1])["Study"]["Series"]) == ["1.2.840.99.5.2"]


def test_a_non_primary_of_the_study_stays(store: Any, pair: Any, sibling: dict[str, Any]) -> None:
    non_primary = store.load(sibling)
    assert not store.get(non_primary)["isPrimary"]
    store.updated(pair[0], NAME, includeStudyImageSets=True)
    assert versions(store, *pair, non_primary) == ["2", "2", "1"]


def test_a_locked_sibling_stops_all(store: Any, pair: Any, error_of: Any) -> None:
    store.call(pair[1], DESCRIPTION)
    answer = error_of(store.call, pair[0], NAME, includeStudyImageSets=True)
    assert answer[:2] == (409, "ConflictException")
    store.finish()
    assert versions(store, *pair) == ["1", "2"]
    assert store.updated(pair[0], NAME, includeStudyImageSets=True)
    assert versions(store, *pair) == ["2", "3"]


@pytest.mark.parametrize("update", [SERIES_LEVEL, INSTANCE_LEVEL, SOP_UID, STUDY_UID])
def test_levels_that_a_study_does_not_share(store: Any, pair: Any, update: Any) -> None:
    store.refused(pair[0], update, includeStudyImageSets=True, force=True)
    assert versions(store, *pair) == ["2", "1"]


def test_all_or_nothing(store: Any, pair: Any) -> None:
    store.updated(pair[1], {"Study": {"DICOM": {"StudyDescription": "ANOTHER"}}})
    removal = {"Study": {"DICOM": {"StudyDescription": "CT HEAD"}}}
    message = store.refused(pair[0], None, removal, includeStudyImageSets=True)
    assert "must match" in message
    assert versions(store, *pair) == ["2", "2"]


def test_a_sibling_may_lack_what_is_removed(store: Any, pair: Any) -> None:
    removal = {"Study": {"DICOM": {"StudyDescription": "CT HEAD"}}}
    store.updated(pair[1], None, removal)
    store.updated(pair[0], None, removal, includeStudyImageSets=True)
    for image_set in pair:
        assert "StudyDescription" not in store.metadata(image_set)["Study"]["DICOM"]


def test_requests_that_cannot_be_study_wide(
    store: Any, pair: Any, sibling: dict[str, Any], error_of: Any
) -> None:
    revert = error_of(store.call, pair[0], revert_to="1", includeStudyImageSets=True)
    assert revert[:2] == (400, "ValidationException")
    non_primary = store.load(sibling, primary=False)
    update = error_of(store.call, non_primary, NAME, includeStudyImageSets=True)
    assert update[:2] == (400, "ValidationException")


def test_a_deleted_sibling_is_left_alone(store: Any, pair: Any) -> None:
    store.client.delete_image_set(**store.of(pair[1]))
    store.finish()
    assert store.updated(pair[0], NAME, includeStudyImageSets=True)
    assert store.get(pair[1])["imageSetState"] == "DELETED"
