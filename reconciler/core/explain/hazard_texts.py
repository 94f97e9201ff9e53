"""The texts of the hazards: why a hazard is dangerous, and what to do."""

from __future__ import annotations

from reconciler.core.explain.examples import (
    ACCEPTS,
    OVERWRITES,
    REMOVED_INSTANCE,
    REVERT,
    STUDY_WIDE,
)
from reconciler.core.explain.model import (
    AWS_CONSTRAINTS,
    AWS_IMAGE_SETS,
    AWS_QUOTAS,
    AWS_UPDATES,
    Explanation,
    Kind,
    example,
)
from reconciler.core.model.hazard import Hazard

# In the order of `Hazard`. The summary and the consent come from the tables of the code.
TEXTS = (
    Explanation(
        Kind.HAZARD,
        Hazard.REMOVES_ATTRIBUTE,
        meaning="""
        The attribute is missing from the new version of the image set. DICOM requires some
        attributes in each kind of object (type 1 and type 2). Without them, a viewer or another
        archive may refuse the object. Earlier versions keep the value.
        """,
        todo="""
        If you mean "there, but without a value", write `""` under `present` instead. To remove only
        a value that you know, write it behind the keyword, as below: any other live value blocks
        the action.
        """,
        manifest=example("""
absent:
  Study:
    DICOM:
      PatientWeight: "0.000000"
"""),
        sources=("DICOM PS3.5, section 7.4 (types of attributes)", AWS_UPDATES),
        see=("absent", "HISTORY_KEEPS_VALUES"),
    ),
    Explanation(
        Kind.HAZARD,
        Hazard.REVERTS_VERSION,
        meaning="""
        The image set gets the whole content of an earlier version, as a new version. Every later
        correction is undone, also corrections that other manifests or other people made.
        """,
        todo="""
        Read every change that the plan lists: each has hazards of its own. To undo one attribute
        only, ask for its former value under `present` instead.
        """,
        manifest=REVERT,
        sources=(AWS_UPDATES,),
        see=("revertToVersionId", "RESTORES_INSTANCE", "version"),
    ),
    Explanation(
        Kind.HAZARD,
        Hazard.RESTORES_INSTANCE,
        meaning="""
        The revert brings back a series or an instance that was removed after that version. It may
        have been removed for a reason: a wrong patient, a rejected image, a withdrawn consent.
        """,
        todo="""
        Find out why it was removed before you merge. To keep it away, do not revert: ask for the
        attributes that you want to restore under `present`.
        """,
        manifest=example("""
revertToVersionId: "1"
"""),
        sources=(AWS_UPDATES,),
        see=("REVERTS_VERSION", "REMOVES_INSTANCE"),
    ),
    Explanation(
        Kind.HAZARD,
        Hazard.FORCE,
        meaning="""
        AWS HealthImaging refuses some changes unless the call has the option `force`: private
        elements, sequences, attributes with several values, StudyID, the UIDs, values that do not
        fit their VR, and attributes that DICOM does not have. With `force`, AWS skips this check: a
        wrong value is stored as it is.
        """,
        todo="""
        Compare the value with the DICOM standard yourself. If the plan says that the value does not
        fit its VR, correct the value instead. `reconcile` sends `force` only with a call that needs
        it.
        """,
        manifest=example("""
present:
  Study:
    DICOM:
      StudyID: "4711"
force: true
"""),
        sources=(AWS_CONSTRAINTS, AWS_UPDATES),
        see=("force",),
    ),
    Explanation(
        Kind.HAZARD,
        Hazard.CHANGES_GROUPING,
        meaning="""
        AWS HealthImaging sorts imported instances into image sets by these attributes. After the
        change, a later import of the same study still has the old value. It no longer matches, and
        may land in another image set.
        """,
        todo="""
        Correct the source as well: the modality, the worklist or the PACS that sends the study. If
        parts of the study are still to come, import them first.
        """,
        manifest=example("""
present:
  Study:
    DICOM:
      AccessionNumber: A-2026-0815
"""),
        sources=(AWS_IMAGE_SETS,),
        see=("primary", "CHANGES_UID"),
    ),
    Explanation(
        Kind.HAZARD,
        Hazard.HISTORY_KEEPS_VALUES,
        meaning="""
        AWS HealthImaging keeps every version of an image set, and no update deletes one. Who may
        read the image set can read the value in an earlier version. So this change alone does not
        de-identify the image set. The pixels may show a name, too.
        """,
        todo="""
        If the value must not be readable, make a new data set: de-identify the DICOM files, import
        them, and delete the old image set. Otherwise restrict who may read the data store.
        """,
        manifest=example("""
absent:
  Patient:
    DICOM: [OtherPatientNames]
allow: [CHANGES_PATIENT_IDENTITY]
"""),
        sources=("DICOM PS3.15, table E.1-1 (attributes that identify)", AWS_UPDATES),
        see=("version", "masked", "REMOVES_ATTRIBUTE"),
    ),
    Explanation(
        Kind.HAZARD,
        Hazard.STUDY_WIDE,
        meaning="""
        Patient and Study level are the same in all primary image sets of a study. So one call
        changes all of them, also image sets that no manifest names. AWS checks the version of one
        of them only.
        """,
        todo="""
        Look at the list of image sets in the plan: all of them must be of this patient and this
        study. Name them all in the manifest (`imageSetIds`), or consent by the line above.
        """,
        manifest=STUDY_WIDE,
        sources=(AWS_UPDATES,),
        see=("primary", "study-wide", "sibling"),
    ),
    Explanation(
        Kind.HAZARD,
        Hazard.REMOVES_INSTANCE,
        meaning="""
        The image disappears from the new version of the image set, and from viewers that read the
        latest version. Reports, key object notes and presentation states may still refer to it.
        Earlier versions and the stored pixels stay.
        """,
        todo="""
        Look at the image first: a mistyped UID removes another image. The last instance of a series
        is not removed.
        """,
        manifest=REMOVED_INSTANCE,
        sources=(AWS_UPDATES, "decision 0002 (where AWS is silent), U8"),
        see=("absent", "removeLast", "RESTORES_INSTANCE"),
    ),
    Explanation(
        Kind.HAZARD,
        Hazard.REMOVES_SERIES,
        meaning="""
        The series disappears from the new version of the image set with all its instances. Reports,
        registrations and radiotherapy objects may still refer to it. Earlier versions and the
        stored pixels stay.
        """,
        todo="""
        Check that the SeriesInstanceUID is the one that you mean. The last series is not removed,
        and a series of a primary image set only if the settings allow it.
        """,
        manifest=example("""
absent:
  Study:
    Series: [1.2.840.99.1]
allow: [REMOVES_SERIES]
"""),
        sources=(AWS_UPDATES, "decision 0002 (where AWS is silent), U8"),
        see=("absent", "removeLast", "seriesOnPrimary"),
    ),
    Explanation(
        Kind.HAZARD,
        Hazard.CHANGES_UID,
        meaning="""
        A UID is how other objects find this one. Structured reports, segmentations, registrations,
        radiotherapy plans and other archives keep the old UID. After the change they point to an
        object that no longer exists.
        """,
        todo="""
        Change the UID only if two objects have the same one, or if it is malformed. Change what
        refers to it in the same pull request. For a new SOPInstanceUID, change
        MediaStorageSOPInstanceUID (0002,0003) as well, if the image set has it.
        """,
        manifest=example("""
present:
  Study:
    Series:
      1.2.840.99.1:
        Instances:
          1.2.840.99.1.7:
            DICOM:
              SOPInstanceUID: 1.2.840.99.1.70
force: true
allow: [CHANGES_UID]
"""),
        sources=("DICOM PS3.5, chapter 9 (unique identifiers)", AWS_UPDATES),
        see=("uidsOnPrimary", "CHANGES_GROUPING", "force"),
    ),
    Explanation(
        Kind.HAZARD,
        Hazard.CHANGES_OBJECT,
        meaning="""
        These attributes say what kind of object it is, in which character set its text is, and how
        its pixels are decoded and scaled. The stored text and pixels stay the same. With a wrong
        value, a viewer shows wrong names, wrong gray values or wrong Hounsfield units, or nothing.
        """,
        todo="""
        Compare with the original DICOM file. After the apply, open the image in a viewer and
        compare a measurement with one that you know.
        """,
        manifest=example("""
present:
  Study:
    Series:
      "*":
        Instances:
          "*":
            DICOM:
              RescaleIntercept: "-1024"
allow: [CHANGES_OBJECT]
"""),
        sources=(
            "DICOM PS3.3, C.7.6.3 (Image Pixel Module), C.11.1 (Modality LUT Module), "
            "C.12.1 (SOP Common Module)",
        ),
        see=("SpecificCharacterSet", "Modality", "RescaleSlope"),
    ),
    Explanation(
        Kind.HAZARD,
        Hazard.CHANGES_PATIENT_IDENTITY,
        meaning="""
        The images belong to another patient afterwards, or can no longer be found under this
        patient. A wrong patient is the gravest error of an archive: a diagnosis may be made from
        the images of another person.
        """,
        todo="""
        Compare with the order or the hospital information system, not with the image set. A second
        person should do the same before the merge. Write no patient data into `reason`.
        """,
        manifest=example("""
reason: Name misspelt at registration, RAD-1234
present:
  Patient:
    DICOM:
      PatientName: Garcia^Gloria
allow: [CHANGES_PATIENT_IDENTITY]
"""),
        sources=("DICOM PS3.3, C.2.2 (Patient Identification Module)",),
        see=("PatientID", "PatientName", "CHANGES_GROUPING"),
    ),
    Explanation(
        Kind.HAZARD,
        Hazard.SPLIT_UPDATE,
        meaning="""
        AWS HealthImaging limits the size of one update (10 KB by default), so the changes go out in
        several calls. Each call makes a version. Between two calls, everyone can read an image set
        that has only a part of the changes. If a call fails, the rest is not sent.
        """,
        todo="""
        Ask for fewer instances in one manifest, or ask AWS for a higher quota and state it as
        `rules: {payloadBytes: …}`. If a reader may see the versions in between, consent.
        """,
        manifest=example("""
present:
  Study:
    Series:
      "*":
        Instances:
          "*":
            DICOM:
              BurnedInAnnotation: "NO"
allow: [SPLIT_UPDATE]
"""),
        sources=(AWS_QUOTAS, "decision 0002 (where AWS is silent), U13"),
        see=("payloadBytes", "step", "version"),
    ),
    Explanation(
        Kind.HAZARD,
        Hazard.MERGES_PATIENTS,
        meaning="""
        Image sets of different PatientIDs get one PatientID. Or an image set gets a PatientID that
        exists with another name or birth date, or may exist. If they are different people, their
        images are mixed afterwards, and nothing in the images says which are whose.
        """,
        todo="""
        Compare every PatientID that the plan shows with the master patient index. Consent only if
        all of them are one person. The number is how many different PatientIDs the image sets of
        the manifest have before the change. AWS does not promise that its search is complete.
        """,
        manifest=example("""
reason: Registered twice at admission, RAD-1234
present:
  Patient:
    DICOM:
      PatientID: "00123"
allow: [CHANGES_PATIENT_IDENTITY, MERGES_PATIENTS@2]
"""),
        sources=(
            "DICOM PS3.3, C.2.2 (Patient Identification Module)",
            "docs/hazards.md, Patients that become one",
        ),
        see=("CHANGES_PATIENT_IDENTITY", "PatientID"),
    ),
    Explanation(
        Kind.HAZARD,
        Hazard.OVERWRITES_DRIFT,
        meaning="""
        Another process changed this value after its baseline: a PACS, an import, a script, a
        colleague. The manifest asks for another value. Perhaps the manifest is wrong now.
        """,
        todo="""
        Find out who changed the value, and why. If the live value is right, write it into the
        manifest. If the manifest is right, add the consent with the version that the plan prints.
        Any later change of that value ends the consent.
        """,
        manifest=OVERWRITES,
        sources=("docs/records.md, Baselines",),
        see=("drift", "baseline", "drifted"),
    ),
    Explanation(
        Kind.HAZARD,
        Hazard.ACCEPTS_UNVERIFIED,
        meaning="""
        AWS HealthImaging accepted an update, but `reconcile` read back something else than the plan
        asked for. The consent declares this content to be right. It then counts as reviewed.
        """,
        todo="""
        Read in the plan, attribute by attribute, what is different. If it is right, ask for the
        stored value and add the consent with that version. If it is wrong, ask for the right value
        and add the consent: the same apply repairs it.
        """,
        manifest=ACCEPTS,
        sources=("docs/records.md, Updates that were stored otherwise",),
        see=("unverified", "version"),
    ),
)
