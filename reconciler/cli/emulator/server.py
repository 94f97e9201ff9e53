"""Run an emulator in the foreground: its messages and its ready file."""

from __future__ import annotations

import ipaddress
import json
import os
import sqlite3
from pathlib import Path

from reconciler.cli import screen, target
from reconciler.cli.emulator.settings import Given
from reconciler.core.errors import ReconcilerError
from reconciler.core.model.file_kind import READY
from reconciler.core.ports import Files
from reconciler.edges import files
from reconciler.emulator.http.access import access
from reconciler.emulator.http.options import Listener
from reconciler.emulator.http.server import Emulator, run
from reconciler.emulator.store.database import StoreError
from reconciler.pipeline.local_files import refuse_tracked

_DATA = "Give another folder with --data."


def serve(data: Path, given: Given, listener: Listener, *, ready_file: Path | None) -> None:
    """Serve until SIGTERM or SIGINT. Raises ReconcilerError if it cannot start."""
    host, port = listener.host, listener.port
    options = given.options()
    _check(listener)
    refuse_tracked(Path.cwd(), data)
    if ready_file:
        _remove_stale(ready_file)

    def on_ready(emulator: Emulator) -> None:
        if ready_file:
            write_ready(ready_file, emulator.endpoint)
        if not _is_loopback(host):
            screen.note(
                f"warning: {host} can be reached from other machines. The emulator checks no "
                "credentials: every client can read and change the data."
            )
        screen.say(_greeting(emulator.endpoint, data))

    try:
        run(data, options, listener, on_ready=on_ready)
    except StoreError as error:
        raise ReconcilerError(f"the data folder cannot be used: {error}", _DATA) from None
    except sqlite3.Error as error:
        raise ReconcilerError(f"the data folder {data} cannot be used: {error}", _DATA) from None
    except OSError as error:
        raise ReconcilerError(
            f"cannot listen on {host}, port {port}: {error.strerror}",
            "Use --port 0 to choose a free port." if port else "",
        ) from None


def _check(listener: Listener) -> None:
    for option, names in (("--host", (listener.host,)), ("--host-name", listener.names)):
        try:
            access(names)
        except ValueError as error:
            raise ReconcilerError(
                f"{option} {str(error)!r} is not a host name or an address",
                "Write the name alone, without http:// and without a port.",
            ) from None
    try:
        access((), listener.origins)
    except ValueError as error:
        raise ReconcilerError(
            f"--allow-origin {str(error)!r} is not an origin of web pages",
            "Write scheme, name and port of the page's address, like http://localhost:3000. "
            "`*` is not possible: every web page could read and change the data.",
        ) from None


def _greeting(endpoint: str, data: Path) -> list[str]:
    return [
        f"HealthImaging emulator: {endpoint}",
        f"data: {data.resolve()}",
        "",
        "AWS clients add `runtime-` to the host name unless this is switched off.",
        "AWS CLI, or boto3 without changes to the program:",
        f"  export AWS_ENDPOINT_URL_MEDICAL_IMAGING={endpoint} AWS_ENDPOINT_URL_STS={endpoint}",
        "  export AWS_DISABLE_HOST_PREFIX_INJECTION=true AWS_DEFAULT_REGION=us-east-1",
        "  export AWS_ACCESS_KEY_ID=emulator AWS_SECRET_ACCESS_KEY=emulator",
        "  aws medical-imaging list-datastores",
        "boto3:",
        f'  boto3.client("medical-imaging", endpoint_url="{endpoint}",',
        "               config=botocore.config.Config(inject_host_prefix=False))",
        "To load image sets:",
        f"  reconcile emulator load --endpoint {endpoint} --datastore {'0' * 32} PATH...",
        "",
        "Stop it with Ctrl-C.",
    ]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _remove_stale(ready_file: Path) -> None:
    """Remove the ready file of an earlier run: it names another endpoint."""
    target.check(ready_file, READY, f"the ready file {ready_file} cannot be written")
    try:
        ready_file.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(ready_file, error) from None


def write_ready(ready_file: Path, endpoint: str, disk: Files = files.REAL) -> None:
    """Write the ready file atomically: programs may read it as soon as it exists."""
    target.check(ready_file, READY, f"the ready file {ready_file} cannot be written")
    text = json.dumps({"endpoint": endpoint, "pid": os.getpid()}) + "\n"
    try:
        files.sweep(ready_file.parent, ready_file.name, files=disk)
        files.replace(ready_file, text.encode(), mode=files.PRIVATE, files=disk)
    except OSError as error:
        raise _unwritable(ready_file, error) from None


def _unwritable(ready_file: Path, error: OSError) -> ReconcilerError:
    return ReconcilerError(f"the ready file {ready_file} cannot be written: {error.strerror}")
