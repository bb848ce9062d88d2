"""A link to RabbitMQ over pika's ``SelectConnection``, driven by its caller.

The caller's own thread turns the I/O loop, and only inside a call of this class. So the code
that uses it reads from top to bottom, needs no locks, and still has a whole window of
publisher confirms and deliveries under way (``docs/adr/0004-one-thread-no-callbacks.md``).
"""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from typing import Self

from pika.channel import Channel
from pika.exceptions import ChannelClosedByClient

from hub.broker.connection import Connection
from hub.broker.inlet import Inlet
from hub.broker.outlet import Outlet
from hub.broker.parameters import LinkSettings, parameters, said
from hub.broker.pump import Pump
from hub.errors import BrokerUnavailable, LinkLost, RenkeiError
from hub.ports import Delivery, Outgoing, Sending, Sent

__all__ = ["LinkSettings", "PikaLink"]

# pika tells each failure several times, with tracebacks; the link raises it once.
logging.getLogger("pika").setLevel(logging.CRITICAL)

CLOSE_SECONDS = 2.0


class PikaLink:
    """A connection with one channel to consume and one to publish with confirms."""

    def __init__(
        self, settings: LinkSettings, stopping: Callable[[], bool] = lambda: False
    ) -> None:
        """Open it; once ``stopping``, nothing is waited for long (``hub.broker.pump``).

        Raises:
            BrokerUnavailable: nobody answers, the password or certificate is wrong or cannot be
                read, a queue is missing or belongs to somebody else, or the process is to stop.
        """
        try:
            where = parameters(settings)
        except RenkeiError as error:  # as while its files are being exchanged
            raise BrokerUnavailable(str(error)) from error
        self._pump = Pump(stopping)
        self._connection = Connection(
            where,
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_lost,
            on_close_callback=self._on_lost,
            custom_ioloop=self._pump.loop,
        )
        self._connection.sinks = {}
        self._inlet = Inlet(
            self._pump,
            self._connection,
            prefetch=settings.prefetch,
            open_seconds=settings.open_seconds,
            on_closed=self._on_channel_closed,
        )
        self._outlet = Outlet(
            self._pump,
            self._connection,
            user=settings.user,
            open_seconds=settings.open_seconds,
            is_one_of_many=bool(settings.also),
            on_closed=self._on_channel_closed,
        )
        try:
            self._pump.turn(lambda: self._outlet.ready or stopping(), settings.open_seconds)
            opened = self._outlet.ready
            if opened:
                self._inlet.consume(settings.queues)
        except LinkLost as lost:
            self._release()
            raise BrokerUnavailable(str(lost)) from lost
        if not opened:
            self._release()
            raise BrokerUnavailable(
                f"no answer from {settings.host}:{settings.port} in {settings.open_seconds:g} s"
            )

    # -- the calls ---------------------------------------------------------------------

    def consume(self, queues: Collection[str]) -> None:
        """Consume these queues and no other."""
        self._inlet.consume(queues)

    def take(self, most: int, wait: float) -> list[Delivery]:
        """Take up to ``most`` messages, waiting at the most ``wait`` seconds for the first."""
        return self._inlet.take(most, wait)

    def publish(self, messages: Sequence[Outgoing]) -> list[Sent]:
        """Publish persistent, mandatory messages and wait until each one's fate is known."""
        return self.finish(self.start(messages))

    def start(self, messages: Sequence[Outgoing]) -> Sending:
        """Begin to publish, beside what was started before and has other order keys."""
        return self._outlet.start(messages)

    def finish(self, sending: Sending) -> list[Sent]:
        """Wait until each message's fate is known, and give the fates in the order of the call."""
        return self._outlet.finish(sending)

    def turn(self) -> None:
        """Send and receive what can be at once, without waiting."""
        self._pump.flush()
        self._outlet.push()

    def ack(self, done: Sequence[Delivery]) -> None:
        """Acknowledge these deliveries; those that went back to their queue are passed over."""
        self._inlet.ack(done)

    def idle(self, seconds: float) -> None:
        """Keep the connection alive for this long without taking or publishing."""
        self._pump.turn(lambda: False, seconds)

    def close(self) -> None:
        """Close; what was not acknowledged will be delivered again."""
        if self._pump.closed:
            return
        if not self._pump.lost and self._connection.is_open:
            self._connection.leave()
            deadline = time.monotonic() + CLOSE_SECONDS
            while not self._pump.lost and (left := deadline - time.monotonic()) > 0:
                self._pump.poll(left)
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _release(self) -> None:
        self._pump.closed = True
        if not self._connection.is_closed:
            self._connection.drop()
            deadline = time.monotonic() + CLOSE_SECONDS
            while not self._connection.is_closed and time.monotonic() < deadline:
                self._pump.poll(0.1)
        self._pump.loop.close()

    # -- what pika tells ---------------------------------------------------------------

    def _on_open(self, connection: Connection) -> None:
        connection.read_much()
        connection.add_on_connection_blocked_callback(lambda *_: self._set_blocked(blocked=True))
        connection.add_on_connection_unblocked_callback(lambda *_: self._set_blocked(blocked=False))
        self._outlet.open()

    def _set_blocked(self, *, blocked: bool) -> None:
        self._outlet.blocked = blocked

    def _on_channel_closed(self, channel: Channel, reason: Exception) -> None:
        self._connection.sinks.pop(channel.channel_number, None)
        if not isinstance(reason, ChannelClosedByClient):
            self._pump.lose(f"the broker closed the channel: {said(reason)}")

    def _on_lost(self, _connection: object, reason: Exception | str) -> None:
        self._pump.lose(f"the connection is gone: {said(reason)}")
