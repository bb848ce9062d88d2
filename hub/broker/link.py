"""A link to RabbitMQ over pika's ``SelectConnection``, driven by its caller.

The caller's own thread turns the I/O loop, and only inside a call of this class. So the code
that uses it reads from top to bottom, needs no locks, and still has a whole window of
publisher confirms and deliveries under way (``docs/adr/0004-one-thread-no-callbacks.md``).
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import pika
from pika.adapters.select_connection import IOLoop
from pika.channel import Channel
from pika.exceptions import AMQPError, ConnectionClosedByClient
from pika.spec import Basic, BasicProperties
from pydantic import SecretStr

from hub.broker.heart import Heart
from hub.broker.window import Window
from hub.errors import BrokerUnavailable, LinkLost
from hub.hosts import Host
from hub.message import CONTENT_TYPE, PARTITION_HEADER
from hub.ports import Delivery, Outgoing, Sent

# pika tells each failure several times, with tracebacks; the link raises it once.
logging.getLogger("pika").setLevel(logging.CRITICAL)

WINDOW = 512
"""Messages published and not yet confirmed; past a few hundred more brings nothing."""
OPEN_SECONDS = 10.0
CONFIRM_SECONDS = 30.0
"""How long no confirm at all may come while some are outstanding."""
CLOSE_SECONDS = 2.0
PERSISTENT = 2


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Whom to connect to, as whom, and what to consume.

    ``heartbeat`` is in seconds. ``queues`` may be empty for a link that only publishes.
    ``prefetch`` is how many unacknowledged messages the broker hands out for each queue.
    ``open_seconds`` is how long opening may take. ``also`` are other nodes of the same cluster:
    a link opens to ``host`` alone, and ``hub.broker.connect`` chooses among them.
    """

    host: str
    port: int
    vhost: str
    user: str
    password: SecretStr
    name: str
    heartbeat: int = 10
    prefetch: int = 1000
    queues: tuple[str, ...] = ()
    also: tuple[Host, ...] = ()
    open_seconds: float = OPEN_SECONDS


class _Connection(pika.SelectConnection):  # type: ignore[misc] # pika ships no types
    """A connection that can be left without cancelling its consumers."""

    def _create_heartbeat_checker(self) -> Heart:
        return Heart(self, self.params.heartbeat)

    def leave(self) -> None:
        """Ask the broker to close the connection, as it is.

        pika's own ``close`` first cancels each consumer. A single active consumer that is
        cancelled with messages outstanding gives its successor the later ones first; one
        whose connection ends does not.
        """
        self._set_connection_state(self.CONNECTION_CLOSING)
        self._error = ConnectionClosedByClient(200, "Normal shutdown")
        self._on_close_ready()

    def drop(self) -> None:
        """Close the socket at once, so that the broker need not wait for a heartbeat."""
        self._terminate_stream(ConnectionClosedByClient(200, "Dropped"))


