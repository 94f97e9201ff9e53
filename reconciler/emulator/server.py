"""The HTTP server: stdlib, one thread per connection, loopback unless told otherwise."""

from __future__ import annotations

import re
import signal
import socket
import struct
import sys
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from socketserver import TCPServer
from types import TracebackType
from typing import Any, Self

from reconciler.emulator.answers import answer, report
from reconciler.emulator.behaviours import Behaviours
from reconciler.emulator.dispatch import ConnectionReset, Dispatcher
from reconciler.emulator.errors import ApiError, invalid
from reconciler.emulator.faults import FaultSet
from reconciler.emulator.protocol import Request, Response, medical_imaging
from reconciler.emulator.quotas import OFF, Limits
from reconciler.emulator.service import UPDATE_SECONDS, Service

HOST = "127.0.0.1"
# The quota of one image set's metadata is 50 MB, and a document may be loaded over HTTP.
_MOST_BODY_BYTES = 64 * 2**20
# What is passed over of a larger one, and how long the next part of it may take.
_MOST_REST_BYTES = 2**30
_REST_SECONDS = 5.0
_PART_BYTES = 2**20
# SO_LINGER with no time to linger: closing sends a reset and drops what is still to be sent.
_RESET = struct.pack("ii", 1, 0)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "HealthImagingEmulator"
    sys_version = ""
    wbufsize = 65_536
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        try:
            body = self._body()
        except ApiError as error:
            self.close_connection = True  # what follows in the stream is not a request
            self._send(self.server.protocol.serialize_error(error))
            self._pass_over_the_rest()
            return
        if body is not None:
            request = Request(self.command, self.path, body)
            try:
                response = answer(self.server.protocol, self.server.dispatcher, request)
            except ConnectionReset:
                self.close_connection = True
                self.server.reset(self.connection)
            else:
                self._send(response)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _handle

    def _body(self) -> bytes | None:
        """The request's body; None where the client went away before its end."""
        if "Transfer-Encoding" in self.headers:
            raise invalid("Transfer-Encoding is not supported, send Content-Length.")
        text = self.headers.get("Content-Length", "0")
        if not re.fullmatch(r"[0-9]{1,12}", text):
            raise invalid("Content-Length is not a number.")
        length = int(text)
        if length > _MOST_BODY_BYTES:
            raise invalid("The request body is too large.")
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return None
        return body

    def _pass_over_the_rest(self) -> None:
        """Of what is not read. A client that is still sending would not see its answer else."""
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(_REST_SECONDS)
        left = _MOST_REST_BYTES
        while left > 0 and (part := self.rfile.read1(_PART_BYTES)):
            left -= len(part)

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a request line holds identifiers."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, host: str, port: int, dispatcher: Dispatcher) -> None:
        self.protocol = medical_imaging()
        self.dispatcher = dispatcher
        self._connections: set[socket.socket] = set()
        self._resetting: set[socket.socket] = set()
        self._change = threading.Condition()
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer's own asks the resolver for this host's name, which may take seconds.
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._change:
            self._connections.add(request)
        super().process_request(request, client_address)

    def reset(self, connection: socket.socket) -> None:
        """The client sees a connection reset once the handler of this connection is done."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        with self._change:
            self._resetting.add(connection)

    def shutdown_request(self, request: Any) -> None:
        if request in self._resetting:
            self.close_request(request)  # a shutdown would send an orderly end first
        else:
            super().shutdown_request(request)
        with self._change:
            self._resetting.discard(request)
            self._connections.discard(request)
            self._change.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            report(error)

    def drain(self, seconds: float) -> None:
        """Idle connections end now, a request under way is answered first."""
        with self._change:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)
            self._change.wait_for(lambda: not self._connections, seconds)


class Emulator:
    """A running server over a data folder. Use it as a context manager, or call `close`.

    `port` 0 takes a free one; `endpoint` tells the URL. OSError where the address is taken,
    StoreError where the folder cannot be used.
    """

    def __init__(
        self,
        data: Path,
        *,
        host: str = HOST,
        port: int = 0,
        update_seconds: float = UPDATE_SECONDS,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        behaviours: Behaviours | None = None,
        s3_root: Path | None = None,
        limits: Limits = OFF,
        faults: FaultSet | None = None,
    ) -> None:
        self.service = Service(
            data, update_seconds=update_seconds, now=now, behaviours=behaviours, s3_root=s3_root
        )
        dispatcher = Dispatcher(self.service, now=now, sleep=sleep, limits=limits, faults=faults)
        try:
            self._server = _Server(host, port, dispatcher)
        except BaseException:
            self.service.close()
            raise
        shown = f"[{host}]" if ":" in host else host
        self.endpoint = f"http://{shown}:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening, answer what is under way, close the data folder."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server.drain(seconds=5.0)
        self.service.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def run(data: Path, *, on_ready: Callable[[Emulator], None], **options: Any) -> None:
    """Serve until SIGTERM or SIGINT, then stop cleanly. Call it on the main thread.

    `options` are those of `Emulator`. `on_ready` is called once, when the server answers.
    """
    # Not an Event: a signal that comes while it begins to wait would wait for that, forever.
    stop: SimpleQueue[None] = SimpleQueue()
    before = {
        number: signal.signal(number, lambda *_: stop.put(None))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        with Emulator(data, **options) as emulator:
            on_ready(emulator)
            stop.get()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
