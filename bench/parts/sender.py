"""Publishes events as the sending system: as fast as they are confirmed, or at a steady pace."""

import sys
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

import pika
from pika.channel import Channel
from pika.spec import Basic, BasicProperties

from bench.events import KIND, Made, events
from bench.place import Place, order
from hub.message import CONTENT_TYPE, PARTITION_HEADER

PERSISTENT = 2
WINDOW = 1000
TICK_SECONDS = 0.001


class Sender:
    """Publishes with confirms, asynchronously; ``sent`` has the moment of each publish."""

    def __init__(self, place: Place, to: tuple[str, str], made: Iterator[Made], pace: int) -> None:
        self._user = place.user
        self._exchange, self._key = to
        self._made, self._pace = made, pace
        self._published = self._confirmed = 0
        self._singly: set[int] = set()
        self._over = False
        self._begun = 0.0
        self.sent = array("q")
        self.failed = ""
        self._connection = pika.SelectConnection(
            place.parameters(),
            on_open_callback=self._opened,
            on_open_error_callback=self._closed,
            on_close_callback=self._closed,
        )

    def run(self) -> None:
        """Publish everything."""
        self._connection.ioloop.start()

    def _opened(self, connection: pika.SelectConnection) -> None:
        connection.channel(on_open_callback=self._channel_opened)

    def _channel_opened(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_return_callback(lambda *_: self._fail("no queue took a message"))
        channel.confirm_delivery(self._settled, callback=lambda _: self._begin())

    def _begin(self) -> None:
        self._begun = time.monotonic()
        if self._pace:
            self._tick()
        else:
            self._fill()

    def _tick(self) -> None:
        """Publish what is due by now."""
        due = int((time.monotonic() - self._begun) * self._pace) - self._published
        self._publish(due)
        if not self._over:
            self._connection.ioloop.call_later(TICK_SECONDS, self._tick)

    def _fill(self) -> None:
        self._publish(WINDOW - (self._published - self._confirmed))

    def _publish(self, most: int) -> None:
        for _ in range(most):
            made = next(self._made, None)
            if made is None:
                self._over = True
                self._leave_when_done()
                return
            self._published += 1
            properties = BasicProperties(
                content_type=CONTENT_TYPE,
                delivery_mode=PERSISTENT,
                message_id=made.id,
                type=KIND,
                user_id=self._user,
                headers={PARTITION_HEADER: made.partition},
            )
            self.sent.append(time.monotonic_ns())
            self._channel.basic_publish(
                self._exchange, self._key, made.body, properties, mandatory=True
            )

    def _settled(self, frame: pika.frame.Method) -> None:
        tag = frame.method.delivery_tag
        if not isinstance(frame.method, Basic.Ack):
            self._fail("the broker did not take a message")
            return
        if frame.method.multiple:
            self._singly.difference_update(range(self._confirmed + 1, tag + 1))
            self._confirmed = max(self._confirmed, tag)
        else:
            self._singly.add(tag)
        while self._confirmed + 1 in self._singly:
            self._confirmed += 1
            self._singly.remove(self._confirmed)
        if self._over:
            self._leave_when_done()
        elif not self._pace and self._published - self._confirmed < WINDOW // 2:
            self._fill()

    def _leave_when_done(self) -> None:
        if self._confirmed == self._published and self._connection.is_open:
            self._connection.close()

    def _fail(self, why: str) -> None:
        self.failed = why
        self._connection.close()

    def _closed(self, _connection: object, reason: Exception | str) -> None:
        if not self._over:
            self.failed = self.failed or str(reason)
        self._connection.ioloop.stop()


def main() -> int:
    """Publish as ordered, and write down when, in nanoseconds of the monotonic clock."""
    place, asked = order()
    made = events(asked["run"], asked["count"], asked["first"])
    sender = Sender(place, (asked["exchange"], asked["key"]), made, asked["pace"])
    sender.run()
    if asked["times"]:
        Path(asked["times"]).write_bytes(sender.sent.tobytes())
    if sender.failed:
        sys.stderr.write(f"{sender.failed}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
