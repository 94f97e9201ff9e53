"""Explains what AWS HealthImaging does with image sets, in the words of plans and reports."""

from __future__ import annotations

from reconciler.core.explain.examples import PRIVATE_ELEMENT, STUDY_WIDE
from reconciler.core.explain.model import (
    AWS_IMAGE_SETS,
    AWS_LEVELS,
    AWS_TIERS,
    AWS_UPDATES,
    Explanation,
    Kind,
)

SERVICE_WORDS = (
    Explanation(
        Kind.WORD,
        "primary",
        "an image set whose import joined its study without a conflict",
        meaning="""
        AWS HealthImaging keeps the primary image sets of a study alike at Patient and Study level.
        An import that contradicts them becomes an image set that is not primary. By default,
        DICOMweb shows primary image sets only.

        On primary image sets, Patient and Study attributes change in one call for the whole study.
        Instance attributes change as usual. Series attributes and UIDs are refused, unless a rule
        in reconciler.yaml allows them.
        """,
        todo="""
        Name all primary image sets of the study in one manifest. An image set that is not primary
        is corrected for itself. AWS then makes it primary by CopyImageSet, with a new imageSetId:
        `reconcile` does not do that.
        """,
        manifest=STUDY_WIDE,
        sources=(AWS_IMAGE_SETS, AWS_UPDATES, "decision 0002 (where AWS is silent), U11 and U25"),
        see=("study-wide", "seriesOnPrimary", "uidsOnPrimary", "revertOnPrimary"),
        aliases=("isPrimary", "primary image set", "non-primary"),
    ),
    Explanation(
        Kind.WORD,
        "study-wide",
        "one call that changes all primary image sets of a study",
        meaning="""
        `includeStudyImageSets` of AWS: Patient and Study level change in all of them, or in none,
        and each gets a new version. The call states the version of one image set only. So
        `reconcile` reads the versions of the others immediately before and after the call. A write
        of another process in between is reported as a `conflict`.
        """,
        todo="Check in the plan that every listed image set is of this study.",
        sources=(AWS_UPDATES, "decision 0002 (where AWS is silent), U12 and U32"),
        see=("STUDY_WIDE", "primary", "sibling"),
        aliases=("includeStudyImageSets",),
    ),
    Explanation(
        Kind.WORD,
        "sibling",
        "another primary image set of the same study",
        meaning="""
        It changes with the study, also if no manifest names it. What is asked of a study is
        `converged` only if every sibling holds it.
        """,
        see=("primary", "study-wide"),
        aliases=("siblings",),
    ),
    Explanation(
        Kind.WORD,
        "expected version",
        "the version that an image set must have when a call is made",
        meaning="""
        Every call states the version that the plan read (`latestVersionId`). If another process
        made a newer version, AWS refuses the call, so no change is lost. A version that is no
        longer the latest is stale.
        """,
        todo="Run `reconcile plan` again: the new plan reads the new version.",
        sources=(AWS_UPDATES,),
        see=("conflict", "stale", "version"),
        aliases=("pin", "pinned", "stale version", "latestVersionId"),
    ),
    Explanation(
        Kind.WORD,
        "version",
        "one state of an image set; every update makes a new one",
        meaning="""
        AWS HealthImaging numbers the versions of an image set: 1, 2, 3. It keeps all of them. No
        update deletes one, so earlier values stay readable. Imports make versions, too. A failed
        update may use up a number.
        """,
        sources=(AWS_UPDATES,),
        see=("HISTORY_KEEPS_VALUES", "revertToVersionId", "expected version"),
        aliases=("versionId", "history"),
    ),
    Explanation(
        Kind.WORD,
        "level",
        "where AWS HealthImaging keeps an attribute: Patient, Study, Series or Instance",
        meaning="""
        Each attribute has one level. A manifest must name it there: at another level it is an
        error. `reconcile explain` with a keyword shows the level.
        """,
        sources=(AWS_LEVELS,),
        see=("primary", "PatientName", "Modality"),
        aliases=("levels", "Patient", "Study", "Series", "Instance"),
    ),
    Explanation(
        Kind.WORD,
        "private",
        "an element of a vendor, whose group number is odd",
        meaning="""
        The element with the number (gggg,00bb) is the private creator: it names the vendor of all
        elements (gggg,bbxx) beside it. Tag and creator together identify a private element. AWS
        takes private elements at Instance level only, and only with `force`.
        """,
        manifest=PRIVATE_ELEMENT,
        sources=("DICOM PS3.5, section 7.8 (private data elements)", AWS_UPDATES),
        see=("DICOMVRs", "force"),
        aliases=("private element", "private creator"),
    ),
    Explanation(
        Kind.WORD,
        "LOCKED",
        "the service is changing the image set: no other write is accepted",
        meaning="""
        AWS HealthImaging shows it as `imageSetState`, and does not document how long it lasts. When
        the image set is ACTIVE again, the update has succeeded or failed. Nothing needs to be
        unlocked.
        """,
        todo="Wait until it is ACTIVE. `lockTimeout` limits how long a run waits.",
        settings="lockTimeout: 15m\n",
        sources=(AWS_UPDATES,),
        see=("busy", "unresolved", "UPDATE_FAILED"),
        aliases=("ACTIVE", "imageSetState", "lockTimeout", "UPDATING"),
    ),
    Explanation(
        Kind.WORD,
        "UPDATE_FAILED",
        "the service accepted an update, and then could not make it",
        meaning="""
        The content stays as it was. The failed update may have used up a version number: then the
        next plan expects that version, and notes it.
        """,
        todo="""
        Read the message of the service with the AWS CLI command that the report prints. Fix the
        manifest, then run `reconcile plan` again.
        """,
        sources=(AWS_UPDATES, "decision 0002 (where AWS is silent), U9"),
        see=("failed", "version"),
    ),
    Explanation(
        Kind.WORD,
        "Frequent Access tier",
        "the storage tier of image sets that were read in the last 30 days",
        meaning="""
        GetImageSetMetadata, GetImageFrame and updates move an image set into it for 30 days.
        GetImageSet and SearchImageSets do not. So a plan reads a document only if it must, and
        prints the reads that it made.
        """,
        sources=(AWS_TIERS,),
        see=("record",),
        aliases=("tier", "storageTier", "reads made"),
    ),
)
