"""The bare move with pika's ``SelectConnection``: consume, publish, confirm, acknowledge.

It gives the hub's guarantees and nothing else: persistent and mandatory copies with the same
properties, acknowledged only when they are confirmed. It is as good as plain callbacks get:
everything asynchronous, a full prefetch, one channel to consume and one to publish (as fast
with one), and acknowledgements of many at once where all before them are confirmed.
"""

import signal
import sys

import pika
from pika.channel import Channel
from pika.spec import Basic, BasicProperties

from bench.place import Place, order

PERSISTENT = 2
AT_ONCE = 50
"""So many confirmed messages are acknowledged together, or as many as there are at the end."""


class Mover:
    """Moves from queues to one routing key until it is told to stop."""

    def __init__(self, place: Place, queues: list[str], to: tuple[str, str], prefetch: int) -> None:
        self._user = place.user
        self._queues, self._prefetch = queues, prefetch
        self._exchange, self._key = to
        self._published = 0  # the last tag; deliveries have the same, for each is published at once
        self._confirmed: set[int] = set()
        self._through = 0  # up to this tag all are confirmed
        self._acknowledged = 0
        self.failed = ""
        self._connection = pika.SelectConnection(
            place.parameters(),
            on_open_callback=self._opened,
            on_open_error_callback=self._closed,
            on_close_callback=self._closed,
        )
        self._stopping = False

    def run(self) -> None:
        """Move until ``stop``."""
        self._connection.ioloop.start()

    def stop(self) -> None:
        """Close in good order: what is acknowledged goes out before."""
        self._connection.ioloop.add_callback_threadsafe(self._leave)

    def _leave(self) -> None:
        self._stopping = True
        self._acknowledge()
        self._connection.close()

    def _opened(self, connection: pika.SelectConnection) -> None:
        connection.channel(on_open_callback=self._outgoing_opened)

    def _outgoing_opened(self, channel: Channel) -> None:
        self._outgoing = channel
        channel.add_on_return_callback(self._returned)
        channel.confirm_delivery(self._settled, callback=self._confirming)

    def _confirming(self, _frame: object) -> None:
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

    def _settled(self, frame: pika.frame.Method) -> None:
        tag = frame.method.delivery_tag
        if not isinstance(frame.method, Basic.Ack):
            self._fail("the broker did not take a message")
        elif frame.method.multiple:
            self._confirmed.difference_update(range(self._through + 1, tag + 1))
            self._through = max(self._through, tag)
        else:
            self._confirmed.add(tag)
        while self._through + 1 in self._confirmed:
            self._through += 1
            self._confirmed.remove(self._through)
        waiting = self._through - self._acknowledged
        if waiting >= AT_ONCE or (waiting and self._through == self._published):
            self._acknowledge()

    def _acknowledge(self) -> None:
        if self._through > self._acknowledged:
            self._incoming.basic_ack(self._through, multiple=True)
            self._acknowledged = self._through

    def _returned(self, *_: object) -> None:
        self._fail("no queue took a message")

    def _fail(self, why: str) -> None:
        self.failed = why
        self._connection.close()

    def _closed(self, _connection: object, reason: Exception | str) -> None:
        if not self._stopping:
            self.failed = self.failed or str(reason)
        self._connection.ioloop.stop()


def main() -> int:
    """Move as ordered until SIGTERM."""
    place, asked = order()
    mover = Mover(place, asked["queues"], (asked["exchange"], asked["key"]), asked["prefetch"])
    signal.signal(signal.SIGTERM, lambda *_: mover.stop())
    mover.run()
    if mover.failed:
        sys.stderr.write(f"{mover.failed}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
