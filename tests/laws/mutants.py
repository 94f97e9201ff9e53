"""Flawed ways to apply a plan, each a plausible bug.

Each replaces the port that an apply works with, or one of the decision tables of its steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from reconciler.apply.decide import READY, TABLE, TABLES, Answer, Finding, Next, Tables
from reconciler.core.errors import ConflictError, NotFoundError
from reconciler.core.model.observed import Properties, SearchPage
from reconciler.core.model.plan import Plan, Step
from reconciler.core.model.results import Checked
from reconciler.core.model.search_filter import Filters
from reconciler.core.model.value import Document
from reconciler.core.ports import PacedImageSets, Patience

T = TypeVar("T")


class PassingPort(PacedImageSets):
    """Passes every call on. It knows the plan that is about to be applied, if one is."""

    def __init__(self, port: PacedImageSets, plan: Plan | None) -> None:
        self._port = port
        self._plan = plan

    def turn(self, patience: Patience) -> bool:
        return self._port.turn(patience)

    def get(self, image_set_id: str, version_id: str | None = None) -> Properties:
        return self._port.get(image_set_id, version_id)

    def metadata(self, image_set_id: str, version_id: str) -> Document:
        return self._port.metadata(image_set_id, version_id)

    def versions(self, image_set_id: str) -> tuple[Properties, ...]:
        return self._port.versions(image_set_id)

    def pages(self, filters: Filters = ()) -> Iterator[SearchPage]:
        return self._port.pages(filters)

    def update(self, step: Step) -> str:
        return self._port.update(step)

    def counts(self) -> Mapping[str, int]:
        return self._port.counts()


class _RetriesWithAFreshPin(PassingPort):
    def update(self, step: Step) -> str:
        try:
            return self._port.update(step)
        except (NotFoundError, ConflictError):
            latest = self._port.get(step.image_set_id).version_id
            if int(latest) <= int(step.pin):
                raise
            return self._port.update(replace(step, pin=latest))


class _SendsAgainAfterARestart(PassingPort):
    def update(self, step: Step) -> str:
        latest = self._port.get(step.image_set_id).version_id
        return self._port.update(replace(step, pin=latest))


class _TakesTheStudyForWhatItWas(PassingPort):
    def pages(self, filters: Filters = ()) -> Iterator[SearchPage]:
        if self._plan is None:
            return self._port.pages(filters)
        known = {one.image_set_id for action in self._plan.actions for one in action.members}
        return (_only(known, page) for page in self._port.pages(filters))


def _only(known: set[str], page: SearchPage) -> SearchPage:
    return replace(page, rows=tuple(row for row in page.rows if row.image_set_id in known))


def _unchanged(port: PacedImageSets, plan: Plan | None) -> PacedImageSets:
    return port


def _same(value: T) -> T:
    return value


def _nothing(root: Path, datastore_id: str, plan: Plan) -> None:
    """Records are left as the run wrote them."""


@dataclass(frozen=True)
class Mutant:
    """The parts of a run that are replaced.

    `checked` comes between the manifests and the plan, `plan` between the plan and its review.
    `record` follows an apply. `port` has no plan while one is made. Without `judges_again`, a saved
    plan counts as one that was just made.
    """

    name: str
    port: Callable[[PacedImageSets, Plan | None], PacedImageSets] = _unchanged
    tables: Tables = TABLES
    checked: Callable[[Checked], Checked] = _same
    plan: Callable[[Plan], Plan] = _same
    record: Callable[[Path, str, Plan], None] = _nothing
    judges_again: bool = True


def _decides(name: str, rows: Mapping[tuple[Answer, Finding], Next]) -> Mutant:
    return Mutant(name, tables=Tables({**TABLE, **rows}))


NONE = Mutant("none")
# It sends whatever it reads right before the send.
_UNREAD = Tables(ready=READY | set(Finding))

ALL = (
    # After a stale pin, it reads the live version and sends again.
    Mutant("retries-with-a-fresh-pin", _RetriesWithAFreshPin),
    # It takes an accepted update as done.
    _decides(
        "records-before-verifying",
        {
            (Answer.ACCEPTED, found): Next.CONVERGED
            for found in (Finding.UNDER_WAY, Finding.PRODUCED)
        },
    ),
    # A stale pin ends the step, although it may have succeeded before.
    _decides(
        "takes-a-stale-pin-for-a-failure",
        {
            (answer, found): Next.FAILED
            for answer in (Answer.NONE, Answer.REFUSED)
            for found in Finding
        },
    ),
    # It takes version pin+1 as ours, without a look at its content.
    _decides(
        "takes-the-next-version-for-ours",
        {(answer, Finding.PRODUCED): TABLE[answer, Finding.EQUAL] for answer in Answer},
    ),
    # It takes the live version as the planned version.
    Mutant("sends-again-after-a-restart", _SendsAgainAfterARestart, _UNREAD),
    # It takes an accepted update as done as soon as the image set is ACTIVE.
    _decides(
        "ignores-a-failed-update",
        {(answer, Finding.UPDATE_FAILED): TABLE[answer, Finding.EQUAL] for answer in Answer},
    ),
    # It relies on the version check of the service, which covers one image set only.
    Mutant("does-not-look-at-siblings", tables=_UNREAD),
    # It assumes that the study has the same image sets as in the plan.
    Mutant("takes-the-study-for-what-it-was", _TakesTheStudyForWhatItWas),
)
