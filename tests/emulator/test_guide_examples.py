"""The seven examples of AWS's guide *Updating image set metadata*, payloads as they stand there."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.emulator.conftest import EmulatedStore

ONE = "1.1.1.1.1.1.12345.123456789012.123.12345678901234.1"
TWO = "1.1.1.1.1.1.12345.123456789012.123.12345678901234.2"
ROOT = "1.3.6.1.4.1.5962.99.1.3633258862.2104868982.1369432891697"
SERIES_7, INSTANCE_7 = f"{ROOT}.3656.0", f"{ROOT}.3659.0"
IMAGE_SET = "ea92b0d8838c72a3f25d00d13616f87e"
OTHER_IMAGE_SET = "53d5fdb05ca4d46ac7ca64b06545c66e"


def _instance(uid: str) -> dict[str, Any]:
    return {
        "DICOM": {"SOPInstanceUID": uid, "00090010": "GEMS_IDEN_01", "00091001": "GE_GENESIS_FF"},
        "DICOMVRs": {"00090010": "LO", "00091001": "LO"},
        "ImageFrames": [],
    }


def _document(series: str, instances: tuple[str, ...]) -> dict[str, Any]:
    return {
        "SchemaVersion": "1.1",
        "Patient": {"DICOM": {"PatientID": "1", "PatientName": "Before^Name"}},
        "Study": {
            "DICOM": {"StudyInstanceUID": "1.1.1", "StudyDescription": "CHEST", "StudyID": "7"},
            "Series": {
                series: {
                    "DICOM": {"SeriesInstanceUID": series, "Modality": "CT"},
                    "Instances": {uid: _instance(uid) for uid in instances},
                }
            },
        },
    }


def _block(after: dict[str, Any], series: str, instance: str) -> dict[str, Any]:
    block: dict[str, Any] = after["Study"]["Series"][series]["Instances"][instance]
    return block


def _at(payload: str, series: str = ONE, instance: str = ONE) -> str:
    """The guide's text, with its UIDs for S and I."""
    return payload.replace('"S"', f'"{series}"').replace('"I"', f'"{instance}"')


@pytest.fixture
def before(store: EmulatedStore) -> dict[str, Any]:
    for image_set_id in (IMAGE_SET, OTHER_IMAGE_SET):
        store.load(_document(ONE, (ONE, TWO)), image_set_id, primary=False)
    return store.metadata(IMAGE_SET)


def test_1_insert_or_update_an_attribute(store: Any, before: dict[str, Any]) -> None:
    answer = store.call(
        IMAGE_SET, '{"SchemaVersion":1.1,"Patient":{"DICOM":{"PatientName":"MX^MX"}}}', pin="1"
    )
    answer.pop("ResponseMetadata")
    created = store.get(IMAGE_SET)["createdAt"]
    assert answer == {
        "latestVersionId": "2",
        "imageSetWorkflowStatus": "UPDATING",
        "updatedAt": answer["updatedAt"],
        "imageSetId": IMAGE_SET,
        "imageSetState": "LOCKED",
        "createdAt": created,
        "datastoreId": store.datastore_id,
    }
    assert answer["updatedAt"].timestamp() == store.clock()
    store.finish()
    expected = copy.deepcopy(before)
    expected["Patient"]["DICOM"]["PatientName"] = "MX^MX"
    assert store.metadata(IMAGE_SET) == expected
    assert store.metadata(IMAGE_SET, "1") == before


def test_2_remove_an_attribute(store: Any, before: dict[str, Any]) -> None:
    after = store.updated(
        IMAGE_SET, None, '{"SchemaVersion":1.1,"Study":{"DICOM":{"StudyDescription":"CHEST"}}}'
    )
    del before["Study"]["DICOM"]["StudyDescription"]
    assert after == before


def test_3_remove_an_instance(store: Any, before: dict[str, Any]) -> None:
    after = store.updated(
        IMAGE_SET,
        None,
        _at('{"SchemaVersion": 1.1,"Study": {"Series": {"S": {"Instances": {"I": {}}}}}}'),
    )
    del before["Study"]["Series"][ONE]["Instances"][ONE]
    assert after == before


def test_4_revert_to_a_previous_version(store: Any, before: dict[str, Any]) -> None:
    for name in ("A^A", "B^B"):
        store.updated(OTHER_IMAGE_SET, {"Patient": {"DICOM": {"PatientName": name}}})
    original = store.metadata(OTHER_IMAGE_SET, "1")
    answer = store.call(OTHER_IMAGE_SET, pin="3", revert_to="1")
    assert answer["latestVersionId"] == "4"
    assert (answer["imageSetState"], answer["imageSetWorkflowStatus"]) == ("LOCKED", "UPDATING")
    store.finish()
    assert store.get(OTHER_IMAGE_SET)["imageSetWorkflowStatus"] == "UPDATED"
    assert store.metadata(OTHER_IMAGE_SET) == original
    assert store.metadata(OTHER_IMAGE_SET, "3")["Patient"]["DICOM"]["PatientName"] == "B^B"


def test_5_add_a_private_element(store: Any, before: dict[str, Any]) -> None:
    after = store.updated(
        OTHER_IMAGE_SET,
        _at(
            '{"SchemaVersion": 1.1,"Study": {"Series": {"S": {"Instances": {"I": {"DICOM": '
            '{"001910F9": "97"},"DICOMVRs": {"001910F9": "DS"}}}}}}}'
        ),
        force=True,
    )
    block = _block(after, ONE, ONE)
    assert block["DICOM"]["001910F9"] == "97"
    assert block["DICOMVRs"] == {"00090010": "LO", "00091001": "LO", "001910F9": "DS"}
    assert store.get(OTHER_IMAGE_SET)["overrides"] == {"forced": True}
    assert "overrides" not in store.get(OTHER_IMAGE_SET, "1")


def test_6_update_a_private_element(store: Any, before: dict[str, Any]) -> None:
    after = store.updated(
        OTHER_IMAGE_SET,
        _at(
            '{"SchemaVersion": 1.1,"Study": {"Series": {"S": {"Instances": {"I": {"DICOM": '
            '{"00091001": "GE_GENESIS_DD"}}}}}}}'
        ),
        force=True,
    )
    assert _block(after, ONE, ONE)["DICOM"]["00091001"] == "GE_GENESIS_DD"
    assert _block(after, ONE, ONE)["DICOMVRs"] == {"00090010": "LO", "00091001": "LO"}
    assert _block(after, ONE, TWO)["DICOM"]["00091001"] == "GE_GENESIS_FF"


def test_7_update_a_sop_instance_uid(store: Any) -> None:
    image_set_id = store.load(_document(SERIES_7, (INSTANCE_7,)), primary=False)
    before = store.metadata(image_set_id)
    new = f"{ROOT}.3659.9"
    payload = _at(
        '{"SchemaVersion":1.1,"Study":{"Series":{"S":{"Instances":{"I":{"DICOM":'
        f'{{"SOPInstanceUID":"{new}"}}}}}}}}}}}}}}',
        SERIES_7,
        INSTANCE_7,
    )
    assert "Constraint 3" in store.refused(image_set_id, payload)
    after = store.updated(image_set_id, payload, force=True)
    block = before["Study"]["Series"][SERIES_7]["Instances"].pop(INSTANCE_7)
    block["DICOM"]["SOPInstanceUID"] = new
    before["Study"]["Series"][SERIES_7]["Instances"][new] = block
    assert after == before
