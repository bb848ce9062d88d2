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

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from hub.errors import SiteError

log = logging.getLogger(__name__)

CONNECTIONS = 64
HEAD_BYTES = 16_384
SECONDS = 10.0
"""So long a request's head may take, from the first byte or the connection on."""
KEEP_ALIVE_SECONDS = 5
STOP_SECONDS = 3
_BEGIN_SECONDS = 10.0
_STEP = 0.02

MakeContext = Callable[[], ssl.SSLContext]


class _Hurried(H11Protocol):
    """A connection on which a request has to be there soon."""

    _watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - as the parent has it
        super().connection_made(transport)
        self._look_again()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def _look_again(self) -> None:
        self._watch = self.loop.call_later(SECONDS, self._look, self.cycle)

    def _look(self, before: object) -> None:
        is_idle = self.cycle is None or self.cycle.response_complete
        if is_idle and self.cycle is before:
            self.transport.abort()
            return
        self._look_again()


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
        loop="asyncio",
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
        listening = socket.create_server((address, port), family=family, backlog=CONNECTIONS)
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
