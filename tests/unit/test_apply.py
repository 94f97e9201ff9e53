"""Apply against an in-memory service: every outcome of a step, and the calls that were made."""

from __future__ import annotations

import copy
import itertools
import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from reconciler.apply import apply
from reconciler.apply.decide import TABLE, Answer, Finding, Next, Seen, decide, found
from reconciler.apply.run import Run
from reconciler.apply.step import THROTTLES, Options
from reconciler.core.dicom.content import content_digest
from reconciler.core.errors import (
    AccessDeniedError,
    ConflictError,
    CredentialsError,
    NoAnswerError,
    NotFoundError,
    RejectedError,
    ServiceError,
    ThrottledError,
    UnreachableError,
)
from reconciler.core.model.bounds import Bounds
from reconciler.core.model.change import Block
from reconciler.core.model.observed import Properties
from reconciler.core.model.outcome import Outcome, Overtaken, Result, Started
from reconciler.core.model.plan import Action, Basis, Member, Plan, Status, Step, pins
from reconciler.core.model.value import Document
from reconciler.core.ports import Patience
from tests.documents import STUDY_UID, document
from tests.fakes import FakeClock, FakeImageSets, StopWhen, never
from tests.processes import SECONDS

A, B, C = (letter * 32 for letter in "abc")
UPDATES = "UpdateImageSetMetadata"
LOCK_TIMEOUT = 60.0

Raw = dict[str, Any]
Change = Callable[[Raw], object]


def digest(content: Raw) -> str:
    return content_digest(Document(content))


class SameImageSets(FakeImageSets):
    """The image sets of another fake, for a subclass that answers otherwise about them."""

    def __init__(self, fake: FakeImageSets) -> None:
        self.__dict__ = fake.__dict__


def describe(value: str) -> Change:
    return lambda raw: raw["Study"]["DICOM"].update(StudyDescription=value)


def changed(raw: Raw, *changes: Change) -> Raw:
    copied = copy.deepcopy(raw)
    for change in changes:
        change(copied)
    return copied


def describing(fake: FakeImageSets, name: str, value: str, pin: str, expected: Raw) -> Step:
    """A step that sets StudyDescription; `expected` is the document after it."""
    return Step(
        datastore_id=fake.datastore_id,
        image_set_id=name,
        pin=pin,
        expected=((name, digest(expected)),),
        updatable=json.dumps({"Study": {"DICOM": {"StudyDescription": value}}}),
    )


def _member(fake: FakeImageSets, name: str, pin: str) -> Member:
    """As a plan has it that read this version."""
    updated_at, created_at = fake.times(name, pin)
    is_primary = fake.is_primary(name)
    return Member(name, pin, is_primary, updated_at=updated_at, created_at=created_at)


def action(fake: FakeImageSets, *steps: Step, members: Mapping[str, str] | None = None) -> Action:
    given = members or {steps[0].image_set_id: steps[0].pin}
    return Action(
        datastore="research",
        datastore_id=fake.datastore_id,
        status=Status.UPDATE,
        members=tuple(_member(fake, name, pin) for name, pin in given.items()),
        steps=steps,
    )


def simple(fake: FakeImageSets, name: str, value: str = "CT CHEST") -> Action:
    """One image set, one step, from where it is now."""
    expected = changed(fake.document(name), describe(value))
    return action(fake, describing(fake, name, value, fake.version(name), expected))


def two_steps(fake: FakeImageSets, name: str = A) -> Action:
    first = changed(fake.document(name), describe("FIRST"))
    second = changed(first, describe("SECOND"))
    return action(
        fake,
        describing(fake, name, "FIRST", "1", first),
        describing(fake, name, "SECOND", "2", second),
    )


def study_wide(fake: FakeImageSets, *names: str, value: str = "STUDY") -> Action:
    expected = tuple(
        (name, digest(changed(fake.document(name), describe(value)))) for name in names
    )
    step = Step(
        datastore_id=fake.datastore_id,
        image_set_id=names[0],
        pin=fake.version(names[0]),
        expected=expected,
        updatable=json.dumps({"Study": {"DICOM": {"StudyDescription": value}}}),
        study_wide=True,
        study_instance_uid=STUDY_UID,
    )
    return action(fake, step, members={name: fake.version(name) for name in names})


def run(
    fake: FakeImageSets,
    *actions: Action,
    stop: Callable[[], bool] = never,
    abandon: Callable[[], bool] = never,
    concurrency: int = 1,
    look_first: bool = False,
) -> list[Started | Outcome]:
    return list(
        apply(
            Plan(Basis("", 1), actions),
            {"research": fake},
            Run(fake.clock, StopWhen(stop, abandon), Bounds(concurrency=concurrency)),
            Options(LOCK_TIMEOUT, look_first, lambda *of: f"look: {' '.join(of)}"),
        )
    )


def outcomes(events: list[Started | Outcome]) -> list[Outcome]:
    return [event for event in events if isinstance(event, Outcome)]


def only(events: list[Started | Outcome]) -> Outcome:
    (outcome,) = outcomes(events)
    return outcome


@pytest.fixture
def fake() -> FakeImageSets:
    fake = FakeImageSets(FakeClock())
    for name in (A, B, C):
        fake.put(document(image_set_id=name))
    return fake


@pytest.fixture
def study() -> FakeImageSets:
    fake = FakeImageSets(FakeClock())
    for name in (A, B, C):
        fake.put(document(image_set_id=name), primary=True)
    return fake


def lost() -> NoAnswerError:
    return NoAnswerError("connection reset")


def after_the_send(fake: FakeImageSets, error: Exception, *, times: int) -> None:
    """GetImageSet fails from the first update on."""
    fake.inject(UPDATES, lambda: fake.fail("GetImageSet", error, times=times), when="after")


# --- the straight way ------------------------------------------------------------------------


def test_a_step_is_sent_waited_for_and_read_back(fake: FakeImageSets) -> None:
    planned = simple(fake, A)
    started, outcome = run(fake, planned)
    assert started == Started(planned.steps[0])
    assert isinstance(outcome, Outcome)
    assert (outcome.result, outcome.message) == (Result.CONVERGED, "")
    (landed,) = outcome.landed
    assert (landed.image_set_id, landed.version_id, landed.previous_version_id) == (A, "2", "1")
    assert landed.updated_at == fake.get(A).updated_at
    assert fake.sent == [planned.steps[0]]
    assert fake.clock.now() >= fake.update_seconds


def test_content_is_read_once_and_only_after_the_lock(fake: FakeImageSets) -> None:
    run(fake, simple(fake, A))
    operations = [operation for operation, _ in fake.calls]
    assert operations.count("GetImageSetMetadata") == 1
    assert operations[-1] == "GetImageSetMetadata"
    assert "ListImageSetVersions" not in operations


def test_a_poll_backs_off(fake: FakeImageSets) -> None:
    fake.update_seconds = 50.0
    assert only(run(fake, simple(fake, A))).result is Result.CONVERGED
    assert len([1 for operation, _ in fake.calls if operation == "GetImageSet"]) < 25
    assert max(fake.clock.slept) <= 5.0


def test_the_steps_of_an_action_run_in_order_each_at_its_pin(fake: FakeImageSets) -> None:
    events = run(fake, two_steps(fake))
    assert [outcome.result for outcome in outcomes(events)] == [Result.CONVERGED] * 2
    assert [step.pin for step in fake.sent] == ["1", "2"]
    assert fake.document(A)["Study"]["DICOM"]["StudyDescription"] == "SECOND"


