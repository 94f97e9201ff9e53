"""SearchImageSets."""

from __future__ import annotations

import copy
import datetime
from typing import Any

import pytest

SERIES = "1.2.840.99.5.1"


def make(document: dict[str, Any], number: int) -> dict[str, Any]:
    """A study of its own."""
    made = copy.deepcopy(document)
    made["Patient"]["DICOM"]["PatientID"] = f"P-{number}"
    study = made["Study"]
    study["DICOM"] |= {
        "StudyInstanceUID": f"1.2.840.99.1.{number}",
        "AccessionNumber": f"A-{number} ",
        "StudyID": f"S-{number}",
        "StudyDate": f"2020010{number}",
        "StudyTime": None if number == 1 else f"0{number}3000",
    }
    block = study["Series"].pop(SERIES)
    block["DICOM"]["SeriesInstanceUID"] = f"{SERIES}.{number}"
    study["Series"][f"{SERIES}.{number}"] = block
    return made


@pytest.fixture
def four(store: Any, document: dict[str, Any]) -> list[str]:
    image_sets = []
    for number in range(1, 5):
        image_sets.append(store.load(make(document, number), primary=number != 4))
        store.clock.advance(10)
    return image_sets


def search(store: Any, *filters: Any, sort: Any = None, **more: Any) -> list[str]:
    criteria: dict[str, Any] = {}
    if filters:
        criteria["filters"] = list(filters)
    if sort:
        criteria["sort"] = {"sortField": sort[0], "sortOrder": sort[1]}
    answer = store.client.search_image_sets(
        datastoreId=store.datastore_id, searchCriteria=criteria, **more
    )
    return [summary["imageSetId"] for summary in answer["imageSetsMetadataSummaries"]]


def equal(name: str, value: Any) -> dict[str, Any]:
    return {"operator": "EQUAL", "values": [{name: value}]}


def between(name: str, lower: Any, upper: Any) -> dict[str, Any]:
    return {"operator": "BETWEEN", "values": [{name: lower}, {name: upper}]}


def test_without_criteria_newest_first(store: Any, four: list[str]) -> None:
    assert search(store) == four[::-1]
    found = store.client.search_image_sets(datastoreId=store.datastore_id)
    assert found["sort"] == {"sortField": "updatedAt", "sortOrder": "DESC"}


def test_summary(store: Any, document: dict[str, Any]) -> None:
    image_set = store.load(document)
    (summary,) = store.client.search_image_sets(datastoreId=store.datastore_id)[
        "imageSetsMetadataSummaries"
    ]
    assert summary["imageSetId"] == image_set
    assert summary["version"] == 1
    assert summary["isPrimary"] is True
    assert summary["createdAt"].timestamp() == store.clock()
    assert summary["DICOMTags"] == {
        "DICOMPatientId": "P-1",
        "DICOMPatientName": "Doe^Jane",
        "DICOMPatientBirthDate": "19700101",
        "DICOMPatientSex": "F",
        "DICOMStudyInstanceUID": "1.2.840.99.1",
        "DICOMStudyId": "S-1",
        "DICOMStudyDescription": "CT HEAD",
        "DICOMNumberOfStudyRelatedSeries": 1,
        "DICOMNumberOfStudyRelatedInstances": 2,
        "DICOMAccessionNumber": "A-1",
        "DICOMSeriesInstanceUID": SERIES,
        "DICOMSeriesModality": "CT",
        "DICOMSeriesBodyPart": "HEAD",
        "DICOMSeriesNumber": 1,
        "DICOMStudyDate": "20200102",
        "DICOMStudyTime": "083000",
    }


def of_study(document: dict[str, Any], number: int) -> dict[str, Any]:
    """One more series of the same study."""
    made = make(document, number)
    made["Study"]["DICOM"]["StudyInstanceUID"] = "1.2.840.99.1"
    return made


