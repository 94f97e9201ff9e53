"""A plan -> records of what is converged. Nothing is sent: the service only answers reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reconciler.apply.reporter import SILENT, Reporter
from reconciler.apply.run import Run
from reconciler.core.model.observed import Properties, SearchPage
from reconciler.core.model.plan import Status, Step
from reconciler.core.model.results import Applied, Planned
from reconciler.core.model.search_filter import Filters
from reconciler.core.model.settings import Datastore, Settings
from reconciler.core.model.value import Document
from reconciler.core.ports import PacedImageSets, Patience
from reconciler.pipeline.apply import apply
from reconciler.pipeline.edges import Edges
from reconciler.pipeline.fleet import Opening
from reconciler.pipeline.scan import Scanning


class ReadOnly(PacedImageSets):
    """The image sets of a data store, without the call that changes them."""

    def __init__(self, port: PacedImageSets) -> None:
        self._port = port

    def get(self, image_set_id: str, version_id: str | None = None) -> Properties:
        """As `ImageSets.get`."""
        return self._port.get(image_set_id, version_id)

    def metadata(self, image_set_id: str, version_id: str) -> Document:
        """As `ImageSets.metadata`."""
        return self._port.metadata(image_set_id, version_id)

    def versions(self, image_set_id: str) -> tuple[Properties, ...]:
        """As `ImageSets.versions`."""
        return self._port.versions(image_set_id)

    def pages(self, filters: Filters = ()) -> Iterator[SearchPage]:
        """As `ImageSets.pages`."""
        return self._port.pages(filters)

    def turn(self, patience: Patience) -> bool:
        """Refuse: there is no turn for an update."""
        raise AssertionError("a command without writes asked for the turn of an update")

    def update(self, step: Step) -> str:
        """Refuse."""
        raise AssertionError("a command without writes was about to send an update")

    def counts(self) -> Mapping[str, int]:
        """As `PacedImageSets.counts`."""
        return self._port.counts()


def read_only(edges: Edges) -> Edges:
    """The same edges, with ports that cannot send an update."""
    ports: dict[str, ReadOnly] = {}

    def port(datastore: Datastore) -> PacedImageSets:
        if datastore.name not in ports:
            ports[datastore.name] = ReadOnly(edges.ports(datastore))
        return ports[datastore.name]

    return replace(edges, ports=port)


def record(
    settings: Settings, opening: Opening, edges: Edges, run: Run, *, reporter: Reporter = SILENT
) -> tuple[Planned, Applied]:
    """Record the image sets that hold what is asked, and versions of interrupted runs.

    Return the whole plan, and what was recorded of it. What is not converged stays as it is
    recorded. The records do not state the commit as applied: changes that its manifests ask for may
    be waiting for their apply. Raises what `plan` raises.
    """
    reading = read_only(edges)
    checked, planned = opening.plan(reading, is_dated=True)
    basis = planned.plan.basis
    seen = tuple(one for one in planned.plan.actions if one.status is Status.CONVERGED)
    part = replace(planned.plan, actions=seen, basis=replace(basis, commit="", is_clean=None))
    scanning = Scanning(checked, planned, is_always=True)
    applied = apply(settings, part, reading, run, reporter=reporter, scanning=scanning)
    return planned, replace(applied, plan=replace(part, basis=basis))
