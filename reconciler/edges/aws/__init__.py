"""Connects to the image sets of a data store over boto3, which is imported only when needed."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.core.model.settings import CONCURRENT_UPDATES, Datastore
from reconciler.core.ports import ImageSets
from reconciler.edges.debug_log import Log, silent


def connect(
    datastore: Datastore,
    *,
    endpoint: str | None = None,
    max_connections: int = CONCURRENT_UPDATES,
    on_throttle: Callable[[str], None] = lambda operation: None,
    log: Log = silent,
) -> ImageSets:
    """Return the image sets of a data store on AWS, or at the URL `endpoint` of an emulator.

    Nothing is sent yet. For AWS, the credentials come from boto3's usual chain. For a URL, dummy
    credentials are used. `on_throttle` receives the operation of every throttled read, `log` each
    HTTP request. Raises `CredentialsError` for a profile that cannot be used.
    """
    from reconciler.edges.aws.client import clients
    from reconciler.edges.aws.image_sets import BotoImageSets
    from reconciler.edges.aws.problems import Target, checked_endpoint, translated

    target = Target(datastore.name, datastore.datastore_id, datastore.region, endpoint)
    with checked_endpoint(target), translated("Connect", target):
        reads, writes = clients(datastore.region, endpoint, max_connections, on_throttle, log)
    return BotoImageSets(reads, writes, target)


def caller_account(datastore: Datastore, *, endpoint: str | None = None, log: Log = silent) -> str:
    """Return the account of the credentials (STS GetCallerIdentity needs no permission).

    For a URL it is the account of the emulator. Raises `ServiceError` if STS cannot be asked.
    """
    from reconciler.edges.aws.client import caller
    from reconciler.edges.aws.problems import Target, checked_endpoint, translated

    target = Target(datastore.name, "", datastore.region, endpoint)
    with checked_endpoint(target), translated("GetCallerIdentity", target):
        return caller(datastore.region, endpoint, log)
