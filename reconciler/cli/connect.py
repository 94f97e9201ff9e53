"""Settings -> the edges: paced image-set ports and the real clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from reconciler import aws, pace
from reconciler.model.settings import EMULATOR, Datastore, Settings
from reconciler.pipeline import Edges
from reconciler.ports import PacedImageSets


class RealClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@contextmanager
def edges(settings: Settings) -> Iterator[Edges]:
    """The edges of one command. An embedded emulator lives as long as this context."""
    clock = RealClock()
    shared = pace.share(settings.datastores, settings, clock)
    ports: dict[str, PacedImageSets] = {}
    lock = threading.Lock()
    with ExitStack() as stack:

        def port(datastore: Datastore) -> PacedImageSets:
            with lock:
                if datastore.name not in ports:
                    endpoint = _endpoint(settings, datastore, stack)
                    connected = aws.connect(datastore, endpoint=endpoint)
                    ports[datastore.name] = pace.Paced(connected, shared[datastore.name])
                return ports[datastore.name]

        yield Edges(ports=port, clock=clock)


def _endpoint(settings: Settings, datastore: Datastore, stack: ExitStack) -> str | None:
    """The URL that answers; None for AWS. Only here is the embedded emulator started."""
    if datastore.endpoint != EMULATOR:
        return datastore.endpoint or None
    from pathlib import Path

    from reconciler.cli.embedded import embedded

    return stack.enter_context(embedded(Path(settings.root), datastore.datastore_id))
