"""Sends a message of its own through the broker and takes it out again: a check by doing.

It goes the way of all copies: published to ``hub.out`` as the hub, mandatory, persistent and
confirmed, into a quorum queue that only the hub can read.
"""

import secrets
import time
from collections.abc import Callable

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosedByBroker, NackError, UnroutableError

from hub.broker.ask import ask
from hub.broker.parameters import LinkSettings
from hub.errors import BrokerError
from hub.hosts import Host, in_any_order
from hub.names import OUT_EXCHANGE, PROBE_QUEUE

WITHIN_SECONDS = 3.0
"""How long a probe that was confirmed may take to come out."""
PAUSE_SECONDS = 0.02
_APPLY = "run renkei broker apply"


def round_trip(settings: LinkSettings, monotonic: Callable[[], float] = time.monotonic) -> float:
    """Publish a probe and fetch it; give how many seconds that took, without connecting.

    Raises:
        BrokerError: the broker cannot be reached, does not take it, or does not give it back;
            or it was not told of the queue for it (``renkei broker apply``).
    """

    def tried(channel: BlockingChannel) -> float:
        channel.confirm_delivery()
        token = secrets.token_hex(16).encode()
        began = monotonic()
        channel.basic_publish(
            OUT_EXCHANGE, PROBE_QUEUE, token, pika.BasicProperties(delivery_mode=2), mandatory=True
        )
        while monotonic() - began < WITHIN_SECONDS:
            _, _, body = channel.basic_get(PROBE_QUEUE, auto_ack=True)
            if body == token:
                return monotonic() - began
            if body is None:
                channel.connection.sleep(PAUSE_SECONDS)
        raise BrokerError("a probe was confirmed and did not come out of its queue")

    faults: list[str] = []
    for host in in_any_order((Host(settings.host, settings.port), *settings.also)):
        try:
            return ask(settings, host, tried)
        except UnroutableError:
            raise BrokerError(f"{PROBE_QUEUE} is not there: {_APPLY}") from None
        except NackError:
            raise BrokerError("the broker did not take a probe") from None
        except ChannelClosedByBroker as error:
            message = f"the broker refused a probe ({error.reply_code}): {_APPLY}"
            raise BrokerError(message) from None
        except (AMQPError, OSError) as error:
            faults.append(type(error).__name__)
    raise BrokerError(f"the broker cannot be reached ({', '.join(faults)})")
