"""The rows of the table: a case, its goal, and what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.fleet.measure import Cost

# The size that the goals are stated for.
GOAL_SIZE = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """The most that a case may take: calls, CPU and wall time in seconds, memory in MB.

    `documents` is how many metadata documents it may read.
    """

    calls: int | None = None
    documents: int | None = None
    cpu: float | None = None
    wall: float | None = None
    peak: float | None = None

    def __str__(self) -> str:
        return ", ".join(text for _, _, text in self._limits())

    def is_met(self, cost: Cost) -> bool:
        """Whether a cost is within every limit."""
        return all(getattr(cost, name) <= limit for name, limit, _ in self._limits())

    def _limits(self) -> Iterator[tuple[str, float, str]]:
        if self.calls is not None:
            yield "all_calls", self.calls, f"≤ {self.calls:,} calls"
        if self.documents is not None:
            text = f"≤ {self.documents:,} documents read" if self.documents else "no document read"
            yield "documents", self.documents, text
        if self.wall is not None:
            yield "wall", self.wall, f"≤ {self.wall:g} s wall"
        if self.cpu is not None:
            yield "cpu", self.cpu, f"≤ {self.cpu:g} s CPU"
        if self.peak is not None:
            yield "peak", self.peak, f"≤ {self.peak:g} MB"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table. `is_met` is None where the goal is for another size, or there is none.

    `numbers` go to the JSON file, and the curves of the picture are made of them.
    """

    name: str
    case: str
    measured: str
    goal: str = ""
    is_met: bool | None = None
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotThere:
    """A case whose feature the installed `reconcile` does not have."""

    name: str
    case: str


def judged(name: str, case: str, cost: Cost, goal: Goal, *, is_for_size: bool = True) -> Row:
    """The row of a command: it meets its goal if it is within every limit."""
    is_met = goal.is_met(cost) if is_for_size else None
    return Row(name, case, shown(cost), str(goal), is_met, numbers(cost))


def shown(cost: Cost) -> str:
    """A cost as a reader sees it."""
    calls = ", ".join(f"{count:,} {name}" for name, count in sorted(cost.calls.items()))
    parts = [f"{cost.cpu:.2f} s CPU", f"{cost.wall:.1f} s wall", f"{cost.peak:,.0f} MB"]
    return ", ".join([*parts, *([calls] if calls else [])])


def numbers(cost: Cost) -> Mapping[str, Any]:
    """A cost for the JSON file, rounded to what a second run would repeat."""
    found = {name: value for name, value in asdict(cost).items() if name != "calls"}
    return {
        **{name: round(value, 3) for name, value in found.items()},
        "calls": dict(sorted(cost.calls.items())),
    }
