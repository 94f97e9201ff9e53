"""Apply keeps its promises under every fault, and what checks them finds planted bugs."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.laws import mutants
from tests.laws.machine import ApplyMachine

BASE = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    stateful_step_count=25,
    print_blob=False,
)


def test_the_promises_hold() -> None:
    bounded = settings(BASE, max_examples=150, derandomize=True)
    run_state_machine_as_test(ApplyMachine, settings=bounded)


@pytest.mark.long
def test_the_promises_hold_for_long() -> None:
    run_state_machine_as_test(
        ApplyMachine, settings=settings(BASE, max_examples=5000, stateful_step_count=50)
    )


@pytest.mark.parametrize("life", mutants.ALL, ids=lambda one: one.__name__)
def test_a_planted_bug_is_found(life: type) -> None:
    flawed = type("Flawed", (ApplyMachine,), {"life": life})
    hunt = settings(
        BASE,
        max_examples=1500,
        derandomize=True,
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(flawed, settings=hunt)
