"""GetImageSet, GetImageSetMetadata, ListImageSetVersions, DeleteImageSet."""

from __future__ import annotations

import gzip
import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator.conftest import World

NAME = {"Patient": {"DICOM": {"PatientName": "Roe^Jane"}}}
DAY = 86_400.0


@pytest.fixture
def image_set(world: World, document: dict[str, Any]) -> str:
    return world.load(document, primary=False)


def test_get_image_set(world: Any, document: dict[str, Any]) -> None:
    image_set = world.load(document)
    answer = world.get(image_set)
    del answer["ResponseMetadata"]
    arn = (
        "arn:aws:medical-imaging:us-east-1:000000000000:datastore/"
        f"{world.datastore_id}/imageset/{image_set}"
    )
    moments = {answer.pop(name) for name in ("createdAt", "updatedAt", "lastAccessedAt")}
    assert {moment.timestamp() for moment in moments} == {world.clock()}
    assert answer == {
        "datastoreId": world.datastore_id,
        "imageSetId": image_set,
        "versionId": "1",
        "imageSetState": "ACTIVE",
        "imageSetWorkflowStatus": "CREATED",
        "imageSetArn": arn,
        "isPrimary": True,
        "storageTier": "FREQUENT_ACCESS",
    }


def test_metadata_on_the_wire(world: Any, image_set: str, document: dict[str, Any]) -> None:
    answer = world.client.get_image_set_metadata(**world.of(image_set))
    assert answer["contentType"] == "application/json"
    assert answer["contentEncoding"] == "gzip"
    body = answer["imageSetMetadataBlob"].read()
    expected = document | {"DatastoreID": world.datastore_id, "ImageSetID": image_set}
    assert json.loads(gzip.decompress(body)) == expected
    again = world.client.get_image_set_metadata(**world.of(image_set), versionId="1")
    assert again["imageSetMetadataBlob"].read() == body


def test_unknown_versions(world: Any, image_set: str, error_of: Any) -> None:
    for version in ("0", "2", "9" * 40):
        for call in (world.get, world.metadata):
            assert error_of(call, image_set, version)[:2] == (404, "ResourceNotFoundException")


def test_what_is_an_access(world: Any, image_set: str) -> None:
    world.clock.advance(31 * DAY)
    listed = world.client.list_image_set_versions(**world.of(image_set))
    world.client.search_image_sets(datastoreId=world.datastore_id)
    assert listed["imageSetPropertiesList"]
    assert world.get(image_set)["storageTier"] == "ARCHIVE_INSTANT_ACCESS"
    world.metadata(image_set)
    accessed = world.get(image_set)
    assert accessed["storageTier"] == "FREQUENT_ACCESS"
    assert accessed["lastAccessedAt"].timestamp() == world.clock()
    world.clock.advance(29 * DAY)
    assert world.get(image_set)["storageTier"] == "FREQUENT_ACCESS"
    world.clock.advance(1 * DAY)
    assert world.get(image_set)["storageTier"] == "ARCHIVE_INSTANT_ACCESS"
    world.update(image_set, NAME)
    assert world.get(image_set)["storageTier"] == "FREQUENT_ACCESS"


def test_versions_newest_first_in_pages(world: Any, image_set: str) -> None:
    world.updated(image_set, NAME)
    world.refused(image_set, {"Study": {"DICOM": {"StudyID": "x"}}})
    world.call(image_set, {"Study": {"DICOM": {"StudyID": "x"}}}, force=True)
    pages = list(
        world.client.get_paginator("list_image_set_versions").paginate(
            **world.of(image_set), PaginationConfig={"PageSize": 3}
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


def test_the_message_of_a_failure_comes_with_its_end(world: Any, image_set: str) -> None:
    answer = world.call(image_set, {"Study": {"DICOM": {"StudyID": "x"}}})
    assert answer["latestVersionId"] == "2"
    assert "message" not in world.get(image_set)
    assert world.get(image_set)["imageSetWorkflowStatus"] == "UPDATING"
    world.finish()
    assert "Constraint 3" in world.get(image_set)["message"]


def test_reading_a_locked_image_set_is_a_switch(
    world_with: Any, document: dict[str, Any], error_of: Any
) -> None:
    world = world_with(unversioned_read_while_updating="conflict")
    image_set = world.load(document, primary=False)
    world.call(image_set, NAME)
    assert error_of(world.metadata, image_set)[:2] == (409, "ConflictException")
    assert world.metadata(image_set, "1")


def test_the_first_version_without_updated_at(world_with: Any, document: dict[str, Any]) -> None:
    world = world_with(first_version_has_updated_at=False)
    image_set = world.load(document, primary=False)
    assert "updatedAt" not in world.get(image_set)
    (summary,) = world.client.search_image_sets(datastoreId=world.datastore_id)[
        "imageSetsMetadataSummaries"
    ]
    assert "updatedAt" not in summary
    world.updated(image_set, NAME)
    assert "updatedAt" in world.get(image_set)


def test_delete(world: Any, image_set: str, error_of: Any) -> None:
    world.updated(image_set, NAME)
    answer = world.client.delete_image_set(**world.of(image_set))
    assert (answer["imageSetState"], answer["imageSetWorkflowStatus"]) == ("LOCKED", "DELETING")
    assert world.get(image_set)["imageSetWorkflowStatus"] == "DELETING"
    again = error_of(world.client.delete_image_set, **world.of(image_set))
    assert again[:2] == (409, "ConflictException")
    assert error_of(world.call, image_set, NAME)[:2] == (409, "ConflictException")
    world.finish()
    gone = world.get(image_set)
    assert (gone["imageSetState"], gone["imageSetWorkflowStatus"]) == ("DELETED", "DELETED")
    assert gone["deletedAt"].timestamp() == world.clock()
    calls: list[Callable[[], Any]] = [
        lambda: world.metadata(image_set),
        lambda: world.client.delete_image_set(**world.of(image_set)),
        lambda: world.call(image_set, NAME),
    ]
    for call in calls:
        assert error_of(call)[:2] == (404, "ResourceNotFoundException")
    found = world.client.search_image_sets(datastoreId=world.datastore_id)
    assert found["imageSetsMetadataSummaries"] == []


def test_timestamps_are_epoch_seconds(world: Any, image_set: str) -> None:
    url = f"{world.emulator.endpoint}/datastore/{world.datastore_id}/imageSet/{image_set}"
    request = urllib.request.Request(f"{url}/getImageSet", method="POST")
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["createdAt"] == world.clock()
