"""The debug log holds known facts of a known form, and nothing else."""

from __future__ import annotations

import pytest

from reconciler.edges.debug_log import (
    Event,
    Fact,
    is_wanted,
    line,
    log_to,
)
from tests.fakes import FakeClock

IMAGE_SET = "ea92b0d8838c72a3f25d00d13616f87e"


def test_a_line_names_its_facts_and_leaves_out_those_that_are_not_known() -> None:
    facts = {Fact.OPERATION: "GetImageSet", Fact.IMAGE_SET: IMAGE_SET, Fact.VERSION: None}
    assert line(Event.CALL, facts) == f"call operation=GetImageSet imageSet={IMAGE_SET}"


@pytest.mark.parametrize("value", ["Garcia^Gloria", "Garcia Gloria", "19700101\n", "O'Neil", "a=b"])
def test_a_fact_of_another_form_is_hidden(value: str) -> None:
    for fact in Fact:
        assert line(Event.CALL, {fact: value}) == f"call {fact}=(hidden)"


def test_every_fact_has_a_form_that_a_name_does_not_take() -> None:
    """Those that a family name takes are words of our own code or of botocore's."""
    names = {fact for fact in Fact if "hidden" not in line(Event.CALL, {fact: "Garcia"})}
    assert names == {
        Fact.COMMAND,
        Fact.DATASTORE,
        Fact.OPERATION,
        Fact.ERROR,
        Fact.HOST,
        Fact.STATUS,
        Fact.RESULT,
    }


def test_lines_have_the_time_since_the_start() -> None:
    clock, lines = FakeClock(), list[str]()
    log = log_to(lines.append, clock)
    clock.sleep(1.5)
    log(Event.ENDED, {Fact.EXIT_CODE: 0})
    assert lines == ["debug: 1.500 s: ended exitCode=0"]


def test_a_closed_stream_does_not_end_the_run() -> None:
    def closed(text: str) -> None:
        raise BrokenPipeError

    log_to(closed, FakeClock())(Event.ENDED, {})


def test_only_1_turns_it_on() -> None:
    assert is_wanted({"RECONCILE_DEBUG": "1"})
    assert not any(is_wanted({"RECONCILE_DEBUG": value}) for value in ("", "0", "false"))
    assert not is_wanted({})