def test_a_revert_is_a_step_like_any_other(fake: FakeImageSets) -> None:
    original = fake.document(A)
    fake.foreign(A, describe("MISTAKE"))
    step = Step(fake.datastore_id, A, "2", ((A, digest(original)),), revert_to="1")
    assert only(run(fake, action(fake, step))).result is Result.CONVERGED
    assert fake.document(A) == original


def test_actions_overlap_and_every_step_has_one_outcome(fake: FakeImageSets) -> None:
    planned = [simple(fake, name) for name in (A, B, C)]
    events = run(fake, *planned, concurrency=3)
    assert sorted(o.step.image_set_id for o in outcomes(events)) == [A, B, C]
    assert all(outcome.result is Result.CONVERGED for outcome in outcomes(events))


def test_a_slow_update_does_not_stop_the_submitting(fake: FakeImageSets) -> None:
    sent: list[str] = []
    fake.update_seconds = 30.0
    for name in (A, B, C):
        fake.inject(UPDATES, lambda name=name: sent.append(name), image_set_id=name)  # type: ignore[misc]
    first_end = next(
        len(sent)
        for event in apply(
            Plan(Basis("", 1), tuple(simple(fake, name) for name in (A, B, C))),
            {"research": fake},
            Run(fake.clock, bounds=Bounds(concurrency=3)),
            Options(LOCK_TIMEOUT),
        )
        if isinstance(event, Outcome)
    )
    assert first_end >= 2


def test_a_blocked_action_is_told_and_never_sent(fake: FakeImageSets) -> None:
    planned = simple(fake, A)
    blocked = Action(
        planned.datastore,
        planned.datastore_id,
        Status.BLOCKED,
        planned.members,
        blocks=(Block(A, "consent missing"),),
        steps=planned.steps,
    )
    outcome = only(run(fake, blocked))
    assert (outcome.result, outcome.message) == (Result.BLOCKED, "consent missing")
    assert fake.calls == []


def test_an_empty_plan_has_no_events(fake: FakeImageSets) -> None:
    assert run(fake) == []


# --- the service says no ---------------------------------------------------------------------


def test_a_failed_update_is_reported_without_the_services_text(fake: FakeImageSets) -> None:
    """It may echo a value, or a part of one. It is kept apart, for where values may be seen."""
    fake.fail_update("GARCIA is immutable")
    outcome = only(run(fake, simple(fake, A)))
    assert outcome.result is Result.FAILED
    assert outcome.message == (
        f"image set {A}: the failed update created version 2 (UPDATE_FAILED)\n"
        f"look: {outcome.step.datastore_id} {A} 2"
    )
    assert outcome.said == "GARCIA is immutable"
    assert "GARCIA" not in repr(outcome)
    assert outcome.landed == ()


def test_a_refusal_keeps_the_services_text_apart(fake: FakeImageSets) -> None:
    fake.fail(UPDATES, RejectedError("our words", code="ValidationException", said="GARCIA"))
    outcome = only(run(fake, simple(fake, A)))
    assert (outcome.result, outcome.message) == (
        Result.FAILED,
        "our words\nNo version was created.",
    )
    assert outcome.said == "GARCIA"


@pytest.mark.parametrize("error", [RejectedError("too large"), AccessDeniedError("no permission")])
def test_a_refusal_after_a_lost_answer_says_nothing_of_versions(
    fake: FakeImageSets, error: ServiceError
) -> None:
    """The first send may have made one."""
    fake.fail(UPDATES, NoAnswerError("no answer"))
    fake.fail(UPDATES, error)
    outcome = only(run(fake, simple(fake, A)))
    assert (outcome.result, outcome.message) == (Result.UNRESOLVED, error.message)


def test_what_is_converged_in_the_end_quotes_no_earlier_error(fake: FakeImageSets) -> None:
    fake.fail(UPDATES, NoAnswerError("no answer", said="GARCIA"))
    outcome = only(run(fake, simple(fake, A)))
    assert (outcome.result, outcome.said) == (Result.CONVERGED, "")


def test_later_steps_of_a_failed_action_are_not_sent(fake: FakeImageSets) -> None:
    fake.fail_update("no")
    first, second = outcomes(run(fake, two_steps(fake)))
    assert (first.result, second.result) == (Result.FAILED, Result.NOT_ATTEMPTED)
    assert len(fake.sent) == 1


def test_an_action_that_is_superseded_is_superseded_to_its_end(fake: FakeImageSets) -> None:
    """Its later steps are not left to be continued, and the run goes on in spite of it."""
    left = Overtaken(Result.SUPERSEDED, "a newer commit changes it")
    plan = Plan(Basis("", 1), (two_steps(fake), simple(fake, B)))
    options = Options(LOCK_TIMEOUT, overtaken=lambda step: left if step.image_set_id == A else None)
    bounds = Bounds(concurrency=1, stop_on_error=True)
    found = outcomes(list(apply(plan, {"research": fake}, Run(fake.clock, bounds=bounds), options)))
    assert [(one.step.image_set_id, one.result, one.message) for one in found] == [
        (A, Result.SUPERSEDED, "a newer commit changes it"),
        (A, Result.SUPERSEDED, "a newer commit changes it"),
        (B, Result.CONVERGED, ""),
    ]
    assert len(fake.sent) == 1


def test_a_rejected_request_fails_and_stops_nobody_else(fake: FakeImageSets) -> None:
    fake.fail(UPDATES, RejectedError("payload too large"))
    results = {
        o.step.image_set_id: o for o in outcomes(run(fake, simple(fake, A), simple(fake, B)))
    }
    assert results[A].result is Result.FAILED
    assert "payload too large" in results[A].message
    assert results[B].result is Result.CONVERGED


def test_denied_access_stops_the_submitting(fake: FakeImageSets) -> None:
    fake.fail(UPDATES, CredentialsError("the AWS credentials have expired"), times=99)
    first, second = outcomes(run(fake, simple(fake, A), simple(fake, B)))
    assert (first.result, second.result) == (Result.FAILED, Result.NOT_ATTEMPTED)
    assert "expired" in second.message
    assert fake.sent == []


def test_denied_access_to_one_image_set_stops_no_other(fake: FakeImageSets) -> None:
    fake.fail(UPDATES, AccessDeniedError("not this one"))
    first, second = outcomes(run(fake, simple(fake, A), simple(fake, B)))
    assert (first.result, second.result) == (Result.FAILED, Result.CONVERGED)


def test_credentials_that_expire_while_waiting_leave_it_unresolved(fake: FakeImageSets) -> None:
    after_the_send(fake, CredentialsError("expired"), times=99)
    assert only(run(fake, simple(fake, A))).result is Result.UNRESOLVED


def test_other_content_than_planned_is_unverified(fake: FakeImageSets) -> None:
    step = describing(fake, A, "CT CHEST", "1", changed(fake.document(A), describe("OTHER")))
    outcome = only(run(fake, action(fake, step)))
    assert outcome.result is Result.UNVERIFIED
    assert outcome.landed == ()


# --- another process -------------------------------------------------------------------------


