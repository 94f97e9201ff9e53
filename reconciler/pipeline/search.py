"""Search data stores by SearchImageSets alone: no document is read, and no storage tier changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.core.errors import ServiceError
from reconciler.core.model.observed import Summary
from reconciler.core.model.settings import Datastore
from reconciler.core.search import Query
from reconciler.pipeline.edges import Edges


@dataclass(frozen=True, slots=True, repr=False)
class Searched:
    """Summaries and errors by the name of the data store. `is_cut` says that there are more."""

    found: Mapping[str, tuple[Summary, ...]]
    errors: Mapping[str, ServiceError]
    is_cut: bool


def search(datastores: Iterable[Datastore], query: Query, edges: Edges, limit: int) -> Searched:
    """Search every data store, for `limit` image sets in all; the oldest of each come first.

    Where a search fails, what it found before is kept.
    """
    found: dict[str, tuple[Summary, ...]] = {}
    errors: dict[str, ServiceError] = {}
    left, is_cut = limit, False
    for store in datastores:
        rows: list[Summary] = []
        try:
            # One row more than fits shows whether there are more.
            for row in edges.ports(store).search(query.filters):
                if query.holds(row):
                    rows.append(row)
                if len(rows) > left:
                    break
        except ServiceError as error:
            errors[store.name] = error
        found[store.name] = tuple(rows[:left])
        is_cut = is_cut or len(rows) > left
        left -= len(found[store.name])
    return Searched(found, errors, is_cut)
