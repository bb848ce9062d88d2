"""One connection to the broker over kombu's AMQP transport, with one channel.

It uses kombu's transport and not ``kombu.Connection`` itself, which connects again by itself
where it finds a connection closed: what was under way on a lost connection (confirms,
consumers) is gone, and only the caller knows how to begin again.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from amqp.exceptions import AMQPError

from hub.client.address import Address
from hub.client.errors import Refused
from hub.client.untyped import Connection, SecureConnection
from hub.errors import BrokerUnavailable, LinkLost, SiteError
from hub.hosts import Host, in_any_order

log = logging.getLogger(__name__)

TURN_SECONDS = 0.2
"""How long a wait lasts before its caller looks whether to stop."""
_CLOSE_SECONDS = 0.5
_PERMANENT = frozenset({403, 404, 406, 530})
"""Access refused, not found, precondition failed, not allowed."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things may take, in seconds.

    ``connect`` bounds each step of connecting and each answer of the broker, ``confirm`` the
    wait for a confirm, ``give_up`` all attempts at one publish together. ``heartbeat`` is how
    often broker and client hear of each other at least; a handler that takes longer than that
    loses its connection, and its message comes again.
    """

    connect: float = 3.0
    confirm: float = 10.0
    give_up: float = 60.0
    heartbeat: int = 8


@contextmanager
def broker_errors(what: str) -> Iterator[None]:
    """Map what kombu, py-amqp and the socket raise.

    Raises:
        Refused: the broker will not do it, now or later.
        LinkLost: the connection is gone, or can no longer be trusted.
    """
    try:
        yield
    except AMQPError as error:
        text = _plain(error)
        if error.reply_code in _PERMANENT:
            message = f"the broker refused to {what}: {text}"
            raise Refused(message) from error
        message = f"could not {what}: {text}"
        raise LinkLost(message) from error
    except OSError as error:
        message = f"could not {what}: {_plain(error)}"
        raise LinkLost(message) from error


class Session:
    """A connection and its channel; after any error it is only good for ``discard``."""

    def __init__(
        self,
        address: Address,
        timing: Timing,
        name: str,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """Connect to one of the hosts, tried once each in random order until ``stopping``.

        Raises:
            Refused: the password is wrong, or the vhost is not there or not permitted.
            BrokerUnavailable: nobody answers.
        """
        self.of_several = len(address.hosts) > 1
        self._connection: Any = None
        faults: list[str] = []
        for host in in_any_order(address.hosts):
            if faults and stopping():
                break
            try:
                self._open(_client(address, host, timing, name).transport, timing)
            except BrokerUnavailable as error:
                faults.append(str(error) if len(address.hosts) == 1 else f"{host}: {error}")
            else:
                return
        raise BrokerUnavailable("; ".join(faults))

    def _open(self, transport: Any, timing: Timing) -> None:  # noqa: ANN401 - kombu has no types
        self._transport = transport
        try:
            with broker_errors("connect"):
                self._connection = self._transport.establish_connection()
                # py-amqp waits for ever for the answers that have no timeout of their own.
                self._connection.sock.settimeout(timing.connect)
                self.channel: Any = self._transport.create_channel(self._connection)
        except (LinkLost, Refused) as error:
            self.discard()
            if isinstance(error, Refused):
                raise
            raise BrokerUnavailable(str(error)) from error

    def renew(self) -> None:
        """Take another channel; what was under way on this one must be settled.

        Raises:
            LinkLost, Refused: as ``wait`` says.
        """
        with broker_errors("take another channel"):
            self.channel.close()
            self.channel = self._transport.create_channel(self._connection)

    def wait(self, seconds: float) -> bool:
        """Let the broker speak, at most so long; say whether it said something.

        Raises:
            LinkLost: the connection is gone, or the broker has not been heard for long.
            Refused: the broker closed the channel for a reason that will not pass.
        """
        with broker_errors("hear the broker"):
            try:
                self._transport.drain_events(self._connection, timeout=seconds)
            except TimeoutError:
                spoke = False
            else:
                spoke = True
            self._transport.heartbeat_check(self._connection)
        if not self.channel.is_open:
            message = "the broker closed the channel"
            raise LinkLost(message)
        return spoke

    def catch_up(self, most: int) -> None:
        """Hear what the broker has already said, without waiting, ``most`` times at most."""
        for _ in range(most):
            if not self.wait(0.0):
                return

    def close(self) -> None:
        """Say goodbye to the broker, briefly; a goodbye that fails is only noted."""
        # Asked for its socket, a connection that py-amqp has closed would open another.
        if self._connection is None or not self._connection.connected:
            self.discard()
            return
        try:
            with broker_errors("close"):
                self._connection.sock.settimeout(_CLOSE_SECONDS)
                self._transport.close_connection(self._connection)
        except (LinkLost, Refused) as error:
            log.debug("the connection was not closed in order: %s", error)
        finally:
            self.discard()

    def discard(self) -> None:
        """Let go of the socket without a word."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.collect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _client(address: Address, host: Host, timing: Timing, name: str) -> Any:  # noqa: ANN401 - kombu has no types
    """Make what connects; the context is made now, so that each connection has its own.

    Raises:
        BrokerUnavailable: a certificate cannot be used, as while it is being exchanged.
    """
    password = address.password
    try:
        context = None if address.tls is None else address.tls()
    except SiteError as error:
        raise BrokerUnavailable(str(error)) from error
    client = Connection(
        transport="pyamqp",
        hostname=host.name,
        port=host.port,
        virtual_host=address.vhost,
        userid=address.user,
        password=password.get_secret_value() if password else "",
        login_method="PLAIN" if password else "EXTERNAL",
        ssl=False if context is None else {"made": context, "server_hostname": host.name},
        connect_timeout=timing.connect,
        heartbeat=timing.heartbeat,
        transport_options={"client_properties": {"connection_name": name}},
    )
    if context is not None:
        client.transport.Connection = SecureConnection
    return client


def _plain(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return " ".join(text.split())[:300]
