"""Manifests that explain several words."""

from __future__ import annotations

from reconciler.core.explain.model import example, selecting

ACCEPTS = example("""
present:
  Study:
    DICOM:
      StudyDescription: CT CHEST
allow: [ACCEPTS_UNVERIFIED@6]
""")

OVERWRITES = example("""
present:
  Patient:
    DICOM:
      PatientSex: F
allow: [CHANGES_PATIENT_IDENTITY, OVERWRITES_DRIFT@5]
""")

SELECTION = selecting("""
name: wrong-patient-id
select:
  PatientID: "00123"
where:
  Modality: CT
expect: {atMost: 20}
present:
  Patient:
    DICOM:
      PatientID: "00321"
allow: [CHANGES_PATIENT_IDENTITY]
""")

STUDY_WIDE = example("""
present:
  Study:
    DICOM:
      StudyDescription: CT CHEST
allow: [STUDY_WIDE]
""")

PRIVATE_ELEMENT = example("""
present:
  Study:
    Series:
      "*":
        Instances:
          "*":
            DICOM:
              "00190010": ACME
              "001910F9": "97"
            DICOMVRs:
              "00190010": LO
              "001910F9": DS
force: true
""")

REVERT = example("""
reason: The correction was made in the wrong image set, RAD-1234
revertToVersionId: "1"
""")

REMOVED_INSTANCE = example("""
absent:
  Study:
    Series:
      1.2.840.99.1:
        Instances: [1.2.840.99.1.8]
allow: [REMOVES_INSTANCE]
""")
