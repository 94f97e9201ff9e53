"""Searches for the image sets that selectors select. One filter of each goes to the service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from reconciler.core.ask.selection import (
    MOST_ROWS,
    Chosen,
    Kept,
    Rows,
    choose,
    kept_of,
    most_of,
)
from reconciler.core.errors import ServiceError
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.key import Key
from reconciler.core.model.record import Entry
from reconciler.core.model.results import Checked
from reconciler.core.model.selector import Selector
from reconciler.core.model.settings import Datastore
from reconciler.core.ports import ImageSets
from reconciler.core.review.phrases import plural
from reconciler.core.search.selection import query_of

_WORKERS = 8


@dataclass(frozen=True, slots=True)
class Memory:
    """What the repository knows of its data stores: records by data store, attempts, the key."""

    entries: Mapping[str, Mapping[str, Entry]]
    attempts: Sequence[Attempt]
    key: Key | None


def select(
    checked: Checked,
    datastores: Iterable[Datastore],
    ports: Mapping[str, ImageSets],
    memory: Memory,
) -> tuple[Chosen, ...]:
    """Search for what the selectors of some data stores select, side by side.

    A search that fails leaves its own selector out. It never stops the others.
    """
    work = [
        (one, datastore, kept[one.name])
        for datastore in datastores
        if (mine := [one for one in checked.selectors if one.datastore == datastore.name])
        for kept in [_kept(mine, datastore, memory)]
        for one in mine
    ]
    if not work:
        return ()
    with ThreadPoolExecutor(_WORKERS) as pool:
        rows = pool.map(lambda item: rows_of(ports[item[1].name], item[0], item[2]), work)
        return tuple(
            choose(one, datastore, found, kept)
            for (one, datastore, kept), found in zip(work, rows, strict=True)
        )


def _kept(
    selectors: Sequence[Selector], datastore: Datastore, memory: Memory
) -> Mapping[str, Kept]:
    entries = memory.entries[datastore.name]
    return kept_of(selectors, datastore, entries, memory.attempts, memory.key)


def rows_of(port: ImageSets, selector: Selector, kept: Kept, *, most_rows: int = MOST_ROWS) -> Rows:
    """Search until it is clear what the selector selects, or that it selects too much.

    `most_rows` also ends a search that never ends, as of a service that repeats its pages.
    """
    query = query_of(selector.select, selector.where)
    found: set[str] = set()
    most, read, new = most_of(selector) - len(kept.staying), 0, 0
    try:
        for row in port.search(query.filters):
            if read == most_rows:
                return Rows(
                    frozenset(found),
                    f"its search has read {most_rows:,} image sets, and there are more",
                    "Add a line to `select` that leaves fewer, such as PatientID or createdAt.",
                )
            read += 1
            if row.image_set_id not in found and query.holds(row):
                found.add(row.image_set_id)
                new += row.image_set_id not in kept.staying
            if new > most:
                break
    except ServiceError as error:
        problem = f"its search failed after {plural(read, 'image set')}: {error.message}"
        return Rows(frozenset(found), problem, error.hint)
    return Rows(frozenset(found))
