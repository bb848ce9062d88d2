"""Whether a broker takes messages that are larger than it should.

``max_message_size`` stands in each node's ``rabbitmq.conf``, and the management API does not tell
it. So each node is given a message that is one byte too large and goes to no queue.
"""

from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosedByBroker

from hub.broker.ask import ask
from hub.broker.parameters import LinkSettings
from hub.broker.plan import MESSAGE_BYTES
from hub.hosts import Host

NOWHERE = "hub.no-such-queue"
SETTING = f"max_message_size = {MESSAGE_BYTES}"
_TOO_LARGE = 406


def too_generous(settings: LinkSettings, most: int = MESSAGE_BYTES) -> tuple[str, ...]:
    """Name the nodes that take bodies of more than ``most`` bytes; one that is away is passed over.

    A user without rights in the vhost gets the same answer: the size is looked at first.
    """

    def takes_more(channel: BlockingChannel) -> bool:
        channel.confirm_delivery()
        try:
            channel.basic_publish("", NOWHERE, bytes(most + 1))
        except ChannelClosedByBroker as error:
            return int(error.reply_code) != _TOO_LARGE
        return True

    found: list[str] = []
    for host in (Host(settings.host, settings.port), *settings.also):
        try:
            if ask(settings, host, takes_more):
                found.append(str(host))
        except (AMQPError, OSError):
            continue  # whoever cannot be asked takes nothing now; other commands name it
    return tuple(found)
