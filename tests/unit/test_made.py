"""Versions that no record states: which of them a lost run of ours made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model.plan import Basis, Plan
from reconciler.core.model.reviewed import Origin, Reviewed
from reconciler.core.reviewed import Made, gaps, made, reviewed_changes
from tests.documents import IMAGE_SET_ID, KEY, SERIES_UID, document
from tests.planning import Stage

HEAD = f"imageSetId: {IMAGE_SET_ID}\n"
COMMENTS = HEAD + "present:\n  Patient:\n    DICOM:\n      PatientComments: {}\n"
IN_SERIES = HEAD + f"{{}}:\n  Study:\n    Series:\n      {SERIES_UID}:\n        {{}}\n"
IN_INSTANCES = HEAD + (
    'present:\n  Study:\n    Series:\n      "*":\n        Instances:\n          "*":\n'
    "            {}\n"
)
PATH = f"Study/Series/{SERIES_UID}"


def review(plan: Plan) -> Reviewed:
    origin = Origin("a" * 40, "b" * 40, "c" * 40)
    rows = reviewed_changes(plan, KEY)
    return Reviewed(origin, "sha256:" + "0" * 64, 0, 1, "f" * 32, rows)


class Lost:
    """An update that was reviewed and made, and whose records are lost."""

    def __init__(self, manifest: str) -> None:
        self.stage = Stage()
        self.stage.put(document())
        plan = self.plan(manifest)
        self.review = review(plan)
        for action in plan.actions:
            self.stage.run(action)

    def plan(self, manifest: str) -> Plan:
        return Plan(Basis("", 2), self.stage.plan(manifest))

    def made(self, manifest: str = COMMENTS.format("later")) -> list[Made | None]:
        """What is found when the manifest is this one by now."""
        service = self.stage.service
        entries = {"research": self.stage.entries}
        return [
            made(
                gap,
                service.get(IMAGE_SET_ID, gap.version_id),
                service.metadata(IMAGE_SET_ID, gap.pin),
                service.metadata(IMAGE_SET_ID, gap.version_id),
                KEY,
            )
            for gap in gaps(self.plan(manifest), [self.review], entries)
        ]


@pytest.mark.parametrize(
    ("manifest", "paths"),
    [
        (COMMENTS.format("seen"), ["Patient/PatientComments"]),
        (
            HEAD + "allow: [CHANGES_PATIENT_IDENTITY]\n"
            "present:\n  Patient: {DICOM: {PatientName: Garcia^G, PatientSex: ''}}\n",
            ["Patient/PatientName", "Patient/PatientSex"],
        ),
        (
            HEAD + "absent:\n  Study: {DICOM: [ReferringPhysicianName, PatientSize]}\n",
            ["Study/PatientSize", "Study/ReferringPhysicianName"],
        ),
        (
            IN_SERIES.format("present", 'DICOM: {SoftwareVersions: ["1.07", B]}') + "force: true\n",
            [f"{PATH}/SoftwareVersions"],
        ),
        (
            IN_INSTANCES.format('DICOM: {KVP: "100", ImageComments: all}'),
            sorted(
                f"{PATH}/Instances/{SERIES_UID}.{number}/{name}"
                for number in (1, 2)
                for name in ("KVP", "ImageComments")
            ),
        ),
        (
            IN_INSTANCES.format(
                "DICOM: {AnatomicRegionSequence: [{CodeValue: T-1, CodingSchemeDesignator: SRT, "
                "CodeMeaning: Chest}]}"
            )
            + "force: true\n",
            [f"{PATH}/Instances/{SERIES_UID}.{n}/AnatomicRegionSequence" for n in (1, 2)],
        ),
        (
            HEAD + "allow: [REMOVES_INSTANCE]\nabsent:\n  Study:\n    Series:\n"
            f"      {SERIES_UID}:\n        Instances: [{SERIES_UID}.2]\n",
            [],
        ),
    ],
)
def test_a_version_that_holds_what_was_reviewed_is_ours(manifest: str, paths: list[str]) -> None:
    (found,) = Lost(manifest).made()
    assert found is not None
    assert list(found.attempt.asked) == paths
    assert (found.landed.previous_version_id, found.landed.version_id) == ("1", "2")


def changed(lost: Lost, change: Any) -> list[Made | None]:
    """What is found if the review has other rows."""
    lost.review = replace(lost.review, changes=tuple(map(change, lost.review.changes)))
    return lost.made()


def test_a_version_without_one_of_the_reviewed_values_is_not() -> None:
    lost = Lost(COMMENTS.format("seen"))
    other = Lost(COMMENTS.format("another")).review
    lost.review = replace(lost.review, changes=(*lost.review.changes, *other.changes))
    assert lost.made() == [None]


def test_only_the_version_after_the_pin_counts() -> None:
    lost = Lost(COMMENTS.format("seen"))
    assert changed(lost, lambda row: replace(row, pin="2")) == []


def test_a_version_that_is_recorded_is_no_gap() -> None:
    lost = Lost(COMMENTS.format("seen"))
    lost.stage.record(COMMENTS.format("seen"))
    assert lost.made() == []
