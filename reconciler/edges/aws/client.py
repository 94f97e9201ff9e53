"""boto3 clients: a client for reads, and a client that sends every request exactly once."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import create_loader

from reconciler.edges.aws.parser import Parsers
from reconciler.edges.aws.watch import take_over_logs, watch
from reconciler.edges.debug_log import Log, silent

CONNECT_SECONDS = 10
READ_SECONDS = 60
READ_ATTEMPTS = 4

_THROTTLED = 429
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def clients(
    region: str,
    endpoint: str | None,
    max_connections: int,
    on_throttle: Callable[[str], None] = lambda operation: None,
    log: Log = silent,
) -> tuple[Any, Any]:
    """Return the client for reads (retried with jitter) and the client for updates (sent once).

    `on_throttle` receives the operation of each throttled read, even if a retry succeeds.

    UpdateImageSetMetadata is not idempotent. After a lost answer, a retry would send a stale
    version, and the 404 would hide that the first request took effect.
    """
    take_over_logs(log)
    session = _session(region, endpoint)
    reads = _client(session, endpoint, max_connections, READ_ATTEMPTS)

    def report(operation: Any, response: Any = None, **_: Any) -> None:
        """Report a throttle. Returning None leaves the decision to botocore's own handler."""
        if response is not None and response[0].status_code == _THROTTLED:
            on_throttle(operation.name)

    reads.meta.events.register("needs-retry.medical-imaging", report)
    writes = _client(session, endpoint, max_connections, 1)
    for client in (reads, writes):
        watch(client, log)
    return reads, writes


def caller(region: str, endpoint: str | None, log: Log = silent) -> str:
    """Return the account of GetCallerIdentity."""
    take_over_logs(log)
    config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS)
    if endpoint:
        config = config.merge(_for_endpoint(endpoint))
    sts = _session(region, endpoint).client("sts", endpoint_url=endpoint, config=config)
    watch(sts, log)
    return str(sts.get_caller_identity()["Account"])


def _client(session: Any, endpoint: str | None, max_connections: int, attempts: int) -> Any:
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=max_connections,
    )
    if endpoint:
        config = config.merge(_for_endpoint(endpoint))
    return session.client("medical-imaging", endpoint_url=endpoint, config=config)


def _for_endpoint(endpoint: str) -> Any:
    """Return the settings for a custom endpoint: no `runtime-` host prefix, no proxy for loopback.

    Raises ValueError for an invalid port, which botocore would report only at the first call.
    """
    host, _port = urlsplit(endpoint).hostname, urlsplit(endpoint).port
    if host in _LOOPBACK:
        return Config(inject_host_prefix=False, proxies={})
    return Config(inject_host_prefix=False)


def _session(region: str, endpoint: str | None) -> Any:
    if not endpoint:
        return boto3.session.Session(botocore_session=_core(None), region_name=region)
    # An emulator never gets the user's profile (which may not exist) or keys.
    nothing = (None, None, os.devnull, None)
    core = _core(
        {
            "profile": (None, None, None, None),
            "config_file": nothing,
            "credentials_file": nothing,
        }
    )
    return boto3.session.Session(
        botocore_session=core,
        aws_access_key_id="emulator",
        aws_secret_access_key="emulator",  # noqa: S106 - a dummy on purpose
        region_name=region,
    )


def _core(variables: dict[str, Any] | None) -> Any:
    """Create a session that shares the parsed models of botocore (parsing takes 0.25 s).

    Its clients parse answers with `Parsers`.
    """
    core = botocore.session.Session(session_vars=variables)
    core.register_component("data_loader", _loader())
    core.register_component("response_parser_factory", Parsers())
    return core


@cache
def _loader() -> Any:
    return create_loader(os.environ.get("AWS_DATA_PATH"))
