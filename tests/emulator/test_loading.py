"""Documents loaded into a data store, and which image sets become primary."""

from __future__ import annotations

import copy
import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from reconciler.emulator.wire.errors import ApiError

SERIES = "1.2.840.99.5.1"
FIRST, THIRD = "1.2.840.99.7.1", "1.2.840.99.7.3"


def post(store: Any, body: Any, datastore_id: str = "") -> Any:
    url = f"{store.emulator.endpoint}/_emulator/datastore/{datastore_id or store.datastore_id}/load"
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, method="POST")) as answer:
        return json.load(answer)


def test_over_http(store: Any, document: dict[str, Any]) -> None:
    answer = post(store, {"document": document, "imageSetId": "c" * 32})
    assert answer == {
        "imageSetId": "c" * 32,
        "versionId": "1",
        "isPrimary": True,
        "seriesInstanceUIDs": [SERIES],
        "instances": 2,
    }
    assert store.metadata("c" * 32) == document | {
        "DatastoreID": store.datastore_id,
        "ImageSetID": "c" * 32,
    }


def test_a_data_store_is_made_on_demand(store: Any, document: dict[str, Any]) -> None:
    body = {"document": document, "imageSetId": "c" * 32, "datastoreName": "made", "primary": False}
    assert post(store, body, "9" * 32)["isPrimary"] is False
    properties = store.client.get_datastore(datastoreId="9" * 32)["datastoreProperties"]
    assert (properties["datastoreName"], properties["datastoreStatus"]) == ("made", "ACTIVE")


def test_a_document_stays_as_it_is(store: Any, document: dict[str, Any]) -> None:
    own = {"DatastoreID": store.datastore_id, "ImageSetID": "d" * 32}
    document |= {**own, "Future": {"x": [1, None, 0.5]}}
    document["Study"]["Future"] = True
    store.load(document, "d" * 32)
    assert json.dumps(store.metadata("d" * 32), sort_keys=True) == json.dumps(
        document, sort_keys=True
    )


def test_the_data_store_of_a_document_is_the_one_that_takes_it(
    store: Any, document: dict[str, Any]
) -> None:
    """A document that was saved from another data store names that data store."""
    image_set = store.load(document | {"DatastoreID": "8" * 32})
    assert store.metadata(image_set)["DatastoreID"] == store.datastore_id
    again = store.load(document | {"DatastoreID": "9" * 32}, image_set)
    assert (again, store.get(image_set)["versionId"]) == (image_set, "1")


def test_the_same_again_changes_nothing(store: Any, document: dict[str, Any]) -> None:
    image_set = store.load(document)
    again = store.emulator.service.load(store.datastore_id, document, image_set_id=image_set)
    assert (again.versionId, again.isPrimary) == ("1", True)
    updated = store.updated(image_set, {"Study": {"DICOM": {"StudyDescription": "X"}}})
    reordered = json.loads(json.dumps(document, sort_keys=True))
    again = store.emulator.service.load(store.datastore_id, reordered, image_set_id=image_set)
    assert (again.versionId, again.instances) == ("2", 2)
    assert store.metadata(image_set) == updated


def test_another_document_is_a_conflict(store: Any, document: dict[str, Any]) -> None:
    image_set = store.load(document)
    other = copy.deepcopy(document)
    other["Patient"]["DICOM"]["PatientName"] = "X"
    with pytest.raises(ApiError) as caught:
        store.load(other, image_set)
    assert caught.value.code == "ConflictException"
    store.client.delete_image_set(**store.of(image_set))
    store.finish()
    with pytest.raises(ApiError, match="deleted"):
        store.load(document, image_set)


def test_who_is_primary(store: Any, document: dict[str, Any], sibling: dict[str, Any]) -> None:
    def is_primary(given: dict[str, Any]) -> bool:
        primary: bool = store.get(store.load(given))["isPrimary"]
        return primary

    def changed(level: str, **dicom: Any) -> dict[str, Any]:
        made = copy.deepcopy(sibling)
        made[level]["DICOM"] |= dicom
        return made

    assert is_primary(document)
    assert not is_primary(document)  # its series is there
    assert not is_primary(changed("Patient", PatientID="P-2"))
    assert not is_primary(changed("Patient", PatientName="X"))
    assert not is_primary(changed("Study", StudyDate="20200103"))
    assert not is_primary(changed("Study", StudyInstanceUID="1.2.3") | {"Patient": {}} | document)
    same_instance = copy.deepcopy(sibling)
    (block,) = same_instance["Study"]["Series"].values()
    block["Instances"] = {FIRST: block["Instances"][THIRD]}
    assert not is_primary(same_instance)
    same_series = changed("Study", StudyInstanceUID="1.2.840.99.2")
    same_series["Study"]["Series"] = copy.deepcopy(document["Study"]["Series"])
    assert not is_primary(same_series)
    assert is_primary(changed("Study", PatientAge=None))  # empty agrees with missing


def test_the_caller_may_decide(store: Any, document: dict[str, Any]) -> None:
    assert store.get(store.load(document, primary=False))["isPrimary"] is False
    assert store.get(store.load(document, primary=True))["isPrimary"] is True


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        {},
        {"document": {}, "imageSetId": "c" * 32},
        {"document": [], "imageSetId": "c" * 32},
        {"document": {"Patient": {"DICOM": {}}}, "imageSetId": "c" * 32},
        {
            "document": {"Patient": {"DICOM": {}}, "Study": {"DICOM": {}, "Series": {}}},
            "imageSetId": "c" * 32,
        },
        {"document": "good", "imageSetId": "C" * 32},
        {"document": "good", "imageSetId": 5},
        {"document": "good", "imageSetId": "c" * 32, "primary": "yes"},
        {"document": "good", "imageSetId": "c" * 32, "datastoreName": "a b"},
        {"document": "other id", "imageSetId": "c" * 32},
    ],
    ids=range(12),
)
def test_what_is_no_document(store: Any, document: dict[str, Any], body: Any) -> None:
    given = {"good": document, "other id": document | {"ImageSetID": "d" * 32}}
    if isinstance(body, dict) and isinstance(body.get("document"), str):
        body = body | {"document": given[body["document"]]}
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(store, body)
    assert caught.value.code == 400
    caught.value.close()
    found = store.client.search_image_sets(datastoreId=store.datastore_id)
    assert found["imageSetsMetadataSummaries"] == []
