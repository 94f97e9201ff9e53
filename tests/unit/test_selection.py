"""What `select` and `where` search for: one filter, everything else checked on the summaries."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.model.observed import Summary
from reconciler.core.model.search_filter import Span
from reconciler.core.search.selection import SELECT, Unusable, of_select, of_where, query_of
from tests.planning import A

UID = "1.2.3"


def row(primary: bool | None = False, /, **tags: str) -> Summary:
    return Summary(
        A, "1", primary, None, tuple((f"DICOM{name}", text) for name, text in tags.items())
    )


def sent(**select: str) -> Any:
    ((name, value),) = query_of(select.items(), ()).filters
    return (name, value.lower, value.upper) if isinstance(value, Span) else (name, value)


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("SeriesInstanceUID", UID, ("DICOMSeriesInstanceUID", UID)),
        ("StudyInstanceUID", UID, ("DICOMStudyInstanceUID", UID)),
        ("AccessionNumber", "A1", ("DICOMAccessionNumber", "A1")),
        ("PatientID", "00123", ("DICOMPatientId", "00123")),
        ("StudyID", "1", ("DICOMStudyId", "1")),
        (
            "StudyDateAndTime",
            "2026-01-01..2026-01-31",
            ("DICOMStudyDateAndTime", "20260101", "20260201"),
        ),
        # The filter is of whole days. Half a day would end at the midnight before it.
        (
            "StudyDateAndTime",
            "..2026-01-01T12:00",
            ("DICOMStudyDateAndTime", "00010101", "20260102"),
        ),
        ("createdAt", "1970-01-02", ("createdAt", 86_399, 172_801)),
        ("isPrimary", "true", ("isPrimary", True)),
        ("isPrimary", "False", ("isPrimary", False)),
    ],
)
def test_each_key_of_select_is_a_filter_of_the_service(
    key: str, text: str, expected: tuple[Any, ...]
) -> None:
    assert sent(**{key: text}) == expected


def test_the_most_selective_filter_is_sent_whatever_the_order_of_the_lines() -> None:
    values = {
        "SeriesInstanceUID": UID,
        "StudyInstanceUID": UID,
        "AccessionNumber": "A",
        "PatientID": "P",
        "StudyID": "1",
        "StudyDateAndTime": "2026-01-01",
        "createdAt": "2026-01-01",
        "isPrimary": "true",
    }
    assert values.keys() == SELECT.keys()
    names = list(values)
    for number, name in enumerate(names):
        left = {one: values[one] for one in reversed(names[number:])}
        assert sent(**left)[0] == sent(**{name: values[name]})[0]


def test_what_the_service_found_is_compared_here_too() -> None:
    """AWS documents neither case nor padding of EQUAL. Only a series is not in every summary."""
    query = query_of([("PatientID", "abc")], ())
    assert query.holds(row(PatientId="abc "))
    assert not query.holds(row(PatientId="ABC"))
    assert not query.holds(row())
    assert query_of([("SeriesInstanceUID", UID)], ()).holds(row(SeriesInstanceUID="1.2.99"))


@pytest.mark.parametrize(
    ("text", "date", "time", "holds"),
    [
        ("2026-01-01", "20260101", "", True),
        ("2026-01-01", "20260101", "235959.999", True),
        ("2026-01-01", "2026.01.01", "12:00:00", True),
        ("2026-01-01", "20260102", "000000", False),
        ("2026-01-01T08:00..2026-01-01T12:00", "20260101", "0800", True),
        ("2026-01-01T08:00..2026-01-01T12:00", "20260101", "120030", True),
        ("2026-01-01T08:00..2026-01-01T12:00", "20260101", "120100", False),
        # Some time of that hour, or of that day, is not in the range.
        ("2026-01-01T08:00..2026-01-01T12:00", "20260101", "12", False),
        ("2026-01-01T08:00..2026-01-01T12:00", "20260101", "", False),
        ("2026-01-01", "", "120000", False),
        ("2026-01-01", "20260231", "", False),
        ("2026-01-01", "20260101", "noon", False),
        ("2026-01-01", "20260101", "2561", False),
        ("2016-12-31", "20161231", "235960", True),  # a leap second
    ],
)
def test_a_study_is_in_a_range_if_all_that_it_states_is(
    text: str, date: str, time: str, holds: bool
) -> None:
    query = query_of([("StudyDateAndTime", text)], ())
    assert query.holds(row(StudyDate=date, StudyTime=time)) is holds


def test_what_does_not_say_whether_it_is_primary_is_not_selected() -> None:
    for wanted in ("true", "false"):
        query = query_of([("isPrimary", wanted)], ())
        assert [one for one in (True, False, None) if query.holds(row(one))] == [wanted == "true"]


def test_where_takes_signs_for_any_characters_ranges_and_nothing() -> None:
    select = [("PatientID", "1")]
    for line, tags in (
        (("Modality", "C?"), {"SeriesModality": "CT"}),
        (("StudyDate", "2026-01-01.."), {"StudyDate": "20260102"}),
        (("StudyDescription", ""), {}),
    ):
        query = query_of(select, [line])
        assert query.filters == (("DICOMPatientId", "1"),)
        assert query.holds(row(PatientId="1", **tags))
        other = {"SeriesModality": "MR", "StudyDate": "20251231", "StudyDescription": "X"}
        assert not query.holds(row(PatientId="1", **other))


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("PatientID", ""),
        ("PatientID", "A*"),
        ("PatientID", "x" * 513),
        ("StudyInstanceUID", "1.2.x"),
        ("createdAt", "yesterday"),
        ("StudyDateAndTime", "2026-01-31..2026-01-01"),
        ("isPrimary", "yes"),
    ],
)
def test_what_cannot_be_searched_for_is_refused_without_the_value(key: str, text: str) -> None:
    found = of_select(key, text)
    assert isinstance(found, Unusable)
    assert not text or text not in found.message + found.hint


def test_a_range_that_is_meant_is_offered() -> None:
    found = of_select("createdAt", "2026/1/1")
    assert isinstance(found, Unusable)
    assert found.corrected == "2026-01-01"
    assert isinstance(of_where("StudyDate", "2026-01-01T12:00"), Unusable)
