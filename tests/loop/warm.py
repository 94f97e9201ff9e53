"""Runs `reconcile` in forks of a process that has imported it: the loop calls it hundreds of times.

`python warm.py SOCKET` serves; with more arguments it is the client, which stands for `reconcile`
on PATH. Each call gets the environment, the folder, the streams and the process group of its
client, as a process of its own would have them.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import NoReturn

_MOST_BYTES = 2**20


def call(address: str, arguments: list[str]) -> int:
    """Run `reconcile` with these arguments; return its exit code."""
    request = {
        "arguments": arguments,
        "environment": dict(os.environ),
        "folder": os.getcwd(),  # noqa: PTH109 - pathlib would take longer than the call
        "group": os.getpgid(0),
    }
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        socket.send_fds(connection, [json.dumps(request).encode()], [0, 1, 2])
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(16)
    return int(answer or b"1")


def serve(address: str) -> NoReturn:
    """Answer one call after the other."""
    _imported()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                _answer(connection)


def _imported() -> None:
    """Import what the commands import when they run."""
    import importlib
    import pkgutil

    import reconciler

    for name in ("cli", "pipeline", "render", "apply", "record", "edges", "core", "observe"):
        package = importlib.import_module(f"{reconciler.__name__}.{name}")
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(found.name)


def _answer(connection: socket.socket) -> None:
    from contextlib import suppress

    data, streams, _, _ = socket.recv_fds(connection, _MOST_BYTES, 3)
    while part := connection.recv(_MOST_BYTES):
        data += part
    child = os.fork()
    if child == 0:
        _run(json.loads(data), streams)
    for stream in streams:
        os.close(stream)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    with suppress(BrokenPipeError):  # the client was killed
        connection.sendall(str(code if code >= 0 else 128 - code).encode())


def _run(request: dict[str, object], streams: list[int]) -> NoReturn:
    """Become the process that was asked for."""
    import traceback

    from reconciler.__main__ import main

    code = 1
    try:
        os.setpgid(0, int(str(request["group"])))
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        # New objects: those of the server remember what its own streams can do.
        sys.stdin = os.fdopen(0, closefd=False)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
        os.chdir(str(request["folder"]))
        os.environ.clear()
        os.environ.update(dict(request["environment"]))  # type: ignore[call-overload]
        sys.argv = ["reconcile", *request["arguments"]]  # type: ignore[misc]
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        serve(sys.argv[1])
    sys.exit(call(sys.argv[1], sys.argv[2:]))
