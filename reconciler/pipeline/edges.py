"""The outside, as every stage is given it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.core.model.settings import Datastore
from reconciler.core.ports import Clock, Files, PacedImageSets
from reconciler.edges.files import REAL


@dataclass(frozen=True, slots=True)
class Edges:
    """The outside: `ports` gives the paced image sets of a data store, once it is sure whose."""

    ports: Callable[[Datastore], PacedImageSets]
    clock: Clock
    files: Files = REAL