def test_a_stale_pin_is_a_conflict_and_nothing_is_written(fake: FakeImageSets) -> None:
    planned = simple(fake, A)
    fake.foreign(A, describe("FOREIGN"))
    outcome = only(run(fake, planned))
    assert outcome.result is Result.CONFLICT
    assert "version 2" in outcome.message
    assert fake.sent == []
    assert fake.document(A)["Study"]["DICOM"]["StudyDescription"] == "FOREIGN"


def test_a_pin_that_gets_stale_right_before_the_send_is_a_conflict(fake: FakeImageSets) -> None:
    planned = simple(fake, A)
    fake.inject(UPDATES, lambda: fake.foreign(A, describe("FOREIGN")))
    assert only(run(fake, planned)).result is Result.CONFLICT
    assert len(fake.sent) == 1  # never again with a fresh pin
    assert fake.document(A)["Study"]["DICOM"]["StudyDescription"] == "FOREIGN"


def test_two_foreign_versions_are_a_conflict_too(fake: FakeImageSets) -> None:
    planned = simple(fake, A)
    fake.foreign(A, describe("ONE"))
    fake.foreign(A, describe("TWO"))
    outcome = only(run(fake, planned))
    assert outcome.result is Result.CONFLICT
    assert "1 to 3" in outcome.message


def test_an_image_set_that_is_gone_fails(fake: FakeImageSets) -> None:
    planned = simple(fake, A)
    fake.delete(A)
    outcome = only(run(fake, planned))
    assert outcome.result is Result.FAILED
    assert "no longer exists" in outcome.message


def test_a_pin_that_the_service_does_not_know_is_a_conflict(fake: FakeImageSets) -> None:
    step = describing(fake, A, "X", "7", fake.document(A))
    assert only(run(fake, action(fake, step))).result is Result.CONFLICT


def test_nor_is_it_waited_for_where_the_answer_was_lost(fake: FakeImageSets) -> None:
    fake.fail(UPDATES, lost())
    step = describing(fake, A, "CT CHEST", "7", changed(fake.document(A), describe("CT CHEST")))
    assert only(run(fake, action(fake, step))).result is Result.CONFLICT
    assert fake.clock.now() < LOCK_TIMEOUT


class Late(FakeImageSets):
    """For a while after an update GetImageSet shows an earlier version, as if nothing had been."""

    def __init__(self, by: int) -> None:
        super().__init__(FakeClock())
        self._by = by
        self._looks = 3

    def get(self, image_set_id: str, version_id: str | None = None) -> Properties:
        seen = super().get(image_set_id, version_id)
        if not self.sent or not self._looks:
            return seen
        self._looks -= 1
        return super().get(image_set_id, str(int(seen.version_id) - self._by))


@pytest.mark.parametrize("by", [1, 2], ids=["at-pin", "behind"])
def test_what_was_accepted_and_is_not_shown_yet_is_waited_for(by: int) -> None:
    late = Late(by)
    late.put(document(image_set_id=A))
    late.foreign(A, describe("THEIRS"))
    assert only(run(late, simple(late, A))).result is Result.CONVERGED
    assert len(late.sent) == 1


def test_locked_by_somebody_else_is_waited_for_and_sent_again(fake: FakeImageSets) -> None:
    planned = simple(fake, A)
    fake.lock(A, 10.0)
    assert only(run(fake, planned)).result is Result.CONVERGED
    assert fake.version(A) == "2"


def test_locked_by_somebody_elses_update_ends_in_a_conflict(fake: FakeImageSets) -> None:
    planned = simple(fake, A)
    fake.update(describing(fake, A, "FOREIGN", "1", {}))
    assert only(run(fake, planned)).result is Result.CONFLICT
    assert fake.version(A) == "2"


def test_locked_for_longer_than_the_timeout_is_not_attempted(fake: FakeImageSets) -> None:
    planned = simple(fake, A)
    fake.lock(A, 10_000.0)
    outcome = only(run(fake, planned))
    assert outcome.result is Result.NOT_ATTEMPTED
    assert "LOCKED" in outcome.message
    assert (fake.version(A), fake.sent) == ("1", [])


def test_locked_right_before_the_send_for_longer_than_the_timeout_is_unresolved(
    fake: FakeImageSets,
) -> None:
    planned = simple(fake, A)
    fake.inject(UPDATES, lambda: fake.lock(A, 10_000.0))
    assert only(run(fake, planned)).result is Result.UNRESOLVED
    assert fake.version(A) == "1"


def test_a_foreign_write_after_ours_is_told_but_ours_converged(fake: FakeImageSets) -> None:
    planned = simple(fake, A)
    fake.update_seconds = 0.0
    fake.inject(UPDATES, lambda: fake.foreign(A, describe("LATER")), when="after")
    outcome = only(run(fake, planned))
    assert outcome.result is Result.CONVERGED
    assert [landed.version_id for landed in outcome.landed] == ["2"]
    assert "the latest version is 3" in outcome.message


def test_an_image_set_that_moved_on_tells_in_its_history_how_ours_ended(
    fake: FakeImageSets,
) -> None:
    """ListImageSetVersions, then the content of version pin+1, whatever came later."""
    fake.update_seconds = 0.0
    fake.inject(UPDATES, lambda: fake.foreign(A, describe("LATER")), when="after")
    run(fake, simple(fake, A))
    assert [operation for operation, _ in fake.calls] == [
        "GetImageSet",
        UPDATES,
        "GetImageSet",
        "ListImageSetVersions",
        "GetImageSetMetadata",
    ]


@pytest.mark.parametrize("end", ["", "connection reset"])
def test_a_foreign_write_after_ours_failed_does_not_hide_that(
    fake: FakeImageSets, end: str
) -> None:
    """Whether the answer came or was lost: version pin+1 ended in UPDATE_FAILED."""
    planned = simple(fake, A)
    fake.update_seconds = 0.0
    fake.fail_update("immutable")

    def later() -> None:
        fake.foreign(A, describe("LATER"))
        if end:
            raise_lost()

    fake.inject(UPDATES, later, when="after")
    outcome = only(run(fake, planned))
    assert (outcome.result, outcome.landed) == (Result.FAILED, ())
    assert "created version 2 (UPDATE_FAILED)" in outcome.message
    assert outcome.said == "immutable"
    assert (fake.version(A), len(fake.sent)) == ("3", 1)


def test_a_lost_answer_whose_effect_somebody_wrote_over_is_still_ours(
    fake: FakeImageSets,
) -> None:
    planned = simple(fake, A)
    fake.update_seconds = 0.0

    def later() -> None:
        fake.foreign(A, describe("LATER"))
        raise_lost()

    fake.inject(UPDATES, later, when="after")
    outcome = only(run(fake, planned))
    assert outcome.result is Result.CONVERGED
    assert [landed.version_id for landed in outcome.landed] == ["2"]
    assert (fake.version(A), len(fake.sent)) == ("3", 1)


def test_an_image_set_that_goes_while_its_history_is_read_is_gone(fake: FakeImageSets) -> None:
    planned = simple(fake, A)
    fake.update_seconds = 0.0
    fake.inject(UPDATES, lambda: fake.foreign(A, describe("LATER")), when="after")
    fake.inject("ListImageSetVersions", lambda: fake.delete(A))
    outcome = only(run(fake, planned))
    assert outcome.result is Result.FAILED
    assert "no longer exists" in outcome.message


# --- lost answers ----------------------------------------------------------------------------


