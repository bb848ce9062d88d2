"""How much a queue holds, asked of the queue itself.

The management API tells it only after some seconds, which is too late for a decision.
"""

import pika
from pika.exceptions import AMQPError, ChannelClosedByBroker

from hub.broker.link import LinkSettings
from hub.errors import BrokerError
from hub.hosts import Host, in_any_order


def queue_depth(settings: LinkSettings, queue: str) -> tuple[int, int]:
    """Give how many messages wait in a queue, and how many consumers it has.

    A message that a consumer has not acknowledged yet is not among those that wait.

    Raises:
        BrokerError: the broker cannot be reached or has no such queue.
    """
    faults: list[str] = []
    for host in in_any_order((Host(settings.host, settings.port), *settings.also)):
        try:
            return _asked(settings, host, queue)
        except ChannelClosedByBroker as error:
            faults.append(type(error).__name__)
            break  # every node would say the same
        except (AMQPError, OSError) as error:
            faults.append(type(error).__name__)
    raise BrokerError(f"how much {queue} holds cannot be told ({', '.join(faults)})")


def _asked(settings: LinkSettings, host: Host, queue: str) -> tuple[int, int]:
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
        answer = connection.channel().queue_declare(queue, passive=True)
    return answer.method.message_count, answer.method.consumer_count
