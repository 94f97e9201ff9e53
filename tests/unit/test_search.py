"""What a search asks the service, what it checks itself, and which data stores it reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.core.errors import AccessDeniedError, ReconcilerError
from reconciler.core.model.observed import SearchPage, Summary
from reconciler.core.model.search_filter import Filters, Span
from reconciler.core.model.settings import Datastore
from reconciler.core.search import Query, criteria, fields, time_criteria
from reconciler.core.search.ranges import BadRange, TimeRange, time_range
from reconciler.pipeline import Edges
from reconciler.pipeline.search import search
from tests.documents import document
from tests.fakes import FakeClock, FakeImageSets
from tests.planning import A, B, C

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)


def query(*texts: str, created: str | None = None, updated: str | None = None) -> Query:
    return Query((*criteria(texts), *time_criteria(created, updated)))


def sent(asked: Query) -> tuple[Any, ...]:
    """The only filter: its attribute, and its value or its bounds."""
    ((name, value),) = asked.filters
    return (name, value.lower, value.upper) if isinstance(value, Span) else (name, value)


def row(tags: dict[str, str] | None = None, **times: float) -> Summary:
    found = tuple((tags or {}).items())
    return Summary(A, "1", None, times.get("updated"), found, times.get("created"))


# --- ranges of time -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-01-01", "2026-01-01T00:00:00", "2026-01-01T23:59:59.999"),
        ("20260101", "2026-01-01T00:00:00", "2026-01-01T23:59:59.999"),
        ("2026-01-01..2026-02-01", "2026-01-01T00:00:00", "2026-02-01T23:59:59.999"),
        ("2026-01-01..", "2026-01-01T00:00:00", "9999-12-31T23:59:59"),
        ("..2026-02-01", "0001-01-01T00:00:00", "2026-02-01T23:59:59.999"),
        ("..9999-12-31", "0001-01-01T00:00:00", "9999-12-31T23:59:59"),
        ("2026-01-01T12:30", "2026-01-01T12:30:00", "2026-01-01T12:30:59.999"),
        ("2026-01-01T12:30..2026-01-01T12:31:05Z", "2026-01-01T12:30:00", "2026-01-01T12:31:05.9"),
    ],
)
def test_both_ends_of_a_range_belong_to_it(text: str, first: str, last: str) -> None:
    found = time_range(text)
    assert isinstance(found, TimeRange)
    begin, end = (datetime.fromisoformat(f"{one}+00:00") for one in (first, last))
    assert found.has(begin) and found.has(end)
    assert found.start in (None, begin)
    assert found.end is None or (found.end - end).total_seconds() < 1


@pytest.mark.parametrize(
    ("text", "part", "corrected"),
    [
        ("2026-1-5", "2026-1-5", "2026-01-05"),
        ("2026/01/05..", "2026/01/05", "2026-01-05.."),
        ("..2026.1.5", "2026.1.5", "..2026-01-05"),
        ("20260101-20260201", "20260101-20260201", "2026-01-01..2026-02-01"),
        ("2026-01-01 to 2026-02-01", "2026-01-01 to 2026-02-01", "2026-01-01..2026-02-01"),
        ("2026-01-01...2026-02-01", ".2026-02-01", "2026-01-01..2026-02-01"),
        ("2026-02-01..2026-01-01", "2026-02-01..2026-01-01", "2026-01-01..2026-02-01"),
        ("2026-01-01..2026-02-30", "2026-02-30", ""),
        ("2026-13-01", "2026-13-01", ""),
        ("2026-01-01T25:00", "2026-01-01T25:00", ""),
        ("05.01.2026", "05.01.2026", ""),  # the fifth of January, or the first of May
        (">=2026-01-01", ">=2026-01-01", ""),
        ("yesterday", "yesterday", ""),
        ("２０２６-01-01", "２０２６-01-01", ""),
        ("..", "..", ""),
        ("", "", ""),
    ],
)
def test_a_text_that_is_no_range_is_marked_and_corrected_if_its_meaning_is_clear(
    text: str, part: str, corrected: str
) -> None:
    found = time_range(text)
    assert isinstance(found, BadRange)
    assert (found.part, found.corrected) == (part, corrected)
    assert text[found.start :].startswith(part)
    assert not corrected or isinstance(time_range(corrected), TimeRange)


# --- the filter for the service -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Modality=OT", "PatientID=12345"], ("DICOMPatientId", "12345")),
        (["PatientID=1", "StudyInstanceUID=1.2"], ("DICOMStudyInstanceUID", "1.2")),
        (["SeriesInstanceUID=1.3", "StudyInstanceUID=1.2"], ("DICOMSeriesInstanceUID", "1.3")),
        (["StudyID=1", "AccessionNumber=A7"], ("DICOMAccessionNumber", "A7")),
        (["StudyID=1", "StudyDate=2004-01-19"], ("DICOMStudyId", "1")),
        (["studyid=1"], ("DICOMStudyId", "1")),
        (["00100020=1"], ("DICOMPatientId", "1")),
        (
            ["StudyDate=2004-01-19..2004-01-31", "Modality=CT"],
            ("DICOMStudyDateAndTime", "20040119", "20040201"),
        ),
        (["StudyDate=..20040131"], ("DICOMStudyDateAndTime", "00010101", "20040201")),
    ],
)
def test_the_most_selective_criterion_is_sent(texts: list[str], expected: tuple[str, ...]) -> None:
    assert sent(query(*texts)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Modality=OT",
        "PatientName=Doe^Peter",
        "PatientBirthDate=1970-01-01",
        "PatientID=",  # those without a PatientID: an empty filter is not documented
        "PatientID=77*",  # the service has no wildcards
        f"PatientID={'7' * 513}",  # longer than the model allows
        "StudyInstanceUID=UNKNOWN-1",  # the model allows digits and dots
    ],
)
def test_what_the_service_does_not_take_is_checked_on_the_summaries(text: str) -> None:
    assert query(text).filters == ()


def test_times_are_sent_a_second_wider_because_a_request_has_no_fractions() -> None:
    second = int(JANUARY.timestamp())
    asked = query("Modality=CT", created="2026-01-01", updated="2026-01-05..")
    assert sent(asked) == ("createdAt", second - 1, second + 86_401)
    name, lower, upper = sent(query(updated="2026-01-01.."))
    assert (name, lower) == ("updatedAt", second - 1)
    assert upper == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


def test_times_before_1970_are_sent_as_1970() -> None:
    assert sent(query(created="1960-01-01.."))[1] == 0


# --- what is checked on the summaries -------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("Modality=OT", "OT", True),
        ("Modality=OT", "OT ", True),  # padding does not count
        ("Modality=OT", "ot", False),
        ("Modality=", "", True),
        ("Modality=", "OT", False),
        ("Modality=C?", "CT", True),
        ("Modality=C?", "C", False),
        ("SeriesNumber=07", "7", True),
        ("PatientName=Doe*", "Doe^Peter", True),
        ("PatientName=*", "", True),
        ("PatientName=*Peter", "Doe^Peter", True),
        ("PatientName=D.e*", "Doe^Peter", False),
        ("PatientName=Doe^Peter", "Doe^Peter^^", True),
        ("PatientBirthDate=19700101", "19700101", True),
        ("PatientBirthDate=1970-01-01..1970-12-31", "19701231", True),
        ("PatientBirthDate=1970-01-01..1970-12-31", "19710101", False),
        ("PatientBirthDate=1970-01-01", "1970.01.01", True),  # the form of ACR-NEMA
        ("PatientBirthDate=1970-01-01..", "1970", False),
        ("PatientBirthDate=1970-01-01..", "99999999", False),
        ("PatientBirthDate=", "", True),
    ],
)
def test_summaries_are_compared_as_dicom_compares_values(
    text: str, value: str, holds: bool
) -> None:
    members = {
        "Modality": "DICOMSeriesModality",
        "SeriesNumber": "DICOMSeriesNumber",
        "PatientName": "DICOMPatientName",
        "PatientBirthDate": "DICOMPatientBirthDate",
    }
    tags = {members[text.partition("=")[0]]: value} if value else {}
    assert query(text).holds(row(tags)) is holds


def test_the_service_alone_decides_a_text_that_is_sent() -> None:
    """A summary states one series of the image set, but the service finds any of them."""
    asked = query("SeriesInstanceUID=1.2.3", "Modality=CT")
    other = {"DICOMSeriesInstanceUID": "1.2.4", "DICOMSeriesModality": "CT"}
    assert asked.holds(row(other))
    assert not asked.holds(row(other | {"DICOMSeriesModality": "MR"}))


def test_ranges_are_checked_again_because_their_bounds_are_not_documented() -> None:
    asked, second = query(created="2026-01-01", updated="2026-01-01.."), JANUARY.timestamp()
    assert asked.holds(row(created=second, updated=second))
    assert asked.holds(row(created=second + 86_399.999, updated=second))
    assert not asked.holds(row(created=second + 86_400, updated=second))
    assert not asked.holds(row(created=second, updated=second - 0.001))
    assert not asked.holds(row(created=second))  # never updated
    by_date = query("StudyDate=2004-01-19")
    assert by_date.holds(row({"DICOMStudyDate": "20040119"}))
    assert not by_date.holds(row({"DICOMStudyDate": "20040120"}))


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["Doe^Peter", "PatientBirthDate=Doe^Peter", "Doe^Peter=1", "PatientID=Doe^Peter\udcff"],
)
def test_no_error_repeats_a_value(text: str) -> None:
    with pytest.raises(ReconcilerError) as raised:
        query(text)
    assert "Peter" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("Modalty", "Modality"), ("DICOMPatientId", "PatientID"), ("PatientNam", "PatientName")],
)
def test_a_misspelt_keyword_gets_the_nearest(name: str, meant: str) -> None:
    with pytest.raises(ReconcilerError) as raised:
        query(f"{name}=1")
    assert f"Did you mean {meant}" in raised.value.hint


def test_fields_are_read_in_any_case_and_each_once() -> None:
    assert fields("imagesetid, PatientID,imageSetId") == ("imageSetId", "PatientID")
    with pytest.raises(ReconcilerError, match="there is no field ''"):
        fields("imageSetId,")


# --- data stores ----------------------------------------------------------------------------------

STORES = [Datastore(name, str(number) * 32, "us-east-1") for number, name in enumerate("xyz")]


class Listed(FakeImageSets):
    """Keeps the filters of the searches."""

    def __init__(self) -> None:
        super().__init__()
        self.filters: list[Filters] = []

    def pages(self, filters: Filters = ()) -> Any:
        self.filters.append(filters)
        return super().pages(filters)


def holding(*names: str) -> Listed:
    port = Listed()
    for name in names:
        port.put(document() | {"ImageSetID": name})
    return port


def searched(ports: dict[str, FakeImageSets], limit: int = 100, *texts: str) -> Any:
    edges = Edges(ports=lambda store: ports[store.name], clock=FakeClock())
    stores = [store for store in STORES if store.name in ports]
    return search(stores, query(*texts), edges, limit)


def test_a_search_reads_no_document() -> None:
    port = holding(A, B)
    result = searched({"x": port}, 100, "PatientName=*", "Modality=")
    assert [one.image_set_id for one in result.found["x"]] == [A, B]
    assert {operation for operation, _ in port.calls} == {"SearchImageSets"}
    assert port.filters == [()]


def test_the_limit_counts_over_all_data_stores() -> None:
    ports: dict[str, FakeImageSets] = {"x": holding(A, B), "y": holding(C), "z": holding()}
    for limit, counts, is_cut in (
        (1, [1, 0, 0], True),
        (2, [2, 0, 0], True),
        (3, [2, 1, 0], False),
    ):
        result = searched(ports, limit)
        assert [len(rows) for rows in result.found.values()] == counts
        assert result.is_cut is is_cut


class Breaks(FakeImageSets):
    """Fails after one image set."""

    def pages(self, filters: Filters = ()) -> Any:
        yield SearchPage((Summary(A, "1", None, None),), None)
        raise AccessDeniedError("no permission any more")


def test_a_data_store_that_fails_hides_neither_the_others_nor_what_it_listed() -> None:
    result = searched({"x": Breaks(), "y": holding(B)})
    assert {name: len(rows) for name, rows in result.found.items()} == {"x": 1, "y": 1}
    assert [str(error) for error in result.errors.values()] == ["no permission any more"]
    assert not result.is_cut