def test_an_answer_lost_after_the_effect_is_ours(fake: FakeImageSets) -> None:
    fake.fail(UPDATES, lost(), when="after")
    outcome = only(run(fake, simple(fake, A)))
    assert outcome.result is Result.CONVERGED
    assert len(fake.sent) == 1


def test_an_answer_lost_before_the_effect_is_sent_again(fake: FakeImageSets) -> None:
    fake.fail(UPDATES, lost(), when="before")
    assert only(run(fake, simple(fake, A))).result is Result.CONVERGED
    assert fake.version(A) == "2"


class Unpinned(SameImageSets):
    """The service does not check the version of a call, so each call makes the next version."""

    def _moved_by(self, step: Step) -> Any:
        return super()._moved_by(replace(step, pin=self.version(step.image_set_id)))


def over_another_change(fake: FakeImageSets, *changes: Change) -> Outcome:
    """The outcome of an update that is applied over these changes."""
    planned = simple(fake, A)

    def beaten() -> None:
        for change in changes:
            fake.foreign(A, change)

    fake.inject(UPDATES, beaten)
    return only(run(Unpinned(fake), planned))


@pytest.mark.parametrize(
    "change", [describe("FOREIGN"), lambda raw: raw["Patient"]["DICOM"].update(PatientID="7")]
)
def test_an_update_that_landed_over_another_change_is_unverified(
    fake: FakeImageSets, change: Change
) -> None:
    """Also if the content is as planned: the value of the other process is lost."""
    outcome = over_another_change(fake, change)
    assert (outcome.result, outcome.landed) == (Result.UNVERIFIED, ())
    assert outcome.message == (
        f"image set {A}: our update created version 3 over a change of another process, which "
        "made version 2"
    )
    assert len(fake.sent) == 1


def test_an_update_that_failed_over_another_change_failed(fake: FakeImageSets) -> None:
    fake.fail_update("immutable")
    outcome = over_another_change(fake, describe("FOREIGN"))
    assert (outcome.result, outcome.said) == (Result.FAILED, "immutable")
    assert "created version 3 (UPDATE_FAILED)" in outcome.message


def test_ours_over_an_update_of_another_process_that_failed(fake: FakeImageSets) -> None:
    """Version pin+1 failed, but it was not ours."""
    planned = simple(fake, A)
    fake.update_seconds = 0.0

    def beaten() -> None:
        fake.fail_update("theirs")
        fake.update(describing(fake, A, "X", "1", {}))

    fake.inject(UPDATES, beaten)
    outcome = only(run(Unpinned(fake), planned))
    assert outcome.result is Result.UNVERIFIED
    assert "created version 3" in outcome.message


@pytest.mark.parametrize("named", ["3", "1"])
def test_a_version_that_the_answer_names_and_that_never_comes_is_unresolved(
    fake: FakeImageSets, named: str
) -> None:
    planned = simple(fake, A)
    fake.inject(UPDATES, lambda: fake.foreign(A, describe("FOREIGN")))

    class OddNumbers(SameImageSets):
        """Accepts the update, but makes no version of it."""

        def update(self, step: Step) -> str:
            with suppress(NotFoundError):
                super().update(step)
            return named

    outcome = only(run(OddNumbers(fake), planned))
    assert outcome.landed == ()
    assert outcome.result is (Result.UNRESOLVED if named == "3" else Result.UNVERIFIED)


class AtThePin(SameImageSets):
    """The service makes no version of an update: it changes the version that was the latest."""

    end, message = "UPDATED", ""
    named = "2"

    def update(self, step: Step) -> str:
        with self._call(UPDATES, step.image_set_id):
            self.sent.append(step)
            change = describe("CT CHEST") if self.end == "UPDATED" else (lambda raw: None)
            self.rewrite(step.image_set_id, change, self.end, self.message)
            return self.named


@pytest.mark.parametrize("named", ["1", "2"])
def test_content_that_changes_without_a_new_number_is_unverified(
    fake: FakeImageSets, named: str
) -> None:
    at_the_pin = AtThePin(fake)
    at_the_pin.named = named
    outcome = only(run(at_the_pin, simple(fake, A)))
    assert (outcome.result, outcome.landed) == (Result.UNVERIFIED, ())
    assert "changed version 1 itself and created no version" in outcome.message
    assert len(fake.sent) == 1
    assert fake.clock.now() < LOCK_TIMEOUT


def failed_at_the_pin(fake: FakeImageSets, message: str = "immutable") -> AtThePin:
    failing = AtThePin(fake)
    failing.end, failing.message = "UPDATE_FAILED", message
    return failing


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_failed_update_without_a_version_failed(fake: FakeImageSets, is_lost: bool) -> None:
    if is_lost:
        fake.fail(UPDATES, lost(), when="after")
    outcome = only(run(failed_at_the_pin(fake), simple(fake, A)))
    assert (outcome.result, outcome.said) == (Result.FAILED, "immutable")
    assert outcome.message.startswith(
        f"image set {A}: the update failed and created no version, it is still 1\n"
    )
    assert len(fake.sent) == 1
    assert fake.clock.now() < 1.0


def test_a_failure_at_the_pin_that_was_read_before_the_send_is_not_ours(
    fake: FakeImageSets,
) -> None:
    fake.rewrite(A, lambda raw: None, "UPDATE_FAILED", "theirs")
    assert only(run(fake, simple(fake, A))).result is Result.CONVERGED


def test_a_failure_at_the_pin_after_a_refusal_is_not_ours(fake: FakeImageSets) -> None:
    planned = simple(fake, A)

    def beaten() -> None:
        fake.rewrite(A, lambda raw: None, "UPDATE_FAILED", "theirs")
        raise ConflictError("LOCKED")

    fake.inject(UPDATES, beaten)
    outcome = only(run(fake, planned))
    assert outcome.result is Result.CONFLICT
    assert "another operation changed version 1 itself" in outcome.message


class LateContent(SameImageSets):
    """For a while a new version has the content of the version before, or no content."""

    until = 0.0
    is_missing = False

    def metadata(self, image_set_id: str, version_id: str) -> Document:
        found = super().metadata(image_set_id, version_id)
        if version_id == "1" or self.clock.now() > self.until:
            return found
        if self.is_missing:
            raise NotFoundError("no metadata", code="ResourceNotFoundException")
        return Document(self.document(image_set_id, "1"))


@pytest.mark.parametrize("is_lost", [False, True])
@pytest.mark.parametrize("is_missing", [False, True])
def test_content_that_is_shown_late_is_read_again(
    fake: FakeImageSets, is_missing: bool, is_lost: bool
) -> None:
    if is_lost:
        fake.fail(UPDATES, lost(), when="after")
    late = LateContent(fake)
    late.until, late.is_missing = fake.update_seconds + 3.0, is_missing
    assert only(run(late, simple(fake, A))).result is Result.CONVERGED
    assert len(fake.sent) == 1


def test_content_that_never_comes_is_unresolved(fake: FakeImageSets) -> None:
    late = LateContent(fake)
    late.until, late.is_missing = 10_000.0, True
    outcome = only(run(late, simple(fake, A)))
    assert outcome.result is Result.UNRESOLVED
    assert "the content of version 2 cannot be read yet" in outcome.message
    assert fake.clock.now() < LOCK_TIMEOUT


