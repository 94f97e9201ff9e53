"""Entries of records, as tests put them there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from reconciler.core.model.record import Entry, Evidence
from reconciler.edges import records


def always(entry: Entry) -> records.Amendment:
    """An amendment that makes an entry be this one."""
    return lambda _: entry


def put(root: Path, entries: Iterable[Entry]) -> tuple[Path, ...]:
    """Write entries, regardless of what is there; return the files that changed."""
    changed: list[Path] = []
    for entry in entries:
        amendments = {entry.image_set_id: [always(entry)]}
        changed += records.write(root, entry.datastore_id, amendments)
    return tuple(sorted(set(changed)))


def evidence(entry: Entry, ask_digest: str) -> Evidence:
    """What a run found that saw an ask converged at the version of an entry."""
    return Evidence(
        entry.datastore_id,
        entry.image_set_id,
        entry.version_id,
        entry.previous_version_id,
        entry.updated_at,
        ask_digest=ask_digest,
    )
