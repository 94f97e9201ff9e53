"""Metadata documents for tests, in the shape that GetImageSetMetadata answers.

Synthetic: shape and JSON types follow real documents (string numbers with padding, null for
empty, lists where the VM is not 1, private elements with their VR), values are made up.
"""

from __future__ import annotations

from typing import Any

from reconciler.core.model.key import Key

# The key of a repository whose digests must be the same in every run.
KEY = Key(bytes(range(32)))
DATASTORE_ID = "12345678901234567890123456789012"
IMAGE_SET_ID = "ea92b0d8838c72a3f25d00d13616f87e"
OTHER_ID = "53d5fdb05ca4d46ac7ca64b06545c66e"
STUDY_UID = "1.3.6.1.4.1.5962.99.1.100"
SERIES_UID = "1.3.6.1.4.1.5962.99.1.200"


def instance(uid: str, *, number: str = "1 ", private: bool = True, **dicom: Any) -> dict[str, Any]:
    """One SOP instance with a frame; by default with private elements of a GE creator."""
    attributes: dict[str, Any] = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
        "SOPInstanceUID": uid,
        "InstanceNumber": number,
        "ImageType": ["ORIGINAL", "PRIMARY", "", "0015"],
        "Rows": 128,
        "Columns": 128,
        "KVP": "120 ",
        "WindowCenter": ["40 "],
        "ImageComments": None,
        "AnatomicRegionSequence": [
            {
                "CodeValue": "T-D1100",
                "CodingSchemeDesignator": "SRT",
                "CodeMeaning": "Head",
            }
        ],
        **dicom,
    }
    vrs: dict[str, str] = {}
    if private:
        attributes |= {"00090010": "GEMS_IDEN_01", "00091001": "GE_GENESIS_FF"}
        vrs = {"00090010": "LO", "00091001": "LO"}
    return {
        "DICOM": attributes,
        "DICOMVRs": vrs,
        "StoredTransferSyntaxUID": "1.2.840.10008.1.2.4.202",
        "ImageFrames": [{"ID": f"{abs(hash_of(uid)):032x}", "FrameSizeInBytes": 32768}],
    }


def hash_of(text: str) -> int:
    """A number that is the same in every run."""
    return int.from_bytes(text.encode()[-15:], "big")


def series(uid: str, instances: list[dict[str, Any]], **dicom: Any) -> dict[str, Any]:
    """One series block."""
    return {
        "DICOM": {
            "SeriesInstanceUID": uid,
            "Modality": "CT",
            "SeriesNumber": "1 ",
            "SeriesDescription": "Head",
            "BodyPartExamined": "HEAD",
            "SoftwareVersions": ["1.06"],
            **dicom,
        },
        "Instances": {block["DICOM"]["SOPInstanceUID"]: block for block in instances},
    }


def document(
    *series_blocks: dict[str, Any],
    image_set_id: str = IMAGE_SET_ID,
    patient: dict[str, Any] | None = None,
    study: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A whole document; by default one series with two instances."""
    blocks = series_blocks or (
        series(SERIES_UID, [instance(f"{SERIES_UID}.1"), instance(f"{SERIES_UID}.2", number="2 ")]),
    )
    return {
        "SchemaVersion": "1.1",
        "DatastoreID": DATASTORE_ID,
        "ImageSetID": image_set_id,
        "Patient": {
            "DICOM": {
                "PatientName": "Garcia^Gloria",
                "PatientID": "00122",
                "PatientBirthDate": "19700101",
                "PatientSex": "F",
                **(patient or {}),
            }
        },
        "Study": {
            "DICOM": {
                "StudyInstanceUID": STUDY_UID,
                "StudyID": "S1",
                "StudyDate": "20200101",
                "StudyTime": "215500.000000",
                "StudyDescription": "CHEST",
                "AccessionNumber": None,
                "ReferringPhysicianName": None,
                "PatientSize": "1.75",
                **(study or {}),
            },
            "Series": {block["DICOM"]["SeriesInstanceUID"]: block for block in blocks},
        },
    }
