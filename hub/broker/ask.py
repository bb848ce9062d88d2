"""Questions that only the broker's own protocol answers, each over a connection of its own."""

from collections.abc import Callable
from typing import TypeVar

import pika
from pika.adapters.blocking_connection import BlockingChannel

from hub.broker.link import LinkSettings
from hub.hosts import Host

T = TypeVar("T")


def ask(settings: LinkSettings, host: Host, question: Callable[[BlockingChannel], T]) -> T:
    """Put a question to one node.

    Raises:
        AMQPError: the broker refused, or ended the connection.
        OSError: it cannot be reached.
    """
    where = pika.ConnectionParameters(
        host=host.name,
        port=host.port,
        virtual_host=settings.vhost,
        credentials=pika.PlainCredentials(settings.user, settings.password.get_secret_value()),
        socket_timeout=5,
        stack_timeout=10,
        client_properties={"connection_name": settings.name},
    )
    with pika.BlockingConnection(where) as connection:
        return question(connection.channel())
