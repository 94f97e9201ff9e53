"""The HTTP server: standard library, one thread per connection, loopback by default.

The number of connections is limited. Beyond the limit, the server closes the connection that has
been idle longest. While no connection is idle, new connections wait in the queue of the listening
socket, where no client sees an error.
"""

from __future__ import annotations

import io
import signal
import socket
import struct
import sys
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from socketserver import TCPServer
from types import TracebackType
from typing import Any, Self

from reconciler.emulator.http.access import Access, access
from reconciler.emulator.http.answers import answer, report
from reconciler.emulator.http.bodies import CutOffError, read_body
from reconciler.emulator.http.connection import Bounds, Incoming, Outgoing
from reconciler.emulator.http.cross_origin import is_preflight, permission, visible
from reconciler.emulator.http.dispatch import ConnectionReset, Dispatcher
from reconciler.emulator.http.options import DEFAULTS, LOOPBACK, Listener, Options
from reconciler.emulator.operations.service import Service
from reconciler.emulator.wire.errors import ApiError
from reconciler.emulator.wire.protocol import Request, Response, medical_imaging

# How much of a body that is refused is read and dropped.
_MOST_REST_BYTES = 2**30
_PART_BYTES = 2**20
_WRITE_BYTES = 65_536
_POLL_SECONDS = 0.05
# How long to wait for one idle connection to end before ending the next.
_END_SECONDS = 1.0
# SO_LINGER with zero seconds: closing sends a reset and drops unsent data.
_RESET = struct.pack("ii", 1, 0)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "HealthImagingEmulator"
    sys_version = ""

    def setup(self) -> None:
        """Set up the streams as StreamRequestHandler does, within the bounds."""
        self.connection = self.request
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self._incoming = Incoming(self.connection, self.server.bounds)
        self.rfile = self._reader = io.BufferedReader(self._incoming)
        outgoing: io.RawIOBase = Outgoing(self.connection, self.server.bounds)
        self.wfile = io.BufferedWriter(outgoing, _WRITE_BYTES)

    def handle_one_request(self) -> None:
        """Wait for the first byte of a request: until then the connection is idle."""
        self._incoming.await_request()
        try:
            begun = self._reader.peek(1)
        except TimeoutError:
            begun = b""
        self.server.busy(self.connection)
        if begun:
            self._incoming.await_head()
            super().handle_one_request()
        else:
            self.close_connection = True

    def handle_expect_100(self) -> bool:
        """Ask for the body at once, unless the request is refused without it."""
        with suppress(ApiError):
            self._check_access()
            super().handle_expect_100()
            self.wfile.flush()
        return True

    def _check_access(self) -> None:
        self._page_origin = ""
        address, port = self.connection.getsockname()[:2]
        self._page_origin = self.server.access.check(self.headers, address, port)

    def _handle(self) -> None:
        try:
            self._check_access()
            body = self._body()
        except CutOffError:
            self.close_connection = True
        except ApiError as error:
            self.close_connection = True  # what follows in the stream is not a request
            self._send(self.server.protocol.serialize_error(error))
            self._pass_over_the_rest()
        else:
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        if self._page_origin and is_preflight(self.command, self.headers):
            self._send(permission(self.headers))
            return
        accept = ",".join(self.headers.get_all("Accept", ()))
        request = Request(self.command, self.path, body, accept)
        try:
            response = answer(self.server.protocol, self.server.dispatcher, request)
        except ConnectionReset:
            self.close_connection = True
            self.server.reset(self.connection)
        else:
            self._send(response)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _handle

    def _body(self) -> bytes:
        self._incoming.await_body()
        return read_body(self.headers, self.request_version, self._reader, self._incoming.got)

    def _pass_over_the_rest(self) -> None:
        """Read and drop the rest of a request.

        A client that is still sending would not see its answer otherwise.
        """
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        self._incoming.await_body()
        left = _MOST_REST_BYTES
        while left > 0 and (part := self.rfile.read1(_PART_BYTES)):
            self._incoming.got(len(part))
            left -= len(part)

    def _send(self, response: Response) -> None:
        # Before the client has its answer: the client that got its answer first has been idle
        # longest.
        self.server.idle(self.connection)
        self.send_response(response.status)
        headers = response.headers | visible(self._page_origin)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header, by the clock of the emulator: its updatedAt is by this clock, too."""
        return super().date_time_string(self.server.now() if timestamp is None else timestamp)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: a request line holds identifiers."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(
        self,
        address: tuple[str, int],
        dispatcher: Dispatcher,
        access: Access,
        bounds: Bounds,
        now: Callable[[], float],
    ) -> None:
        self.protocol = medical_imaging()
        self.dispatcher = dispatcher
        self.access = access
        self.bounds = bounds
        self.now = now
        self.connections: set[socket.socket] = set()
        # Connections without a request, the longest idle first.
        self._idle: dict[socket.socket, None] = {}
        self._ending: set[socket.socket] = set()
        self._last_end = 0.0
        self._resetting: set[socket.socket] = set()
        self._change = threading.Condition()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # The method of HTTPServer asks the resolver for the name of this host, which may take
        # seconds.
        TCPServer.server_bind(self)

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next connection. Raises OSError while there is no room for it, so that it waits."""
        if not self._has_room():
            raise BlockingIOError("all connections are busy")
        return super().get_request()

    def _has_room(self) -> bool:
        """Whether one more connection is within the limit. Ends an idle connection to make room."""
        most, now = self.bounds.connections, self.bounds.clock()
        with self._change:
            is_one_ending = self._ending and now < self._last_end + _END_SECONDS
            if len(self.connections) >= most and self._idle and not is_one_ending:
                self._end(next(iter(self._idle)))
                self._last_end = now
            return self._change.wait_for(lambda: len(self.connections) < most, _POLL_SECONDS)

    def _end(self, connection: socket.socket) -> None:
        """End a connection. What the client has sent already is read and answered first."""
        self._idle.pop(connection, None)
        self._ending.add(connection)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RD)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._change:
            self.connections.add(request)
            self._idle[request] = None
        super().process_request(request, client_address)

    def idle(self, connection: socket.socket) -> None:
        """Mark the connection as idle. An answer may still be under way."""
        with self._change:
            if connection not in self._ending:
                self._idle[connection] = None
                self._change.notify_all()

    def busy(self, connection: socket.socket) -> None:
        """Mark the connection as busy with a request."""
        with self._change:
            self._idle.pop(connection, None)

    def reset(self, connection: socket.socket) -> None:
        """Reset the connection once its handler is done."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        with self._change:
            self._resetting.add(connection)

    def shutdown_request(self, request: Any) -> None:
        if request in self._resetting:
            self.close_request(request)  # a shutdown would close the connection in order first
        else:
            super().shutdown_request(request)
        with self._change:
            self._resetting.discard(request)
            self._ending.discard(request)
            self._idle.pop(request, None)
            self.connections.discard(request)
            self._change.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report errors, except that a client closed its connection."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            report(error)

    def drain(self, seconds: float) -> None:
        """End idle connections now, and the others once their request is answered."""
        with self._change:
            for connection in self.connections:
                self._end(connection)
            self._change.wait_for(lambda: not self.connections, seconds)


class Emulator:
    """A running server over a data folder. Use it as a context manager, or call `close`.

    `endpoint` is its URL. Raises OSError where the address is taken, StoreError where the folder
    cannot be used, and ValueError for a name or an origin of `listener` that is not one.
    """

    def __init__(
        self, data: Path, options: Options = DEFAULTS, listener: Listener = LOOPBACK
    ) -> None:
        host, now = listener.host, options.now
        answered = access((host, *listener.names), listener.origins)
        self.service = Service(
            data,
            update_seconds=options.update_seconds,
            now=now,
            behaviours=options.behaviours,
            s3_root=options.s3_root,
        )
        dispatcher = Dispatcher(
            self.service, now=now, sleep=options.sleep, limits=options.limits, faults=options.faults
        )
        try:
            self._server = _Server(
                (host, listener.port), dispatcher, answered, listener.bounds, now
            )
        except BaseException:
            self.service.close()
            raise
        shown = f"[{host}]" if ":" in host else host
        self.endpoint = f"http://{shown}:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": _POLL_SECONDS}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening, answer requests under way, close the data folder."""
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


def run(
    data: Path,
    options: Options = DEFAULTS,
    listener: Listener = LOOPBACK,
    *,
    on_ready: Callable[[Emulator], None],
) -> None:
    """Serve until SIGTERM or SIGINT, then stop cleanly. Call it on the main thread.

    `on_ready` is called once, when the server answers. Raises what `Emulator` raises.
    """
    # Not an Event: a signal that arrives just as the wait begins would be lost, and the wait would
    # last forever.
    stop: SimpleQueue[None] = SimpleQueue()
    before = {
        number: signal.signal(number, lambda *_: stop.put(None))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        with Emulator(data, options, listener) as emulator:
            on_ready(emulator)
            stop.get()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
