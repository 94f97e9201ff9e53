"""What a commit or the working tree holds about one data store, and the actions that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.core.diff.paths import opened, paths_of_studies
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.key import Key
from reconciler.core.model.plan import Action
from reconciler.core.model.record import Entry
from reconciler.core.model.settings import Datastore, Settings
from reconciler.core.plan import Found
from reconciler.core.survey import Known, Surveyed

# Makes the actions of one data store.
Builder: TypeAlias = Callable[[Found, Settings], tuple[Action, ...]]


@dataclass(frozen=True, slots=True)
class Held:
    """The manifests, records and settings for one data store.

    `managed` are the asks of all manifests. A run on some paths carries only some of them. After a
    scan, `managed` and `entries` are those in scope.
    """

    datastore: Datastore
    settings: Settings
    managed: Sequence[ImageSetAsk]
    entries: Mapping[str, Entry]
    key: Key | None

    @property
    def asks(self) -> dict[str, ImageSetAsk]:
        """The asks of which the run carries something, by image set."""
        return {ask.image_set_id: ask for ask in self.managed if ask.carried.sources}

    def known(self, attempts: Mapping[str, Sequence[Attempt]]) -> Known:
        """What a survey knows before anything is read."""
        entries = opened(self.entries, self.managed, self.key)
        return Known(entries, attempts, paths_of_studies(self.managed))

    def actions(self, seen: Surveyed, builder: Builder) -> tuple[Action, ...]:
        """The actions for what was seen."""
        named = {ask.image_set_id: ask for ask in self.managed}
        found = Found(self.datastore, seen.diffs, seen.studies, named, seen.patients)
        return builder(found, self.settings)
