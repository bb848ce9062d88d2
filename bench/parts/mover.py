"""The bare move with pika's ``SelectConnection``: consume, publish, confirm, acknowledge.

It gives the hub's guarantees and nothing else: persistent and mandatory copies with the same
properties, acknowledged only when they are confirmed. It is as good as plain callbacks get:
everything asynchronous, a full prefetch, one channel to consume and one to publish (as fast
with one), and acknowledgements of many at once where all before them are confirmed.
"""

import signal
import sys

from pika.channel import Channel
from pika.spec import Basic, BasicProperties

from bench.parts.client import PERSISTENT, Publishing
from bench.place import Place, order

AT_ONCE = 50
"""So many confirmed messages are acknowledged together, or as many as there are at the end."""


class Mover(Publishing):
    """Moves from queues to one routing key until it is told to stop.

    Deliveries have the same tags as what is published, for each is published at once.
    """

    def __init__(self, place: Place, queues: list[str], to: tuple[str, str], prefetch: int) -> None:
        self._queues, self._prefetch = queues, prefetch
        self._exchange, self._key = to
        self._acknowledged = 0
        super().__init__(place)

    def stop(self) -> None:
        """Close in good order: what is acknowledged goes out before."""
        self._connection.ioloop.add_callback_threadsafe(self._stop)

    def _stop(self) -> None:
        self._acknowledge()
        self._leave()

    def _begin(self) -> None:
        self._connection.channel(on_open_callback=self._incoming_opened)

    def _incoming_opened(self, channel: Channel) -> None:
        self._incoming = channel
        channel.basic_qos(prefetch_count=self._prefetch)
        for queue in self._queues:
            channel.basic_consume(queue, self._taken)

    def _taken(
        self, _channel: Channel, _method: Basic.Deliver, properties: BasicProperties, body: bytes
    ) -> None:
        self._published += 1
        copy = BasicProperties(
            content_type=properties.content_type,
            delivery_mode=PERSISTENT,
            message_id=properties.message_id,
            type=properties.type,
            user_id=self._user,
        )
        self._outgoing.basic_publish(self._exchange, self._key, body, copy, mandatory=True)

    def _advanced(self) -> None:
        waiting = self._through - self._acknowledged
        if waiting >= AT_ONCE or (waiting and self._through == self._published):
            self._acknowledge()

    def _acknowledge(self) -> None:
        if self._through > self._acknowledged:
            self._incoming.basic_ack(self._through, multiple=True)
            self._acknowledged = self._through


def main() -> int:
    """Move as ordered until SIGTERM."""
    place, asked = order()
    mover = Mover(place, asked["queues"], (asked["exchange"], asked["key"]), asked["prefetch"])
    signal.signal(signal.SIGTERM, lambda *_: mover.stop())
    return mover.run()


if __name__ == "__main__":
    sys.exit(main())