def test_a_second_look_ends_where_the_run_is_abandoned(fake: FakeImageSets) -> None:
    late = LateContent(fake)
    late.until = 10_000.0
    began = fake.clock.now()
    over = fake.update_seconds + 1.0
    events = run(late, simple(fake, A), abandon=lambda: fake.clock.now() > began + over)
    assert only(events).result is Result.UNRESOLVED


def test_a_lost_answer_and_a_foreign_write_is_a_conflict(fake: FakeImageSets) -> None:
    planned = simple(fake, A)

    def beaten() -> None:
        fake.foreign(A, describe("FOREIGN"))
        raise_lost()

    fake.inject(UPDATES, beaten)
    assert only(run(fake, planned)).result is Result.CONFLICT
    assert fake.version(A) == "2"


def test_a_lost_answer_to_a_failed_update_is_failed(fake: FakeImageSets) -> None:
    fake.fail_update("immutable")
    fake.fail(UPDATES, lost(), when="after")
    outcome = only(run(fake, simple(fake, A)))
    assert outcome.result is Result.FAILED
    assert "created version 2 (UPDATE_FAILED)" in outcome.message
    assert outcome.said == "immutable"


def test_a_send_that_lands_late_is_still_ours(fake: FakeImageSets) -> None:
    """The first request is believed lost, lands before the second: 404 or 409 for the second."""
    planned = simple(fake, A)
    fake.fail(UPDATES, lost(), when="before")
    landed_late = planned.steps[0]

    def land() -> None:
        fake.update(landed_late)

    fake.inject(UPDATES, land, times=1)
    # `land` itself calls update: its own fault has happened by then.
    assert only(run(fake, planned)).result is Result.CONVERGED
    assert fake.version(A) == "2"


def test_an_answer_that_is_lost_every_time_ends_unresolved(fake: FakeImageSets) -> None:
    fake.fail(UPDATES, lost(), when="before", times=99)
    outcome = only(run(fake, simple(fake, A)))
    assert outcome.result is Result.UNRESOLVED
    assert [operation for operation, _ in fake.calls].count(UPDATES) == 3


def test_a_network_that_goes_away_after_the_send_is_unresolved(fake: FakeImageSets) -> None:
    after_the_send(fake, lost(), times=10_000)
    outcome = only(run(fake, simple(fake, A)))
    assert outcome.result is Result.UNRESOLVED
    assert fake.clock.now() < LOCK_TIMEOUT + 10


def test_a_network_that_comes_back_is_enough(fake: FakeImageSets) -> None:
    after_the_send(fake, lost(), times=5)
    fake.fail("GetImageSetMetadata", lost(), times=2)
    assert only(run(fake, simple(fake, A))).result is Result.CONVERGED


def test_an_endpoint_that_does_not_answer_stops_the_submitting(fake: FakeImageSets) -> None:
    fake.fail(UPDATES, UnreachableError("the endpoint does not answer"), times=99)
    first, second = outcomes(run(fake, simple(fake, A), simple(fake, B)))
    assert (first.result, second.result) == (Result.NOT_ATTEMPTED, Result.NOT_ATTEMPTED)
    assert "does not answer" in second.message
    assert [operation for operation, _ in fake.calls] == ["GetImageSet", UPDATES] * 3


def test_nor_is_it_asked_again_where_the_read_before_the_send_finds_none(
    fake: FakeImageSets,
) -> None:
    fake.fail("GetImageSet", UnreachableError("the endpoint does not answer"), times=99)
    first, second = outcomes(run(fake, simple(fake, A), simple(fake, B)))
    assert (first.result, second.result) == (Result.NOT_ATTEMPTED, Result.NOT_ATTEMPTED)
    assert fake.calls == [("GetImageSet", A)]


def test_a_throttle_is_borne(fake: FakeImageSets) -> None:
    fake.fail(UPDATES, ThrottledError("slow down"), times=5)
    events = run(fake, simple(fake, A))
    assert only(events).result is Result.CONVERGED
    assert len(fake.sent) == 1
    assert sum(isinstance(event, Started) for event in events) == 1


def test_patience_with_throttles_has_an_end(fake: FakeImageSets) -> None:
    fake.fail(UPDATES, ThrottledError("slow down"), times=10_000)
    outcome = only(run(fake, simple(fake, A)))
    assert (outcome.result, outcome.message) == (Result.FAILED, "slow down")


class ThrottledOut(SameImageSets):
    """Throttles every update; with the last one, `act` happens."""

    def __init__(self, fake: FakeImageSets, act: Callable[[], object]) -> None:
        super().__init__(fake)
        self._act = act
        self._left = THROTTLES

    def update(self, step: Step) -> str:
        self._left -= 1
        if not self._left:
            self._act()
        raise ThrottledError("slow down")


def test_what_another_run_does_meanwhile_is_seen_before_a_throttled_update_fails(
    fake: FakeImageSets,
) -> None:
    planned = simple(fake, A)
    (step,) = planned.steps
    outcome = only(run(ThrottledOut(fake, lambda: fake.update(step)), planned))
    assert outcome.result is Result.ALREADY_CONVERGED
    assert [landed.version_id for landed in outcome.landed] == ["2"]


def test_what_another_process_does_meanwhile_is_a_conflict_not_a_failure(
    fake: FakeImageSets,
) -> None:
    theirs = ThrottledOut(fake, lambda: fake.foreign(A, describe("THEIRS")))
    outcome = only(run(theirs, simple(fake, A)))
    assert (outcome.result, outcome.landed) == (Result.CONFLICT, ())


def test_a_throttled_update_fails_if_the_last_look_shows_nothing(fake: FakeImageSets) -> None:
    for act in (lambda: None, lambda: fake.fail("GetImageSet", lost(), times=99)):
        outcome = only(run(ThrottledOut(fake, act), simple(fake, A)))
        assert (outcome.result, outcome.message) == (Result.FAILED, "slow down")


def test_another_operation_is_awaited_before_a_throttled_update_fails(fake: FakeImageSets) -> None:
    outcome = only(run(ThrottledOut(fake, lambda: fake.lock(A, 20.0)), simple(fake, A)))
    assert (outcome.result, outcome.message) == (Result.FAILED, "slow down")
    forever = ThrottledOut(fake, lambda: fake.lock(A, 10_000.0))
    outcome = only(run(forever, simple(fake, A)))
    assert outcome.result is Result.NOT_ATTEMPTED
    assert "still LOCKED by another operation" in outcome.message


def test_a_409_without_an_end_fails_with_its_message(fake: FakeImageSets) -> None:
    fake.fail(UPDATES, ConflictError("inconsistent"), times=99)
    outcome = only(run(fake, simple(fake, A)))
    assert (outcome.result, outcome.message) == (Result.FAILED, "inconsistent")


# --- the same command again ------------------------------------------------------------------


def test_what_an_earlier_run_landed_is_already_converged(fake: FakeImageSets) -> None:
    planned = two_steps(fake)
    run(fake, planned)
    sent = len(fake.sent)
    again = outcomes(run(fake, planned))
    assert [outcome.result for outcome in again] == [Result.ALREADY_CONVERGED] * 2
    assert [landed.version_id for outcome in again for landed in outcome.landed] == ["2", "3"]
    assert (fake.version(A), len(fake.sent)) == ("3", sent)


