"""Reads a receiver's queue as its adapter's user does, and notes when each message arrived."""

import sys
import time
from array import array
from pathlib import Path

import pika
from pika.channel import Channel
from pika.spec import Basic, BasicProperties

from bench.events import number_of
from bench.place import Place, order

PREFETCH = 1000
ACK_SECONDS = 0.05


class Receiver:
    """Consumes so many messages; ``arrived`` has their numbers and moments, in turn."""

    def __init__(self, place: Place, queue: str, count: int) -> None:
        self._queue, self._count = queue, count
        self._last = self._acknowledged = 0
        self._stopping = False
        self.arrived = array("q")
        self.failed = ""
        self._connection = pika.SelectConnection(
            place.parameters(),
            on_open_callback=self._opened,
            on_open_error_callback=self._closed,
            on_close_callback=self._closed,
        )

    def run(self) -> None:
        """Consume them all."""
        self._connection.ioloop.start()

    def _opened(self, connection: pika.SelectConnection) -> None:
        connection.channel(on_open_callback=self._channel_opened)

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
            self._stopping = True
            self._connection.close()

    def _acknowledge(self) -> None:
        if not self._channel.is_open:
            return
        if self._last > self._acknowledged:
            self._channel.basic_ack(self._last, multiple=True)
            self._acknowledged = self._last
        self._connection.ioloop.call_later(ACK_SECONDS, self._acknowledge)

    def _closed(self, _connection: object, reason: Exception | str) -> None:
        if not self._stopping:
            self.failed = str(reason)
        self._connection.ioloop.stop()


def main() -> int:
    """Consume as ordered, then write down what arrived when."""
    place, asked = order()
    receiver = Receiver(place, asked["queue"], asked["count"])
    receiver.run()
    Path(asked["times"]).write_bytes(receiver.arrived.tobytes())
    if receiver.failed:
        sys.stderr.write(f"{receiver.failed}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
