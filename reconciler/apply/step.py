"""One step: send it, wait for it, read it back. The decisions are in `decide`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from reconciler.apply.confirm import unlike
from reconciler.apply.content import content
from reconciler.apply.decide import (
    RESULT,
    TABLES,
    Answer,
    Finding,
    Next,
    Seen,
    Tables,
    decide,
    elsewhere,
    explain,
    found,
    service_messages,
)
from reconciler.apply.run import DatastoreRun
from reconciler.apply.study import Members, members
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
from reconciler.core.model.observed import Properties
from reconciler.core.model.outcome import Landed, Outcome, Overtaken, Result
from reconciler.core.model.plan import Member, Step, next_version
from reconciler.core.model.workflow_status import (
    FIRST_PAUSE,
    PAUSE_GROWTH,
    SECOND_LOOK_SECONDS,
    pauses,
)
from reconciler.core.ports import ImageSets, PacedImageSets
from reconciler.core.review.phrases import duration

# How often a step is sent while its image set stays at the pin.
SENDS = 3
# How many throttled sends a step may have. The token bucket slows down with each of them.
THROTTLES = 10


@dataclass(frozen=True, slots=True)
class Options:
    """How all steps of a run are carried out.

    `lock_timeout` is in seconds, for each send. With `look_first`, an earlier run may have done a
    part of the plan, and no turn is spent on that part. `message_hint` returns how to see the
    service's own message, by data store ID, image set and version. `fields_may_be_added` is the
    rule `serviceFields`. `overtaken` says why a step is not sent any more, None if it may be sent;
    all threads call it, right before a first send.
    """

    lock_timeout: float
    look_first: bool = False
    message_hint: Callable[[str, str, str], str] = lambda datastore_id, image_set_id, version: ""
    tables: Tables = TABLES
    fields_may_be_added: bool = True
    overtaken: Callable[[Step], Overtaken | None] = lambda step: None


class StepRun:
    """Runs one step, in one thread. `before` are the image sets as they must be before it."""

    def __init__(
        self,
        step: Step,
        before: Mapping[str, Member],
        port: PacedImageSets,
        run: DatastoreRun,
        options: Options,
    ) -> None:
        self._step = step
        self._before = before
        self._pins = {name: member.pin for name, member in before.items()}
        self._port = port
        self._run = run
        self._options = options
        self._answer = Answer.NONE
        self._error = ""
        self._said = ""
        # The image sets as they were read right before the last send.
        self._at_send: dict[str, Properties] = {}
        # The version that the service named in its answer, unless it is pin+1. If another process
        # made version pin+1, it is the version of our update.
        self._made = ""
        self._added: set[str] = set()
        self._is_elsewhere = False
        self._is_refused = False  # the only send ended in an error that changes nothing
        self._sends = 0
        self._throttles = 0
        self._deadline = self._time_out()

    def run(self, started: Callable[[], None]) -> Outcome:
        """Run the step and return its outcome. `started` is called before the first send."""
        try:
            return self._until_ended(started)
        except (NoAnswerError, ThrottledError) as error:
            if isinstance(error, UnreachableError):
                self._run.halt(error.message)
            return self._end(self._unseen(Result.NOT_ATTEMPTED), self._message_of(error))
        except CredentialsError as error:
            self._run.halt(error.message)
            return self._end(self._unseen(Result.FAILED), self._message_of(error))
        except ServiceError as error:
            text = self._message_of(error)
            if self._is_refused:
                text = f"{text}\nNo version was created."
            return self._end(self._unseen(Result.FAILED), text)

    def _until_ended(self, started: Callable[[], None]) -> Outcome:
        """Send and read in turns, until the decision table says that the step has ended."""
        ended = self._settle() if self._is_past() else None
        while ended is None:
            if not self._turn():
                return self._stopped()
            seen = members(self._port, self._step, self._pins)
            if not self._are_at_their_pins():
                ended = self._settle()
            elif left := self._overtaken():
                ended = self._end(self._unseen(left.result), left.reason)
            elif seen.strangers or seen.unlisted:
                ended = self._not_with(seen)
            else:
                if not self._sends and not self._throttles:
                    started()
                ended = self._settle() if self._send() else self._again_or_look()
        return ended

    def _is_past(self) -> bool:
        """Whether sending has no effect: the image set is beyond the pin, or gone.

        A turn costs seconds of the account's quota. If every finished step took a turn, a plan that
        is resumed again and again would never reach its remaining steps.
        """
        if not self._options.look_first:
            return False
        try:
            latest = self._port.get(self._step.image_set_id)
        except NotFoundError:
            return True
        except (NoAnswerError, ThrottledError):
            return False  # the answer to the update decides
        return int(latest.version_id) > int(self._step.pin)

    def _turn(self) -> bool:
        """Wait for a turn to send. This may take minutes, which lockTimeout does not include."""
        began = self._run.clock.now()
        may_send = self._port.turn(self._run.sending)
        self._deadline += self._run.clock.now() - began
        return may_send

    def _not_with(self, members: Members) -> Outcome | None:
        """End the step, as it would change unreviewed image sets. It may have landed before."""
        if self._look({}) is not Next.SEND:
            return self._settle()
        sent = "the update was sent, but had no effect yet" if self._sends else "nothing was sent"
        if members.strangers:
            return self._end(self._unseen(Result.CONFLICT), f"{sent}: {members.unplanned}")
        text = (
            f"{sent}: {members.behind}, so other members may be missing too\n"
            "The search index is not up to date: run `reconcile apply` again later."
        )
        return self._end(self._unseen(Result.BLOCKED), text)

    def _are_at_their_pins(self) -> bool:
        """Read the image sets right before sending, and keep what was read.

        The service checks the version of the requested image set only. With force it may check none
        (decision 0002, U12 and U30). Siblings are read last.
        """
        self._at_send = {}
        target = self._step.image_set_id
        return all(
            self._is_at(name, self._pins[name])
            for name in sorted(self._pins, key=lambda name: name != target)
        )

    def _is_at(self, name: str, pin: str) -> bool:
        try:
            seen = self._port.get(name)
        except NotFoundError:
            return False
        self._at_send[name] = seen
        return found(pin, seen, None) in self._options.tables.ready

    def _overtaken(self) -> Overtaken | None:
        """Why the plan does not hold any more at the pins; None if it does.

        An image set is another one, or a newer commit asks for something else.
        """
        reasons = (unlike(self._before[name], seen) for name, seen in self._at_send.items())
        if reason := next(filter(None, reasons), ""):
            return Overtaken(Result.STALE, reason)
        return None if self._sends else self._options.overtaken(self._step)

    def _send(self) -> bool:
        """Send once. Returns False if it certainly had no effect; else reading has to decide."""
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
        except (AccessDeniedError, RejectedError):
            self._is_refused = self._answer is not Answer.LOST
            raise
        except NoAnswerError as error:
            self._sends += 1
            self._error, self._answer = self._message_of(error), Answer.LOST
            return True
        self._sends += 1
        self._answer = Answer.ACCEPTED
        self._made = "" if produced == next_version(self._step.pin) else produced
        return True

    def _refused(self, error: ServiceError, *, arrived: bool) -> bool:
        """Keep the answer LOST: a later 404 or 409 does not prove that another process wrote."""
        self._error = self._message_of(error)
        if arrived and self._answer is Answer.NONE:
            self._answer = Answer.REFUSED
        return arrived

    def _again_or_look(self) -> Outcome | None:
        """After a send that did not arrive. After the last throttle, look once more.

        Another run of the same plan may have made the change meanwhile.
        """
        if self._throttles >= THROTTLES:
            with suppress(NoAnswerError, ThrottledError):
                if self._look({}) is not Next.SEND:
                    return self._settle()
        return self._again_or_end()

    def _again_or_end(self) -> Outcome | None:
        """After a send without effect: None to send again, an outcome after the last try."""
        if self._throttles < THROTTLES and self._sends < SENDS:
            self._pause(FIRST_PAUSE * PAUSE_GROWTH ** (4 * self._sends))
            return None
        if self._throttles < THROTTLES and self._answer is Answer.NONE:
            self._run.halt(self._error)  # no connection in all tries
            return self._end(Result.NOT_ATTEMPTED, self._error)
        return self._end(self._unseen(Result.FAILED), self._error)

    def _settle(self) -> Outcome | None:
        """Wait until no operation runs on the image sets. None if the step must be sent again."""
        seen: dict[str, Seen] = {}
        pause, is_second_look = pauses(), False
        while True:
            try:
                decision = self._look(seen)
            except (NoAnswerError, ThrottledError) as error:
                self._error, decision = self._message_of(error), Next.WAIT
            if decision is Next.SEND:
                return self._again_or_end()
            if decision is Next.WAIT:
                if self._is_over():
                    return self._stopped()
                self._pause(next(pause))
            elif is_second_look or not self._is_doubtful(decision):
                return self._decided(decision, seen)
            else:
                is_second_look, self._is_elsewhere = True, False
                seen.clear()
                self._pause(SECOND_LOOK_SECONDS)
                if self._run.is_abandoned:
                    return self._stopped()

    def _is_doubtful(self, decision: Next) -> bool:
        """Whether reads that lag behind may be the reason: AWS does not document that they agree.

        Content that was not read (READ) is doubtful whatever the answer was.
        """
        if decision is Next.READ:
            return True
        return self._answer.may_be_ours and decision in (Next.UNVERIFIED, Next.CONFLICT)

    def _look(self, seen: dict[str, Seen]) -> Next:
        """Check the image sets that had not settled, and read the content once all have.

        READ means that content cannot be read yet.
        """
        for name, pin in self._pins.items():
            if name not in seen or seen[name].finding in _RESTLESS:
                seen[name] = self._look_at(name, pin)
        decision = decide(self._step, self._answer, seen, self._options.tables)
        if decision is not Next.READ:
            return decision
        for name, digest in self._step.expected:
            if seen[name].finding is Finding.PRODUCED:
                seen[name] = self._compared(seen[name], digest)
            elif seen[name].finding is Finding.AT_PIN and self._holds_already(seen[name], digest):
                seen[name] = replace(seen[name], finding=Finding.EQUAL)
        return decide(self._step, self._answer, seen, self._options.tables)

    def _look_at(self, name: str, pin: str) -> Seen:
        is_target = name == self._step.image_set_id
        try:
            latest = self._port.get(name)
            if is_target and self._is_elsewhere:
                return self._look_elsewhere(latest)
            produced = version_in_history(self._port, latest, next_version(pin))
        except NotFoundError:
            return Seen(name, pin, "", Finding.GONE)
        finding = found(pin, latest, produced, self._at_send.get(name) if self._sends else None)
        if is_target and self._made == pin and finding is Finding.AT_PIN:
            finding = Finding.REWRITTEN  # the service named the pin as the version that it made
        if finding in (Finding.REWRITTEN, Finding.FAILED_AT_PIN):
            produced = latest
        seen = Seen(name, pin, latest.version_id, finding, produced)
        return self._not_ours(seen) if finding is Finding.UPDATE_FAILED else seen

    def _not_ours(self, seen: Seen) -> Seen:
        """Look at the version that the service named; `seen` if it named none beyond pin+1.

        Version pin+1 failed or has other content, so another process made it.
        """
        is_target = seen.image_set_id == self._step.image_set_id
        if not is_target or not self._made or int(self._made) <= int(seen.pin):
            return seen
        self._is_elsewhere = True
        return self._look_at(seen.image_set_id, seen.pin)

    def _look_elsewhere(self, latest: Properties) -> Seen:
        name, pin = self._step.image_set_id, self._step.pin
        made = version_in_history(self._port, latest, self._made)
        finding = elsewhere(made)
        return Seen(name, pin, latest.version_id, finding, made)

    def _compared(self, seen: Seen, digest: str) -> Seen:
        """Compare the content of version pin+1. Content that cannot be read stays PRODUCED."""
        before = self._step.revert_to or seen.pin
        try:
            read = content(self._port, seen.image_set_id, next_version(seen.pin), digest, before)
        except NotFoundError:
            return seen
        if read.is_expected and (self._options.fields_may_be_added or not read.added):
            self._added |= set(read.added)
            return replace(seen, finding=Finding.EQUAL)
        return self._not_ours(replace(seen, finding=Finding.OTHER))

    def _holds_already(self, seen: Seen, digest: str) -> bool:
        """Whether a sibling of a study-wide call needed no change, and so got no version.

        AWS does not document that it gets one (decision 0002, U22).
        """
        return content_digest(self._port.metadata(seen.image_set_id, seen.pin)) == digest

    def _time_out(self) -> float:
        return self._run.clock.now() + self._options.lock_timeout

    def _is_over(self) -> bool:
        """Whether to stop waiting. A stop request ends it, unless our own update is running."""
        if self._run.is_abandoned or self._run.clock.now() >= self._deadline:
            return True
        return bool(self._run.reason()) and not self._answer.may_be_ours

    def _pause(self, seconds: float) -> None:
        self._run.in_flight.wait(seconds)

    def _decided(self, decision: Next, seen: Mapping[str, Seen]) -> Outcome:
        table = self._options.tables.outcome
        made: dict[Next, list[Landed]] = defaultdict(list)
        for _, member in sorted(seen.items()):
            if (landed := _landed(member)) is not None:
                made[table[self._answer, member.finding]].append(landed)
        text = self._description(decision, seen)
        if self._added:
            names = " and ".join(sorted(self._added))
            text = f"{text}\nthe service added {names}, which no manifest asks for".strip()
        if decision is Next.CONVERGED:
            decision, text = self._with_strangers(text)
        done = (one for ended, some in made.items() if ended.is_done for one in some)
        outcome = self._end(RESULT[decision], text, tuple(sorted(done)))
        return replace(outcome, unverified=tuple(made[Next.UNVERIFIED]))

    def _message_of(self, error: ServiceError) -> str:
        """The message of an error. The service's own text is kept apart, in `_said`."""
        self._said = error.said
        return str(error)

    def _description(self, decision: Next, seen: Mapping[str, Seen]) -> str:
        """Describe the end, and how to see the message of the service."""
        failed = service_messages(seen)
        if failed:
            self._said = "; ".join(message for _, _, message in failed if message)
        hints = (
            self._options.message_hint(self._step.datastore_id, name, version)
            for name, version, _ in failed
        )
        return "\n".join(text for text in (explain(decision, seen), *hints) if text)

    def _with_strangers(self, text: str) -> tuple[Next, str]:
        """Report image sets that are not in the plan: the call may have changed them too."""
        try:
            seen = members(self._port, self._step, self._pins)
        except ServiceError as error:
            return Next.CONVERGED, f"{text} The study could not be searched again: {error}".strip()
        if not seen.strangers:
            return Next.CONVERGED, text
        return Next.CONFLICT, f"done, but {seen.unplanned}, which may have been changed too"

    def _stopped(self) -> Outcome:
        """The outcome after a stop request, or after lockTimeout."""
        if self._answer.may_be_ours:
            return self._end(
                Result.UNRESOLVED, self._error or "sent and accepted, but its end was not seen"
            )
        if reason := self._run.reason():
            return self._end(Result.NOT_ATTEMPTED, reason)
        result = Result.UNRESOLVED if self._answer is Answer.REFUSED else Result.NOT_ATTEMPTED
        waited = duration(self._options.lock_timeout)
        text = f"still LOCKED by another operation after lockTimeout ({waited}). {self._error}"
        return self._end(result, text.rstrip())

    def _unseen(self, otherwise: Result) -> Result:
        return Result.UNRESOLVED if self._answer.may_be_ours else otherwise

    def _end(self, result: Result, text: str, landed: tuple[Landed, ...] = ()) -> Outcome:
        said = "" if result.is_good else self._said
        return Outcome(self._step, result, text, landed, said)


def _landed(seen: Seen) -> Landed | None:
    """The version that a step made of an image set, where there is one."""
    made = seen.produced
    if made is None:
        return None
    return Landed(seen.image_set_id, made.version_id, seen.pin, made.updated_at, made.created_at)


def version_in_history(port: ImageSets, latest: Properties, version_id: str) -> Properties | None:
    """The properties of a version; None if it does not exist. Reads the history if needed."""
    if int(latest.version_id) <= int(version_id):
        return latest if latest.version_id == version_id else None
    history = port.versions(latest.image_set_id)
    return next((version for version in history if version.version_id == version_id), None)


_RESTLESS = (Finding.UNDER_WAY, Finding.BEHIND, Finding.AT_PIN)
