"""Apply keeps its promises under every fault, and the checks find planted bugs.

On the emulator over HTTP, and with many more examples in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from reconciler.core.model.outcome import Result
from reconciler.core.model.plan import Status
from tests.laws import mutants
from tests.laws.emulated import Emulated, Server, server
from tests.laws.machine import BROKEN, ApplyMachine
from tests.laws.mutants import Mutant

BASE = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    stateful_step_count=25,
    print_blob=False,
)
# Threads take turns as they like: an example is not the same when it is run again.
AS_IT_COMES = settings(BASE, phases=[Phase.generate], report_multiple_bugs=False)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("emulator")) as one:
        yield one


def emulated(running: Server, **members: Any) -> type[ApplyMachine]:
    """The machine on the emulator."""
    return variant(make_stage=lambda self: Emulated(running), **members)


def variant(**members: Any) -> type[ApplyMachine]:
    return type("Variant", (ApplyMachine,), {"reached": Counter(), **members})


def holds(machine: type[ApplyMachine], bounded: settings) -> None:
    """No promise is broken, and the examples have tested each."""
    run_state_machine_as_test(machine, settings=bounded)
    came_to = {name for name, count in machine.reached.items() if count}
    expected: set[str] = {Result.CONVERGED, Result.CONFLICT}
    if machine.concurrency == 1:  # the same examples every time
        expected |= {Status.DRIFTED, "killed"}
    assert came_to >= expected, came_to


def finds(machine: type[ApplyMachine]) -> None:
    hunt = settings(AS_IT_COMES, max_examples=1500, derandomize=True)
    with suppress(AssertionError, Flaky):
        run_state_machine_as_test(machine, settings=hunt)
    assert machine.reached[BROKEN]


def test_the_promises_hold() -> None:
    holds(variant(), settings(BASE, max_examples=60, derandomize=True))


def test_the_promises_hold_with_threads() -> None:
    holds(variant(concurrency=4), settings(AS_IT_COMES, max_examples=20, derandomize=True))


def test_the_promises_hold_on_the_emulator(running: Server) -> None:
    holds(emulated(running), settings(BASE, max_examples=15, derandomize=True))


def test_the_promises_hold_on_the_emulator_with_threads(running: Server) -> None:
    bounded = settings(AS_IT_COMES, max_examples=8, derandomize=True)
    holds(emulated(running, concurrency=4), bounded)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_promises_hold_for_long() -> None:
    holds(variant(), settings(BASE, max_examples=1000, stateful_step_count=50))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_promises_hold_on_the_emulator_for_long(running: Server, concurrency: int) -> None:
    base = BASE if concurrency == 1 else AS_IT_COMES
    long = settings(base, max_examples=200, stateful_step_count=50)
    holds(emulated(running, concurrency=concurrency), long)


@pytest.mark.parametrize("mutant", mutants.ALL, ids=lambda one: one.name)
def test_a_planted_bug_is_found(mutant: Mutant) -> None:
    finds(variant(mutant=mutant))


@pytest.mark.long
@pytest.mark.parametrize("mutant", mutants.ALL, ids=lambda one: one.name)
def test_a_planted_bug_is_found_on_the_emulator(running: Server, mutant: Mutant) -> None:
    finds(emulated(running, mutant=mutant))
