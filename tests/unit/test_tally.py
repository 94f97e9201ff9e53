"""What is told about the progress is counted and measured."""

from __future__ import annotations

from reconciler.model.outcome import Outcome, Result, Started
from reconciler.model.plan import Step
from reconciler.render.tally import Tally


def step(number: int) -> Step:
    return Step("1" * 32, f"{number:032d}", "1", ())


STEPS = [step(number) for number in range(400)]


def test_before_anything_is_known_no_time_is_told() -> None:
    assert Tally(400).line(0.0) == "0 of 400 done, 400 left"
    assert Tally(400, 1596.0).line(0.0) == "0 of 400 done, 400 left, about 27 min to go"


def test_rate_and_time_are_those_measured() -> None:
    tally = Tally(400, 1596.0)
    for number in range(10):  # a send every 8 s, half of what the quota lets us hope for
        tally.take(Started(STEPS[number]), number * 8.0)
        if number >= 2:
            tally.take(Outcome(STEPS[number - 2], Result.CONVERGED), number * 8.0)
    assert (tally.done, tally.in_flight, tally.left) == (8, 2, 390)
    # 390 × 8 s to send, and 16 s until the last of them has ended.
    assert tally.line(72.0) == ("8 of 400 done, 2 in flight, 390 left, 0.12/s, about 52 min to go")


def test_while_nothing_can_be_sent_the_rate_falls() -> None:
    tally = Tally(400)
    tally.take(Started(STEPS[0]), 0.0)
    tally.take(Started(STEPS[1]), 1.0)
    assert tally.rate(1.0) == 1.0
    assert tally.rate(200.0) == 0.01


def test_what_was_never_sent_is_done_but_was_not_in_flight() -> None:
    tally = Tally(2)
    tally.take(Outcome(STEPS[0], Result.NOT_ATTEMPTED), 1.0)
    tally.take(Outcome(STEPS[1], Result.BLOCKED), 1.0)
    assert tally.line(1.0) == "2 of 2 done"
