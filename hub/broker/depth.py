"""How much queues hold, asked of the queues themselves.

The management API tells it only after some seconds, which is too late for a decision, and only to
an account that may look at everything.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosedByBroker

from hub.broker.ask import ask
from hub.broker.parameters import LinkSettings, parameters
from hub.errors import BrokerError
from hub.hosts import Host, in_any_order


class Depth(NamedTuple):
    """How many messages wait in a queue, and how many consumers it has.

    A message that a consumer has not acknowledged yet is not among those that wait.
    """

    messages: int
    consumers: int


def queue_depth(settings: LinkSettings, queue: str) -> Depth:
    """Give how much a queue holds.

    Raises:
        BrokerError: the broker cannot be reached or has no such queue.
    """
    faults: list[str] = []
    for host in _hosts(settings):
        try:
            return ask(settings, host, lambda channel: _declared(channel, queue))
        except ChannelClosedByBroker as error:
            faults.append(type(error).__name__)
            break  # every node would say the same
        except (AMQPError, OSError) as error:
            faults.append(type(error).__name__)
    raise BrokerError(f"how much {queue} holds cannot be told ({', '.join(faults)})")


class Depths:
    """Asks queues again and again over one connection, which is made anew when it is lost.

    To be used from one thread.
    """

    def __init__(self, settings: LinkSettings) -> None:
        self._settings = settings
        self._connection: pika.BlockingConnection | None = None

    def look(self, queues: Collection[str]) -> dict[str, Depth]:
        """Give how much each of these queues holds; one that is not there is left out.

        Raises:
            BrokerError: the broker cannot be reached; the next look connects anew.
        """
        with _told("how much the queues hold"):
            try:
                connection = self._connected()
                found: dict[str, Depth] = {}
                channel = connection.channel()
                for queue in queues:
                    try:
                        found[queue] = _declared(channel, queue)
                    except ChannelClosedByBroker:
                        channel = connection.channel()
                channel.close()
            except (AMQPError, OSError):
                self.close()
                raise
        return found

    def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.is_open:
            with _quiet():
                connection.close()

    def _connected(self) -> pika.BlockingConnection:
        if self._connection is not None and self._connection.is_open:
            self._connection.process_data_events(0)
            return self._connection
        *others, last = _hosts(self._settings)
        for host in others:
            with _quiet():
                self._connection = pika.BlockingConnection(parameters(self._settings, host))
                return self._connection
        self._connection = pika.BlockingConnection(parameters(self._settings, last))
        return self._connection


def _declared(channel: BlockingChannel, queue: str) -> Depth:
    answer = channel.queue_declare(queue, passive=True)
    return Depth(answer.method.message_count, answer.method.consumer_count)


def _hosts(settings: LinkSettings) -> list[Host]:
    return list(in_any_order((Host(settings.host, settings.port), *settings.also)))


@contextmanager
def _quiet() -> Iterator[None]:
    try:
        yield
    except (AMQPError, OSError):
        return


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except (AMQPError, OSError) as error:
        raise BrokerError(f"{what} cannot be told ({type(error).__name__})") from error