def test_a_run_killed_between_two_steps_is_finished(fake: FakeImageSets) -> None:
    planned = two_steps(fake)
    fake.update(planned.steps[0])  # and the process dies while it is LOCKED
    first, second = outcomes(run(fake, planned))
    assert (first.result, second.result) == (Result.ALREADY_CONVERGED, Result.CONVERGED)
    assert fake.version(A) == "3"


def test_one_read_is_spent_before_a_send(fake: FakeImageSets) -> None:
    run(fake, simple(fake, A))
    assert fake.calls[:2] == [("GetImageSet", A), (UPDATES, A)]


def test_a_pin_that_changed_without_a_new_number_is_stale(fake: FakeImageSets) -> None:
    fake.foreign(A, describe("THEIRS"))
    planned = simple(fake, A)
    fake.rewrite(A, describe("FOREIGN"))
    outcome = only(run(fake, planned))
    assert (outcome.result, fake.sent) == (Result.STALE, [])
    assert "updatedAt differs" in outcome.message


def test_so_is_that_of_a_later_step(fake: FakeImageSets) -> None:
    planned = two_steps(fake)

    def landed() -> None:
        fake.inject(
            "GetImageSetMetadata", lambda: fake.rewrite(A, describe("FOREIGN")), when="after"
        )

    fake.inject(UPDATES, landed, when="after")
    first, second = outcomes(run(fake, planned))
    assert (first.result, second.result) == (Result.CONVERGED, Result.STALE)
    assert len(fake.sent) == 1


class Turns(FakeImageSets):
    """Counts the turns that were waited for."""

    turns = 0

    def turn(self, patience: Patience) -> bool:
        """Unlimited, and counted."""
        self.turns += 1
        return super().turn(patience)


def test_no_turn_is_spent_on_what_an_earlier_run_has_done() -> None:
    fake = Turns(FakeClock())
    for name in (A, B, C):
        fake.put(document(image_set_id=name))
    actions = two_steps(fake, A), simple(fake, B), simple(fake, C)
    run(fake, *actions[:2], look_first=True)
    fake.delete(B)
    fake.turns = 0
    again = outcomes(run(fake, *actions, look_first=True))
    assert [one.result for one in again] == [
        *(Result.ALREADY_CONVERGED, Result.ALREADY_CONVERGED),
        *(Result.FAILED, Result.CONVERGED),
    ]
    assert (fake.turns, fake.version(C)) == (1, "2")


def test_where_a_first_look_has_no_answer_nothing_of_a_saved_plan_is_sent(
    fake: FakeImageSets,
) -> None:
    fake.fail("GetImageSet", lost())
    assert only(run(fake, simple(fake, A), look_first=True)).result is Result.NOT_ATTEMPTED
    assert fake.version(A) == "1"
    fake.fail("GetImageSet", CredentialsError("expired"))
    ends = outcomes(run(fake, simple(fake, B), simple(fake, C), look_first=True))
    assert [one.result for one in ends] == [Result.FAILED, Result.NOT_ATTEMPTED]
    assert (fake.version(B), fake.version(C)) == ("1", "1")


@pytest.mark.parametrize("other", [{"updated_at": 1.0}, {"created_at": 1.0}])
def test_another_version_of_the_same_number_is_stale(
    fake: FakeImageSets, other: dict[str, Any]
) -> None:
    """A saved plan was made for the image set of another history."""
    saved = simple(fake, A)
    (member,) = saved.members
    ends = outcomes(
        run(
            fake,
            replace(saved, members=(replace(member, **other),)),
            simple(fake, B),
            look_first=True,
        )
    )
    assert {one.step.image_set_id: one.result for one in ends} == {
        A: Result.STALE,
        B: Result.CONVERGED,
    }
    assert (fake.version(A), fake.version(B)) == ("1", "2")


# --- study-wide ------------------------------------------------------------------------------


def test_a_study_wide_step_lands_on_every_member(study: FakeImageSets) -> None:
    outcome = only(run(study, study_wide(study, A, B, C)))
    assert outcome.result is Result.CONVERGED
    assert [(one.image_set_id, one.version_id) for one in outcome.landed] == [
        (A, "2"),
        (B, "2"),
        (C, "2"),
    ]


def test_siblings_are_read_right_before_the_send(study: FakeImageSets) -> None:
    run(study, study_wide(study, A, B, C))
    assert study.calls[:5] == [
        ("SearchImageSets", ""),
        ("GetImageSet", A),
        ("GetImageSet", B),
        ("GetImageSet", C),
        (UPDATES, A),
    ]


def test_a_sibling_that_moved_is_a_conflict_and_nothing_is_sent(study: FakeImageSets) -> None:
    planned = study_wide(study, A, B, C)
    study.foreign(B, describe("FOREIGN"))
    events = run(study, planned)
    outcome = only(events)
    assert outcome.result is Result.CONFLICT
    assert B in outcome.message
    assert study.sent == []
    assert not any(isinstance(event, Started) for event in events)


def test_siblings_that_did_not_move_are_not_told_as_if_they_had(study: FakeImageSets) -> None:
    planned = study_wide(study, A, B, C)
    study.foreign(A, describe("FOREIGN"))
    assert only(run(study, planned)).message == (
        f"image set {A} is at version 2, but the plan was made for version 1; "
        f"image set {B} is still at version 1; image set {C} is still at version 1"
    )


def test_a_locked_sibling_is_waited_for(study: FakeImageSets) -> None:
    planned = study_wide(study, A, B, C)
    study.lock(B, 5.0)
    assert only(run(study, planned)).result is Result.CONVERGED
    assert study.version(B) == "2"


def test_waiting_for_the_turn_is_no_waiting_for_a_locked_sibling(study: FakeImageSets) -> None:
    """A hundred in the window wait for minutes: of `lockTimeout` that takes nothing."""
    planned = study_wide(study, A, B, C)
    study.lock(B, LOCK_TIMEOUT + 5.0)

    waits = iter([LOCK_TIMEOUT + 1.0])

    class Queued(SameImageSets):
        """The first turn comes late."""

        def turn(self, patience: Patience) -> bool:
            self.clock.sleep(next(waits, 0.0))
            return True

    outcome = only(run(Queued(study), planned))
    assert outcome.result is Result.CONVERGED


def test_a_write_to_a_sibling_in_the_window_is_told_as_a_conflict(study: FakeImageSets) -> None:
    """The service checks no pin of a sibling: what is overwritten is at least reported."""
    planned = study_wide(study, A, B, C)
    foreign: Change = lambda raw: raw["Patient"]["DICOM"].update(PatientComments="FOREIGN")  # noqa: E731
    study.inject(UPDATES, lambda: study.foreign(B, foreign))
    outcome = only(run(study, planned))
    assert outcome.result is Result.CONFLICT
    assert f"{B} went from version 1 to 3" in outcome.message
    assert [landed.image_set_id for landed in outcome.landed] == [A, C]


class LeftOut(SameImageSets):
    """The service ignores includeStudyImageSets."""

    def update(self, step: Step) -> str:
        return super().update(replace(step, study_wide=False))


def test_a_sibling_that_a_study_wide_call_left_out_is_unverified(study: FakeImageSets) -> None:
    outcome = only(run(LeftOut(study), study_wide(study, A, B, C)))
    assert outcome.result is Result.UNVERIFIED
    assert [one.image_set_id for one in outcome.landed] == [A]
    assert f"image set {B} is still at version 1: the study-wide update left it out" in (
        outcome.message
    )
    assert (len(study.sent), study.version(B)) == (1, "1")
    assert study.clock.now() < LOCK_TIMEOUT