def totals(store: Any) -> set[tuple[int, int]]:
    """The numbers of series and instances that the rows state."""
    answer = store.client.search_image_sets(datastoreId=store.datastore_id)
    return {
        (
            row["DICOMTags"]["DICOMNumberOfStudyRelatedSeries"],
            row["DICOMTags"]["DICOMNumberOfStudyRelatedInstances"],
        )
        for row in answer["imageSetsMetadataSummaries"]
    }


def test_every_row_states_the_totals_of_its_study(store: Any, document: dict[str, Any]) -> None:
    for number in (1, 2):
        store.load(of_study(document, number), primary=True)
    third = store.load(of_study(document, 3), primary=False)
    store.load(of_study(document, 3), primary=False)
    assert totals(store) == {(3, 8)}
    store.client.delete_image_set(**store.of(third))
    store.finish()
    assert totals(store) == {(3, 6)}


def test_totals_of_primary_image_sets_alone(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(study_totals="primary")
    store.load(of_study(document, 1), primary=True)
    store.load(of_study(document, 2), primary=False)
    assert totals(store) == {(1, 2)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DICOMPatientId", "P-2"),
        ("DICOMAccessionNumber", "A-2"),
        ("DICOMStudyId", "S-2"),
        ("DICOMStudyInstanceUID", "1.2.840.99.1.2"),
        ("DICOMSeriesInstanceUID", f"{SERIES}.2"),
        ("DICOMStudyDateAndTime", {"DICOMStudyDate": "20200102"}),
        ("DICOMStudyDateAndTime", {"DICOMStudyDate": "20200102", "DICOMStudyTime": "0230"}),
    ],
)
def test_equal(store: Any, four: list[str], name: str, value: Any) -> None:
    assert search(store, equal(name, value)) == [four[1]]


def test_equal_finds_nothing(store: Any, four: list[str]) -> None:
    assert search(store, equal("DICOMPatientId", "p-2")) == []
    assert search(store, equal("DICOMPatientId", "P-")) == []
    moment = {"DICOMStudyDate": "20200102", "DICOMStudyTime": "0231"}
    assert search(store, equal("DICOMStudyDateAndTime", moment)) == []


def test_is_primary(store: Any, four: list[str]) -> None:
    assert search(store, equal("isPrimary", False)) == [four[3]]
    assert search(store, equal("isPrimary", True), sort=("createdAt", "ASC")) == four[:3]


def test_between_times(store: Any, four: list[str]) -> None:
    start = datetime.datetime.fromtimestamp(int(store.clock()) - 40, datetime.UTC)
    # boto3 sends whole seconds; the image sets were made a quarter of a second after each.
    seconds = datetime.timedelta(seconds=1)
    bounds = (start + 10 * seconds, start + 21 * seconds)
    for name in ("createdAt", "updatedAt"):
        assert search(store, between(name, *bounds)) == [four[2], four[1]]
        assert search(store, between(name, bounds[0], start + 20 * seconds)) == [four[1]]


def test_between_study_dates(store: Any, four: list[str]) -> None:
    def days(lower: dict[str, str], upper: dict[str, str]) -> list[str]:
        by = ("DICOMStudyDateAndTime", "ASC")
        return search(store, between("DICOMStudyDateAndTime", lower, upper), sort=by)

    assert days({"DICOMStudyDate": "20200102"}, {"DICOMStudyDate": "20200103"}) == four[1:3]
    late = {"DICOMStudyDate": "20200102", "DICOMStudyTime": "023001"}
    early = {"DICOMStudyDate": "20200104", "DICOMStudyTime": "042959"}
    assert days(late, early) == [four[2]]
    assert days({"DICOMStudyDate": "20200101"}, {"DICOMStudyDate": "20200101"}) == [four[0]]


def test_two_filters(store: Any, four: list[str]) -> None:
    of_series = equal("DICOMSeriesInstanceUID", f"{SERIES}.2")
    since = between("updatedAt", datetime.datetime(2000, 1, 1), datetime.datetime(2100, 1, 1))
    assert search(store, of_series, since) == [four[1]]
    assert search(store, of_series, equal("isPrimary", False)) == []


