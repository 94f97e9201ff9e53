"""Connect a command to the outside world: image-set ports within the quotas, and the clock."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from pathlib import Path

from reconciler.cli import debug, screen
from reconciler.cli.clock import clock
from reconciler.core.errors import CredentialsError
from reconciler.core.model.settings import EMULATOR, Datastore, Settings
from reconciler.core.ports import PacedImageSets
from reconciler.edges import aws, ci, quotas
from reconciler.pipeline import Edges
from reconciler.pipeline.local_files import tracked_files, warning


@contextmanager
def edges(settings: Settings) -> Iterator[Edges]:
    """The edges of one command. An embedded emulator lives as long as this context."""
    screen.note(*filter(None, [warning(tracked_files(Path(settings.root)))]))
    timer = clock()
    shared = quotas.share(settings, timer)
    lock = threading.Lock()
    with ExitStack() as stack:

        @cache
        def emulator() -> str:
            return stack.enter_context(_emulator(settings))

        @cache
        def connected(datastore: Datastore) -> PacedImageSets:
            embedded = datastore.endpoint == EMULATOR
            endpoint = emulator() if embedded else datastore.endpoint or None
            debug.connecting(datastore)
            _check_caller(datastore, endpoint)
            buckets = shared[datastore.name]
            calls = aws.connect(
                datastore, endpoint=endpoint, on_throttle=buckets.throttled, log=debug.log()
            )
            return quotas.Paced(calls, buckets)

        def port(datastore: Datastore) -> PacedImageSets:
            with lock:
                return connected(datastore)

        yield Edges(ports=port, clock=timer, run_id=ci.job().run or secrets.token_hex(8))


def _check_caller(datastore: Datastore, endpoint: str | None) -> None:
    """Raise CredentialsError if the credentials belong to another account than `accountId`.

    An `endpoint` URL is checked too: there the emulator answers with its own account.
    """
    if not datastore.account_id:
        return
    caller = aws.caller_account(datastore, endpoint=endpoint, log=debug.log())
    if caller != datastore.account_id:
        where = (
            f"{endpoint} answers as account" if endpoint else "the credentials belong to account"
        )
        raise CredentialsError(
            f"data store {datastore.name} belongs to account {datastore.account_id}, "
            f"but {where} {caller}: nothing was read",
            "Use other credentials (AWS_PROFILE), or correct `accountId` in reconciler.yaml.",
        )


def _emulator(settings: Settings) -> AbstractContextManager[str]:
    """One emulator for all data stores with `endpoint: emulator`, started on first use."""
    from reconciler.cli.embedded import embedded

    ids = [store.datastore_id for store in settings.datastores if store.endpoint == EMULATOR]
    return embedded(Path(settings.root), *ids)
