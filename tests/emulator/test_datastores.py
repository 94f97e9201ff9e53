"""Data stores and tags."""

from __future__ import annotations

from typing import Any

from reconciler.emulator.operations.service import _OPERATIONS
from reconciler.emulator.wire.protocol import medical_imaging


def status(store: Any, datastore_id: str) -> str:
    answer = store.client.get_datastore(datastoreId=datastore_id)
    found: str = answer["datastoreProperties"]["datastoreStatus"]
    return found


def test_create_get_delete(store: Any, error_of: Any) -> None:
    made = store.client.create_datastore(
        datastoreName="research", clientToken="one", losslessStorageFormat="JPEG_2000_LOSSLESS"
    )
    datastore_id = made["datastoreId"]
    assert made["datastoreStatus"] == "CREATING"
    searching = error_of(store.client.search_image_sets, datastoreId=datastore_id)
    assert searching[:2] == (409, "ConflictException")
    store.finish()
    properties = store.client.get_datastore(datastoreId=datastore_id)["datastoreProperties"]
    assert properties["datastoreName"] == "research"
    assert properties["datastoreStatus"] == "ACTIVE"
    assert properties["losslessStorageFormat"] == "JPEG_2000_LOSSLESS"
    assert properties["datastoreArn"].endswith(f":datastore/{datastore_id}")
    again = store.client.create_datastore(datastoreName="research", clientToken="one")
    assert again["datastoreId"] == datastore_id
    gone = store.client.delete_datastore(datastoreId=datastore_id)
    assert gone["datastoreStatus"] == "DELETING"
    store.finish()
    assert status(store, datastore_id) == "DELETED"
    for call in (store.client.delete_datastore, store.client.search_image_sets):
        assert error_of(call, datastoreId=datastore_id)[0] == 404


def test_a_name_is_optional(store: Any) -> None:
    datastore_id = store.client.create_datastore()["datastoreId"]
    properties = store.client.get_datastore(datastoreId=datastore_id)["datastoreProperties"]
    assert properties["datastoreName"]


def test_list_in_pages_and_by_status(store: Any) -> None:
    made = []
    for _ in range(3):
        store.clock.advance(1)
        made.append(store.client.create_datastore()["datastoreId"])

    def found(**more: Any) -> list[str]:
        pages = store.client.get_paginator("list_datastores").paginate(
            PaginationConfig={"PageSize": 2}, **more
        )
        return [row["datastoreId"] for page in pages for row in page["datastoreSummaries"]]

    assert found(datastoreStatus="CREATING")[-3:] == made
    assert store.datastore_id in found(datastoreStatus="ACTIVE")
    assert not set(made) & set(found(datastoreStatus="ACTIVE"))
    store.finish()
    assert set(made) <= set(found())


def test_a_full_datastore_stays(store: Any, document: dict[str, Any], error_of: Any) -> None:
    image_set = store.load(document)
    call = store.client.delete_datastore
    assert error_of(call, datastoreId=store.datastore_id)[:2] == (409, "ConflictException")
    store.client.delete_image_set(**store.of(image_set))
    assert error_of(call, datastoreId=store.datastore_id)[:2] == (409, "ConflictException")
    store.finish()
    assert call(datastoreId=store.datastore_id)["datastoreStatus"] == "DELETING"


def test_unknown(store: Any, error_of: Any) -> None:
    for call in (store.client.get_datastore, store.client.delete_datastore):
        answer = error_of(call, datastoreId="e" * 32)
        assert answer[:2] == (404, "ResourceNotFoundException")


def test_tags(store: Any, document: dict[str, Any], error_of: Any) -> None:
    image_set = store.load(document)
    properties = store.client.get_datastore(datastoreId=store.datastore_id)["datastoreProperties"]
    for arn in (properties["datastoreArn"], store.get(image_set)["imageSetArn"]):
        assert store.client.list_tags_for_resource(resourceArn=arn)["tags"] == {}
        store.client.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
        store.client.tag_resource(resourceArn=arn, tags={"b": "3"})
        assert store.client.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "1", "b": "3"}
        store.client.untag_resource(resourceArn=arn, tagKeys=["a", "c"])
        assert store.client.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "3"}
    missing = properties["datastoreArn"] + f"/imageset/{'f' * 32}"
    answer = error_of(store.client.list_tags_for_resource, resourceArn=missing)
    assert answer[:2] == (404, "ResourceNotFoundException")
    answer = error_of(store.client.list_tags_for_resource, resourceArn="arn:aws:s3:::bucket-name")
    assert answer[:2] == (400, "ValidationException")


def test_tags_of_creation(store: Any) -> None:
    datastore_id = store.client.create_datastore(tags={"team": "x"})["datastoreId"]
    arn = store.client.get_datastore(datastoreId=datastore_id)["datastoreProperties"][
        "datastoreArn"
    ]
    assert store.client.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "x"}


def test_no_operation_is_missing() -> None:
    assert set(medical_imaging().operations) <= set(_OPERATIONS)