def test_a_sibling_that_a_failed_study_wide_call_raised_is_named(study: FakeImageSets) -> None:
    planned = study_wide(study, A, B, C)
    study.update_seconds = 0.0
    study.fail_update("no")
    study.inject(UPDATES, lambda: study.foreign(B, describe("STUDY")), when="after")
    outcome = only(run(LeftOut(study), planned))
    assert outcome.result is Result.FAILED
    assert f"image set {B} is at version 2 now, although the update failed" in outcome.message


def test_a_write_to_a_sibling_after_ours_is_no_conflict(study: FakeImageSets) -> None:
    planned = study_wide(study, A, B, C)
    study.update_seconds = 0.0
    study.inject(UPDATES, lambda: study.foreign(B, describe("LATER")), when="after")
    outcome = only(run(study, planned))
    assert outcome.result is Result.CONVERGED
    assert f"{B}: version 2 is verified, the latest version is 3" in outcome.message


def test_a_failed_study_wide_step_does_not_wait_for_siblings(study: FakeImageSets) -> None:
    study.fail_update("no")
    outcome = only(run(study, study_wide(study, A, B, C)))
    assert outcome.result is Result.FAILED


def test_a_study_wide_step_that_landed_earlier_is_not_sent_again(study: FakeImageSets) -> None:
    planned = study_wide(study, A, B, C)
    study.update(planned.steps[0])
    sent = len(study.sent)
    assert only(run(study, planned)).result is Result.ALREADY_CONVERGED
    assert len(study.sent) == sent


def test_a_sibling_written_to_our_content_by_somebody_else_is_a_conflict(
    study: FakeImageSets,
) -> None:
    """Half of a study-wide update cannot have landed: it is atomic."""
    planned = study_wide(study, A, B, C)
    study.foreign(B, describe("STUDY"))
    outcome = only(run(study, planned))
    assert outcome.result is Result.CONFLICT
    assert study.sent == []


def test_siblings_of_a_failed_update_need_not_have_moved() -> None:
    failed = Seen(A, "1", "2", Finding.UPDATE_FAILED)
    still = Seen(B, "1", "1", Finding.AT_PIN)
    step = Step("d", A, "1", ((A, ""), (B, "")), study_wide=True)
    assert decide(step, Answer.ACCEPTED, {A: failed, B: still}) is Next.FAILED


@pytest.mark.parametrize(
    ("sibling", "other", "expected"),
    [
        (Finding.UNDER_WAY, Finding.PRODUCED, Next.WAIT),
        (Finding.PRODUCED, Finding.GONE, Next.READ),
        (Finding.GONE, Finding.EQUAL, Next.FAILED),
        (Finding.UPDATE_FAILED, Finding.AT_PIN, Next.FAILED),
        (Finding.OTHER, Finding.EQUAL, Next.CONFLICT),
        (Finding.BEHIND, Finding.EQUAL, Next.CONFLICT),
        (Finding.EQUAL, Finding.EQUAL, Next.CONVERGED),
    ],
)
def test_of_several_image_sets_the_one_that_weighs_most_decides(
    sibling: Finding, other: Finding, expected: Next
) -> None:
    """Of a call whose answer was lost; each stands where the other could, too."""
    step = Step("d", A, "1", ((A, ""), (B, ""), (C, "")), study_wide=True)
    for first, second in ((sibling, other), (other, sibling)):
        seen = {
            A: Seen(A, "1", "2", Finding.EQUAL),
            B: Seen(B, "1", "2", first),
            C: Seen(C, "1", "2", second),
        }
        assert decide(step, Answer.LOST, seen) is expected


def test_a_conflict_weighs_more_than_what_is_not_as_planned_and_less_than_a_failure() -> None:
    step = Step("d", A, "1", ((A, ""), (B, ""), (C, "")), study_wide=True)
    seen = {
        A: Seen(A, "1", "2", Finding.OTHER),
        B: Seen(B, "1", "3", Finding.OTHER),
        C: Seen(C, "1", "2", Finding.EQUAL),
    }
    assert decide(step, Answer.ACCEPTED, seen) is Next.CONFLICT
    # No process wrote after ours: so our own version is not as planned.
    one_off = {**seen, B: Seen(B, "1", "2", Finding.OTHER)}
    assert decide(step, Answer.ACCEPTED, one_off) is Next.UNVERIFIED
    gone = {**seen, C: Seen(C, "1", "2", Finding.GONE)}
    assert decide(step, Answer.ACCEPTED, gone) is Next.FAILED


@pytest.mark.parametrize("version", ["1", "2"])
def test_what_is_deleted_is_gone_also_where_it_is_still_shown(
    fake: FakeImageSets, version: str
) -> None:
    shown = replace(fake.get(A), version_id=version, state="DELETED", workflow_status="DELETED")
    assert found("1", shown, None) is Finding.GONE


def test_a_version_that_the_history_does_not_know_is_not_ours(fake: FakeImageSets) -> None:
    fake.foreign(A, describe("ONE"))
    fake.foreign(A, describe("TWO"))
    assert found("1", fake.get(A), None) is Finding.OTHER


def test_only_members_that_are_still_locked_are_polled(study: FakeImageSets) -> None:
    study.inject(UPDATES, lambda: study.lock(C, 40.0), when="after")
    run(study, study_wide(study, A, B, C))
    polls = [name for operation, name in study.calls if operation == "GetImageSet"]
    assert polls.count(C) > polls.count(B) + 3


def test_nothing_is_sent_that_would_move_an_image_set_the_plan_does_not_know(
    study: FakeImageSets,
) -> None:
    """It was imported after the review, or search did not list it then."""
    outcome = only(run(study, study_wide(study, A, B)))
    assert outcome.result is Result.CONFLICT
    assert "nothing was sent" in outcome.message
    assert C in outcome.message
    assert study.sent == []


def test_nothing_is_sent_where_search_does_not_list_what_the_plan_knows(
    study: FakeImageSets,
) -> None:
    """It may miss others as well: C, which the plan does not know."""
    study.search_misses = {B, C}
    outcome = only(run(study, study_wide(study, A, B)))
    assert outcome.result is Result.BLOCKED
    assert f"does not list image set {B}" in outcome.message
    assert "again later" in outcome.message
    assert study.sent == []


def test_one_that_search_tells_of_only_afterwards_is_told(study: FakeImageSets) -> None:
    planned = study_wide(study, A, B)
    study.search_misses = {C}
    study.inject(UPDATES, study.search_misses.clear, when="after")
    outcome = only(run(study, planned))
    assert outcome.result is Result.CONFLICT
    assert "done, but" in outcome.message
    assert C in outcome.message
    assert [landed.image_set_id for landed in outcome.landed] == [A, B]


def test_a_search_that_fails_afterwards_takes_nothing_back(study: FakeImageSets) -> None:
    """What was read back equal is so, whether or not the study could be searched once more."""

    def fails() -> None:
        study.fail("SearchImageSets", ThrottledError("slow down"), times=99)

    study.inject(UPDATES, fails, when="after")
    outcome = only(run(study, study_wide(study, A, B, C)))
    assert outcome.result is Result.CONVERGED
    assert len(outcome.landed) == 3
    assert "could not be searched again" in outcome.message


