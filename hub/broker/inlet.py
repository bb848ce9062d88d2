"""The half of a link that consumes and acknowledges: the queues, and what came out of them."""

from collections import deque
from collections.abc import Callable, Collection, Sequence

from pika.channel import Channel

from hub.broker.connection import Connection
from hub.broker.frames import Arrived
from hub.broker.intake import Intake
from hub.broker.pump import Pump
from hub.ports import Delivery

Closed = Callable[[Channel, Exception], None]


class Inlet:
    """The queues that are consumed, each on a channel of its own, into one inbox.

    ``open_seconds`` is how long the broker may take to let a queue be consumed; ``on_closed`` is
    told of channels that are closed.
    """

    def __init__(
        self,
        pump: Pump,
        connection: Connection,
        *,
        prefetch: int,
        open_seconds: float,
        on_closed: Closed,
    ) -> None:
        self._pump = pump
        self._connection = connection
        self._prefetch = prefetch
        self._open_seconds = open_seconds
        self._on_closed = on_closed
        self._inbox: deque[Delivery] = deque()
        self._intakes: dict[str, Intake] = {}
        self._last_taken = 0

    def consume(self, queues: Collection[str]) -> None:
        """Consume these queues and no other."""
        self._pump.check()
        wanted = frozenset(queues)
        gone = self._intakes.keys() - wanted
        for queue in gone:
            self._intakes.pop(queue).end()
        if gone:
            self._inbox = deque(one for one in self._inbox if one.queue not in gone)
        for queue in wanted - self._intakes.keys():
            intake = self._intakes[queue] = Intake(queue, self._prefetch, self._arrived)
            intake.begin(self._connection, self._on_closed)
        self._pump.answered(self._is_consuming, self._open_seconds)

    def take(self, most: int, wait: float) -> list[Delivery]:
        """Take up to ``most`` messages, waiting at the most ``wait`` seconds for the first."""
        self._pump.flush()
        if not self._inbox and wait > 0:
            self._pump.turn(lambda: bool(self._inbox), wait)
        count = min(most, len(self._inbox))
        return [self._inbox.popleft() for _ in range(count)]

    def ack(self, done: Sequence[Delivery]) -> None:
        """Acknowledge these deliveries; those that went back to their queue are passed over."""
        self._pump.check()
        by_queue: dict[str, list[Delivery]] = {}
        for one in done:
            by_queue.setdefault(one.queue, []).append(one)
        for queue, some in by_queue.items():
            intake = self._intakes.get(queue)
            if intake is not None:
                intake.ack(some)
        self._pump.flush()

    def _is_consuming(self) -> bool:
        return all(intake.ready for intake in self._intakes.values())

    def _arrived(self, intake: Intake, arrived: Arrived) -> None:
        self._last_taken += 1
        intake.open[self._last_taken] = arrived.tag
        self._inbox.append(arrived.delivery(self._last_taken))
