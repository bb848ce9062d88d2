"""A small HTTP server on this machine, for the simulators of systems that are reached by HTTP.

It knows no system: a simulator gives it one function from what was asked to what is replied. It
misbehaves on request, as a real server would on a bad day.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, unquote, urlsplit

HOST = "127.0.0.1"
BODY_LIMIT = 32 << 20
"""The most bytes of a request."""
_IDLE_SECONDS = 60

MakeContext = Callable[[], ssl.SSLContext]


class Asked(NamedTuple):
    """A request: ``path`` without its slash at the beginning; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What is replied to a request."""

    status: int
    content: bytes = b""
    content_type: str = "application/octet-stream"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Manners:
    """How a server behaves badly; may be changed while it runs.

    ``down`` replies 503 to everything. ``slow_seconds`` passes before each reply. Of so many next
    replies with a body, ``truncated`` has the connection cut off in their midst, and
    ``wrongly_encoded`` has their text in cp932 instead of UTF-8.
    """

    down: bool = False
    slow_seconds: float = 0.0
    truncated: int = 0
    wrongly_encoded: int = 0


class Serving:
    """A server in a thread of its own, from ``start`` to ``stop``; a context manager too.

    ``port`` 0 takes a free one; ``url`` is the base address. A server that was stopped refuses
    connections, and may be started again on the same port. With ``context``, asked for each
    connection, it speaks TLS, to clients with a certificate alone where that wants one.
    """

    def __init__(
        self,
        handle: Callable[[Asked], Reply],
        port: int = 0,
        manners: Manners | None = None,
        context: MakeContext | None = None,
    ) -> None:
        self.manners = manners or Manners()
        self._context = context
        self._handle = handle
        self._port = port
        self._server: _Server | None = None
        self._thread = threading.Thread()

    @property
    def url(self) -> str:
        """The base address, without a slash at its end."""
        scheme = "http" if self._context is None else "https"
        return f"{scheme}://{HOST}:{self._port}"

    def start(self) -> Self:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        server = self._server = _Server(
            (HOST, self._port), self._handle, self.manners, self._context
        )
        self._port = server.server_port
        self._thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close it and all its connections; one that is not running stays so."""
        if self._server is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()
        self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    """Keeps what its handlers need, and the connections that are open."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(
        self,
        address: tuple[str, int],
        handle: Callable[[Asked], Reply],
        manners: Manners,
        context: MakeContext | None,
    ) -> None:
        super().__init__(address, _Handler)
        self.handle = handle
        self._context = context
        self.manners = manners
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self._connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as it is
        with self.lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as it is
        """Shake hands, where there is TLS, in the thread of the connection, and answer."""
        if self._context is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(_IDLE_SECONDS)
        with self._context().wrap_socket(request, server_side=True) as spoken:
            with self.lock:
                self._connections.add(spoken)
            try:
                super().finish_request(spoken, client_address)
            finally:
                with self.lock:
                    self._connections.discard(spoken)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as it is
        with self.lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as it is
        """Say nothing of a client that has gone, and of its request."""

    def hang_up(self) -> None:
        self.closing.set()
        with self.lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    wbufsize = -1  # one packet a reply

    def __init__(self, request: Any, client_address: Any, server: BaseServer) -> None:  # noqa: ANN401
        assert isinstance(server, _Server)  # noqa: S101 - it is made by one only
        self._serving = server
        super().__init__(request, client_address, server)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has
        """Say nothing: what is asked may name a person."""

    def _any(self) -> None:
        size = self.headers.get("Content-Length", "0")
        if not size.isdecimal() or int(size) > BODY_LIMIT:
            self.close_connection = True
            self._send(Reply(413))
            return
        content = self.rfile.read(int(size))
        manners = self._serving.manners
        if manners.slow_seconds:
            self._serving.closing.wait(manners.slow_seconds)
        self._send(Reply(503) if manners.down else self._replied(content))

    def _replied(self, content: bytes) -> Reply:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        path = unquote(url.path).removeprefix("/")
        return self._serving.handle(Asked(self.command, path, query, headers, content))

    def _send(self, reply: Reply) -> None:
        content, cut = self._spoiled(reply.content)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:cut])
        self.wfile.flush()

    def _spoiled(self, content: bytes) -> tuple[bytes, int]:
        """Give what is to be sent, and how many bytes of it are."""
        manners = self._serving.manners
        with self._serving.lock:
            if content and manners.wrongly_encoded > 0:
                manners.wrongly_encoded -= 1
                content = content.decode(errors="replace").encode("cp932", errors="replace")
            cut = len(content)
            if content and manners.truncated > 0:
                manners.truncated -= 1
                cut //= 2
                self.close_connection = True
        return content, cut

    do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815 - names of the standard library
