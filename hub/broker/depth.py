"""How much a queue holds, asked of the queue itself.

The management API tells it only after some seconds, which is too late for a decision.
"""

from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosedByBroker

from hub.broker.ask import ask
from hub.broker.parameters import LinkSettings
from hub.errors import BrokerError
from hub.hosts import Host, in_any_order


def queue_depth(settings: LinkSettings, queue: str) -> tuple[int, int]:
    """Give how many messages wait in a queue, and how many consumers it has.

    A message that a consumer has not acknowledged yet is not among those that wait.

    Raises:
        BrokerError: the broker cannot be reached or has no such queue.
    """

    def declared(channel: BlockingChannel) -> tuple[int, int]:
        answer = channel.queue_declare(queue, passive=True)
        return answer.method.message_count, answer.method.consumer_count

    faults: list[str] = []
    for host in in_any_order((Host(settings.host, settings.port), *settings.also)):
        try:
            return ask(settings, host, declared)
        except ChannelClosedByBroker as error:
            faults.append(type(error).__name__)
            break  # every node would say the same
        except (AMQPError, OSError) as error:
            faults.append(type(error).__name__)
    raise BrokerError(f"how much {queue} holds cannot be told ({', '.join(faults)})")
