"""What the last scan of a data store saw, and the inputs for which that is true."""

from __future__ import annotations

from dataclasses import dataclass

# The name of its file in the records of a data store.
SCAN_FILE = "scan.json"


@dataclass(frozen=True, slots=True, order=True)
class ScanBasis:
    """The inputs of a scan. With other inputs, its result says nothing.

    `manifests` is the git tree of the folder of manifests, as the commit holds it. `records` is a
    keyed digest over the record files. `settings` is a digest over reconciler.yaml. `datastores`
    are the IDs of the data stores that manifests named. `tool` is the version of this program, and
    `rules_version` the number of its comparison rules.
    """

    manifests: str
    records: str
    settings: str
    datastores: tuple[str, ...]
    tool: str
    rules_version: int


@dataclass(frozen=True, slots=True, order=True)
class Scan:
    """The result of a scan of one data store.

    `settled` counts the image sets that held what is asked and were recorded so: all that manifests
    ask for, but those of the `residue`. That has each other image set with its status: they are
    read by every plan. `released` are recorded image sets of which no manifest asked anything.
    `recorded` counts the image sets that the records knew. `witness` is one of the settled image
    sets: one GetImageSet shows that a plan reads the same data store.

    `since` is the time of the service when the scan began, less an overlap, and `full_since` that
    of the last scan that would have seen a deletion: whole epoch seconds.
    """

    datastore_id: str
    basis: ScanBasis
    settled: int
    recorded: int
    since: int
    full_since: int
    witness: str
    residue: tuple[tuple[str, str], ...] = ()
    released: tuple[str, ...] = ()
