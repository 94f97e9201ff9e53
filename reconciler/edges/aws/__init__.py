"""The image-set port over boto3. The imports are inside: boto3 takes a third of a second."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.core.model.settings import CONCURRENT_UPDATES, Datastore
from reconciler.core.ports import ImageSets


def connect(
    datastore: Datastore,
    *,
    endpoint: str | None = None,
    max_connections: int = CONCURRENT_UPDATES,
    on_throttle: Callable[[str], None] = lambda operation: None,
) -> ImageSets:
    """The image sets of a data store: on AWS, or at a URL (an emulator) if `endpoint` is one.

    Nothing is sent yet. Credentials come from boto3's usual chain, for a URL never: there,
    dummy ones are sent. `on_throttle` hears the operation of every read that was throttled.
    Errors: `CredentialsError` for a profile that cannot be used.
    """
    from reconciler.edges.aws.client import clients
    from reconciler.edges.aws.image_sets import BotoImageSets
    from reconciler.edges.aws.problems import Target, bad_endpoint, translated

    target = Target(datastore.name, datastore.datastore_id, datastore.region, endpoint)
    try:
        with translated("Connect", target):
            reads, writes = clients(datastore.region, endpoint, max_connections, on_throttle)
    except ValueError:  # how botocore says that an endpoint is no URL
        raise bad_endpoint(target) from None
    return BotoImageSets(reads, writes, target)


def caller_account(region: str, endpoint: str | None = None) -> str:
    """The account whose credentials boto3 finds (STS GetCallerIdentity needs no permission).

    At a URL it is the account that the emulator there is.
    """
    from reconciler.edges.aws.client import caller
    from reconciler.edges.aws.problems import Target, translated

    with translated("GetCallerIdentity", Target("", "", region, endpoint)):
        return caller(region, endpoint)
