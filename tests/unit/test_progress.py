"""The progress that is reported is counted and measured."""

from __future__ import annotations

from dataclasses import replace

from reconciler.apply.progress import Tally, lanes
from reconciler.core.model.outcome import Outcome, Result, Started
from reconciler.core.model.plan import Step


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


def sent(tally: Tally, count: int, every: float = 4.0, lasting: float = 2.0) -> None:
    """So many steps that were sent one after the other, all but the last one at their end."""
    for number in range(count):
        tally.take(Started(STEPS[number]), number * every)
        if number < count - 1:
            tally.take(Outcome(STEPS[number], Result.CONVERGED), number * every + lasting)


def test_what_a_limit_leaves_is_not_waited_for() -> None:
    tally = Tally(400, 1596.0, most=4)
    sent(tally, 2)
    assert tally.line(4.0) == "1 of 400 done, 1 in flight, 398 left, 0.25/s, about 10 s to go"
    tally.take(Outcome(STEPS[1], Result.ALREADY_CONVERGED), 6.0)  # takes nothing of the limit
    assert tally.seconds_left(4.0) == 3 * 4.0 + 2.0


def test_after_the_time_is_over_nothing_is_sent() -> None:
    tally = Tally(400, 1596.0, until=24.0)
    sent(tally, 2)
    assert tally.seconds_left(4.0) == 20.0 + 2.0
    assert tally.seconds_left(25.0) is None


def test_of_the_last_in_flight_what_it_has_waited_is_taken_off() -> None:
    tally = Tally(3)
    sent(tally, 3, lasting=60.0)
    assert tally.seconds_left(8.0) == 60.0
    assert tally.seconds_left(58.0) == 10.0
    assert tally.line(8.0) == "2 of 3 done, 1 in flight, about 60 s to go"


def test_what_takes_unusually_long_is_not_said_to_end_at_once() -> None:
    tally = Tally(2)
    tally.take(Started(STEPS[0]), 0.0)
    tally.take(Started(STEPS[1]), 4.0)
    assert tally.line(4.0) == "0 of 2 done, 2 in flight"
    tally.take(Outcome(STEPS[0], Result.CONVERGED), 5.0)
    assert tally.line(900.0) == "1 of 2 done, 1 in flight"


def test_of_several_quotas_the_slowest_decides_how_long_it_takes() -> None:
    ours, other = "1" * 32, "2" * 32
    lane_of = {ours: "here", other: "there"}
    elsewhere = [replace(step(number), datastore_id=other) for number in range(400, 410)]
    counted = lanes([*STEPS, *elsewhere], lane_of)
    tally = Tally(410, 1596.0, lanes=counted, lane_of=lane_of)
    assert tally.seconds_left(0.0) == 1596.0
    for number in range(5):
        for one in (STEPS[number], elsewhere[number]):
            tally.take(Started(one), number * 4.0)
            tally.take(Outcome(one, Result.CONVERGED), number * 4.0)
    # Not 400 at half a second: the other 395 go at 0.25 a second, whatever else is sent beside.
    assert tally.seconds_left(16.0) == 395 * 4.0
    for one in elsewhere[5:]:
        tally.take(Outcome(one, Result.NOT_ATTEMPTED), 16.0)
    assert tally.seconds_left(16.0) == 395 * 4.0
    bounded = replace(tally, until=1000.0)
    assert bounded.seconds_left(16.0) == 984.0
