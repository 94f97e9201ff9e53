"""What a search costs in the emulator: as much in a large data store as in a small one.

Counted are the steps of SQLite, which are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from reconciler.emulator.files.seeding import Seeding
from reconciler.emulator.operations.context import Context
from reconciler.emulator.operations.search import search_image_sets
from reconciler.emulator.operations.service import Service
from reconciler.emulator.rules.behaviours import Behaviours
from reconciler.emulator.store.database import Store

STORE = "5" * 32
SMALL, LARGE = 200, 3_000
BEGIN = 1_700_000_000.0
Steps: TypeAlias = Callable[[Mapping[str, Any]], int]


def filled(folder: Path, image_sets: int) -> Context:
    """Image sets in studies of two, one imported each second."""
    moment = [BEGIN]

    def now() -> float:
        moment[0] += 1.0
        return moment[0]

    service = Service(folder, now=now)
    service.ensure_datastore(STORE)
    seeding = Seeding(
        image_sets=image_sets, studies=image_sets // 2, instances=1, non_primary_percent=50
    )
    service.load_synthetic(STORE, seeding, range(image_sets))
    service.close()
    return Context(Store(folder), now, 0.0, Behaviours())


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Context, Context]:
    small, large = (filled(tmp_path_factory.mktemp("emulator"), count) for count in (SMALL, LARGE))
    return small, large


def steps(context: Context, criteria: Mapping[str, Any], *, page: int) -> int:
    """How many hundreds of steps a page takes, counted from 1, and that it holds something."""
    parameters: dict[str, Any] = {"datastoreId": STORE, "searchCriteria": criteria, "maxResults": 1}
    counted = [0]

    def count() -> int:
        counted[0] += 1
        return 0

    for _ in range(page):
        with context.store.read() as connection:  # the only one: the search takes it, too
            counted[0] = 0
            connection.set_progress_handler(count, 100)
        answer = search_image_sets(context, parameters)
        assert answer["imageSetsMetadataSummaries"]
        parameters["nextToken"] = answer.get("nextToken")
    return counted[0]


def between(name: str, lower: Any, upper: Any) -> dict[str, Any]:
    return {"operator": "BETWEEN", "values": [{name: lower}, {name: upper}]}


def equal(name: str, value: Any) -> dict[str, Any]:
    return {"operator": "EQUAL", "values": [{name: value}]}


def of_first(context: Context, name: str) -> dict[str, Any]:
    """A filter that finds the image sets of one study: that of the first image set of all."""
    created = equal("createdAt", created_first(context))
    parameters = {"datastoreId": STORE, "searchCriteria": {"filters": [created]}}
    (summary,) = search_image_sets(context, parameters)["imageSetsMetadataSummaries"]
    return equal(name, summary["DICOMTags"][name])


def created_first(context: Context) -> float:
    sort = {"sortField": "createdAt", "sortOrder": "ASC"}
    parameters = {"datastoreId": STORE, "searchCriteria": {"sort": sort}}
    (first, *_) = search_image_sets(context, parameters)["imageSetsMetadataSummaries"]
    return float(first["createdAt"])


ALWAYS = (0.0, 2 * BEGIN)


@pytest.mark.parametrize(
    "name",
    [
        "DICOMPatientId",
        "DICOMAccessionNumber",
        "DICOMStudyId",
        "DICOMStudyInstanceUID",
        "DICOMSeriesInstanceUID",
    ],
)
@pytest.mark.parametrize("second", [(), (between("updatedAt", *ALWAYS),)])
def test_an_image_set_is_found_at_once(
    contexts: tuple[Context, Context], name: str, second: tuple[Any, ...]
) -> None:
    small, large = (
        steps(context, {"filters": [of_first(context, name), *second]}, page=1)
        for context in contexts
    )
    assert large <= small + 2


@pytest.mark.parametrize("order", ["ASC", "DESC"])
@pytest.mark.parametrize("sort", ["updatedAt", "createdAt"])
@pytest.mark.parametrize(
    "filters",
    [
        [],
        [between("updatedAt", *ALWAYS)],
        [between("createdAt", *ALWAYS)],
        [between("updatedAt", *ALWAYS), between("createdAt", *ALWAYS)],
    ],
)
def test_every_page_costs_the_same(
    contexts: tuple[Context, Context], filters: list[Any], sort: str, order: str
) -> None:
    criteria = {"filters": filters, "sort": {"sortField": sort, "sortOrder": order}}
    _, large = contexts
    first, later = (steps(large, criteria, page=page) for page in (1, 100))
    assert later <= first + 2


@pytest.mark.parametrize("sort", ["updatedAt", "createdAt", "DICOMStudyDateAndTime"])
def test_a_page_costs_the_same_in_a_large_data_store(
    contexts: tuple[Context, Context], sort: str
) -> None:
    criteria = {"sort": {"sortField": sort, "sortOrder": "DESC"}}
    small, large = (steps(context, criteria, page=2) for context in contexts)
    assert large <= small + 2


def test_what_changed_since_a_moment_is_found_at_once_whatever_the_sort(
    contexts: tuple[Context, Context],
) -> None:
    found = []
    for context in contexts:
        since = between("updatedAt", created_first(context), created_first(context))
        sort = {"sortField": "createdAt", "sortOrder": "ASC"}
        found.append(steps(context, {"filters": [since], "sort": sort}, page=1))
    small, large = found
    assert large <= small + 2
