"""Publishes events as the sending system: as fast as they are confirmed, or at a steady pace."""

import sys
import time
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pika.spec import BasicProperties

from bench.events import Made, events
from bench.numbered import SENDER, numbered_events
from bench.parts.client import PERSISTENT, Publishing
from bench.place import Place, order
from hub.message import CONTENT_TYPE, PARTITION_HEADER
from hub.sealing.keys import FolderKeys, Keys
from hub.sealing.sealer import Sealer
from hub.site import HUB_USER

WINDOW = 1000
TICK_SECONDS = 0.001


class Sender(Publishing):
    """Publishes with confirms, asynchronously; ``sent`` has the moment of each publish."""

    def __init__(self, place: Place, to: tuple[str, str], made: Iterator[Made], pace: int) -> None:
        self._exchange, self._key = to
        self._made, self._pace = made, pace
        self._over = False
        self._begun = 0.0
        self.sent = array("q")
        super().__init__(place)

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
        self._publish(WINDOW - (self._published - self._through))

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
                type=made.kind,
                user_id=self._user,
                headers={PARTITION_HEADER: made.partition},
            )
            self.sent.append(time.monotonic_ns())
            self._outgoing.basic_publish(
                self._exchange, self._key, made.body, properties, mandatory=True
            )

    def _advanced(self) -> None:
        if self._over:
            self._leave_when_done()
        elif not self._pace and self._published - self._through < WINDOW // 2:
            self._fill()

    def _leave_when_done(self) -> None:
        if self._through == self._published and self._connection.is_open:
            self._leave()


def _made(asked: Mapping[str, Any]) -> Iterator[Made]:
    """Give the events that are asked for: with a 個人番号 in them where the order says how."""
    run, count, first = asked["run"], asked["count"], asked["first"]
    match asked.get("numbers"):
        case None:
            return events(run, count, first)
        case "":
            return numbered_events(run, count, first=first)
        case folder:
            keys = Keys(SENDER, FolderKeys(Path(folder), SENDER))
            return numbered_events(run, count, Sealer(keys, HUB_USER), first)


def main() -> int:
    """Publish as ordered, and write down when, in nanoseconds of the monotonic clock."""
    place, asked = order()
    made = _made(asked)
    sender = Sender(place, (asked["exchange"], asked["key"]), made, asked["pace"])
    status = sender.run()
    if asked["times"]:
        Path(asked["times"]).write_bytes(sender.sent.tobytes())
    return status


if __name__ == "__main__":
    sys.exit(main())
