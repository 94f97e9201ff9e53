"""Synthetic image sets put into a running emulator, chunk by chunk."""

from __future__ import annotations

import sys

from reconciler.cli import screen
from reconciler.cli.emulator import client
from reconciler.core.errors import EXIT_OK

_CHUNK = 1000


def run(endpoint: str, datastore_id: str, seeding: dict[str, int]) -> int:
    """All of them. What a run that was stopped had loaded is there, and is passed over."""
    loader = client.connect(endpoint, datastore_id)
    wanted, loaded = seeding["imageSets"], 0
    watched = sys.stderr.isatty()
    for first in range(0, wanted, _CHUNK):
        loaded += loader.seed({**seeding, "first": first, "count": _CHUNK})
        if watched:
            sys.stderr.write(f"\r{min(first + _CHUNK, wanted)} of {wanted}")
            sys.stderr.flush()
    if watched:
        sys.stderr.write("\n")
    screen.say([f"{loaded} image sets loaded, {wanted - loaded} were there already"])
    return EXIT_OK
