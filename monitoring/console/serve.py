"""Answers browsers: uvicorn in a thread, over TLS, with little time and room for each.

A renewed certificate counts at the next handshake. Who sends slowly, or only holds a connection,
is cut off.
"""

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from hub.errors import SiteError
from hub.tls import MakeContext

log = logging.getLogger(__name__)

CONNECTIONS = 64
HEAD_BYTES = 16_384
SECONDS = 10.0
"""So long a handshake may take, and then a request's head."""
SOCKETS = 2 * CONNECTIONS
"""So many connections there are, with those whose handshake has not ended."""
KEEP_ALIVE_SECONDS = 5
STOP_SECONDS = 3
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 10\r\nconnection: close\r\n\r\n"
    b"too large\n"
)
_BEGIN_SECONDS = 10.0
_STEP = 0.02


class _Hurried(H11Protocol):
    """A connection on which a request has to be there soon."""

    _watch: asyncio.TimerHandle | None = None
    _was_full = False

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - as the parent has it
        super().connection_made(transport)
        self._look_again()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Say of a head that came in pieces what is said of one that came whole (RFC 6585, 5)."""
        if self._is_idle and len(self.conn.trailing_data[0]) > HEAD_BYTES:
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        else:
            super().send_400_response(msg)

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _look_again(self) -> None:
        self._watch = self.loop.call_later(SECONDS, self._look, self.cycle)

    def _look(self, before: object) -> None:
        is_full = self.flow.write_paused  # who asks and does not take the answer holds a place
        if (self._is_idle and self.cycle is before) or (is_full and self._was_full):
            self.transport.abort()
            return
        self._was_full = is_full
        self._look_again()


class _Bounded(socket.socket):
    """Listens, and hangs up at once where there are too many already: each one costs a descriptor.

    The limit of uvicorn counts those alone whose handshake is over.
    """

    def __init__(self, listening: socket.socket) -> None:
        family, kind, proto = listening.family, listening.type, listening.proto
        super().__init__(family, kind, proto, fileno=listening.detach())
        self._taken: WeakSet[socket.socket] = WeakSet()

    def accept(self) -> tuple[socket.socket, Any]:
        taken, address = super().accept()
        self._taken = WeakSet(one for one in self._taken if one.fileno() >= 0)
        if len(self._taken) >= SOCKETS:
            taken.close()
            raise ConnectionAbortedError
        self._taken.add(taken)
        return taken, address


class HurriedLoop(asyncio.SelectorEventLoop):
    """A loop on whose servers a handshake has to be over soon; uvicorn has no setting for that."""

    async def create_server(self, *args: Any, **more: Any) -> asyncio.Server:  # noqa: ANN401
        """Make a server as any loop does."""
        if more.get("ssl") is not None:
            more |= {"ssl_handshake_timeout": SECONDS, "ssl_shutdown_timeout": SECONDS}
        return await super().create_server(*args, **more)


@contextmanager
def serving(app: ASGIApp, address: str, port: int, context: MakeContext | None) -> Iterator[None]:
    """Answer at an address for the time of the context; without ``context`` in plain.

    Raises:
        SiteError: the address cannot be had, or there is no certificate.
    """
    config = uvicorn.Config(
        app,
        host=address,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        http=_Hurried,
        ws="none",
        lifespan="off",
        loop=f"{__name__}:{HurriedLoop.__name__}",
        limit_concurrency=CONNECTIONS,
        backlog=CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        h11_max_incomplete_event_size=HEAD_BYTES,
        ssl_context_factory=None if context is None else _factory(context),
    )
    if context is not None:
        context()
    server = uvicorn.Server(config)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        listening = _Bounded(
            socket.create_server((address, port), family=family, backlog=CONNECTIONS)
        )
    except OSError as error:
        message = f"console.port {port} at {address} cannot be used: {error.strerror}"
        raise SiteError(message) from error
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listening]}, name="console", daemon=True
    )
    thread.start()
    try:
        _wait_for(server, thread)
        yield
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS + 2)
        listening.close()


def _wait_for(server: uvicorn.Server, thread: threading.Thread) -> None:
    rest = threading.Event()
    for _ in range(int(_BEGIN_SECONDS / _STEP)):
        if server.started:
            return
        if not thread.is_alive():
            break
        rest.wait(_STEP)
    raise SiteError("the console does not begin to answer; its log says why")


def _factory(context: MakeContext) -> Callable[..., ssl.SSLContext]:
    def newest(connection: ssl.SSLObject, _name: str | None, first: ssl.SSLContext) -> None:
        try:
            connection.context = context()
        except SiteError as error:  # the one before still holds, or its end is seen by the browser
            log.warning("the console goes on with the certificate it has: %s", error)
            connection.context = first

    def made(*_: object) -> ssl.SSLContext:
        first = context()
        first.sni_callback = newest
        return first

    return made
