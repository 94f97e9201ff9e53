"""CopyImageSet."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.emulator.conftest import EmulatedStore

SERIES = "1.2.840.99.5.1"
FIRST, SECOND = "1.2.840.99.7.1", "1.2.840.99.7.2"


@pytest.fixture
def image_set(store: EmulatedStore, document: dict[str, Any]) -> str:
    return store.load(document)


def call(store: Any, source: str, into: str = "", only: Any = None, **flags: Any) -> Any:
    pinned: dict[str, Any] = {"latestVersionId": store.get(source)["versionId"]}
    if only is not None:
        pinned["DICOMCopies"] = {
            "copiableAttributes": only if isinstance(only, str) else json.dumps(only)
        }
    information: dict[str, Any] = {"sourceImageSet": pinned}
    if into:
        information["destinationImageSet"] = {
            "imageSetId": into,
            "latestVersionId": store.get(into)["versionId"],
        }
    return store.client.copy_image_set(
        datastoreId=store.datastore_id,
        sourceImageSetId=source,
        copyImageSetInformation=information,
        **flags,
    )


def select(*instances: str) -> dict[str, Any]:
    chosen: dict[str, Any] = {SERIES: {"Instances": {uid: {} for uid in instances}}}
    return {"SchemaVersion": "1.1", "Study": {"Series": chosen}}


def test_a_new_image_set(store: Any, image_set: str, error_of: Any) -> None:
    store.clock.advance(60)
    answer = call(store, image_set)
    source = answer["sourceImageSetProperties"]
    made = answer["destinationImageSetProperties"]
    assert (source["imageSetState"], source["imageSetWorkflowStatus"]) == (
        "LOCKED", "COPYING_WITH_READ_ONLY_ACCESS"
    )  # fmt: skip
    assert source["latestVersionId"] == "1"
    assert source["updatedAt"].timestamp() == store.clock()  # of the copy: AWS's examples
    assert (made["imageSetState"], made["imageSetWorkflowStatus"]) == ("LOCKED", "COPYING")
    assert made["latestVersionId"] == "1"
    assert store.get(image_set)["imageSetWorkflowStatus"] == "COPYING_WITH_READ_ONLY_ACCESS"
    assert store.metadata(image_set)
    assert error_of(store.metadata, made["imageSetId"])[0] == 404
    assert error_of(call, store, image_set)[:2] == (409, "ConflictException")
    store.finish()
    assert store.get(image_set)["imageSetState"] == "ACTIVE"
    assert store.get(image_set)["versionId"] == "1"
    copied = store.get(made["imageSetId"])
    assert (copied["imageSetState"], copied["imageSetWorkflowStatus"]) == ("ACTIVE", "COPIED")
    assert copied["isPrimary"] is False
    expected = store.metadata(image_set) | {"ImageSetID": made["imageSetId"]}
    assert store.metadata(made["imageSetId"]) == expected


def test_some_instances(store: Any, image_set: str) -> None:
    made = call(store, image_set, only=select(SECOND))["destinationImageSetProperties"]
    store.finish()
    copied = store.metadata(made["imageSetId"])
    assert list(copied["Study"]["Series"][SERIES]["Instances"]) == [SECOND]


def test_an_instance_that_is_not_there(store: Any, image_set: str, error_of: Any) -> None:
    made = call(store, image_set, only=select("1.9"))["destinationImageSetProperties"]
    store.finish()
    failed = store.get(made["imageSetId"])
    assert (failed["imageSetState"], failed["imageSetWorkflowStatus"]) == ("ACTIVE", "COPY_FAILED")
    assert failed["message"].startswith("INVALID_REQUEST:")
    assert error_of(store.metadata, made["imageSetId"])[0] == 404


def test_into_another_image_set(store: Any, image_set: str) -> None:
    alone = call(store, image_set, only=select(FIRST))["destinationImageSetProperties"]
    store.finish()
    into = alone["imageSetId"]
    answer = call(store, image_set, into, only=select(SECOND))
    assert answer["destinationImageSetProperties"]["latestVersionId"] == "2"
    store.finish()
    assert store.get(into)["imageSetWorkflowStatus"] == "COPIED"
    instances = store.metadata(into)["Study"]["Series"][SERIES]["Instances"]
    assert set(instances) == {FIRST, SECOND}
    assert set(store.metadata(into, "1")["Study"]["Series"][SERIES]["Instances"]) == {FIRST}


def test_into_another_series(store: Any, image_set: str, sibling: dict[str, Any]) -> None:
    into = store.load(sibling)
    call(store, image_set, into)
    store.finish()
    failed = store.get(into)
    assert (failed["versionId"], failed["imageSetWorkflowStatus"]) == ("2", "COPY_FAILED")
    assert failed["message"] == (
        "INVALID_REQUEST:  Series of SourceImageSet and DestinationImageSet don't match."
    )
    assert store.metadata(into) == store.metadata(into, "1")


def test_other_patient_needs_force(store: Any, image_set: str, document: dict[str, Any]) -> None:
    other = copy.deepcopy(document)
    other["Patient"]["DICOM"]["PatientID"] = "P-2"
    into = store.load(other)
    call(store, image_set, into)
    store.finish()
    assert store.get(into)["imageSetWorkflowStatus"] == "COPY_FAILED"
    call(store, image_set, into, force=True)
    store.finish()
    assert store.get(into)["imageSetWorkflowStatus"] == "COPIED"
    assert store.metadata(into)["Patient"]["DICOM"]["PatientID"] == "P-2"


def test_promotion(store: Any, document: dict[str, Any], image_set: str) -> None:
    other = copy.deepcopy(document)
    other["Patient"]["DICOM"]["PatientID"] = "P-2"
    conflicting = store.load(other)
    assert store.get(conflicting)["isPrimary"] is False
    made = call(store, conflicting, promoteToPrimary=True)["destinationImageSetProperties"]
    store.finish()
    assert store.get(made["imageSetId"])["imageSetWorkflowStatus"] == "COPY_FAILED"
    assert store.get(made["imageSetId"])["isPrimary"] is False
    store.client.delete_image_set(**store.of(image_set))
    store.finish()
    made = call(store, conflicting, promoteToPrimary=True)["destinationImageSetProperties"]
    store.finish()
    promoted = store.get(made["imageSetId"])
    assert (promoted["isPrimary"], promoted["imageSetWorkflowStatus"]) == (True, "COPIED")


def test_pins_and_bad_requests(store: Any, image_set: str, error_of: Any) -> None:
    def copying(version: str, **more: Any) -> Any:
        return error_of(
            store.client.copy_image_set,
            datastoreId=store.datastore_id,
            sourceImageSetId=image_set,
            copyImageSetInformation={"sourceImageSet": {"latestVersionId": version}} | more,
        )

    stale = "Requested version(s) of ImageSet(s) is not the latest."
    assert copying("2") == (404, "ResourceNotFoundException", stale)
    into = {"imageSetId": image_set, "latestVersionId": "1"}
    assert copying("1", destinationImageSet=into)[:2] == (400, "ValidationException")
    for only in ("{", "[]", "{}", '{"Study":{"Series":{"1.2":[]}}}'):
        assert error_of(call, store, image_set, only=only)[0] == 400
    unknown = error_of(
        store.client.copy_image_set,
        datastoreId=store.datastore_id,
        sourceImageSetId="f" * 32,
        copyImageSetInformation={"sourceImageSet": {"latestVersionId": "1"}},
    )
    assert unknown[:2] == (404, "ResourceNotFoundException")
