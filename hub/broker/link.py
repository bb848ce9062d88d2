"""A link to RabbitMQ over pika's ``SelectConnection``, driven by its caller.

The caller's own thread turns the I/O loop, and only inside a call of this class. So the code
that uses it reads from top to bottom, needs no locks, and still has a whole window of
publisher confirms and deliveries under way (``docs/adr/0004-one-thread-no-callbacks.md``).
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Self

import pika
from pika.adapters.select_connection import IOLoop
from pika.channel import Channel
from pika.exceptions import ChannelClosedByClient
from pika.spec import Basic, BasicProperties
from pydantic import SecretStr

from hub.broker.connection import Connection
from hub.broker.frames import Arrived, Confirms, Writer
from hub.broker.intake import Intake
from hub.broker.window import Window
from hub.errors import BrokerUnavailable, LinkLost
from hub.hosts import Host
from hub.ports import Delivery, Outgoing, Sending, Sent

# pika tells each failure several times, with tracebacks; the link raises it once.
logging.getLogger("pika").setLevel(logging.CRITICAL)

WINDOW = 512
"""Messages published and not yet confirmed; past a few hundred more brings nothing."""
OPEN_SECONDS = 10.0
CONFIRM_SECONDS = 30.0
"""How long no confirm at all may come while some are outstanding."""
FIRST_CONFIRM_SECONDS = 3.0
"""The same for the first confirm on a channel to one of several nodes: one that asks a frozen
node first (see ``_renew``) gets no answer, and a new one soon may."""
CLOSE_SECONDS = 2.0
STOP_SECONDS = 3.0
"""How long a broker that says nothing is still waited for once the process is to stop."""
_LOOK_SECONDS = 0.25
"""How soon it is noticed that the process is to stop."""
RENEW_SECONDS = 0.5
"""How soon after another the publishing channel may be taken anew."""


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


class PikaLink:
    """A connection with one channel to consume and one to publish with confirms."""

    def __init__(
        self, settings: LinkSettings, stopping: Callable[[], bool] = lambda: False
    ) -> None:
        """Open it; once ``stopping``, nothing is waited for longer than ``STOP_SECONDS``.

        Raises:
            BrokerUnavailable: nobody answers, the password is wrong, a queue is missing or
                belongs to somebody else, or the process is to stop.
        """
        self._settings = settings
        self._stopping = stopping
        self._give_up_at: float | None = None
        self._loop = IOLoop()
        self._loop.activate_poller()
        self._lost = ""
        self._closed = False
        self._blocked = False
        self._inbox: deque[Delivery] = deque()
        self._intakes: dict[str, Intake] = {}
        self._last_taken = 0
        self._outgoing: Channel | None = None
        self._writer: Writer | None = None
        self._last_tag = 0
        self._window: Window | None = None
        self._confirmed = False
        self._doubted = False
        self._renewed = -RENEW_SECONDS
        self._connection = Connection(
            self._parameters(settings),
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_lost,
            on_close_callback=self._on_lost,
            custom_ioloop=self._loop,
        )
        self._connection.sinks = {}
        try:
            self._turn(lambda: self._outgoing is not None or stopping(), settings.open_seconds)
            opened = self._outgoing is not None
            if opened:
                self.consume(settings.queues)
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
            socket_timeout=5,
            stack_timeout=settings.open_seconds,
            client_properties={"connection_name": settings.name},
        )

    # -- the calls ---------------------------------------------------------------------

    def consume(self, queues: Collection[str]) -> None:
        """Consume these queues and no other."""
        self._check()
        wanted = frozenset(queues)
        gone = self._intakes.keys() - wanted
        for queue in gone:
            self._intakes.pop(queue).end()
        if gone:
            self._inbox = deque(one for one in self._inbox if one.queue not in gone)
        for queue in wanted - self._intakes.keys():
            intake = self._intakes[queue] = Intake(queue, self._settings.prefetch, self._arrived)
            intake.begin(self._connection, self._on_channel_closed)
        if not self._turn(self._is_consuming, self._settings.open_seconds):
            self._lost = f"no answer from the broker in {self._settings.open_seconds:g} s"
            raise LinkLost(self._lost)

    def take(self, most: int, wait: float) -> list[Delivery]:
        """Take up to ``most`` messages, waiting at the most ``wait`` seconds for the first."""
        self._flush()
        if not self._inbox and wait > 0:
            self._turn(lambda: bool(self._inbox), wait)
        count = min(most, len(self._inbox))
        return [self._inbox.popleft() for _ in range(count)]

    def publish(self, messages: Sequence[Outgoing]) -> list[Sent]:
        """Publish persistent, mandatory messages and wait until each one's fate is known."""
        return self.finish(self.start(messages))

    def start(self, messages: Sequence[Outgoing]) -> Window:
        """Begin to publish; what was started before must be finished by then."""
        self._check()
        if self._window is not None:
            raise RuntimeError("what was started before is not finished")
        self._renew()
        window = Window(messages)
        if window.open:
            self._window = window
            self._push()
            self._flush()
        return window

    def finish(self, sending: Sending) -> list[Sent]:
        """Wait until each message's fate is known, and give the fates in the order of the call."""
        if not isinstance(sending, Window):
            raise TypeError("no sending of this link")
        self._check()
        while sending.open:
            self._push()
            self._wait_for_confirms(sending)
        self._window = None
        fates = sending.fates()
        self._doubted = self._doubted or Sent.REFUSED in fates
        return fates

    def turn(self) -> None:
        """Send and receive what can be at once, without waiting."""
        self._flush()
        self._push()

    def ack(self, done: Sequence[Delivery]) -> None:
        """Acknowledge these deliveries; those that went back to their queue are passed over."""
        self._check()
        by_queue: dict[str, list[Delivery]] = {}
        for one in done:
            by_queue.setdefault(one.queue, []).append(one)
        for queue, some in by_queue.items():
            intake = self._intakes.get(queue)
            if intake is not None:
                intake.ack(some)
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
            self._poll(min(remaining, _LOOK_SECONDS))
            self._hurry()
        return True

    def _hurry(self) -> None:
        """Give the link up where the process is to stop and still waits for it."""
        if not self._stopping():
            return
        if self._give_up_at is None:
            self._give_up_at = time.monotonic() + STOP_SECONDS
        elif time.monotonic() >= self._give_up_at:
            self._lost = self._lost or f"no answer {STOP_SECONDS:g} s after the call to stop"

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
        is_first = not self._confirmed and bool(self._settings.also) and not self._blocked
        patience = FIRST_CONFIRM_SECONDS if is_first else CONFIRM_SECONDS
        if not self._turn(lambda: window.open < before, patience):
            if self._blocked:
                return  # an alarm of memory or disk: it takes nothing, and says when it does again
            self._lost = f"no confirm within {patience:g} s"
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

    def _is_consuming(self) -> bool:
        return all(intake.ready for intake in self._intakes.values())

    def _on_open(self, connection: Connection) -> None:
        connection.read_much()
        connection.add_on_connection_blocked_callback(lambda *_: self._set_blocked(blocked=True))
        connection.add_on_connection_unblocked_callback(lambda *_: self._set_blocked(blocked=False))
        connection.channel(on_open_callback=self._on_outgoing)

    def _set_blocked(self, *, blocked: bool) -> None:
        self._blocked = blocked

    def _on_outgoing(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._on_channel_closed)
        channel.add_on_return_callback(self._on_returned)
        channel.confirm_delivery(_unexpected, callback=lambda _: self._on_ready(channel))

    def _on_ready(self, channel: Channel) -> None:
        number = channel.channel_number
        self._connection.sinks[number] = Confirms(self._on_confirm)
        self._writer = Writer(number, self._settings.user, self._connection.params.frame_max)
        self._outgoing = channel
        self._last_tag = 0
        self._confirmed = False

    def _arrived(self, intake: Intake, arrived: Arrived) -> None:
        self._last_taken += 1
        intake.open[self._last_taken] = arrived.tag
        self._inbox.append(arrived.delivery(self._last_taken))

    def _on_channel_closed(self, channel: Channel, reason: Exception) -> None:
        self._connection.sinks.pop(channel.channel_number, None)
        if not isinstance(reason, ChannelClosedByClient):
            self._lost = self._lost or f"the broker closed the channel: {_plain(reason)}"

    def _on_lost(self, _connection: object, reason: Exception | str) -> None:
        self._lost = self._lost or f"the connection is gone: {_plain(reason)}"

    # -- confirms ----------------------------------------------------------------------

    def _renew(self) -> None:
        """Publish by another channel after the broker refused something.

        A channel that first publishes to a quorum queue just after the queue's leader went down
        asks that node, and RabbitMQ 3.10 refuses everything that it publishes there until the
        node is back. A new channel asks the new leader.
        """
        now = time.monotonic()
        doubted, old = self._doubted and not self._blocked, self._outgoing
        if not doubted or old is None or now < self._renewed + RENEW_SECONDS:
            return
        self._doubted, self._renewed, self._outgoing = False, now, None
        old.close()
        self._connection.channel(on_open_callback=self._on_outgoing)
        if not self._turn(lambda: self._outgoing is not None, self._settings.open_seconds):
            self._lost = f"no answer from the broker in {self._settings.open_seconds:g} s"
            raise LinkLost(self._lost)

    def _push(self) -> None:
        """Send of the messages under way what may go by now."""
        window = self._window
        if window is None or not window.ready:
            return
        self._check()
        if self._outgoing is None or self._writer is None or not self._outgoing.is_open:
            raise LinkLost("the publishing channel is not open")
        parts: list[bytes] = []
        while window.ready and len(window.in_flight) < WINDOW:
            index = window.ready.popleft()
            parts.append(self._writer.publish(window.messages[index]))
            self._last_tag += 1
            window.sent(self._last_tag, index)
        self._connection.emit(parts)

    def _on_returned(
        self, _channel: Channel, method: Basic.Return, properties: BasicProperties, _body: bytes
    ) -> None:
        # The broker sends the return of a message before its confirm.
        if self._window is not None:
            self._window.returned(method.exchange, method.routing_key, properties.message_id)

    def _on_confirm(self, tag: int, multiple: bool, confirmed: bool) -> None:  # noqa: FBT001 - ``Confirms``
        self._confirmed = self._confirmed or confirmed
        if self._window is not None:
            self._window.settle(tag, multiple=multiple, confirmed=confirmed)


def _unexpected(*_: object) -> None:
    """Take what the sink takes before."""


def _nothing() -> None:
    """Wake the loop at a deadline."""


def _plain(reason: object) -> str:
    text = str(reason) or type(reason).__name__
    return " ".join(text.split())[:300]
