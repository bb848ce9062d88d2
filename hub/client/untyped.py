"""The parts of kombu that the kit uses. Its own type annotations are too thin to check by."""

import ssl
from typing import Any

import kombu
from amqp.transport import SSLTransport
from kombu.transport import pyamqp

_kombu: Any = kombu
_transport: Any = SSLTransport
_connection: Any = pyamqp.Connection

Connection: Any = _kombu.Connection
Consumer: Any = _kombu.Consumer
Producer: Any = _kombu.Producer
Queue: Any = _kombu.Queue


class SecureTransport(_transport):  # type: ignore[misc] # py-amqp has no types
    """A socket with a TLS context of ours: py-amqp's own cannot be told of revocation lists."""

    def _wrap_socket(
        self,
        sock: Any,  # noqa: ANN401
        *,
        made: ssl.SSLContext,
        server_hostname: str,
    ) -> ssl.SSLSocket:
        return made.wrap_socket(
            sock, server_hostname=server_hostname, do_handshake_on_connect=False
        )


class SecureConnection(_connection):  # type: ignore[misc] # py-amqp has no types
    """A connection over such a socket."""

    def Transport(  # noqa: N802 - the name it has
        self,
        host: str,
        connect_timeout: float,
        ssl: Any = False,  # noqa: ANN401, FBT002 - as it is called
        *timeouts: float | None,
        **more: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Make the transport, as py-amqp asks for it."""
        names = ("read_timeout", "write_timeout")
        more |= dict(zip(names, timeouts, strict=False))
        return SecureTransport(host, connect_timeout=connect_timeout, ssl=ssl, **more)
