"""Data stores and tags."""

from __future__ import annotations

from typing import Any

from reconciler.emulator.operations.service import _OPERATIONS
from reconciler.emulator.wire.protocol import medical_imaging


def status(world: Any, datastore_id: str) -> str:
    answer = world.client.get_datastore(datastoreId=datastore_id)
    found: str = answer["datastoreProperties"]["datastoreStatus"]
    return found


def test_create_get_delete(world: Any, error_of: Any) -> None:
    made = world.client.create_datastore(
        datastoreName="research", clientToken="one", losslessStorageFormat="JPEG_2000_LOSSLESS"
    )
    datastore_id = made["datastoreId"]
    assert made["datastoreStatus"] == "CREATING"
    searching = error_of(world.client.search_image_sets, datastoreId=datastore_id)
    assert searching[:2] == (409, "ConflictException")
    world.finish()
    properties = world.client.get_datastore(datastoreId=datastore_id)["datastoreProperties"]
    assert properties["datastoreName"] == "research"
    assert properties["datastoreStatus"] == "ACTIVE"
    assert properties["losslessStorageFormat"] == "JPEG_2000_LOSSLESS"
    assert properties["datastoreArn"].endswith(f":datastore/{datastore_id}")
    again = world.client.create_datastore(datastoreName="research", clientToken="one")
    assert again["datastoreId"] == datastore_id
    gone = world.client.delete_datastore(datastoreId=datastore_id)
    assert gone["datastoreStatus"] == "DELETING"
    world.finish()
    assert status(world, datastore_id) == "DELETED"
    for call in (world.client.delete_datastore, world.client.search_image_sets):
        assert error_of(call, datastoreId=datastore_id)[0] == 404


def test_a_name_is_optional(world: Any) -> None:
    datastore_id = world.client.create_datastore()["datastoreId"]
    properties = world.client.get_datastore(datastoreId=datastore_id)["datastoreProperties"]
    assert properties["datastoreName"]


def test_list_in_pages_and_by_status(world: Any) -> None:
    made = []
    for _ in range(3):
        world.clock.advance(1)
        made.append(world.client.create_datastore()["datastoreId"])

    def found(**more: Any) -> list[str]:
        pages = world.client.get_paginator("list_datastores").paginate(
            PaginationConfig={"PageSize": 2}, **more
        )
        return [row["datastoreId"] for page in pages for row in page["datastoreSummaries"]]

    assert found(datastoreStatus="CREATING")[-3:] == made
    assert world.datastore_id in found(datastoreStatus="ACTIVE")
    assert not set(made) & set(found(datastoreStatus="ACTIVE"))
    world.finish()
    assert set(made) <= set(found())


def test_a_full_datastore_stays(world: Any, document: dict[str, Any], error_of: Any) -> None:
    image_set = world.load(document)
    call = world.client.delete_datastore
    assert error_of(call, datastoreId=world.datastore_id)[:2] == (409, "ConflictException")
    world.client.delete_image_set(**world.of(image_set))
    assert error_of(call, datastoreId=world.datastore_id)[:2] == (409, "ConflictException")
    world.finish()
    assert call(datastoreId=world.datastore_id)["datastoreStatus"] == "DELETING"


def test_unknown(world: Any, error_of: Any) -> None:
    for call in (world.client.get_datastore, world.client.delete_datastore):
        answer = error_of(call, datastoreId="e" * 32)
        assert answer[:2] == (404, "ResourceNotFoundException")


def test_tags(world: Any, document: dict[str, Any], error_of: Any) -> None:
    image_set = world.load(document)
    store = world.client.get_datastore(datastoreId=world.datastore_id)["datastoreProperties"]
    for arn in (store["datastoreArn"], world.get(image_set)["imageSetArn"]):
        assert world.client.list_tags_for_resource(resourceArn=arn)["tags"] == {}
        world.client.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
        world.client.tag_resource(resourceArn=arn, tags={"b": "3"})
        assert world.client.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "1", "b": "3"}
        world.client.untag_resource(resourceArn=arn, tagKeys=["a", "c"])
        assert world.client.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "3"}
    missing = store["datastoreArn"] + f"/imageset/{'f' * 32}"
    answer = error_of(world.client.list_tags_for_resource, resourceArn=missing)
    assert answer[:2] == (404, "ResourceNotFoundException")
    answer = error_of(world.client.list_tags_for_resource, resourceArn="arn:aws:s3:::bucket-name")
    assert answer[:2] == (400, "ValidationException")


def test_tags_of_creation(world: Any) -> None:
    datastore_id = world.client.create_datastore(tags={"team": "x"})["datastoreId"]
    arn = world.client.get_datastore(datastoreId=datastore_id)["datastoreProperties"][
        "datastoreArn"
    ]
    assert world.client.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "x"}


def test_no_operation_is_missing() -> None:
    assert set(medical_imaging().operations) <= set(_OPERATIONS)
