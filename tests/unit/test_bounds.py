"""How an apply ends early: what is sent, and how the rest is reported. No step is forgotten."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from reconciler.apply import apply
from reconciler.apply.run import NEVER, Run
from reconciler.apply.scheduler import GRACE_SECONDS
from reconciler.apply.step import Options
from reconciler.core.errors import (
    CredentialsError,
    NoAnswerError,
    RejectedError,
    ServiceError,
    UnreachableError,
)
from reconciler.core.model.bounds import Bounds
from reconciler.core.model.outcome import Outcome, Result, Started
from reconciler.core.model.plan import Action, Basis, Plan, Step
from reconciler.core.ports import SLICE_SECONDS, Patience, Stop
from tests.documents import STUDY_UID, document
from tests.fakes import FakeClock, FakeImageSets, StopWhen
from tests.processes import SECONDS
from tests.unit.test_apply import (
    UPDATES,
    action,
    changed,
    describe,
    describing,
    simple,
    study_wide,
    two_steps,
)

IDS = tuple(letter * 32 for letter in "abcdefgh")


@pytest.fixture
def fake() -> FakeImageSets:
    fake = FakeImageSets(FakeClock())
    for name in IDS:
        fake.put(document(image_set_id=name))
    return fake


def events(
    fake: FakeImageSets, actions: list[Action], bounds: Bounds, stop: Stop = NEVER
) -> Iterator[Started | Outcome]:
    plan = Plan(Basis("", 1), tuple(actions))
    return apply(plan, {"research": fake}, Run(fake.clock, stop, bounds), Options(60.0))


def ends(fake: FakeImageSets, actions: list[Action], bounds: Bounds) -> list[Outcome]:
    found = [one for one in events(fake, actions, bounds) if isinstance(one, Outcome)]
    steps = [id(step) for action in actions for step in action.steps]
    assert sorted(id(one.step) for one in found) == sorted(steps)
    return found


@pytest.mark.parametrize("concurrency", [1, 3, 100])
def test_a_limit_counts_whole_actions(fake: FakeImageSets, concurrency: int) -> None:
    actions = [two_steps(fake, name) for name in IDS]
    found = ends(fake, actions, Bounds(limit=2, concurrency=concurrency))
    assert Counter(one.result for one in found) == {
        Result.CONVERGED: 4,
        Result.NOT_ATTEMPTED: 12,
    }
    assert {one.message for one in found} == {
        "",
        "not sent: the limit of --limit is reached",
    }
    assert len(fake.landed) == 4
    assert sorted(fake.version(name) for name in IDS) == ["1"] * 6 + ["3"] * 2


@pytest.mark.parametrize("concurrency", [1, 3])
def test_what_had_converged_before_takes_nothing_of_the_limit(
    fake: FakeImageSets, concurrency: int
) -> None:
    actions = [simple(fake, name) for name in IDS]
    bounds = Bounds(limit=3, concurrency=concurrency)
    for most in (3, 3, 2, 0):
        found = Counter(one.result for one in ends(fake, actions, bounds))
        assert found[Result.CONVERGED] == most
    assert found == {Result.ALREADY_CONVERGED: 8}


def test_what_could_not_be_sent_takes_nothing_of_it_either(fake: FakeImageSets) -> None:
    fake.fail("SearchImageSets", NoAnswerError("gone"))
    first, second = ends(
        fake, [study_wide(fake, IDS[0]), simple(fake, IDS[1])], Bounds(limit=1, concurrency=1)
    )
    assert first.result is Result.NOT_ATTEMPTED
    assert second.result is Result.CONVERGED


def test_what_was_changed_half_way_takes_of_the_limit(fake: FakeImageSets) -> None:
    whole = two_steps(fake, IDS[0])
    second = replace(whole.steps[1], study_wide=True, study_instance_uid=STUDY_UID)
    fake.fail("SearchImageSets", NoAnswerError("gone"))
    actions = [replace(whole, steps=(whole.steps[0], second)), simple(fake, IDS[1])]
    found = ends(fake, actions, Bounds(limit=1, concurrency=1))
    assert [one.result for one in found] == [
        Result.CONVERGED,
        Result.NOT_ATTEMPTED,
        Result.NOT_ATTEMPTED,
    ]
    assert fake.version(IDS[1]) == "1"


class Slow(FakeImageSets):
    """The answer of the first update comes once all the others have landed."""

    def __init__(self) -> None:
        super().__init__(FakeClock())
        self.all_others = threading.Event()

    def update(self, step: Step) -> str:
        produced = super().update(step)
        if len(self.landed) == len(IDS):
            self.all_others.set()
        if step.image_set_id == IDS[0]:
            assert self.all_others.wait(10), "the slow one stopped the sending"
        return produced


@pytest.mark.parametrize("concurrency", [2, 3, 100])
def test_a_slow_one_does_not_stop_the_sending(concurrency: int) -> None:
    fake = Slow()
    for name in IDS:
        fake.put(document(image_set_id=name))
    actions = [simple(fake, name) for name in IDS]
    in_flight = most = 0
    for event in events(fake, actions, Bounds(concurrency=concurrency)):
        in_flight += 1 if isinstance(event, Started) else -1
        most = max(most, in_flight)
    assert fake.all_others.is_set()
    assert [fake.version(name) for name in IDS] == ["2"] * len(IDS)
    assert most <= concurrency


def test_after_the_deadline_nothing_new_is_sent(fake: FakeImageSets) -> None:
    actions = [simple(fake, name) for name in IDS]
    found = ends(fake, actions, Bounds(deadline=5.0, concurrency=1))
    results = Counter(one.result for one in found)
    assert 0 < results[Result.CONVERGED] < len(IDS)
    assert results[Result.CONVERGED] + results[Result.NOT_ATTEMPTED] == len(IDS)
    assert found[-1].message == "not sent: the time of --max-duration has passed"


@pytest.mark.parametrize(("stops", "converged"), [(False, 7), (True, 0)])
def test_an_error_ends_the_sending_if_asked(
    fake: FakeImageSets, stops: bool, converged: int
) -> None:
    actions = [simple(fake, name) for name in IDS]
    fake.fail(UPDATES, RejectedError("no", code="ValidationException"))
    found = ends(fake, actions, Bounds(stop_on_error=stops, concurrency=1))
    results = Counter(one.result for one in found)
    assert results[Result.FAILED] == 1
    assert results[Result.CONVERGED] == converged
    assert results[Result.NOT_ATTEMPTED] == 7 - converged
    if stops:
        assert found[-1].message == f"not sent: image set {IDS[0]} ended as failed"


def failed(fake: FakeImageSets) -> Action:
    planned = simple(fake, IDS[0])
    fake.fail_update("no")
    return planned


def conflict(fake: FakeImageSets) -> Action:
    planned = simple(fake, IDS[0])
    fake.foreign(IDS[0], describe("THEIRS"))
    return planned


def unverified(fake: FakeImageSets) -> Action:
    step = describing(fake, IDS[0], "CT", "1", changed(fake.document(IDS[0]), describe("OTHER")))
    return action(fake, step)


def unresolved(fake: FakeImageSets) -> Action:
    def lost() -> None:
        raise NoAnswerError("gone")

    fake.inject(UPDATES, lost, image_set_id=IDS[0], times=99)
    return simple(fake, IDS[0])


@pytest.mark.parametrize("make", [failed, conflict, unverified, unresolved])
def test_each_bad_end_is_an_error(
    fake: FakeImageSets, make: Callable[[FakeImageSets], Action]
) -> None:
    actions = [make(fake), simple(fake, IDS[1])]
    first, second = ends(fake, actions, Bounds(stop_on_error=True, concurrency=1))
    assert first.result == make.__name__
    assert second.result is Result.NOT_ATTEMPTED


def test_the_first_reason_stays() -> None:
    """The others follow from it."""
    run = Run(FakeClock())
    assert run.reason() == ""
    run.halt("expired")
    run.halt("the run ended early")
    assert run.reason() == "not sent: expired"


def test_a_reason_that_passes_holds_only_until_then() -> None:
    run = Run(FakeClock())
    run.hold("records cannot be written")
    assert run.reason() == run.reason("research") == "not sent: records cannot be written"
    run.hold("")
    assert run.reason() == ""


def test_a_wait_ends_with_the_run() -> None:
    """What is in flight is awaited after a request to stop, what is not is not."""
    clock = FakeClock()
    run = Run(clock, StopWhen(lambda: clock.now() >= 1.0, lambda: clock.now() >= 5.0)).of("a")
    run.sending.wait(60.0)
    assert clock.now() == pytest.approx(1.0, abs=SLICE_SECONDS)
    run.in_flight.wait(60.0)
    assert clock.now() == pytest.approx(5.0, abs=SLICE_SECONDS)


def test_a_call_that_takes_long_is_waited_for_as_long_as_nobody_abandons(
    fake: FakeImageSets,
) -> None:
    answered = threading.Event()

    def wait() -> None:
        answered.wait(GRACE_SECONDS + 0.5)

    fake.inject(UPDATES, wait, image_set_id=IDS[0])
    (outcome,) = ends(fake, [simple(fake, IDS[0])], Bounds(concurrency=1))
    assert outcome.result is Result.CONVERGED


class Broken(FakeImageSets):
    """The second update is a bug; the answer of the first comes long after it."""

    def __init__(self) -> None:
        super().__init__(FakeClock())
        self.broke, self.released = threading.Event(), threading.Event()
        self.looks = 0

    def update(self, step: Step) -> str:
        if step.image_set_id == IDS[1]:
            self.broke.set()
            raise KeyError
        produced = super().update(step)
        if step.image_set_id == IDS[0]:
            self.released.wait(SECONDS)
        return produced

    def abandon(self) -> bool:
        """Asked again and again; the third time after the bug it has been heard of."""
        self.looks += self.broke.is_set()
        if self.looks == 3:
            self.released.set()
        return False


def test_after_a_bug_nothing_new_is_sent() -> None:
    """What is in flight beside it is finished."""
    fake = Broken()
    for name in IDS[:3]:
        fake.put(document(image_set_id=name))
    actions = [simple(fake, name) for name in IDS[:3]]
    with pytest.raises(KeyError):
        list(events(fake, actions, Bounds(concurrency=2), StopWhen(asked_again=fake.abandon)))
    assert [fake.version(name) for name in IDS[:3]] == ["2", "1", "1"]


def test_a_thread_that_hangs_does_not_keep_an_abandoned_run(fake: FakeImageSets) -> None:
    """The second signal: a call may take a minute to time out, and the run does not wait for it."""
    hangs, released, asked = threading.Event(), threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        released.wait(SECONDS)

    fake.inject(UPDATES, hang, image_set_id=IDS[0])
    actions = [simple(fake, name) for name in IDS[:2]]
    told = events(
        fake,
        actions,
        Bounds(concurrency=1),
        StopWhen(asked.is_set, asked.is_set),
    )
    assert isinstance(next(told), Started)
    assert hangs.wait(SECONDS)
    asked.set()
    ended = [one for one in told if isinstance(one, Outcome)]
    released.set()
    assert [one.result for one in ended] == [Result.UNRESOLVED, Result.NOT_ATTEMPTED]
    assert ended[1].message == "not sent: a stop was requested"
    assert GRACE_SECONDS < 5


# --- several data stores ---------------------------------------------------------------------


class Late(FakeImageSets):
    """No turn comes before all outcomes of the other data store are reported."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.go = threading.Event()

    def turn(self, patience: Patience) -> bool:
        """As in an account whose quota is used up."""
        assert self.go.wait(10), "the one data store waits for the other"
        return super().turn(patience)


