"""Flawed ways to apply a step, each a bug that somebody could have written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from reconciler.apply.decide import Answer, Seen
from reconciler.apply.step import StepRun
from reconciler.core.errors import ConflictError, NotFoundError, ServiceError
from reconciler.core.model.outcome import Landed, Outcome, Result


class RetriesWithAFreshPin(StepRun):
    """A stale pin is answered by reading the version that is there, and sending again."""

    def _send(self) -> bool:
        try:
            self._port.get(self._step.image_set_id)
            latest = self._port.get(self._step.image_set_id).version_id
            if int(latest) > int(self._step.pin):
                self._port.update(replace(self._step, pin=latest))
        except (NotFoundError, ConflictError):
            pass
        return super()._send()


class RecordsBeforeVerifying(StepRun):
    """An accepted update is taken for done."""

    def _settle(self) -> Outcome | None:
        if self._answer is not Answer.ACCEPTED:
            return super()._settle()
        landed = tuple(
            Landed(name, str(int(pin) + 1), pin, None) for name, pin in sorted(self._pins.items())
        )
        return Outcome(self._step, Result.CONVERGED, "", landed)


class TakesA404ForGone(StepRun):
    """A 404 of the update ends the step, though it may have landed before."""

    def _settle(self) -> Outcome | None:
        if self._answer is Answer.REFUSED:
            return Outcome(self._step, Result.FAILED, "the image set does not exist")
        return super()._settle()


class TakesTheNextVersionForOurs(StepRun):
    """Version pin+1 is there, so it must be what we have sent."""

    def _holds(self, seen: Seen, digest: str) -> bool:
        return True


class SendsAgainAfterARestart(StepRun):
    """The version that is there now is as good as the one that was planned."""

    def run(self, started: Callable[[], None]) -> Outcome:
        planned = self._step
        with suppress(ServiceError):
            self._step = replace(planned, pin=self._port.get(planned.image_set_id).version_id)
        return replace(super().run(started), step=planned)


class IgnoresAFailedUpdate(StepRun):
    """What was accepted and is at rest again has been done."""

    def _settle(self) -> Outcome | None:
        outcome = super()._settle()
        if outcome is None or outcome.result is not Result.FAILED:
            return outcome
        landed = tuple(
            Landed(name, str(int(pin) + 1), pin, None) for name, pin in sorted(self._pins.items())
        )
        return Outcome(self._step, Result.CONVERGED, "", landed)


class DoesNotLookAtSiblings(StepRun):
    """The pin that the service checks is enough, though it checks one image set's alone."""

    def _siblings_are_at_their_pins(self) -> bool:
        return True


class TakesTheStudyForWhatItWas(StepRun):
    """The study has the image sets that it had when it was planned."""

    def _strangers(self) -> tuple[str, ...]:
        return ()


ALL = (
    RetriesWithAFreshPin,
    RecordsBeforeVerifying,
    TakesA404ForGone,
    TakesTheNextVersionForOurs,
    SendsAgainAfterARestart,
    IgnoresAFailedUpdate,
    DoesNotLookAtSiblings,
    TakesTheStudyForWhatItWas,
)
