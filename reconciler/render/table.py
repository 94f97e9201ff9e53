"""Render tables of data stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.core.model.settings import EMULATOR, Datastore
from reconciler.render.style import Look, Style
from reconciler.render.values import pad, width


def table(heads: Sequence[str], lines: Iterable[Sequence[str]], look: Look) -> Iterator[str]:
    """Columns two blanks apart, heads in bold; columns that are empty throughout are left out."""
    cells = [list(line) for line in lines]
    used = [i for i in range(len(heads)) if not cells or any(line[i] for line in cells)]
    widths = {i: max(width(heads[i]), *(width(line[i]) for line in cells), 0) for i in used}
    head = "  ".join(pad(heads[i].upper(), widths[i]) for i in used).rstrip()
    yield look.paint(head, Style.STRONG)
    for line in cells:
        yield "  ".join(pad(line[i], widths[i]) for i in used).rstrip()


def datastore_table(found: Iterable[Datastore], look: Look) -> Iterator[str]:
    """One line per data store."""
    heads = ["name", "data store ID", "region", "account", "endpoint"]
    lines = (
        (store.name, store.datastore_id, store.region, store.account_id, endpoint_of(store))
        for store in found
    )
    return table(heads, lines, look)


def endpoint_of(store: Datastore) -> str:
    """The endpoint of a data store, in words."""
    if store.is_aws:
        return "AWS HealthImaging"
    return "the embedded emulator" if store.endpoint == EMULATOR else store.endpoint
