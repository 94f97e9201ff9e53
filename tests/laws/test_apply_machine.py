"""Apply keeps its promises over every history and under every fault; planted bugs are found.

On the emulator over HTTP, and with many more examples in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from reconciler.core.model.outcome import Result
from reconciler.core.model.plan import Status
from reconciler.emulator.rules.behaviours import with_settings
from tests.laws import launderers, mutants
from tests.laws.emulated import Emulated, Server, server
from tests.laws.machine import ApplyMachine, BranchMachine, FaultMachine, HistoryMachine
from tests.laws.mutants import Mutant
from tests.laws.world import BROKEN, World

BASE = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    stateful_step_count=25,
    print_blob=False,
)
# Threads take turns as they like: an example is not the same when it is run again.
AS_IT_COMES = settings(BASE, phases=[Phase.generate], report_multiple_bugs=False)

# Planted bugs, each with the number of steps that find them soonest. Those that launder drift do
# not depend on the service. What takes long is looked for in `make test-long` only, but one of each
# kind in `make test`.
SHORT = ("one-version-per-image-set", "hides-first-changes")
SLOW = ("takes-the-study-for-what-it-was",)


def _planted(every: Iterable[Mutant], long: Callable[[str], bool]) -> pytest.MarkDecorator:
    cases = [
        pytest.param(one, id=one.name, marks=[pytest.mark.long] if long(one.name) else [])
        for one in every
    ]
    return pytest.mark.parametrize("mutant", cases)


faulty = _planted(mutants.ALL, lambda name: name in SLOW)
laundering = _planted(launderers.ALL, lambda name: name not in SHORT)
# Answers to what AWS leaves open (decision 0002), other than the emulator's own. Not among them: a
# failed update that makes no version but changes the version before (U9). Its entry is not believed
# then, so baselines become unreadable, which the laws do not expect.
OTHERWISE = (
    "concurrency_error=ThrottlingException",
    "failed_version_metadata=missing",
    "first_version_has_updated_at=false",
    "locked_before_pin=false",
    "number_lag_seconds=1",
    "siblings_of_failed=changed",
    "siblings_of_failed=failed",
    "siblings_of_study_wide=left",
    "versions_order=oldest-first",
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("emulator")) as one:
        yield one


def variant(machine: type[World] = ApplyMachine, **members: Any) -> type[World]:
    return type("Variant", (machine,), {"reached": Counter(), **members})


def emulated(running: Server, machine: type[World] = ApplyMachine, **members: Any) -> type[World]:
    """The machine on the emulator."""
    return variant(machine, make_stage=lambda self: Emulated(running), **members)


def holds(machine: type[World], bounded: settings) -> None:
    """No promise is broken, and the examples have tested each."""
    run_state_machine_as_test(machine, settings=bounded)
    came_to = {name for name, count in machine.reached.items() if count}
    expected: set[str] = {Result.CONVERGED, Result.CONFLICT}
    if machine.concurrency == 1:  # the same examples every time
        expected |= {Status.DRIFTED, "killed", "overwritten"}
    assert came_to >= expected, came_to


def finds(machine: type[World], steps: int) -> None:
    hunt = settings(AS_IT_COMES, max_examples=1500, stateful_step_count=steps, derandomize=True)
    with suppress(AssertionError, Flaky):
        run_state_machine_as_test(machine, settings=hunt)
    assert machine.reached[BROKEN]


def test_the_promises_hold() -> None:
    holds(variant(), settings(BASE, max_examples=40, derandomize=True))


def test_the_promises_hold_with_threads() -> None:
    holds(variant(concurrency=4), settings(AS_IT_COMES, max_examples=12, derandomize=True))


def test_the_promises_hold_on_the_emulator(running: Server) -> None:
    holds(emulated(running), settings(BASE, max_examples=10, derandomize=True))


def test_the_promises_hold_on_the_emulator_with_threads(running: Server) -> None:
    bounded = settings(AS_IT_COMES, max_examples=6, derandomize=True)
    holds(emulated(running, concurrency=4), bounded)


def test_the_promises_hold_with_records_on_a_branch() -> None:
    """In memory: git takes the time here. `make test-long` has more examples."""
    holds_on_a_branch(
        settings(AS_IT_COMES, max_examples=8, stateful_step_count=10, derandomize=True)
    )


def holds_on_a_branch(bounded: settings) -> None:
    machine = variant(BranchMachine)
    run_state_machine_as_test(machine, settings=bounded)
    assert machine.reached[Result.CONVERGED]
    assert machine.reached["two jobs"]


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_promises_hold_with_records_on_a_branch_for_long() -> None:
    holds_on_a_branch(settings(BASE, max_examples=50))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_promises_hold_for_long() -> None:
    holds(variant(), settings(BASE, max_examples=400, stateful_step_count=50))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_promises_hold_on_the_emulator_for_long(running: Server, concurrency: int) -> None:
    base = BASE if concurrency == 1 else AS_IT_COMES
    long = settings(base, max_examples=100, stateful_step_count=50)
    holds(emulated(running, concurrency=concurrency), long)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("behaviour", OTHERWISE)
def test_nothing_is_lost_where_the_service_behaves_otherwise(
    tmp_path: Path, behaviour: str
) -> None:
    """The updates may end badly then. What holds at every moment holds all the same."""
    with server(tmp_path, with_settings([behaviour])) as other:
        machine = emulated(other, HistoryMachine)
        run_state_machine_as_test(machine, settings=settings(AS_IT_COMES, max_examples=25))
        assert machine.reached["overwritten"]


@faulty
def test_a_planted_bug_is_found(mutant: Mutant) -> None:
    finds(variant(FaultMachine, mutant=mutant), 20)


@laundering
def test_a_bug_that_launders_drift_is_found(mutant: Mutant) -> None:
    finds(variant(HistoryMachine, mutant=mutant), 25)


@pytest.mark.long
@faulty
def test_a_planted_bug_is_found_on_the_emulator(running: Server, mutant: Mutant) -> None:
    finds(emulated(running, FaultMachine, mutant=mutant), 20)
