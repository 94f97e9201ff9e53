"""Fill a running emulator with synthetic image sets, chunk by chunk."""

from __future__ import annotations

from reconciler.cli import screen
from reconciler.cli.emulator import client
from reconciler.core.errors import EXIT_OK

_CHUNK = 1000


def run(endpoint: str, datastore_id: str, seeding: dict[str, int]) -> int:
    """Create all image sets; skip those that exist, for example from an interrupted run."""
    loader = client.connect(endpoint, datastore_id)
    wanted, loaded = seeding["imageSets"], 0
    is_terminal = screen.shows_progress()
    for first in range(0, wanted, _CHUNK):
        loaded += loader.seed({**seeding, "first": first, "count": _CHUNK})
        if is_terminal:
            screen.rewrite(f"{min(first + _CHUNK, wanted)} of {wanted}")
    if is_terminal:
        screen.note("")
    screen.say([f"{loaded} image sets created, {wanted - loaded} existed already"])
    return EXIT_OK
