"""What a search shows to have moved, and the windows of a full scan."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.core.model.observed import Summary
from reconciler.core.model.record import Entry, StudyMembers
from reconciler.core.model.scan import Scan, ScanBasis
from reconciler.core.model.scope import Observation
from reconciler.core.review.phrases import observed
from reconciler.core.scan import Brief, Moved, brief_of, is_as_recorded, moved, windows
from reconciler.edges import schemas
from reconciler.edges.records import scans
from tests.documents import DATASTORE_ID, KEY

ID, STUDY = "0" * 32, "1.2.3"
HELD = Brief("2", 1_000_500, 900_000, STUDY)
ROW = Summary(ID, "2", True, 1000.5, (("DICOMStudyInstanceUID", STUDY),), 900.0)
BASIS = ScanBasis("tree", "sha256:1", "sha256:2", (DATASTORE_ID,), "0.1.0", 2)
SCAN = Scan(DATASTORE_ID, BASIS, 3, 4, 1000, 2000, ID, ((ID[:-1] + "1", "drifted"),), ("9" * 32,))


def test_a_row_that_says_the_same_is_as_recorded() -> None:
    assert is_as_recorded(ROW, HELD)
    assert moved([ROW], {ID: HELD}.get) == Moved(frozenset(), frozenset())


@pytest.mark.parametrize(
    "row",
    [
        replace(ROW, version_id="3"),
        replace(ROW, version_id=""),
        replace(ROW, updated_at=1001.5),
        replace(ROW, updated_at=None),
        replace(ROW, created_at=901.0),
        replace(ROW, created_at=None),
        replace(ROW, is_primary=None),
        replace(ROW, is_primary=False),
        replace(ROW, tags=(("DICOMStudyInstanceUID", "1.2.9"),)),
    ],
)
def test_a_row_that_says_something_else_or_less_has_moved(row: Summary) -> None:
    found = moved([row], {ID: HELD}.get)
    assert found.image_sets == {ID}
    assert STUDY in found.studies


def test_times_that_both_do_not_state_are_not_the_same() -> None:
    """AWS may omit `updatedAt` of a first version: then only a GetImageSet decides."""
    held = Brief("1", None, 900_000)
    assert not is_as_recorded(replace(ROW, version_id="1", updated_at=None), held)


def test_an_image_set_without_a_record_may_have_joined_a_study() -> None:
    assert moved([ROW], lambda _: None) == Moved(frozenset(), frozenset({STUDY}))


def test_a_brief_has_what_a_search_lists() -> None:
    study = StudyMembers(STUDY, ((ID, "2"),))
    held = Entry(DATASTORE_ID, ID, "2", "1", 1000.5, (), "", created_at=900.0, study=study)
    assert brief_of(held) == HELD


@given(st.lists(st.integers(0, 100), max_size=60), st.integers(1, 10), st.floats(-5, 105))
def test_every_time_is_in_a_window(created: list[int], count: int, moment: float) -> None:
    parts = list(windows(created, count))
    assert len(parts) <= count
    assert any(
        (begin is None or begin <= moment) and (end is None or moment <= end)
        for begin, end in parts
    )


def test_windows_have_about_as_many_image_sets_each() -> None:
    parts = list(windows(range(1000), 10))
    assert parts[0] == (None, 100)
    assert parts[5] == (500, 600)
    assert parts[-1] == (900, None)


def test_a_scan_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert scans.read(tmp_path, DATASTORE_ID, KEY) is None
    assert scans.write(tmp_path, SCAN, KEY)
    content = json.loads(scans.path(tmp_path, DATASTORE_ID).read_text())
    Draft202012Validator(schemas.load("scan")).validate(content)
    assert scans.read(tmp_path, DATASTORE_ID, KEY) == SCAN
    assert not scans.write(tmp_path, SCAN, KEY)
    assert scans.remove(tmp_path, DATASTORE_ID)
    assert scans.read(tmp_path, DATASTORE_ID, KEY) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"settled": 3', '"settled": 4'),
        ('"drifted"', '"blocked"'),
        ("{", "<<<<<<< HEAD\n{"),
        ('"kind": "Scan",', ""),
        ("1970", "1980"),
    ],
)
def test_an_edited_scan_counts_as_none(tmp_path: Path, old: str, new: str) -> None:
    scans.write(tmp_path, SCAN, KEY)
    path = scans.path(tmp_path, DATASTORE_ID)
    path.write_text(path.read_text().replace(old, new, 1))
    assert scans.read(tmp_path, DATASTORE_ID, KEY) is None


def test_how_a_data_store_was_observed_is_a_sentence() -> None:
    looked = Observation("research", DATASTORE_ID)
    counted = replace(looked, as_recorded=1_200, verified=1_795_896_000, full=1_795_800_000)
    shut = replace(looked, why="the records changed since the last scan")
    assert observed([looked, counted, shut]) == (
        "research: 1,200 image sets as recorded, verified as of 2026-11-28 20:00 UTC; deletions as "
        "of the last full scan, 2026-11-27 17:20 UTC.",
        "research: every image set was looked at, since the records changed since the last scan.",
    )
