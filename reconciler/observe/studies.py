"""Surveys a study together with the first of its image sets that needs it.

So the documents of its image sets are held for a short time only. If all image sets came first, the
documents of a fleet of primary image sets would wait for their studies.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from threading import Lock

from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.diff import Diff
from reconciler.core.survey import Studied, studies_of


class Studies:
    """The image sets and studies of a data store, each surveyed once. Safe to share by threads.

    `survey` surveys an image set, and `study` a study with those of its image sets that manifests
    ask for and their diffs. `members` are the image sets that search lists of a study.
    """

    def __init__(
        self,
        asks: Sequence[ImageSetAsk],
        survey: Callable[[ImageSetAsk], Diff],
        members: Callable[[str], Collection[str]],
        study: Callable[[str, Collection[str], Mapping[str, Diff]], Studied],
    ) -> None:
        self._asks = {ask.image_set_id: ask for ask in asks}
        self._order = {name: number for number, name in enumerate(self._asks)}
        self._survey = survey
        self._members = members
        self._study = study
        self._lock = Lock()
        self._diffs: dict[str, Diff] = {}
        self._awaited: dict[str, Future[Diff]] = {}
        self._begun: set[str] = set()
        self._made: dict[str, tuple[Sequence[str], Studied]] = {}

    def diff(self, ask: ImageSetAsk) -> Diff:
        """Survey an image set, then its study, unless another thread does."""
        found = self._once(ask)
        for uid in studies_of([found]):
            with self._lock:
                is_begun = uid in self._begun
                self._begun.add(uid)
            if not is_begun:
                self._look_at(uid, found)
        return found

    def made(self, uid: str, asked: Collection[str]) -> Studied | None:
        """The result for a study, if it was surveyed with exactly these image sets; else None.

        Search may not list all image sets that state the study.
        """
        names, studied = self._made.get(uid, ((), None))
        return studied if list(names) == list(asked) else None

    def _look_at(self, uid: str, first: Diff) -> None:
        names = {first.image_set_id, *self._members(uid)} & self._asks.keys()
        own = {
            name: self._once(self._asks[name])
            for name in sorted(names, key=self._order.__getitem__)
        }
        asked = tuple(studies_of(own.values())[uid])
        self._made[uid] = asked, self._study(uid, asked, own)

    def _once(self, ask: ImageSetAsk) -> Diff:
        """The diff of an image set. A thread that makes it waits for no other."""
        name = ask.image_set_id
        with self._lock:
            found = self._diffs.get(name)
            awaited = self._awaited.get(name)
            if found is None and awaited is None:
                self._awaited[name] = Future()
        if found is not None:
            return found
        return awaited.result() if awaited is not None else self._make(ask)

    def _make(self, ask: ImageSetAsk) -> Diff:
        name = ask.image_set_id
        try:
            found = self._survey(ask)
        except BaseException as error:
            self._awaited[name].set_exception(error)
            raise
        with self._lock:
            self._diffs[name] = found
            awaited = self._awaited.pop(name)
        awaited.set_result(found)
        return found
