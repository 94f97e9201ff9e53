"""The part of a fleet that a plan looks at. The rest is as the last scan recorded it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class StoreScope:
    """The part of one data store.

    `image_sets` are planned. `entries` are the image sets of which the records are read: those,
    and the members of their studies. `settled` counts the other image sets that manifests ask for,
    and `recorded` all image sets that the records know.
    """

    image_sets: frozenset[str]
    entries: frozenset[str]
    settled: int
    recorded: int


@dataclass(frozen=True, slots=True)
class Scope:
    """The parts of data stores by their names, and the manifests that ask something of them."""

    stores: Mapping[str, StoreScope]
    files: frozenset[str]


class Refresh(StrEnum):
    """What a plan looks at, whatever the last scan saw.

    CHANGED is what has moved since then; FULL is every image set; DOCUMENTS is every document, too,
    also that of an image set that is as recorded.
    """

    CHANGED = "changed"
    FULL = "full"
    DOCUMENTS = "documents"


@dataclass(frozen=True, slots=True)
class Observing:
    """How a plan is to observe. `scope` is None where everything is looked at.

    With `is_dated`, the service is first asked for its time, so that a scan can be recorded.
    """

    scope: Scope | None = None
    is_dated: bool = False
    refresh: Refresh = Refresh.CHANGED


@dataclass(frozen=True, slots=True)
class Observation:
    """How a plan observed one data store. It is reported beside the plan, never in it.

    `as_recorded` counts the image sets that were not looked at one by one: no search listed a
    change of them since the scan. `verified` is the time of the service up to which that is true,
    and `full` that of the last scan that would have seen a deletion: epoch seconds; None where
    every image set was read now. `began` is the time of the service at the first answer, None if it
    was not asked for or not stated. `witness` is the settled image set that proved the data store.
    `why` states why the last scan could not be used.
    """

    datastore: str
    datastore_id: str
    as_recorded: int = 0
    verified: int | None = None
    full: int | None = None
    began: int | None = None
    witness: str = ""
    why: str = ""
