"""How much a queue holds, asked of the queue itself.

The management API tells it only after some seconds, which is too late for a decision.
"""

import pika
from pika.exceptions import AMQPError

from hub.broker.link import LinkSettings
from hub.errors import BrokerError


def queue_depth(settings: LinkSettings, queue: str) -> tuple[int, int]:
    """Give how many messages wait in a queue, and how many consumers it has.

    A message that a consumer has not acknowledged yet is not among those that wait.

    Raises:
        BrokerError: the broker cannot be reached or has no such queue.
    """
    where = pika.ConnectionParameters(
        host=settings.host,
        port=settings.port,
        virtual_host=settings.vhost,
        credentials=pika.PlainCredentials(settings.user, settings.password.get_secret_value()),
        socket_timeout=5,
        stack_timeout=10,
        client_properties={"connection_name": settings.name},
    )
    try:
        with pika.BlockingConnection(where) as connection:
            answer = connection.channel().queue_declare(queue, passive=True)
    except (AMQPError, OSError) as error:
        raise BrokerError(
            f"how much {queue} holds cannot be told ({type(error).__name__})"
        ) from error
    return answer.method.message_count, answer.method.consumer_count
