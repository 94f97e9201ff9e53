"""The adapters to the outside world that the stages receive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.core.model.settings import Datastore
from reconciler.core.ports import Clock, Files, PacedImageSets
from reconciler.edges.files import REAL


@dataclass(frozen=True, slots=True)
class Edges:
    """The adapters. `ports` checks the account of a data store and returns its image sets."""

    ports: Callable[[Datastore], PacedImageSets]
    clock: Clock
    files: Files = REAL
