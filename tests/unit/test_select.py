"""How far the search of a selector reads: never further than it takes to decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, cycle
from typing import Any

import pytest

from reconciler.core.ask.selection import MOST_UNSTATED, Kept, choose
from reconciler.core.model.observed import Summary
from reconciler.core.model.search_filter import Filters
from reconciler.core.model.selector import Expected, Selector
from reconciler.pipeline.select import rows_of
from tests.laws.test_selections import STORE, selector

SELECT = (("PatientID", "P1"),)


@dataclass
class Endless:
    """A data store whose search never ends. `read` counts the rows that were taken."""

    names: Iterator[str]
    patient: str = "P1"
    read: int = 0

    def search(self, filters: Filters = ()) -> Iterator[Summary]:
        """Every row has the same patient, whatever the filter is."""
        for name in self.names:
            self.read += 1
            yield Summary(name, "1", False, None, (("DICOMPatientId", self.patient),))


def numbered() -> Iterator[str]:
    return (f"{number:032x}" for number in count())


def one(expected: Expected) -> Selector:
    return replace(selector("sha256:1", expected), select=SELECT)


@pytest.mark.parametrize(
    ("expected", "read"),
    [(Expected(3, 3), 4), (Expected(None, 50), 51), (Expected(), MOST_UNSTATED + 1)],
)
def test_a_search_that_finds_too_many_ends_with_the_first_that_is_too_many(
    expected: Expected, read: int
) -> None:
    port: Any = Endless(numbered())
    rows = rows_of(port, one(expected), Kept())
    assert port.read == read
    chosen = choose(one(expected), STORE, rows, Kept())
    assert chosen.selection.problem.startswith("it selects more than ")


def test_what_is_selected_already_is_not_counted_twice() -> None:
    staying = frozenset(f"{number:032x}" for number in range(3))
    names = iter([*sorted(staying), "f" * 32])
    port: Any = Endless(names)
    rows = rows_of(port, one(Expected(4, 4)), Kept(staying))
    chosen = choose(one(Expected(4, 4)), STORE, rows, Kept(staying))
    assert (chosen.selection.problem, chosen.selection.image_sets) == ("", 4)


@pytest.mark.parametrize(
    "port", [Endless(numbered(), "other"), Endless(cycle(["a" * 32, "b" * 32]))]
)
def test_a_search_that_never_ends_is_given_up(port: Any) -> None:
    """Of rows that do not match, or of pages that come again and again."""
    rows = rows_of(port, one(Expected()), Kept(), most_rows=500)
    assert rows.problem == "its search has read 500 image sets, and there are more"
    assert port.read == 501
    assert choose(one(Expected()), STORE, rows, Kept()).selection.problem == rows.problem
