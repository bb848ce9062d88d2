"""Stand-ins for the ports, in memory, for tests that need no broker.

``FakeBroker`` is to ``FakeLink`` what RabbitMQ is to ``hub.broker.link.PikaLink``: exchanges
lead to one queue each, what was taken and not acknowledged goes back in its place, and
publishing keeps to ``order_key``. Time passes only when a call waits.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Self

from hub.edge.kit import Asked, KnownPerson, Question
from hub.errors import LinkLost
from hub.names import DEAD_QUEUE
from hub.ports import Death, Delivery, Outgoing, Sending, Sent


@dataclass
class FakeClock:
    """Seconds that pass when told to."""

    seconds: float = 1000.0

    def now(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass(frozen=True)
class Stored:
    """A message in a queue."""

    routing_key: str
    user_id: str
    body: bytes
    message_id: str = ""
    redelivered: bool = False
    copied: bool = False
    times: int = 0
    death: Death | None = None
    number: str = ""


@dataclass
class Started:
    """Messages whose fate is decided, and told once they are not ``open``."""

    fates: list[Sent]
    keys: frozenset[str]
    open: int = 0


def _always_confirm(_message: Outgoing) -> Sent:
    return Sent.CONFIRMED


@dataclass
class FakeBroker:
    """Queues by name, and ``routes`` from an exchange to its queue.

    ``judge`` decides the fate of each message before it is stored; ``lost`` cuts all links. What
    goes back more often than ``limit`` is put with the dead letters.
    """

    routes: dict[str, str] = field(default_factory=dict)
    queues: dict[str, deque[Stored]] = field(default_factory=dict)
    judge: Callable[[Outgoing], Sent] = _always_confirm
    clock: FakeClock = field(default_factory=FakeClock)
    lost: bool = False
    limit: int = 1_000_000

    def queue(self, name: str) -> deque[Stored]:
        return self.queues.setdefault(name, deque())

    def put(self, queue: str, body: bytes, *, user_id: str = "hub", copied: bool = False) -> None:
        self.queue(queue).append(Stored(queue, user_id, body, copied=copied))

    def published(self, exchange: str) -> list[Stored]:
        return list(self.queue(self.routes.get(exchange, exchange)))


class FakeLink:
    """A link of one user that consumes the named queues.

    ``confirms``, where given, say at each turn whether the oldest sending under way is confirmed;
    else all are at once.
    """

    confirms: Iterator[bool] | None = None

    def __init__(self, broker: FakeBroker, user: str, *queues: str) -> None:
        self._broker = broker
        self._user = user
        self._queues = queues
        self._unacked: deque[tuple[int, str, Stored]] = deque()
        self._tag = 0
        self._closed = False
        self._open: deque[Started] = deque()

    def take(self, most: int, wait: float) -> list[Delivery]:
        self._check()
        if not any(self._broker.queue(name) for name in self._queues):
            self._broker.clock.advance(wait)
        self._check()
        waiting = ((name, self._broker.queue(name)) for name in self._queues)
        ready = ((name, queue) for name, queue in waiting for _ in range(len(queue)))
        return [self._deliver(name, queue.popleft()) for name, queue in islice(ready, most)]

    def _deliver(self, name: str, stored: Stored) -> Delivery:
        self._tag += 1
        self._unacked.append((self._tag, name, stored))
        return Delivery(
            tag=self._tag,
            queue=name,
            routing_key=stored.routing_key,
            user_id=stored.user_id,
            body=stored.body,
            redelivered=stored.redelivered,
            copied=stored.copied,
            times=stored.times,
            death=stored.death,
        )

    def _store(self, message: Outgoing) -> Sent:
        if message.exchange not in self._broker.routes:
            return Sent.UNROUTABLE
        fate = self._broker.judge(message)
        if fate is Sent.CONFIRMED:
            queue = self._broker.queue(self._broker.routes[message.exchange])
            stored = Stored(
                message.routing_key,
                self._user,
                message.body,
                message.message_id,
                number=message.number,
            )
            queue.append(stored)
        return fate

    def _check(self) -> None:
        if self._closed or self._broker.lost:
            raise LinkLost("the fake broker is gone")

    def publish(self, messages: Sequence[Outgoing]) -> list[Sent]:
        broken: set[str] = set()
        fates = []
        for message in messages:
            self._check()
            fate = Sent.WITHHELD if message.order_key in broken else self._store(message)
            if fate is not Sent.CONFIRMED and message.order_key:
                broken.add(message.order_key)
            fates.append(fate)
        return fates

    def start(self, messages: Sequence[Outgoing]) -> Started:
        keys = frozenset(one.order_key for one in messages if one.order_key)
        assert all(keys.isdisjoint(before.keys) for before in self._open)
        started = Started(self.publish(messages), keys)
        if self.confirms is not None and messages:
            started.open = len(messages)
            self._open.append(started)
        return started

    def finish(self, sending: Sending) -> list[Sent]:
        assert isinstance(sending, Started)
        if sending.open:
            self._check()
        self._open = deque(one for one in self._open if one is not sending)
        sending.open = 0
        return sending.fates

    def turn(self) -> None:
        self._check()
        if self._open and self.confirms is not None and next(self.confirms):
            self._open[0].open = 0

    def consume(self, queues: Collection[str]) -> None:
        self._check()
        gone = set(self._queues) - set(queues)
        self._give_back([one for one in self._unacked if one[1] in gone])
        self._unacked = deque(one for one in self._unacked if one[1] not in gone)
        self._queues = tuple(queues)

    def ack(self, done: Sequence[Delivery]) -> None:
        self._check()
        tags = {one.tag for one in done}
        self._unacked = deque(one for one in self._unacked if one[0] not in tags)

    def _give_back(self, gone: Collection[tuple[int, str, Stored]]) -> None:
        for _, queue, stored in reversed(list(gone)):
            back = replace(stored, redelivered=True, times=stored.times + 1)
            if back.times > self._broker.limit:
                death = Death(queue, "delivery_limit", number=stored.number)
                self._broker.queue(DEAD_QUEUE).append(replace(back, times=0, death=death))
            else:
                self._broker.queue(queue).appendleft(back)

    def idle(self, seconds: float) -> None:
        self._check()
        self._broker.clock.advance(seconds)
        self._check()

    def close(self) -> None:
        self._closed = True
        self._give_back(self._unacked)
        self._unacked.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class NoDesk:
    """A desk where nothing can be found (``hub.edge.kit.Desk``)."""

    def asked(self, question: Question) -> Asked | None:  # noqa: ARG002 - protocol
        """Give no question."""
        return None

    def persons(self, field: str, value: str) -> Sequence[KnownPerson]:  # noqa: ARG002 - protocol
        """Give nobody."""
        return ()
