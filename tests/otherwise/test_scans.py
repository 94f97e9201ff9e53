"""Searches that show less than there is: nothing is written wrongly, and a full scan sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.core.model.observed import SearchPage, Summary
from reconciler.core.model.scope import Refresh
from reconciler.core.model.search_filter import Filters, Span
from reconciler.core.plan.file import to_json
from reconciler.core.ports import PacedImageSets
from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from tests.pipeline.fleet import Fleet

DESCRIBED = "present: {Study: {DICOM: {StudyDescription: CT CHEST}}}\n"
MOVED = f"{1:032x}"


class Shown:
    """A port whose searches show rows otherwise; None leaves a row out."""

    def __init__(
        self, port: PacedImageSets, shown: Callable[[Summary, Filters], Summary | None]
    ) -> None:
        self._port, self._shown = port, shown

    def pages(self, filters: Filters = ()) -> Iterator[SearchPage]:
        for page in self._port.pages(filters):
            rows = (self._shown(row, filters) for row in page.rows)
            yield replace(page, rows=tuple(row for row in rows if row is not None))

    def __getattr__(self, name: str) -> object:
        return getattr(self._port, name)


def _not_since(row: Summary, filters: Filters) -> Summary | None:
    """The change has not raised `updatedAt`, or the index is more than the overlap behind."""
    is_full = not filters or any(isinstance(v, Span) and v.lower == 0 for _, v in filters)
    return row if row.image_set_id != MOVED or is_full else None


def _without_version(row: Summary, _: Filters) -> Summary:
    return replace(row, version_id="")


def _without_time(row: Summary, _: Filters) -> Summary:
    return replace(row, updated_at=None)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator"), Options(update_seconds=0.0)) as running:
        yield running


@pytest.fixture
def fleet(tmp_path: Path, emulator: Emulator) -> Fleet:
    """Five converged image sets: 1 to 3 are the primary ones of a study."""
    made = Fleet(tmp_path, emulator)
    for number in range(5):
        is_primary = 1 <= number <= 3
        body = DESCRIBED + ("allow: [STUDY_WIDE]\n" if is_primary else "")
        made.manifest(f"{number}.yaml", body, made.add(number, primary=is_primary))
    made.commit()
    made.run()
    assert made.observed().as_recorded == 5
    return made


def _otherwise(fleet: Fleet, shown: Callable[[Summary, Filters], Summary | None]) -> None:
    port = Shown(fleet.port, shown)
    fleet.edges = replace(fleet.edges, ports=lambda _: port)  # type: ignore[arg-type, return-value]


def test_a_member_that_no_search_lists_is_found_by_the_others(fleet: Fleet) -> None:
    """A study-wide update raised the `updatedAt` of some members, or only these are indexed."""
    _otherwise(fleet, _not_since)
    fleet.somebody_writes(MOVED, "ABDOMEN", study_wide=True)
    assert to_json(fleet.gated().plan) == to_json(fleet.whole().plan)


def test_an_image_set_alone_that_no_search_lists_is_as_recorded(fleet: Fleet) -> None:
    alone = f"{4:032x}"

    def not_since(row: Summary, filters: Filters) -> Summary | None:
        return _not_since(replace(row, image_set_id=MOVED), filters) and row

    _otherwise(fleet, not_since)
    fleet.somebody_writes(alone, "ABDOMEN")
    planned = fleet.gated()
    assert planned.plan.actions == ()
    assert planned.observed[0].as_recorded == 5
    assert fleet.run().outcomes == ()
    full = fleet.gated(refresh=Refresh.FULL)
    assert to_json(full.plan) == to_json(fleet.whole().plan)
    fleet.record()
    assert [one.image_set_id for one in fleet.gated().plan.actions] == [alone]


@pytest.mark.parametrize("shown", [_without_version, _without_time])
def test_a_row_that_states_less_counts_as_moved(
    fleet: Fleet, shown: Callable[[Summary, Filters], Summary]
) -> None:
    _otherwise(fleet, shown)
    observed = fleet.observed()
    assert (observed.why, observed.as_recorded) == ("", 0)
