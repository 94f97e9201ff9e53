"""Runs surveys side by side, and makes the calls that they need.

The driver decides nothing. `core/survey` decides what is read and what follows from it; the paced
ports decide how fast. `Answers` is between them: answers from a search of the whole data store or
from a cache can be added there without a change of surveys.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from queue import SimpleQueue
from typing import NoReturn, TypeVar

from reconciler.core.errors import ServiceError, about_one
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.diff import Diff
from reconciler.core.model.settings import Rules
from reconciler.core.ports import ImageSets
from reconciler.core.scan import brief_of
from reconciler.core.survey import (
    Base,
    Known,
    Studied,
    Surveyed,
    completed,
    nothing_seen,
    read_again,
    survey,
    survey_study,
)
from reconciler.core.survey.needs import MembersOf, Need, Survey, Together
from reconciler.observe.answers import Answers
from reconciler.observe.recorded import Recorded
from reconciler.observe.scan import time_of
from reconciler.observe.studies import Studies
from reconciler.observe.sweep import sweep

WORKERS = 16
# So many items wait for a worker at most: a fleet of futures takes more memory than its diffs.
AHEAD = 64
# After an error, how many seconds to wait for earlier items, which may have failed, too. So the
# same plan shows the same error every time. The limit covers calls that hang.
GRACE_SECONDS = 1.0
In = TypeVar("In")
Out = TypeVar("Out")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Store:
    """One data store: its port, the asks for its image sets, and what is known of them.

    `base` is what the base of a pull request asks and knows. Nothing is read for it. With `now`,
    our time in epoch seconds, the data store is first searched for what is as recorded. With
    `is_dated`, the service is asked for its time before that.
    """

    port: ImageSets
    asks: Sequence[ImageSetAsk]
    known: Known
    base: Base | None = None
    now: int | None = None
    is_dated: bool = False


def observe(stores: Sequence[Store], rules: Rules) -> list[Surveyed | ServiceError]:
    """Read the image sets of the asks, in all data stores at the same time.

    An image set that cannot be read blocks its own action only. The result of a data store that is
    not accessible, or where no call can succeed, is the error: the other data stores are read.
    """
    drivers = [_Driver(store, rules) for store in stores]
    pool = ThreadPoolExecutor(max(1, len(stores)))
    try:
        return _gathered(pool, _Driver.result, drivers)
    finally:
        # After an error or Ctrl-C, do not wait for other calls: a call that hangs takes minutes.
        pool.shutdown(wait=False, cancel_futures=True)
        for driver in drivers:
            driver.close()


class _Driver:
    """Runs the surveys of one data store in its own threads, because another may be slow."""

    def __init__(self, store: Store, rules: Rules) -> None:
        self._store = store
        self._rules = rules
        self._answers = Answers(store.port)
        self._at_base: dict[str, Diff] = {}
        self._studies = Studies(store.asks, self._diff, self._members, self._study)
        # A revert may change Patient and Study, too.
        self._may_change_studies = any(
            ask.revert is not None or ask.carried.study_claims for ask in store.asks
        )
        self._surveys = ThreadPoolExecutor(WORKERS)
        # Surveys wait for the calls of `Together`, so these calls need threads of their own.
        self._calls = ThreadPoolExecutor(WORKERS)

    def result(self) -> Surveyed | ServiceError:
        """Read the data store. An error that concerns all of it is a result, too."""
        try:
            return self._seen()
        except ServiceError as error:
            self.close()
            return error

    def _seen(self) -> Surveyed:
        """Survey all image sets: their documents show which studies must be read."""
        began = self._began() if self._store.is_dated else None
        self._sweep()
        base = self._store.base
        # The base is decided from the same documents, so they are held until its studies are seen.
        work = self._diff if base is not None else self._studies.diff
        diffs = _gathered(self._surveys, work, self._store.asks)
        if nothing_seen(diffs):
            next(iter(self._store.port.search()), None)
        known, early = self._store.known, self._studies.made
        seen = completed(diffs, known, self._rules, self._made_all, early)
        return replace(
            seen,
            base=self._base(base) if base is not None else None,
            retiered=self._answers.retiered(),
            began=began,
        )

    def _began(self) -> int | None:
        """The time of the service; None where it refuses this search."""
        try:
            return time_of(self._store.port)
        except ServiceError as error:
            if not about_one(error):
                raise
            return None

    def _sweep(self) -> None:
        """Let a full scan answer what it can, if that takes fewer calls."""
        store = self._store
        if store.now is None:
            return
        asked = {ask.image_set_id for ask in store.asks}
        entries = {name: one for name, one in store.known.entries.items() if name in asked}
        briefs = {name: brief_of(one) for name, one in entries.items()}
        try:
            swept = sweep(store.port, briefs, store.now)
        except ServiceError as error:
            if not about_one(error):
                raise
            return  # what needs a search reports it
        witness = min(swept.as_recorded, default=None)
        if witness is not None and entries[witness].is_at(store.port.get(witness)):
            self._answers = Answers(store.port, Recorded(swept, entries))

    def _base(self, base: Base) -> Surveyed:
        """The result for the base, from the answers for the plan.

        Image sets that only the base asks for were not read for themselves, but perhaps for their
        studies.
        """
        asked = {ask.image_set_id for ask in self._store.asks}
        for name in base.asks:
            if name not in asked and (found := base.diff(name, self._answers.given)) is not None:
                self._at_base[name] = found
        return base.completed(self._at_base, self._answers.given)

    def close(self) -> None:
        """Start no new work."""
        self._surveys.shutdown(wait=False, cancel_futures=True)
        self._calls.shutdown(wait=False, cancel_futures=True)

    def _diff(self, ask: ImageSetAsk) -> Diff:
        """Run the survey of one image set, and drop its documents at once."""
        used: list[Need] = []
        found = self._answered(survey(ask, self._store.known, self._rules), used)
        if self._store.base is not None:
            self._compare(ask, found, self._store.base)
        again = read_again(found) if self._may_change_studies else None
        self._answers.release(used, [again] if again is not None else [])
        return found

    def _compare(self, ask: ImageSetAsk, found: Diff, base: Base) -> None:
        """Decide the image set as at the base, too, while its documents are held."""
        name = ask.image_set_id
        same = base.decides_as(name, ask, self._store.known, self._rules)
        if (then := found if same else base.diff(name, self._answers.given)) is not None:
            self._at_base[name] = then

    def _made_all(self, surveys: Sequence[Survey[T]]) -> Sequence[T]:
        return _gathered(self._surveys, self._made, surveys)

    def _made(self, survey: Survey[T]) -> T:
        used: list[Need] = []
        found = self._answered(survey, used)
        self._answers.release(used, used if self._store.base is not None else ())
        return found

    def _members(self, uid: str) -> Collection[str]:
        rows = self._answers.to(MembersOf(uid))
        return [row.image_set_id for row in rows] if isinstance(rows, tuple) else []

    def _study(self, uid: str, asked: Collection[str], own: Mapping[str, Diff]) -> Studied:
        return self._made(survey_study(uid, asked, own, self._store.known, self._rules))

    def _answered(self, survey: Survey[T], used: list[Need]) -> T:
        """Answer the needs of a survey until it returns; append them to `used`."""
        try:
            need = next(survey)
            while True:
                if isinstance(need, Together):
                    used += need.needs
                    answers = _gathered(self._calls, self._answers.to, need.needs)
                    need = survey.send(tuple(answers))
                else:
                    used.append(need)
                    need = survey.send(self._answers.to(need))
        except StopIteration as done:
            result: T = done.value
            return result


def _gathered(
    pool: ThreadPoolExecutor, work: Callable[[In], Out], items: Sequence[In]
) -> list[Out]:
    """Do the work side by side; return the results in the order of the items.

    After an error, later items are cancelled, and earlier items have GRACE_SECONDS to fail, too.
    The first error in the order of the items is raised.
    """
    ended: SimpleQueue[tuple[int, Future[Out]]] = SimpleQueue()
    pending: dict[int, Future[Out]] = {}
    found: dict[int, Out] = {}
    left = iter(enumerate(items))

    def begin(count: int) -> None:
        for number, item in islice(left, count):
            future = pending[number] = pool.submit(work, item)
            future.add_done_callback(partial(_put, ended, number))

    begin(AHEAD)
    while pending:
        number, future = ended.get()
        if future.cancelled() or future.exception() is not None:
            _raise_first(pending, number)
        found[number] = future.result()
        del pending[number]
        begin(1)
    return [found[number] for number in range(len(items))]


def _put(ended: SimpleQueue[tuple[int, Future[Out]]], number: int, future: Future[Out]) -> None:
    ended.put((number, future))


def _raise_first(pending: Mapping[int, Future[Out]], failed: int) -> NoReturn:
    for number, later in pending.items():
        if number > failed:
            later.cancel()
    earlier = [pending[number] for number in sorted(pending) if number <= failed]
    wait(earlier, GRACE_SECONDS)
    for future in earlier:
        if future.done():
            future.result()
    raise AssertionError("a future that has failed raises")
