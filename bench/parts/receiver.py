"""Reads a receiver's queue as its adapter's user does, and notes when each message arrived."""

import sys
import time
from array import array
from pathlib import Path

from pika.channel import Channel
from pika.spec import Basic, BasicProperties

from bench.events import number_of
from bench.parts.client import Client
from bench.place import Place, order

PREFETCH = 1000
ACK_SECONDS = 0.05


class Receiver(Client):
    """Consumes so many messages; ``arrived`` has their numbers and moments, in turn."""

    def __init__(self, place: Place, queue: str, count: int) -> None:
        self._queue, self._count = queue, count
        self._last = self._acknowledged = 0
        self.arrived = array("q")
        super().__init__(place)

    def _channel_opened(self, channel: Channel) -> None:
        self._channel = channel
        channel.basic_qos(prefetch_count=PREFETCH)
        channel.basic_consume(self._queue, self._taken)
        self._acknowledge()

    def _taken(
        self, _channel: Channel, method: Basic.Deliver, properties: BasicProperties, _body: bytes
    ) -> None:
        self.arrived.append(number_of(properties.message_id))
        self.arrived.append(time.monotonic_ns())
        self._last = method.delivery_tag
        if self._last == self._count:
            self._acknowledge()
            self._leave()

    def _acknowledge(self) -> None:
        if not self._channel.is_open:
            return
        if self._last > self._acknowledged:
            self._channel.basic_ack(self._last, multiple=True)
            self._acknowledged = self._last
        self._connection.ioloop.call_later(ACK_SECONDS, self._acknowledge)


def main() -> int:
    """Consume as ordered, then write down what arrived when."""
    place, asked = order()
    receiver = Receiver(place, asked["queue"], asked["count"])
    status = receiver.run()
    Path(asked["times"]).write_bytes(receiver.arrived.tobytes())
    return status


if __name__ == "__main__":
    sys.exit(main())
