"""What the hub and the adapters need of a broker, without naming one.

One implementation speaks to RabbitMQ (``hub.broker.link``); the quick tests have a named
fake. All calls are made by one thread, one after another: there are no callbacks to follow.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

from hub.record import record


@dataclass(frozen=True, slots=True)
class Death:
    """Why the broker put a message with the dead letters, as it says itself (``x-death``).

    ``reason`` is ``rejected``, ``expired``, ``maxlen`` or ``delivery_limit``; ``queue`` is where
    the message was, ``exchange`` what it came through; ``times`` counts such deaths; ``at`` is
    when, aware, to the second. ``partition`` is the bucket of its resident, where it has that, and
    ``number`` the keyed digest of the 個人番号 of a copy (``Outgoing.number``).
    """

    queue: str
    reason: str
    exchange: str = ""
    times: int = 1
    at: dt.datetime | None = None
    partition: str = ""
    number: str = ""


@record
class Delivery:
    """A message taken from a queue and not yet acknowledged.

    ``user_id`` is the publisher's user as the broker proved it, or empty; ``queue`` is where
    it was taken from; ``copied`` says that the publisher asked for copies (CC). ``times`` is how
    often it was given out before, ``death`` why it lies with the dead letters.
    """

    tag: int
    queue: str
    routing_key: str
    user_id: str
    body: bytes
    redelivered: bool = False
    copied: bool = False
    times: int = 0
    death: Death | None = None


@record
class Outgoing:
    """A message to publish.

    Of two messages with the same ``order_key``, the second is sent only when the first is
    confirmed. An empty key asks for no order. ``partition`` (``hub.message.partition_of``)
    keeps one resident's messages in one of the hub's queues. After ``expires_ms`` in its queue
    the broker puts it with the dead letters; never where it is none. ``number`` is the keyed digest
    of its encrypted 個人番号, or empty: it comes back with the copy if that dies.
    """

    exchange: str
    routing_key: str
    body: bytes
    message_id: str
    message_type: str
    order_key: str = ""
    partition: str = ""
    expires_ms: int | None = None
    number: str = ""


class Sent(StrEnum):
    """What became of a message that was published."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"  # nacked: its queue is full, or the broker could not keep it
    UNROUTABLE = "unroutable"  # no queue is bound for it
    WITHHELD = "withheld"  # an earlier one with the same order key was not confirmed


class Sending(Protocol):
    """Messages under way, as ``Link.start`` gave them, for ``Link.finish``."""

    @property
    def open(self) -> int:
        """How many of them have no fate yet."""
        ...


class Link(Protocol):
    """A connection to the broker; any call raises ``LinkLost`` once it is gone."""

    def consume(self, queues: Collection[str]) -> None:
        """Consume these queues and no other.

        What was taken from a queue that is not consumed any more goes back to it, in its place: it
        must not be acknowledged.
        """
        ...

    def take(self, most: int, wait: float) -> list[Delivery]:
        """Take up to ``most`` messages, waiting at the most ``wait`` seconds for the first."""
        ...

    def publish(self, messages: Sequence[Outgoing]) -> list[Sent]:
        """Publish persistent, mandatory messages and wait until each one's fate is known."""
        ...

    def start(self, messages: Sequence[Outgoing]) -> Sending:
        """Begin to publish.

        What was started before and is not finished goes on; none of it may have an order key
        of these messages.
        """
        ...

    def finish(self, sending: Sending) -> list[Sent]:
        """Wait until each message's fate is known, and give the fates in the order of the call."""
        ...

    def turn(self) -> None:
        """Send and receive what can be at once, without waiting."""
        ...

    def ack(self, done: Sequence[Delivery]) -> None:
        """Acknowledge these deliveries; those that went back to their queue are passed over."""
        ...

    def idle(self, seconds: float) -> None:
        """Keep the connection alive for this long without taking or publishing."""
        ...

    def close(self) -> None:
        """Close; what was not acknowledged will be delivered again."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