@pytest.fixture
def late(fake: FakeImageSets) -> Late:
    late = Late(fake.clock)
    for name in IDS:
        late.put(document(image_set_id=name))
    return late


def results(
    ports: dict[str, FakeImageSets], bounds: Bounds
) -> tuple[Counter[Result], Counter[Result]]:
    """The results of four image sets in each of two data stores."""
    first, second = ports
    owners = dict(zip(IDS, [first] * 4 + [second] * 4, strict=True))
    actions = (
        replace(simple(ports[owner], name), datastore=owner) for name, owner in owners.items()
    )
    plan = Plan(Basis("", 1), tuple(actions))
    found: dict[str, Counter[Result]] = {first: Counter(), second: Counter()}
    clock = ports[first].clock
    for event in apply(plan, ports, Run(clock, NEVER, bounds), Options(60.0)):
        if isinstance(event, Outcome):
            owner = owners[event.step.image_set_id]
            found[owner][event.result] += 1
            if found[owner].total() == 4:
                for port in ports.values():
                    if isinstance(port, Late):
                        port.go.set()
    return found[first], found[second]


def test_a_data_store_without_a_turn_keeps_no_other_waiting(
    fake: FakeImageSets, late: Late
) -> None:
    first, second = results({"late": late, "other": fake}, Bounds(concurrency=2))
    assert first == second == {Result.CONVERGED: 4}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (UnreachableError("no answer"), {Result.NOT_ATTEMPTED: 4}),
        (CredentialsError("denied"), {Result.FAILED: 1, Result.NOT_ATTEMPTED: 3}),
    ],
    ids=["unreachable", "denied"],
)
@pytest.mark.parametrize("stops", [False, True])
def test_the_trouble_of_a_data_store_is_its_own_unless_any_is_to_stop_all(
    fake: FakeImageSets, late: Late, error: ServiceError, told: dict[Result, int], stops: bool
) -> None:
    fake.fail(UPDATES, error, times=99)
    bounds = Bounds(stop_on_error=stops, concurrency=1)
    first, second = results({"ill": fake, "late": late}, bounds)
    assert first == told
    assert second == {Result.NOT_ATTEMPTED if stops else Result.CONVERGED: 4}


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_limit_is_one_for_all_data_stores(
    fake: FakeImageSets, late: Late, concurrency: int
) -> None:
    late.go.set()
    first, second = results({"a": fake, "b": late}, Bounds(limit=5, concurrency=concurrency))
    assert first + second == {Result.CONVERGED: 5, Result.NOT_ATTEMPTED: 3}


class Lingering(FakeImageSets):
    """The first turn takes so long that an update without room would have been given up by then."""

    first = True

    def turn(self, patience: Patience) -> bool:
        """Those that wait instead are there afterwards, however long it takes."""
        if self.first:
            self.first = False
            threading.Event().wait(0.3)
        return super().turn(patience)


def test_room_that_is_given_back_is_for_any_data_store(fake: FakeImageSets) -> None:
    done = Lingering(fake.clock)
    for name in IDS:
        done.put(document(image_set_id=name))
    actions = [replace(simple(done, name), datastore="done") for name in IDS[:3]]
    others = [replace(simple(fake, name), datastore="other") for name in IDS[3:]]
    ports = {"done": done, "other": fake}

    def run(part: list[Action], limit: int | None) -> Counter[Result]:
        plan, bounds = Plan(Basis("", 1), tuple(part)), Bounds(limit=limit, concurrency=2)
        told = apply(plan, ports, Run(fake.clock, NEVER, bounds), Options(60.0))
        return Counter(one.result for one in told if isinstance(one, Outcome))

    assert run(actions, None) == {Result.CONVERGED: 3}
    done.first = True
    assert run([*actions, *others], 1)[Result.CONVERGED] == 1
