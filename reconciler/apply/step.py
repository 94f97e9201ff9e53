"""One step: send it, wait for it, read it back. The decisions are in `decide`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from reconciler.apply.decide import (
    RESULT,
    TABLES,
    Answer,
    Finding,
    Next,
    Seen,
    Tables,
    decide,
    explain,
    found,
    service_messages,
)
from reconciler.apply.run import DatastoreRun
from reconciler.apply.study import Members, members
from reconciler.core.dicom.content import content_digest
from reconciler.core.errors import (
    ConflictError,
    CredentialsError,
    NoAnswerError,
    NotFoundError,
    ServiceError,
    ThrottledError,
    UnreachableError,
)
from reconciler.core.model.observed import Properties
from reconciler.core.model.outcome import Landed, Outcome, Result
from reconciler.core.model.plan import Step, next_version
from reconciler.core.model.workflow_status import FIRST_PAUSE, PAUSE_GROWTH, pauses
from reconciler.core.ports import ImageSets, PacedImageSets

# How often a step is sent whose effect was not seen, and whose image set is still at the pin.
SENDS = 3
# How many throttles in a row a step bears; the bucket slows down with each.
THROTTLES = 10


@dataclass(frozen=True, slots=True)
class Options:
    """How all steps of a run are carried out.

    `lock_timeout` is in seconds, for each send. `look_first` says that an earlier run may have done
    a part of the plan: no turn is spent on that. `message_hint` says how to see the service's own
    message, by data store ID, image set and version.
    """

    lock_timeout: float
    look_first: bool = False
    message_hint: Callable[[str, str, str], str] = lambda datastore_id, image_set_id, version: ""
    tables: Tables = TABLES


class StepRun:
    """The life of one step in one thread. `pins` are the versions before it."""

    def __init__(
        self,
        step: Step,
        pins: Mapping[str, str],
        port: PacedImageSets,
        run: DatastoreRun,
        options: Options,
    ) -> None:
        self._step = step
        self._pins = pins
        self._port = port
        self._run = run
        self._options = options
        self._answer = Answer.NONE
        self._error = ""
        self._said = ""
        self._sends = 0
        self._throttles = 0
        self._deadline = self._time_out()

    def run(self, started: Callable[[], None]) -> Outcome:
        """Exactly one outcome, whatever happens; `started` is called before the first send."""
        try:
            return self._until_settled(started)
        except (NoAnswerError, ThrottledError) as error:
            return self._end(self._unseen(Result.NOT_ATTEMPTED), self._told(error))
        except CredentialsError as error:
            self._run.halt(error.message)
            return self._end(self._unseen(Result.FAILED), self._told(error))
        except ServiceError as error:
            return self._end(self._unseen(Result.FAILED), self._told(error))

    def _until_settled(self, started: Callable[[], None]) -> Outcome:
        """Send and look in turns, until the table says that the step has ended."""
        ended = self._settle() if self._is_past() else None
        while ended is None:
            if not self._turn():
                return self._stopped()
            seen = members(self._port, self._step, self._pins)
            if not self._siblings_are_at_their_pins():
                ended = self._settle()
                continue
            if seen.strangers or seen.unlisted:
                ended = self._not_with(seen)
                continue
            if not self._sends and not self._throttles:
                started()
            ended = self._settle() if self._send() else self._again_or_end()
        return ended

    def _is_past(self) -> bool:
        """Whether sending can do nothing any more: the image set is beyond the pin, or gone.

        A turn is worth seconds of the account. Were one spent on each step that is done, a plan
        that is gone on with again and again would never get to those that are left.
        """
        if not self._options.look_first:
            return False
        try:
            latest = self._port.get(self._step.image_set_id)
        except NotFoundError:
            return True
        except (NoAnswerError, ThrottledError):
            return False  # sending tells
        return int(latest.version_id) > int(self._step.pin)

    def _turn(self) -> bool:
        """Wait for it. In a full window that takes minutes, and none of those of a LOCKED one."""
        asked = self._run.clock.now()
        may_send = self._port.turn(self._run.sending)
        self._deadline += self._run.clock.now() - asked
        return may_send

    def _not_with(self, members: Members) -> Outcome | None:
        """Nothing is sent that would move what nobody has reviewed; it may have landed earlier."""
        if self._look({}) is not Next.SEND:
            return self._settle()
        told = "what was sent was not seen to take effect" if self._sends else "nothing was sent"
        if members.strangers:
            return self._end(self._unseen(Result.CONFLICT), f"{told}: {members.unplanned}")
        text = (
            f"{told}: {members.behind}, so others may be missing, too\n"
            "search is behind: run `reconcile apply` again later"
        )
        return self._end(self._unseen(Result.BLOCKED), text)

    def _siblings_are_at_their_pins(self) -> bool:
        """Read right before sending: the service checks the pin of the requested set alone."""
        target = self._step.image_set_id
        return all(self._is_at(name, pin) for name, pin in self._pins.items() if name != target)

    def _is_at(self, name: str, pin: str) -> bool:
        try:
            seen = self._port.get(name)
        except NotFoundError:
            return False
        return found(pin, seen, None) in self._options.tables.ready

    def _send(self) -> bool:
        """Send once. False when nothing can have come of it, else reading has to tell."""
        self._deadline = self._time_out()
        try:
            produced = self._port.update(self._step)
        except ThrottledError as error:
            self._throttles += 1
            return self._refused(error, arrived=False)
        except UnreachableError as error:
            self._sends += 1
            return self._refused(error, arrived=False)
        except (NotFoundError, ConflictError) as error:
            self._sends += 1
            return self._refused(error, arrived=True)
        except NoAnswerError as error:
            self._sends += 1
            self._error, self._answer = self._told(error), Answer.LOST
            return True
        self._sends += 1
        # Should the service ever number otherwise, the content of pin+1 tells.
        as_expected = produced == next_version(self._step.pin)
        self._answer = Answer.ACCEPTED if as_expected else Answer.LOST
        return True

    def _refused(self, error: ServiceError, *, arrived: bool) -> bool:
        """Once a send may have landed, a later refusal does not make it somebody else's."""
        self._error = self._told(error)
        if arrived and self._answer is Answer.NONE:
            self._answer = Answer.REFUSED
        return arrived

    def _again_or_end(self) -> Outcome | None:
        """Nothing came of a send: None to send again, an outcome when that was often enough."""
        if self._throttles < THROTTLES and self._sends < SENDS:
            self._pause(FIRST_PAUSE * PAUSE_GROWTH ** (4 * self._sends))
            return None
        if self._throttles < THROTTLES and self._answer is Answer.NONE:
            self._run.halt(self._error)  # no connection, three times
            return self._end(Result.NOT_ATTEMPTED, self._error)
        return self._end(self._unseen(Result.FAILED), self._error)

    def _settle(self) -> Outcome | None:
        """Wait until the image sets are at rest; None when the step must be sent again."""
        seen: dict[str, Seen] = {}
        pause = pauses()
        while True:
            try:
                decision = self._look(seen)
            except (NoAnswerError, ThrottledError) as error:
                self._error, decision = self._told(error), Next.WAIT
            if decision is Next.SEND:
                return self._again_or_end()
            if decision is not Next.WAIT:
                return self._settled(decision, seen)
            if self._is_over():
                return self._stopped()
            self._pause(next(pause))

    def _look(self, seen: dict[str, Seen]) -> Next:
        """Look at what was not at rest before, and read the content once all are."""
        for name, pin in self._pins.items():
            if name not in seen or seen[name].finding in _RESTLESS:
                seen[name] = self._look_at(name, pin)
        decision = decide(self._step, self._answer, seen, self._options.tables)
        if decision is not Next.READ:
            return decision
        for name, digest in self._step.expected:
            if seen[name].finding is Finding.PRODUCED:
                equal = self._holds(seen[name], digest)
                seen[name] = replace(seen[name], finding=Finding.EQUAL if equal else Finding.OTHER)
        return decide(self._step, self._answer, seen, self._options.tables)

    def _look_at(self, name: str, pin: str) -> Seen:
        try:
            latest = self._port.get(name)
            produced = version_in_history(self._port, latest, next_version(pin))
        except NotFoundError:
            return Seen(name, pin, "", Finding.GONE)
        return Seen(name, pin, latest.version_id, found(pin, latest, produced), produced)

    def _holds(self, seen: Seen, digest: str) -> bool:
        """Whether version pin+1 reads as expected."""
        try:
            document = self._port.metadata(seen.image_set_id, next_version(seen.pin))
        except NotFoundError:
            return False
        return content_digest(document) == digest

    def _time_out(self) -> float:
        return self._run.clock.now() + self._options.lock_timeout

    def _is_over(self) -> bool:
        """Whether to stop waiting: for ours at the timeout, for somebody else's on any stop."""
        if self._run.is_abandoned or self._run.clock.now() >= self._deadline:
            return True
        return bool(self._run.reason()) and not self._answer.may_be_ours

    def _pause(self, seconds: float) -> None:
        self._run.in_flight.wait(seconds)

    def _settled(self, decision: Next, seen: Mapping[str, Seen]) -> Outcome:
        table = self._options.tables.outcome
        landed = tuple(
            Landed(
                name,
                one.produced.version_id,
                one.pin,
                one.produced.updated_at,
                one.produced.created_at,
            )
            for name, one in sorted(seen.items())
            if one.produced is not None and table[self._answer, one.finding].is_done
        )
        text = self._explained(decision, seen)
        if decision is Next.CONVERGED:
            decision, text = self._with_strangers(text)
        return self._end(RESULT[decision], text, landed)

    def _told(self, error: ServiceError) -> str:
        """The error in our words; the service's own are kept apart."""
        self._said = error.said
        return str(error)

    def _explained(self, decision: Next, seen: Mapping[str, Seen]) -> str:
        """What happened in our words, and how to see those of the service."""
        failed = service_messages(seen)
        if failed:
            self._said = "; ".join(message for _, _, message in failed if message)
        hints = (
            self._options.message_hint(self._step.datastore_id, name, version)
            for name, version, _ in failed
        )
        return "\n".join(text for text in (explain(decision, seen), *hints) if text)

    def _with_strangers(self, text: str) -> tuple[Next, str]:
        """What came into the study, or into sight, while it was changed, may have been changed."""
        try:
            seen = members(self._port, self._step, self._pins)
        except ServiceError as error:
            return Next.CONVERGED, f"{text} The study could not be searched again: {error}".strip()
        if not seen.strangers:
            return Next.CONVERGED, text
        told = f"done, but {seen.unplanned}, and may have been changed as well"
        return Next.CONFLICT, told

    def _stopped(self) -> Outcome:
        """Asked to stop, or the time is over."""
        if self._answer.may_be_ours:
            return self._end(
                Result.UNRESOLVED, self._error or "sent and accepted, but its end was not seen"
            )
        if reason := self._run.reason():
            return self._end(Result.NOT_ATTEMPTED, reason)
        result = Result.UNRESOLVED if self._answer is Answer.REFUSED else Result.NOT_ATTEMPTED
        return self._end(result, f"LOCKED by somebody else until the wait was over. {self._error}")

    def _unseen(self, otherwise: Result) -> Result:
        return Result.UNRESOLVED if self._answer.may_be_ours else otherwise

    def _end(self, result: Result, text: str, landed: tuple[Landed, ...] = ()) -> Outcome:
        said = "" if result.is_good else self._said
        return Outcome(self._step, result, text, landed, said)


def version_in_history(port: ImageSets, latest: Properties, version_id: str) -> Properties | None:
    """A version, None where there is none. One that is not the latest is in the history."""
    if int(latest.version_id) <= int(version_id):
        return latest if latest.version_id == version_id else None
    history = port.versions(latest.image_set_id)
    return next((one for one in history if one.version_id == version_id), None)


_RESTLESS = (Finding.UNDER_WAY, Finding.BEHIND, Finding.AT_PIN)
