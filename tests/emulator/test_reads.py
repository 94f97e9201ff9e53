"""GetImageSet, GetImageSetMetadata, ListImageSetVersions, DeleteImageSet."""

from __future__ import annotations

import gzip
import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator.conftest import EmulatedStore

NAME = {"Patient": {"DICOM": {"PatientName": "Roe^Jane"}}}
DAY = 86_400.0


@pytest.fixture
def image_set(store: EmulatedStore, document: dict[str, Any]) -> str:
    return store.load(document, primary=False)


def test_get_image_set(store: Any, document: dict[str, Any]) -> None:
    image_set = store.load(document)
    answer = store.get(image_set)
    del answer["ResponseMetadata"]
    arn = (
        "arn:aws:medical-imaging:us-east-1:000000000000:datastore/"
        f"{store.datastore_id}/imageset/{image_set}"
    )
    moments = {answer.pop(name) for name in ("createdAt", "updatedAt", "lastAccessedAt")}
    assert {moment.timestamp() for moment in moments} == {store.clock()}
    assert answer == {
        "datastoreId": store.datastore_id,
        "imageSetId": image_set,
        "versionId": "1",
        "imageSetState": "ACTIVE",
        "imageSetWorkflowStatus": "CREATED",
        "imageSetArn": arn,
        "isPrimary": True,
        "storageTier": "FREQUENT_ACCESS",
    }


def test_metadata_on_the_wire(store: Any, image_set: str, document: dict[str, Any]) -> None:
    answer = store.client.get_image_set_metadata(**store.of(image_set))
    assert answer["contentType"] == "application/json"
    assert answer["contentEncoding"] == "gzip"
    body = answer["imageSetMetadataBlob"].read()
    expected = document | {"DatastoreID": store.datastore_id, "ImageSetID": image_set}
    assert json.loads(gzip.decompress(body)) == expected
    again = store.client.get_image_set_metadata(**store.of(image_set), versionId="1")
    assert again["imageSetMetadataBlob"].read() == body


def test_unknown_versions(store: Any, image_set: str, error_of: Any) -> None:
    for version in ("0", "2", "9" * 40):
        for call in (store.get, store.metadata):
            assert error_of(call, image_set, version)[:2] == (404, "ResourceNotFoundException")


def test_what_is_an_access(store: Any, image_set: str) -> None:
    store.clock.advance(31 * DAY)
    listed = store.client.list_image_set_versions(**store.of(image_set))
    store.client.search_image_sets(datastoreId=store.datastore_id)
    assert listed["imageSetPropertiesList"]
    assert store.get(image_set)["storageTier"] == "ARCHIVE_INSTANT_ACCESS"
    store.metadata(image_set)
    accessed = store.get(image_set)
    assert accessed["storageTier"] == "FREQUENT_ACCESS"
    assert accessed["lastAccessedAt"].timestamp() == store.clock()
    store.clock.advance(29 * DAY)
    assert store.get(image_set)["storageTier"] == "FREQUENT_ACCESS"
    store.clock.advance(1 * DAY)
    assert store.get(image_set)["storageTier"] == "ARCHIVE_INSTANT_ACCESS"
    store.update(image_set, NAME)
    assert store.get(image_set)["storageTier"] == "FREQUENT_ACCESS"


def test_versions_newest_first_in_pages(store: Any, image_set: str) -> None:
    store.updated(image_set, NAME)
    store.refused(image_set, {"Study": {"DICOM": {"StudyID": "x"}}})
    store.call(image_set, {"Study": {"DICOM": {"StudyID": "x"}}}, force=True)
    pages = list(
        store.client.get_paginator("list_image_set_versions").paginate(
            **store.of(image_set), PaginationConfig={"PageSize": 3}
        )
    )
    assert [len(page["imageSetPropertiesList"]) for page in pages] == [3, 1]
    entries = [entry for page in pages for entry in page["imageSetPropertiesList"]]
    assert [
        (entry["versionId"], entry["imageSetState"], entry["ImageSetWorkflowStatus"])
        for entry in entries
    ] == [
        ("4", "LOCKED", "UPDATING"),
        ("3", "ACTIVE", "UPDATE_FAILED"),
        ("2", "ACTIVE", "UPDATED"),
        ("1", "ACTIVE", "CREATED"),
    ]
    assert [entry.get("overrides") for entry in entries] == [{"forced": True}, None, None, None]
    assert ["message" in entry for entry in entries] == [False, True, False, False]
    assert len({entry["createdAt"] for entry in entries}) == 1


def test_the_message_of_a_failure_comes_with_its_end(store: Any, image_set: str) -> None:
    answer = store.call(image_set, {"Study": {"DICOM": {"StudyID": "x"}}})
    assert answer["latestVersionId"] == "2"
    assert "message" not in store.get(image_set)
    assert store.get(image_set)["imageSetWorkflowStatus"] == "UPDATING"
    store.finish()
    assert "Constraint 3" in store.get(image_set)["message"]


def test_reading_a_locked_image_set_is_a_switch(
    store_with: Any, document: dict[str, Any], error_of: Any
) -> None:
    store = store_with(unversioned_read_while_updating="conflict")
    image_set = store.load(document, primary=False)
    store.call(image_set, NAME)
    assert error_of(store.metadata, image_set)[:2] == (409, "ConflictException")
    assert store.metadata(image_set, "1")


def test_the_first_version_without_updated_at(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(first_version_has_updated_at=False)
    image_set = store.load(document, primary=False)
    assert "updatedAt" not in store.get(image_set)
    (summary,) = store.client.search_image_sets(datastoreId=store.datastore_id)[
        "imageSetsMetadataSummaries"
    ]
    assert "updatedAt" not in summary
    store.updated(image_set, NAME)
    assert "updatedAt" in store.get(image_set)


def test_delete(store: Any, image_set: str, error_of: Any) -> None:
    store.updated(image_set, NAME)
    answer = store.client.delete_image_set(**store.of(image_set))
    assert (answer["imageSetState"], answer["imageSetWorkflowStatus"]) == ("LOCKED", "DELETING")
    assert store.get(image_set)["imageSetWorkflowStatus"] == "DELETING"
    again = error_of(store.client.delete_image_set, **store.of(image_set))
    assert again[:2] == (409, "ConflictException")
    assert error_of(store.call, image_set, NAME)[:2] == (409, "ConflictException")
    store.finish()
    gone = store.get(image_set)
    assert (gone["imageSetState"], gone["imageSetWorkflowStatus"]) == ("DELETED", "DELETED")
    assert gone["deletedAt"].timestamp() == store.clock()
    calls: list[Callable[[], Any]] = [
        lambda: store.metadata(image_set),
        lambda: store.client.delete_image_set(**store.of(image_set)),
        lambda: store.call(image_set, NAME),
    ]
    for call in calls:
        assert error_of(call)[:2] == (404, "ResourceNotFoundException")
    found = store.client.search_image_sets(datastoreId=store.datastore_id)
    assert found["imageSetsMetadataSummaries"] == []


def test_timestamps_are_epoch_seconds(store: Any, image_set: str) -> None:
    url = f"{store.emulator.endpoint}/datastore/{store.datastore_id}/imageSet/{image_set}"
    request = urllib.request.Request(f"{url}/getImageSet", method="POST")
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["createdAt"] == store.clock()
