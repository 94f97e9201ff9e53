"""The level of every attribute."""

from __future__ import annotations

import pytest

from reconciler.core.dicom.dictionary import by_key, by_tag
from reconciler.core.dicom.levels import PATIENT_TAGS, SERIES_TAGS, STUDY_TAGS, level_of
from reconciler.core.model.address import Level


def test_the_page_lists_46_50_and_44_elements() -> None:
    assert (len(PATIENT_TAGS), len(STUDY_TAGS), len(SERIES_TAGS)) == (46, 50, 44)


def test_no_tag_has_two_levels() -> None:
    assert len(PATIENT_TAGS | STUDY_TAGS | SERIES_TAGS) == 46 + 50 + 44


def test_every_listed_tag_is_standard_and_has_a_2022b_keyword() -> None:
    for tag in PATIENT_TAGS | STUDY_TAGS | SERIES_TAGS:
        assert by_tag(tag).keyword
        assert not by_tag(tag).is_newer


@pytest.mark.parametrize(
    ("key", "level"),
    [
        ("PatientName", Level.PATIENT),
        ("ClinicalTrialSubjectID", Level.PATIENT),
        ("PatientWeight", Level.STUDY),
        ("StudyInstanceUID", Level.STUDY),
        ("Modality", Level.SERIES),
        ("PixelPaddingValue", Level.SERIES),
        ("SOPInstanceUID", Level.INSTANCE),
        ("StudyComments", Level.INSTANCE),
        ("001910F9", Level.INSTANCE),
    ],
)
def test_level_of(key: str, level: Level) -> None:
    assert level_of(by_key(key).tag) is level
