"""The image sets of the fleet: their IDs, their documents, and the manifest of each of them.

Everything follows from the number of an image set, so that the manifests, the data store and the
records of any fleet agree, and every run makes the same fleet.
"""

from __future__ import annotations

import hashlib
from typing import Any

STORE = "1" * 32
NAME = "research"
FOLDERS = 1_000
ABSENT_IN = 4
_UID = "1.2.826.0.1.3680043.8.498"
MANIFEST = """\
# Registered with the data of another examination; corrected by the department of radiology after
# the request of the referring physician. The values below were checked against the order, and
# against the report that the department keeps. Ask the department before a line is changed.
apiVersion: reconciler/v1
kind: ImageSet
datastore: research
imageSetId: {name}
reason: Name misspelt at registration, corrected by the department of radiology
present:
  Patient:
    DICOM:
      PatientName: Garcia^Gloria
{fifth}\
  Study:
    DICOM:
      StudyDescription: {description}
    Series:
      "{uid}.1":
        DICOM:
          SeriesDescription: Axial 1.25 mm
        Instances:
          "{uid}.1.1":
            DICOM:
              ImageComments: checked by the department
allow: [CHANGES_PATIENT_IDENTITY]
"""
# The fifth attribute: for every fourth image set it must be absent.
_PRESENT = "      PatientSex: F\n"
_ABSENT = """\
absent:
  Study:
    DICOM: [ReferringPhysicianName]
"""
AFTER = "CT CHEST WITH CONTRAST"
EDITED = "CT CHEST WITHOUT CONTRAST"


def image_set_id(number: int) -> str:
    """The ID of an image set, spread over the whole range, as the IDs of the service are."""
    return hashlib.sha256(f"fleet/{number}".encode()).hexdigest()[:32]


def study_uid(number: int) -> str:
    """The StudyInstanceUID of an image set: each has its own study."""
    return f"{_UID}.{number}"


def patient_id(number: int) -> str:
    """The PatientID of an image set."""
    return f"{number:08d}"


def manifest(number: int, description: str = AFTER) -> str:
    """The manifest of an image set: five attributes over four levels, in about 1 KB."""
    has_absent = number % ABSENT_IN == 0
    text = MANIFEST.format(
        name=image_set_id(number),
        uid=study_uid(number),
        fifth="" if has_absent else _PRESENT,
        description=description,
    )
    return text + _ABSENT if has_absent else text


def document(number: int, *, is_applied: bool) -> dict[str, Any]:
    """The metadata of an image set, before or after its manifest is applied."""
    has_absent, uid = number % ABSENT_IN == 0, study_uid(number)
    patient = {
        "PatientID": patient_id(number),
        "PatientName": "Garcia^Gloria" if is_applied else "Garcia^Glorai",
        "PatientBirthDate": "19700101",
        "PatientSex": "F" if is_applied and not has_absent else "O",
    }
    study = {
        "StudyInstanceUID": uid,
        "StudyDate": "20240115",
        "StudyTime": "101500",
        "StudyID": str(number % 1_000_000),
        "AccessionNumber": f"A{number:09d}",
        "StudyDescription": AFTER if is_applied else "CT CHEST",
    }
    if not (is_applied and has_absent):
        study["ReferringPhysicianName"] = "Larsen^Ingrid"
    return {
        "SchemaVersion": "1.1",
        "DatastoreID": STORE,
        "ImageSetID": image_set_id(number),
        "Patient": {"DICOM": patient},
        "Study": {"DICOM": study, "Series": {f"{uid}.1": _series(uid, is_applied=is_applied)}},
    }


def _series(uid: str, *, is_applied: bool) -> dict[str, Any]:
    series = {
        "SeriesInstanceUID": f"{uid}.1",
        "SeriesNumber": "1",
        "Modality": "CT",
        "BodyPartExamined": "CHEST",
        "SeriesDescription": "Axial 1.25 mm" if is_applied else "Axial",
    }
    instance = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
        "SOPInstanceUID": f"{uid}.1.1",
        "InstanceNumber": "1",
        "Rows": 512,
        "Columns": 512,
    }
    if is_applied:
        instance["ImageComments"] = "checked by the department"
    return {"DICOM": series, "Instances": {f"{uid}.1.1": {"DICOM": instance}}}
