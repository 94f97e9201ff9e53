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


def post(world: Any, body: Any, datastore_id: str = "") -> Any:
    url = f"{world.emulator.endpoint}/_emulator/datastore/{datastore_id or world.datastore_id}/load"
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, method="POST")) as answer:
        return json.load(answer)


def test_over_http(world: Any, document: dict[str, Any]) -> None:
    answer = post(world, {"document": document, "imageSetId": "c" * 32})
    assert answer == {
        "imageSetId": "c" * 32,
        "versionId": "1",
        "isPrimary": True,
        "seriesInstanceUIDs": [SERIES],
        "instances": 2,
    }
    assert world.metadata("c" * 32) == document | {
        "DatastoreID": world.datastore_id,
        "ImageSetID": "c" * 32,
    }


def test_a_data_store_is_made_on_demand(world: Any, document: dict[str, Any]) -> None:
    body = {"document": document, "imageSetId": "c" * 32, "datastoreName": "made", "primary": False}
    assert post(world, body, "9" * 32)["isPrimary"] is False
    properties = world.client.get_datastore(datastoreId="9" * 32)["datastoreProperties"]
    assert (properties["datastoreName"], properties["datastoreStatus"]) == ("made", "ACTIVE")


def test_a_document_stays_as_it_is(world: Any, document: dict[str, Any]) -> None:
    document |= {"DatastoreID": "8" * 32, "ImageSetID": "d" * 32, "Future": {"x": [1, None, 0.5]}}
    document["Study"]["Future"] = True
    world.load(document, "d" * 32)
    assert json.dumps(world.metadata("d" * 32), sort_keys=True) == json.dumps(
        document, sort_keys=True
    )


def test_the_same_again_changes_nothing(world: Any, document: dict[str, Any]) -> None:
    image_set = world.load(document)
    again = world.emulator.service.load(world.datastore_id, document, image_set_id=image_set)
    assert (again.versionId, again.isPrimary) == ("1", True)
    updated = world.updated(image_set, {"Study": {"DICOM": {"StudyDescription": "X"}}})
    reordered = json.loads(json.dumps(document, sort_keys=True))
    again = world.emulator.service.load(world.datastore_id, reordered, image_set_id=image_set)
    assert (again.versionId, again.instances) == ("2", 2)
    assert world.metadata(image_set) == updated


def test_another_document_is_a_conflict(world: Any, document: dict[str, Any]) -> None:
    image_set = world.load(document)
    other = copy.deepcopy(document)
    other["Patient"]["DICOM"]["PatientName"] = "X"
    with pytest.raises(ApiError) as caught:
        world.load(other, image_set)
    assert caught.value.code == "ConflictException"
    world.client.delete_image_set(**world.of(image_set))
    world.finish()
    with pytest.raises(ApiError, match="deleted"):
        world.load(document, image_set)


def test_who_is_primary(world: Any, document: dict[str, Any], sibling: dict[str, Any]) -> None:
    def is_primary(given: dict[str, Any]) -> bool:
        primary: bool = world.get(world.load(given))["isPrimary"]
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


def test_the_caller_may_decide(world: Any, document: dict[str, Any]) -> None:
    assert world.get(world.load(document, primary=False))["isPrimary"] is False
    assert world.get(world.load(document, primary=True))["isPrimary"] is True


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
def test_what_is_no_document(world: Any, document: dict[str, Any], body: Any) -> None:
    given = {"good": document, "other id": document | {"ImageSetID": "d" * 32}}
    if isinstance(body, dict) and isinstance(body.get("document"), str):
        body = body | {"document": given[body["document"]]}
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(world, body)
    assert caught.value.code == 400
    caught.value.close()
    found = world.client.search_image_sets(datastoreId=world.datastore_id)
    assert found["imageSetsMetadataSummaries"] == []
