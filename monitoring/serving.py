"""The HTTP server under a process's endpoint: few threads, little time, TLS off this machine.

Nobody can keep it busy: a connection has so many seconds in all, whatever it sends meanwhile, and
so many have a thread at once. Others wait in the kernel's queue.
"""

import contextlib
import logging
import socket
import ssl
import sys
import time
from collections.abc import Callable
from socketserver import TCPServer, ThreadingMixIn
from threading import BoundedSemaphore, Lock
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from hub.errors import SiteError

log = logging.getLogger(__name__)

THREADS = 16
SECONDS = 10.0
"""How long one connection may take, with its handshake."""
_STEP = 0.05


class EndpointServer(ThreadingMixIn, WSGIServer):
    """Answers each connection in a thread of its own; ``context`` gives TLS for each of them."""

    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        context: Callable[[], ssl.SSLContext] | None = None,
        seconds: float = SECONDS,
    ) -> None:
        """Listen.

        Raises:
            OSError: the address cannot be had.
        """
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._context = context
        self._seconds = seconds
        self._places = BoundedSemaphore(THREADS)
        self._lock = Lock()
        self._ends: dict[socket.socket, float] = {}
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind, without the parent's question to the name service."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def service_actions(self) -> None:
        """End what has taken too long; called again and again by ``serve_forever``."""
        now = time.monotonic()
        with self._lock:
            late = [one for one, end in self._ends.items() if end < now]
        for one in late:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(one, socket.SHUT_RDWR)  # wakes its thread, which closes it

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as it is
        """Give a connection a thread, once one is free."""
        while not self._places.acquire(timeout=_STEP):
            self.service_actions()
        with self._lock:
            self._ends[request] = time.monotonic() + self._seconds
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread can be had
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Shake hands and answer, in the thread of the connection."""
        spoken: socket.socket | None = request
        try:
            request.settimeout(self._seconds)
            spoken = self._secured(request)
            if spoken is not None:
                super().process_request_thread(spoken, client_address)
        finally:
            with self._lock:
                self._ends.pop(request, None)
                self._ends.pop(spoken or request, None)
            self._places.release()

    def _secured(self, request: socket.socket) -> socket.socket | None:
        """Shake hands; nothing of a client without a certificate that is good, which is closed."""
        if self._context is None:
            return request
        try:
            spoken = self._context().wrap_socket(
                request, server_side=True, do_handshake_on_connect=False
            )
        except (SiteError, OSError) as error:
            log.warning("the endpoint cannot speak TLS: %s", error)
            self.shutdown_request(request)
            return None
        with self._lock:
            self._ends[spoken] = self._ends.pop(request)
        try:
            spoken.do_handshake()
        except (OSError, ValueError) as error:  # the latter once it was ended meanwhile
            log.debug("a client of the endpoint was refused: %s", error)
            self.shutdown_request(spoken)
            return None
        return spoken

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002
        """Say little of a client that has gone, or was ended."""
        log.debug("a client of the endpoint has gone: %s", sys.exc_info()[1])


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Log no request: a scrape comes every few seconds."""
