"""The adapters to the outside world that the stages receive."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconciler.core.errors import ServiceError
from reconciler.core.model.settings import Datastore
from reconciler.core.ports import Clock, Files, PacedImageSets
from reconciler.edges import git
from reconciler.edges.files import REAL


@dataclass(frozen=True, slots=True)
class Edges:
    """The adapters. `ports` checks the account of a data store and returns its image sets.

    `remote` is the branch that records are pushed to; None if they are not pushed. `branch` is the
    one whose commits ask; None if it is not followed. `run_id` is what records state as the run
    that changed them; "" states none.
    """

    ports: Callable[[Datastore], PacedImageSets]
    clock: Clock
    files: Files = REAL
    remote: git.Remote | None = None
    branch: git.Remote | None = None
    run_id: str = ""

    def connect(
        self, datastores: Iterable[Datastore]
    ) -> tuple[dict[str, PacedImageSets], dict[str, ServiceError]]:
        """Connect to data stores. Return the ports, and the errors of the others, by name."""
        ports: dict[str, PacedImageSets] = {}
        errors: dict[str, ServiceError] = {}
        for one in datastores:
            try:
                ports[one.name] = self.ports(one)
            except ServiceError as error:
                errors[one.name] = error
        return ports, errors
