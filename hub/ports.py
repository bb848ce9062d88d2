"""What the hub and the adapters need of a broker, without naming one.

One implementation speaks to RabbitMQ (``hub.broker.link``); the quick tests have a named
fake. All calls are made by one thread, one after another: there are no callbacks to follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message taken from a queue and not yet acknowledged.

    ``user_id`` is the publisher's user as the broker proved it, or empty; ``queue`` is where
    it was taken from; ``copied`` says that the publisher asked for copies (CC).
    """

    tag: int
    queue: str
    routing_key: str
    user_id: str
    body: bytes
    redelivered: bool = False
    copied: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish.

    Of two messages with the same ``order_key``, the second is sent only when the first is
    confirmed. An empty key asks for no order. ``partition`` (``hub.message.partition_of``)
    keeps one resident's messages in one of the hub's queues.
    """

    exchange: str
    routing_key: str
    body: bytes
    message_id: str
    message_type: str
    order_key: str = ""
    partition: str = ""


class Sent(StrEnum):
    """What became of a message that was published."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"  # nacked: its queue is full, or the broker could not keep it
    UNROUTABLE = "unroutable"  # no queue is bound for it
    WITHHELD = "withheld"  # an earlier one with the same order key was not confirmed


class Link(Protocol):
    """A connection to the broker; any call raises ``LinkLost`` once it is gone."""

    def take(self, most: int, wait: float) -> list[Delivery]:
        """Take up to ``most`` messages, waiting at the most ``wait`` seconds for the first."""
        ...

    def publish(self, messages: Sequence[Outgoing]) -> list[Sent]:
        """Publish persistent, mandatory messages and wait until each one's fate is known."""
        ...

    def ack(self, last: Delivery) -> None:
        """Acknowledge this delivery and all that were taken before it."""
        ...

    def idle(self, seconds: float) -> None:
        """Keep the connection alive for this long without taking or publishing."""
        ...

    def close(self) -> None:
        """Close; what was not acknowledged will be delivered again."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