@pytest.mark.parametrize("field", ["updatedAt", "createdAt", "DICOMStudyDateAndTime"])
@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_sort_in_pages(store: Any, four: list[str], field: str, order: str) -> None:
    pages = store.client.get_paginator("search_image_sets").paginate(
        datastoreId=store.datastore_id,
        searchCriteria={"sort": {"sortField": field, "sortOrder": order}},
        PaginationConfig={"PageSize": 3},
    )
    found = [[s["imageSetId"] for s in page["imageSetsMetadataSummaries"]] for page in pages]
    expected = four if order == "ASC" else four[::-1]
    assert found == [expected[:3], expected[3:]]


def test_pages_of_equal_moments(store: Any, document: dict[str, Any]) -> None:
    image_sets = {store.load(make(document, number)) for number in (1, 2, 3, 4, 5)}
    pages = store.client.get_paginator("search_image_sets").paginate(
        datastoreId=store.datastore_id, PaginationConfig={"PageSize": 2}
    )
    found = [s["imageSetId"] for page in pages for s in page["imageSetsMetadataSummaries"]]
    assert len(found) == 5
    assert set(found) == image_sets


def test_an_update_moves_it_at_once(store: Any, four: list[str]) -> None:
    update = {"Patient": {"DICOM": {"PatientID": "P-9"}}}
    store.call(four[3], update)
    (summary, *_) = store.client.search_image_sets(datastoreId=store.datastore_id)[
        "imageSetsMetadataSummaries"
    ]
    assert (summary["imageSetId"], summary["version"]) == (four[3], 2)
    assert search(store, equal("DICOMPatientId", "P-9")) == [four[3]]
    assert search(store, equal("DICOMPatientId", "P-4")) == []


def test_lag(store_with: Any, document: dict[str, Any]) -> None:
    store = store_with(search_lag_seconds=60.0)
    image_set = store.load(document, primary=False)
    old, new = equal("DICOMPatientId", "P-1"), equal("DICOMPatientId", "P-9")
    store.updated(image_set, {"Patient": {"DICOM": {"PatientID": "P-9"}}})
    assert search(store, old) == [image_set]
    assert search(store, new) == []
    store.clock.advance(60)
    assert search(store, old) == []
    assert search(store, new) == [image_set]
    store.client.delete_image_set(**store.of(image_set))
    store.finish()
    assert search(store, new) == [image_set]
    store.clock.advance(60)
    assert search(store, new) == []


@pytest.mark.parametrize(
    "criteria",
    [
        {"filters": [{"operator": "EQUAL", "values": [{"isPrimary": True}] * 2}]},
        {"filters": [{"operator": "BETWEEN", "values": [{"createdAt": 1}]}]},
        {"filters": [between("DICOMPatientId", "A", "B")]},
        {"filters": [between("isPrimary", False, True)]},
        {"filters": [{"operator": "BETWEEN", "values": [{"createdAt": 1}, {"updatedAt": 2}]}]},
        {"filters": [equal("isPrimary", True)] * 3},
    ],
    ids=str,
)
def test_criteria_that_make_no_sense(store: Any, error_of: Any, criteria: Any) -> None:
    call = store.client.search_image_sets
    answer = error_of(call, datastoreId=store.datastore_id, searchCriteria=criteria)
    assert answer[:2] == (400, "ValidationException")


def test_tokens(store: Any, four: list[str], error_of: Any) -> None:
    def call(**more: Any) -> Any:
        return store.client.search_image_sets(datastoreId=store.datastore_id, **more)

    token = call(maxResults=2)["nextToken"]
    filters = {"filters": [equal("isPrimary", True)]}
    assert error_of(call, nextToken=token, searchCriteria=filters)[0] == 400
    for broken in ("nonsense", "bnVsbA==", token[:-8], "!"):
        answer = error_of(call, nextToken=broken)
        assert answer[:2] == (400, "ValidationException")


def test_of_an_unknown_datastore(store: Any, error_of: Any) -> None:
    answer = error_of(store.client.search_image_sets, datastoreId="e" * 32)
    assert answer[:2] == (404, "ResourceNotFoundException")
