"""Publishers and consumers on bare links to a cluster, that note every gap and every message.

Each publisher has residents of its own and always some of their messages under way; what was
not confirmed is sent again. Each consumer takes what comes, and acknowledges it.
"""

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from hub.broker.connect import connected
from hub.broker.link import LinkSettings, PikaLink
from hub.errors import LinkLost
from hub.ports import Outgoing, Sent

AT_ONCE = 10
PAUSE_SECONDS = 0.02
RESIDENTS = 5
JOIN_SECONDS = 40.0


@dataclass
class Probe(threading.Thread):
    """A thread with a link that is opened anew when it is lost; ``port`` is that of its node."""

    settings: LinkSettings
    over: threading.Event
    port: int = 0
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(name=self.settings.name, daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while not self.over.is_set():
            link = connected(
                self.settings,
                stopping=self.over.is_set,
                say=self.said.append,
                open_link=self._opened,
            )
            if link is None:
                return
            try:
                with link:
                    self.work(link)
            except LinkLost as lost:
                self.said.append(str(lost))

    def work(self, link: PikaLink) -> None:
        """Do what it is for, until it is over."""
        raise NotImplementedError

    def _opened(self, settings: LinkSettings) -> PikaLink:
        link = PikaLink(settings)
        self.port = settings.port
        return link


@dataclass
class Publisher(Probe):
    """Sends to a queue; ``confirmed`` are ids, ``gaps`` the waits for confirms: since, until."""

    queue: str = ""
    confirmed: list[str] = field(default_factory=list)
    gaps: list[tuple[float, float]] = field(default_factory=list)
    last: float = field(default_factory=time.monotonic)
    _batch: list[Outgoing] = field(default_factory=list)
    _numbers: Counter[int] = field(default_factory=Counter)

    __hash__ = Probe.__hash__

    def work(self, link: PikaLink) -> None:
        while self._batch or not self.over.is_set():
            batch = self._batch = self._batch or [self._next(n) for n in range(AT_ONCE)]
            fates = link.publish(batch)
            now = time.monotonic()
            done = {
                m.message_id for m, fate in zip(batch, fates, strict=True) if fate is Sent.CONFIRMED
            }
            self._batch = [message for message in batch if message.message_id not in done]
            if done:
                self.gaps.append((self.last, now))
                self.last = now
                self.confirmed += done
            time.sleep(PAUSE_SECONDS)

    def _next(self, number: int) -> Outgoing:
        resident = number % RESIDENTS
        self._numbers[resident] += 1
        who, count = f"{self.name}/{resident}", self._numbers[resident]
        body = json.dumps([who, count]).encode()
        return Outgoing("", self.queue, body, f"{who}/{count}", "probe", order_key=who)

    def longest_gap(self, since: float, until: float) -> float:
        """Give the longest wait for a confirm that was not over at ``since``, and began before."""
        overlapping = [(a, b) for a, b in (*self.gaps, (self.last, time.monotonic()))]
        return max(
            (b - max(a, since) for a, b in overlapping if b > since and a < until), default=0.0
        )


@dataclass
class Consumer(Probe):
    """Takes from queues; ``taken`` has (who, count) in the order they came, with repetitions."""

    taken: list[tuple[str, int]] = field(default_factory=list)
    unmarked: int = 0
    seen: set[tuple[str, int]] = field(default_factory=set)

    __hash__ = Probe.__hash__

    def work(self, link: PikaLink) -> None:
        while not self.over.is_set():
            deliveries = link.take(100, 0.2)
            for delivery in deliveries:
                who, count = json.loads(delivery.body)
                self.taken.append((who, count))
                self.seen.add((who, count))
            link.ack(deliveries)


@dataclass
class Probes:
    """All publishers and consumers of one cluster."""

    publishers: list[Publisher]
    consumers: list[Consumer]
    over: threading.Event
    done: threading.Event

    def lost(self) -> set[str]:
        """Give what was confirmed and not taken."""
        taken = {f"{who}/{count}" for one in self.consumers for who, count in one.seen}
        return {one for publisher in self.publishers for one in publisher.confirmed} - taken

    def doubled(self) -> int:
        """Count what came more than once; a receiver takes it once."""
        return sum(len(one.taken) - len(one.seen) for one in self.consumers)

    def disordered(self) -> list[str]:
        """Name whose messages did not come in order, each taken once."""
        found = []
        for consumer in self.consumers:
            latest: dict[str, int] = defaultdict(int)
            seen: set[tuple[str, int]] = set()
            for who, count in consumer.taken:
                if (who, count) in seen:
                    continue
                seen.add((who, count))
                if count != latest[who] + 1:
                    found.append(f"{who}: {count} after {latest[who]}")
                latest[who] = count
        return found

    def alive_since(self, since: float) -> bool:
        """Say whether every publisher has had a confirm of what it sent after a moment."""
        return all(any(a >= since for a, _ in one.gaps[-3:]) for one in self.publishers)

    def finish(self) -> None:
        """Let the publishers end what is under way, and the consumers take it."""
        self.over.set()
        for publisher in self.publishers:
            publisher.join(JOIN_SECONDS)
            assert not publisher.is_alive(), publisher.said[-3:]
        until = time.monotonic() + JOIN_SECONDS
        while self.lost() and time.monotonic() < until:
            time.sleep(0.2)
        self.done.set()
        for consumer in self.consumers:
            consumer.join(JOIN_SECONDS)


@contextmanager
def at_work(settings: LinkSettings, queues: Sequence[str]) -> Iterator[Probes]:
    """Run one publisher and one consumer for each queue; all are over at the end."""
    over, done = threading.Event(), threading.Event()
    publishers = [
        Publisher(replace(settings, name=f"publisher-{n}"), over, queue=queue)
        for n, queue in enumerate(queues)
    ]
    consumers = [
        Consumer(replace(settings, name=f"consumer-{n}", queues=(queue,)), done)
        for n, queue in enumerate(queues)
    ]
    probes = Probes(publishers, consumers, over, done)
    for probe in (*consumers, *publishers):
        probe.start()
    try:
        yield probes
    finally:
        over.set()
        done.set()
        for probe in (*publishers, *consumers):
            probe.join(JOIN_SECONDS)
