"""Questions that only the broker's own protocol answers, each over a connection of its own."""

from collections.abc import Callable
from typing import TypeVar

import pika
from pika.adapters.blocking_connection import BlockingChannel

from hub.broker.parameters import LinkSettings, parameters
from hub.hosts import Host

T = TypeVar("T")


def ask(settings: LinkSettings, host: Host, question: Callable[[BlockingChannel], T]) -> T:
    """Put a question to one node.

    Raises:
        AMQPError: the broker refused, or ended the connection.
        OSError: it cannot be reached.
    """
    with pika.BlockingConnection(parameters(settings, host)) as connection:
        return question(connection.channel())