@pytest.mark.parametrize("end", ["moved", "deleted", "gone"])
def test_what_search_tells_of_and_is_not_so_is_no_stranger(study: FakeImageSets, end: str) -> None:
    """Moved to another study, deleted, or gone: search is behind, GetImageSet shows it."""
    planned = study_wide(study, A, B)
    if end == "moved":
        study.foreign(C, lambda raw: raw["Study"]["DICOM"].update(StudyInstanceUID="1.2.3"))
        study.search_lag = 1
    elif end == "deleted":
        study.mark_deleted(C)
    else:
        study.inject("SearchImageSets", lambda: study.delete(C), when="after")
    assert only(run(study, planned)).result is Result.CONVERGED
    assert ("GetImageSet", C) in study.calls


def test_one_that_came_after_it_had_landed_keeps_nothing_from_being_found(
    study: FakeImageSets,
) -> None:
    """A killed run had sent it; since then the study has another image set."""
    planned = study_wide(study, A)
    study.search_misses = {B, C}
    study.update(planned.steps[0])
    study.search_misses = set()
    sent = len(study.sent)
    assert only(run(study, planned)).result is Result.ALREADY_CONVERGED
    assert len(study.sent) == sent


def test_pins_follow_what_earlier_steps_raise(study: FakeImageSets) -> None:
    wide = study_wide(study, A, B).steps[0]
    own = describing(study, B, "OWN", "2", {})
    both = action(study, wide, own, members={A: "1", B: "1"})
    assert pins(both) == ({A: "1", B: "1"}, {B: "2"})


# --- stops -----------------------------------------------------------------------------------


def test_a_stop_sends_nothing_new_and_finishes_what_is_in_flight(fake: FakeImageSets) -> None:
    stopped: list[bool] = []
    fake.inject(UPDATES, lambda: stopped.append(True))
    events = run(
        fake,
        simple(fake, A),
        simple(fake, B),
        stop=lambda: bool(stopped),
        concurrency=1,
    )
    results = {outcome.step.image_set_id: outcome for outcome in outcomes(events)}
    assert results[A].result is Result.CONVERGED
    assert results[B].result is Result.NOT_ATTEMPTED
    assert "a stop was requested" in results[B].message
    assert [step.image_set_id for step in fake.sent] == [A]


def test_a_stop_before_anything_leaves_every_step_not_attempted(fake: FakeImageSets) -> None:
    events = run(fake, two_steps(fake), simple(fake, B), stop=lambda: True)
    assert [outcome.result for outcome in outcomes(events)] == [Result.NOT_ATTEMPTED] * 3
    assert fake.calls == []


def test_a_stop_does_not_wait_for_somebody_elses_lock(fake: FakeImageSets) -> None:
    planned = simple(fake, A)
    fake.lock(A, 10_000.0)
    outcome = only(run(fake, planned, stop=lambda: fake.clock.now() > 1.0))
    assert outcome.result is Result.NOT_ATTEMPTED
    assert fake.clock.now() < 20.0


def test_a_lost_answer_is_not_sent_again_after_a_stop(fake: FakeImageSets) -> None:
    planned, stopped = simple(fake, A), list[bool]()

    def stopped_and_lost() -> None:
        stopped.append(True)
        raise_lost()

    fake.inject(UPDATES, stopped_and_lost)
    outcome = only(run(fake, planned, stop=lambda: bool(stopped)))
    assert outcome.result is Result.UNRESOLVED
    assert [operation for operation, _ in fake.calls].count(UPDATES) == 1


def raise_lost() -> None:
    raise lost()


def test_abandoning_leaves_what_is_in_flight_unresolved(fake: FakeImageSets) -> None:
    sent: list[bool] = []
    fake.update_seconds = 50.0
    fake.inject(UPDATES, lambda: sent.append(True))
    gone: Callable[[], bool] = lambda: bool(sent)  # noqa: E731
    outcome = only(run(fake, simple(fake, A), stop=gone, abandon=gone))
    assert outcome.result is Result.UNRESOLVED
    assert fake.clock.now() < 1.0


def test_abandoning_interrupts_a_pause(fake: FakeImageSets) -> None:
    fake.update_seconds = 50.0
    gone: Callable[[], bool] = lambda: fake.clock.now() > 20.0  # noqa: E731
    assert only(run(fake, simple(fake, A), stop=gone, abandon=gone)).result is Result.UNRESOLVED
    assert fake.clock.now() < 20.5


def test_the_wait_for_ours_begins_when_it_is_sent(fake: FakeImageSets) -> None:
    planned = simple(fake, A)
    fake.lock(A, LOCK_TIMEOUT - 5)
    fake.update_seconds = LOCK_TIMEOUT - 5
    assert only(run(fake, planned)).result is Result.CONVERGED


def test_an_update_that_never_ends_is_unresolved_and_found_by_the_next_run(
    fake: FakeImageSets,
) -> None:
    planned = simple(fake, A)
    fake.update_seconds = LOCK_TIMEOUT + 10
    assert only(run(fake, planned)).result is Result.UNRESOLVED
    assert only(run(fake, planned)).result is Result.ALREADY_CONVERGED
    assert fake.version(A) == "2"


def test_a_bug_is_raised_after_what_is_in_flight_has_ended(fake: FakeImageSets) -> None:
    fake.inject(UPDATES, lambda: [][0], image_set_id=B)
    events: list[Started | Outcome] = []
    with pytest.raises(IndexError):
        events.extend(
            apply(
                Plan(Basis("", 1), (simple(fake, A), simple(fake, B), simple(fake, C))),
                {"research": fake},
                Run(fake.clock, bounds=Bounds(concurrency=1)),
                Options(LOCK_TIMEOUT),
            )
        )
    assert fake.version(A) == "2"
    assert fake.version(C) == "1"


def test_closing_the_events_waits_for_what_is_in_flight(fake: FakeImageSets) -> None:
    under_way, released = threading.Event(), threading.Event()

    def hang() -> None:
        under_way.set()
        released.wait(SECONDS)

    fake.inject(UPDATES, hang, image_set_id=A)
    events = apply(
        Plan(Basis("", 1), (simple(fake, A), simple(fake, B))),
        {"research": fake},
        Run(fake.clock, bounds=Bounds(concurrency=1)),
        Options(LOCK_TIMEOUT),
    )
    assert isinstance(next(events), Started)
    assert under_way.wait(SECONDS)
    closing = threading.Thread(target=events.close)  # type: ignore[attr-defined]
    closing.start()
    closing.join(0.3)
    assert closing.is_alive()
    released.set()
    closing.join(SECONDS)
    assert not closing.is_alive()
    assert (fake.version(A), fake.version(B)) == ("2", "1")


# --- the table -------------------------------------------------------------------------------


def test_the_table_of_decisions_is_total() -> None:
    assert set(TABLE) == set(itertools.product(Answer, Finding))


@pytest.mark.parametrize("answer", list(Answer))
def test_nothing_is_ever_sent_again_beyond_the_pin(answer: Answer) -> None:
    sends = {found for found in Finding if TABLE[answer, found] is Next.SEND}
    assert sends <= {Finding.AT_PIN}


@pytest.mark.parametrize("answer", list(Answer))
def test_only_equal_content_is_success(answer: Answer) -> None:
    success = (Next.CONVERGED, Next.ALREADY_CONVERGED)
    assert {found for found in Finding if TABLE[answer, found] in success} == {Finding.EQUAL}
