"""The rows of a search, in order and masked."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.model.observed import Summary
from reconciler.core.model.settings import Redact
from reconciler.core.review.search import ShownImageSet, review_search
from reconciler.render.json import image_sets
from tests.planning import A, B, C

STUDY, SERIES = "1.2.3", "1.2.3.4"
TAGS = (
    ("DICOMPatientId", "00122"),
    ("DICOMStudyInstanceUID", STUDY),
    ("DICOMSeriesInstanceUID", SERIES),
    ("DICOMSeriesModality", "CT"),
    ("DICOMUnheardOf", "x"),
)


def row(image_set_id: str, *tags: tuple[str, str]) -> Summary:
    return Summary(image_set_id, "3", None, None, tags)


def shown(redact: Redact, *tags: tuple[str, str]) -> dict[str, str]:
    (image_set,) = review_search({"research": [row(A, *tags)]}, redact)
    return {name: value.plain for name, value in image_set.tags.items()}


@pytest.mark.parametrize(
    ("redact", "expected"),
    [
        (Redact.NONE, ["00122", STUDY, SERIES, "CT", "x"]),
        (Redact.IDENTIFYING, ["<text(1-8)>", STUDY, SERIES, "CT", "<text(1-8)>"]),
        (Redact.ALL, ["<text(1-8)>", "<text(1-8)>", "<text(1-8)>", "<text(1-8)>", "<text(1-8)>"]),
    ],
)
def test_values_are_masked_as_everywhere_but_uids_are_addresses(
    redact: Redact, expected: list[str]
) -> None:
    assert list(shown(redact, *TAGS).values()) == expected


def test_a_uid_that_is_no_uid_is_masked() -> None:
    """Search answers with what the document has, which may be any text."""
    found = shown(Redact.IDENTIFYING, ("DICOMStudyInstanceUID", "Garcia^Gloria"))
    assert found == {"DICOMStudyInstanceUID": "<text(9-16)>"}


def test_masked_values_are_null_in_json_and_named() -> None:
    """A script that groups by the shape of a PatientID takes many patients for one."""
    tags = (*TAGS, ("DICOMStudyId", ""))
    for redact, masked in (
        (Redact.NONE, []),
        (Redact.IDENTIFYING, ["DICOMPatientId", "DICOMUnheardOf"]),
        (Redact.ALL, [name for name, _ in TAGS]),
    ):
        rows: Any = image_sets(review_search({"research": [row(A, *tags)]}, redact))
        assert rows[0]["masked"] == masked
        assert rows[0]["tags"] == {name: None if name in masked else text for name, text in tags}


def test_image_sets_are_in_the_order_of_patient_study_and_series() -> None:
    patient, study = "DICOMPatientId", "DICOMStudyInstanceUID"
    found = [
        row(A, (patient, "2"), (study, "1.1")),
        row(C, (patient, "1"), (study, "1.2")),
        row(B, (patient, "1"), (study, "1.2")),
        row("d" * 32, (patient, "1"), (study, "1.1")),
        row("e" * 32),
    ]
    reviewed = review_search({"research": found}, Redact.NONE)
    assert [one.image_set_id[0] for one in reviewed] == ["e", "d", "b", "c", "a"]


def test_a_row_keeps_what_the_service_states_of_its_image_set() -> None:
    summary = Summary(A, "3", True, 2.0, (), 1.0, 3.0, "FREQUENT_ACCESS")
    (image_set,) = review_search({"research": [summary]}, Redact.ALL)
    tier = "FREQUENT_ACCESS"
    assert image_set == ShownImageSet("research", A, "3", True, 1.0, 2.0, 3.0, tier, {})


def test_the_image_sets_of_a_data_store_stay_together() -> None:
    found = {"research": [row(B), row(A)], "archive": [row(C)]}
    shown = [(one.datastore, one.image_set_id) for one in review_search(found, Redact.ALL)]
    assert shown == [("research", A), ("research", B), ("archive", C)]
