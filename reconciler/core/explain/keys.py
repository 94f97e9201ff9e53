"""Explains the keys of a manifest."""

from __future__ import annotations

from reconciler.core.explain.examples import PRIVATE_ELEMENT, REMOVED_INSTANCE, REVERT, SELECTION
from reconciler.core.explain.model import (
    AWS_CONSTRAINTS,
    AWS_LEVELS,
    AWS_UPDATES,
    Explanation,
    Kind,
    example,
)

KEYS = (
    Explanation(
        Kind.KEY,
        "apiVersion",
        "the version of the format of the manifest",
        meaning="Every manifest begins with `apiVersion: reconciler/v1`.",
    ),
    Explanation(
        Kind.KEY,
        "kind",
        "the kind of the manifest",
        meaning="""
        `ImageSet`: the manifest names its image sets by ID. `ImageSets`: it selects them by a
        search.
        """,
        see=("imageSetId", "select"),
    ),
    Explanation(
        Kind.KEY,
        "datastore",
        "the data store of the image sets",
        meaning="""
        A name from reconciler.yaml, not the datastoreId. `reconcile datastores` lists the names.
        """,
    ),
    Explanation(
        Kind.KEY,
        "imageSetId",
        "the image set that the manifest is about",
        meaning="""
        The ID that AWS HealthImaging gave it: 32 characters, each 0-9 or a-z. It is no DICOM UID.
        """,
        todo="""
        Find it with `reconcile search`, then print its live values with `reconcile import
        --image-set ID`.
        """,
        see=("imageSetIds",),
    ),
    Explanation(
        Kind.KEY,
        "imageSetIds",
        "several image sets that all get the same values",
        meaning="""
        For a Patient- or Study-level change, name all primary image sets of the study: then the
        manifest needs no consent to STUDY_WIDE.
        """,
        see=("imageSetId", "STUDY_WIDE"),
    ),
    Explanation(
        Kind.KEY,
        "name",
        "the name of a selection",
        meaning="""
        It is unique in its data store. Records keep by it which image sets were selected, so a new
        name is a new selection: the image sets of the old name are released.
        """,
        todo="Choose a name without patient data, such as a ticket number: outputs show it.",
        see=("select",),
    ),
    Explanation(
        Kind.KEY,
        "select",
        "which image sets a manifest of kind ImageSets is about",
        meaning="""
        Filters of SearchImageSets: PatientID, AccessionNumber, StudyID, StudyInstanceUID,
        SeriesInstanceUID, StudyDateAndTime, createdAt, isPrimary. An image set must meet all of
        them. The service gets one filter, the most selective; the others are checked on what it
        returns.

        An image set stays selected until `select` or `where` changes. So a manifest that corrects
        what it searches for plans to nothing afterwards. Then the plan lists which image sets
        leave. Their values stay.
        """,
        todo="""
        Try the search with `reconcile search` first. Then state with `expect` how many image sets
        it finds.
        """,
        manifest=SELECTION,
        see=("where", "expect", "name"),
        aliases=("ImageSets", "selection", "selector"),
    ),
    Explanation(
        Kind.KEY,
        "where",
        "further conditions of a selection",
        meaning="""
        On the attributes that SearchImageSets returns, such as Modality. They are checked by
        `reconcile`, so `*` and `?` stand for any characters, a date may be a range, and `""` stands
        for no value.
        """,
        manifest=SELECTION,
        see=("select",),
    ),
    Explanation(
        Kind.KEY,
        "expect",
        "how many image sets a selection is to select",
        meaning="""
        `expect: 12` is exactly that number, `expect: {atMost: 12}` no more. Otherwise nothing that
        the manifest asks is changed, and the exit code is 1; other manifests go on. Without
        `expect`, 10,000 image sets is the most.
        """,
        manifest=SELECTION,
        see=("select", "allowEmpty"),
    ),
    Explanation(
        Kind.KEY,
        "allowEmpty",
        "whether a selection may select no image set",
        meaning="Without `allowEmpty: true`, a selection of no image set is an error.",
        see=("select", "expect"),
    ),
    Explanation(
        Kind.KEY,
        "reason",
        "why the manifest asks for this, for its reviewers",
        meaning="""
        Free text. It is not sent to AWS. Write no patient data: a ticket number is better than a
        name.
        """,
    ),
    Explanation(
        Kind.KEY,
        "present",
        "attributes that must be there, with these values",
        meaning="""
        It has the shape of the metadata document: Patient, Study, Series, Instances, each with a
        `DICOM:` block. A value is sent as the text that stands in the file. Quotes never hurt. What
        no manifest asks for is never touched.
        """,
        todo="""
        Write `""` for "there, but empty", a list for several values, and a list of items for a
        sequence. To remove an attribute, use `absent`: a deleted line removes nothing.
        """,
        manifest=example("""
present:
  Study:
    DICOM:
      StudyDescription: CT CHEST
      ReferringPhysicianName: ""
"""),
        sources=(AWS_LEVELS,),
        see=("absent", "level"),
    ),
    Explanation(
        Kind.KEY,
        "absent",
        "attributes, series or instances that must not be there",
        meaning="""
        A list removes attributes whatever their value. With a value behind the keyword, only that
        value is removed; any other live value blocks the action. A series or an instance is named
        by its UID.
        """,
        todo="""
        A removal may stay in the manifest: once it is done, its plan is empty. The last series and
        the last instance are not removed.
        """,
        manifest=example("""
absent:
  Study:
    DICOM: [PatientWeight]
    Series:
      1.2.840.99.1:
        Instances: [1.2.840.99.1.8]
allow: [REMOVES_INSTANCE]
"""),
        sources=(AWS_UPDATES,),
        see=("REMOVES_ATTRIBUTE", "REMOVES_INSTANCE", "REMOVES_SERIES"),
    ),
    Explanation(
        Kind.KEY,
        "revertToVersionId",
        "the earlier version whose content the image set gets",
        meaning="""
        It stands instead of `present` and `absent`, and claims the whole image set: no other
        manifest may name it. The service makes a new version with the old content. The plan shows
        every difference, each with its hazards. A revert needs no `force`.
        """,
        todo="""
        The number is a versionId of AWS. `aws medical-imaging list-image-set-versions` lists them.
        A version that failed or does not exist is blocked. Revert all primary image sets of a study
        together.
        """,
        manifest=REVERT,
        sources=(AWS_UPDATES,),
        see=("REVERTS_VERSION", "RESTORES_INSTANCE", "revertOnPrimary"),
    ),
    Explanation(
        Kind.KEY,
        "force",
        "the line that permits changes which AWS takes only with `force`",
        meaning="""
        AWS takes these changes only with `force`: private elements, sequences, attributes with
        several values, StudyID and the UIDs, values that do not fit their VR, attributes that DICOM
        2022b does not have. `force` switches off checks of the service, not those of `reconcile`.

        It never permits a change of pixel data, an attribute at the wrong level, or a new series or
        instance. AWS's guide says that it does not permit UID changes of primary image sets.
        """,
        todo="""
        Add the line only if the plan or `reconcile validate` asks for it. It is sent only with a
        call that needs it. It is never an option of the command line, so a reviewer sees it.
        """,
        manifest=example("""
present:
  Study:
    Series:
      "*":
        Instances:
          "*":
            DICOM:
              ImageType: [ORIGINAL, PRIMARY, AXIAL]
force: true
"""),
        sources=(AWS_CONSTRAINTS, AWS_UPDATES),
        see=("FORCE", "removalsNeedForce", "private"),
        aliases=("force: true",),
    ),
    Explanation(
        Kind.KEY,
        "allow",
        "consent to hazards, by name",
        meaning="""
        It covers the changes of its own manifest only. A hazard of one version also names the
        version. The same key in reconciler.yaml holds for every manifest.
        """,
        todo="Add the line that `reconcile plan` prints, after you have read what it permits.",
        manifest=REMOVED_INSTANCE,
        see=("consent", "hazard"),
    ),
    Explanation(
        Kind.KEY,
        "DICOMVRs",
        "the VR of a private element that is new",
        meaning="""
        No dictionary has the VR of a private element, so the manifest states it beside the `DICOM:`
        block. An element that is already there keeps its VR. AWS takes it at Instance level only.
        """,
        manifest=PRIVATE_ELEMENT,
        sources=(AWS_UPDATES,),
        see=("private",),
    ),
    Explanation(
        Kind.KEY,
        "*",
        "all series, or all instances, of the image set",
        meaning="""
        Under `Series` or `Instances` in place of a UID. At least one must exist. In one manifest, a
        named UID wins over `"*"`. A removal always names its UIDs.
        """,
        manifest=example("""
present:
  Study:
    Series:
      "*":
        DICOM:
          BodyPartExamined: CHEST
"""),
        see=("present",),
        aliases=("Series", "Instances", "wildcard"),
    ),
)