class PikaLink:
    """A connection with one channel to consume and one to publish with confirms."""

    def __init__(self, settings: LinkSettings) -> None:
        """Open it.

        Raises:
            BrokerUnavailable: nobody answers, the password is wrong, or a queue is missing
                or belongs to somebody else.
        """
        self._settings = settings
        self._loop = IOLoop()
        self._loop.activate_poller()
        self._lost = ""
        self._closed = False
        self._blocked = False
        self._inbox: deque[Delivery] = deque()
        self._incoming: Channel | None = None
        self._outgoing: Channel | None = None
        self._consuming = 0
        self._last_tag = 0
        self._window: Window | None = None
        self._connection = _Connection(
            self._parameters(settings),
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_lost,
            on_close_callback=self._on_lost,
            custom_ioloop=self._loop,
        )
        try:
            opened = self._turn(self._is_open, settings.open_seconds)
        except LinkLost as lost:
            self._release()
            raise BrokerUnavailable(str(lost)) from lost
        if not opened:
            self._release()
            raise BrokerUnavailable(
                f"no answer from {settings.host}:{settings.port} in {settings.open_seconds:g} s"
            )

    @staticmethod
    def _parameters(settings: LinkSettings) -> pika.ConnectionParameters:
        return pika.ConnectionParameters(
            host=settings.host,
            port=settings.port,
            virtual_host=settings.vhost,
            credentials=pika.PlainCredentials(
                settings.user, settings.password.get_secret_value(), erase_on_connect=True
            ),
            heartbeat=settings.heartbeat,
            blocked_connection_timeout=60,
            socket_timeout=5,
            stack_timeout=settings.open_seconds,
            client_properties={"connection_name": settings.name},
        )

    # -- the calls ---------------------------------------------------------------------

    def take(self, most: int, wait: float) -> list[Delivery]:
        """Take up to ``most`` messages, waiting at the most ``wait`` seconds for the first."""
        self._flush()
        if not self._inbox and wait > 0:
            self._turn(lambda: bool(self._inbox), wait)
        count = min(most, len(self._inbox))
        return [self._inbox.popleft() for _ in range(count)]

    def publish(self, messages: Sequence[Outgoing]) -> list[Sent]:
        """Publish persistent, mandatory messages and wait until each one's fate is known."""
        self._check()
        window = self._window = Window(messages)
        while window.open:
            while window.ready and len(window.in_flight) < WINDOW:
                index = window.ready.popleft()
                window.sent(self._send(messages[index]), index)
            self._wait_for_confirms(window)
        self._window = None
        return window.fates()

    def ack(self, last: Delivery) -> None:
        """Acknowledge this delivery and all that were taken before it."""
        self._check()
        if self._incoming is not None:
            self._incoming.basic_ack(last.tag, multiple=True)
            self._flush()

    def idle(self, seconds: float) -> None:
        """Keep the connection alive for this long without taking or publishing."""
        self._turn(lambda: False, seconds)

    def close(self) -> None:
        """Close; what was not acknowledged will be delivered again."""
        if self._closed:
            return
        if not self._lost and self._connection.is_open:
            self._connection.leave()
            deadline = time.monotonic() + CLOSE_SECONDS
            while not self._lost and (left := deadline - time.monotonic()) > 0:
                self._poll(left)
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- turning the loop --------------------------------------------------------------

    def _turn(self, until: Callable[[], bool], timeout: float) -> bool:
        """Turn the loop until the condition holds (true) or the time is up (false)."""
        deadline = time.monotonic() + timeout
        while not until():
            self._check()
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return False
            self._poll(remaining)
        return True

    def _flush(self) -> None:
        """Send what is buffered and take in what has arrived, without waiting."""
        self._check()
        self._poll(0.0)
        self._check()

    def _poll(self, timeout: float) -> None:
        handle = self._loop.call_later(timeout, _nothing)
        self._loop.poll()
        self._loop.process_timeouts()
        self._loop.remove_timeout(handle)

    def _wait_for_confirms(self, window: Window) -> None:
        # After a confirm that did not come in time nothing on this connection can be
        # trusted: it is given up, and the caller begins again.
        before = window.open
        if not self._turn(lambda: window.open < before, CONFIRM_SECONDS):
            why = " (the broker takes nothing: memory or disk alarm)" if self._blocked else ""
            self._lost = f"no confirm within {CONFIRM_SECONDS:g} s{why}"
            raise LinkLost(self._lost)

    def _check(self) -> None:
        if self._lost or self._closed:
            raise LinkLost(self._lost or "the link is closed")

    def _release(self) -> None:
        self._closed = True
        if not self._connection.is_closed:
            self._connection.drop()
            deadline = time.monotonic() + CLOSE_SECONDS
            while not self._connection.is_closed and time.monotonic() < deadline:
                self._poll(0.1)
        self._loop.close()

    # -- what pika tells ---------------------------------------------------------------

    def _is_open(self) -> bool:
        return (
            self._outgoing is not None
            and self._outgoing.is_open
            and self._consuming == len(self._settings.queues)
        )

    def _on_open(self, connection: pika.SelectConnection) -> None:
        connection.add_on_connection_blocked_callback(lambda *_: self._set_blocked(blocked=True))
        connection.add_on_connection_unblocked_callback(lambda *_: self._set_blocked(blocked=False))
        connection.channel(on_open_callback=self._on_outgoing)
        if self._settings.queues:
            connection.channel(on_open_callback=self._on_incoming)

    def _set_blocked(self, *, blocked: bool) -> None:
        self._blocked = blocked

    def _on_outgoing(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._on_channel_closed)
        channel.add_on_return_callback(self._on_returned)
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._on_ready(channel))

    def _on_ready(self, channel: Channel) -> None:
        self._outgoing = channel

    def _on_incoming(self, channel: Channel) -> None:
        self._incoming = channel
        channel.add_on_close_callback(self._on_channel_closed)
        channel.add_on_cancel_callback(self._on_cancelled)
        channel.basic_qos(prefetch_count=self._settings.prefetch)
        for queue in self._settings.queues:
            channel.basic_consume(queue, self._receiver(queue), callback=self._on_consuming)

    def _on_consuming(self, _frame: object) -> None:
        self._consuming += 1

    def _receiver(
        self, queue: str
    ) -> Callable[[Channel, Basic.Deliver, BasicProperties, bytes], None]:
        keep = self._inbox.append

        def receive(
            _channel: Channel, method: Basic.Deliver, properties: BasicProperties, body: bytes
        ) -> None:
            headers = properties.headers or {}
            keep(
                Delivery(
                    tag=method.delivery_tag,
                    queue=queue,
                    routing_key=method.routing_key,
                    user_id=properties.user_id or "",
                    body=body,
                    redelivered=method.redelivered,
                    copied="CC" in headers or "BCC" in headers,
                )
            )

        return receive

    def _on_cancelled(self, _frame: object) -> None:
        self._lost = "the broker cancelled the consumer: its queue is gone"

    def _on_channel_closed(self, _channel: Channel, reason: Exception) -> None:
        self._lost = self._lost or f"the broker closed the channel: {_plain(reason)}"

    def _on_lost(self, _connection: object, reason: Exception | str) -> None:
        self._lost = self._lost or f"the connection is gone: {_plain(reason)}"

    # -- confirms ----------------------------------------------------------------------

    def _send(self, message: Outgoing) -> int:
        """Hand a message to pika; give the tag that the broker will confirm it by."""
        self._check()
        if self._outgoing is None:
            raise LinkLost("the publishing channel is not open")
        headers = {PARTITION_HEADER: message.partition} if message.partition else None
        properties = BasicProperties(
            content_type=CONTENT_TYPE,
            delivery_mode=PERSISTENT,
            message_id=message.message_id,
            type=message.message_type,
            user_id=self._settings.user,
            headers=headers,
        )
        try:
            self._outgoing.basic_publish(
                message.exchange, message.routing_key, message.body, properties, mandatory=True
            )
        except AMQPError as error:
            self._lost = self._lost or f"could not publish: {_plain(error)}"
            raise LinkLost(self._lost) from error
        self._last_tag += 1
        return self._last_tag

    def _on_returned(
        self, _channel: Channel, method: Basic.Return, properties: BasicProperties, _body: bytes
    ) -> None:
        # The broker sends the return of a message before its confirm.
        if self._window is not None:
            self._window.returned(method.exchange, method.routing_key, properties.message_id)

    def _on_confirm(self, frame: pika.frame.Method) -> None:
        if self._window is not None:
            method = frame.method
            self._window.settle(
                method.delivery_tag,
                multiple=method.multiple,
                confirmed=isinstance(method, Basic.Ack),
            )


def _nothing() -> None:
    """Wake the loop at a deadline."""


def _plain(reason: object) -> str:
    text = str(reason) or type(reason).__name__
    return " ".join(text.split())[:300]
