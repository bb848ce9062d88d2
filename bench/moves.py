"""Moving messages from queue to queue: the hub's whole pipeline, and bare moves beside it.

All with persistent messages of 1 KB in quorum queues of one kind, copies mandatory and confirmed
before a message is acknowledged. They take turns, some rounds long, so that what else the machine
does hits all of them; of each the middle one counts.
"""

import statistics
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from bench.children import running
from bench.events import RECEIVER
from bench.measure import Measure
from bench.meter import Meter, Rate
from bench.stand import ARRIVED, SOURCE, TARGET, Stand
from hub.names import OUT_EXCHANGE

PREFETCH = 1000
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Moving:
    """Somebody who moves: processes to look at, and what raises when they have ended."""

    processes: Mapping[str, int]
    check: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Way:
    """One way of moving: between the hub's own queues, or between the plain ones.

    ``share`` of the messages is enough where it is slow. ``fill`` publishes other messages than
    the usual ones.
    """

    name: str
    run: Callable[[Stand], AbstractContextManager[Moving]]
    between_hubs_queues: bool
    share: float = 1.0
    fill: Callable[[Stand, int], None] | None = None

    def move(self, stand: Stand, meter: Meter, count: int) -> Rate:
        """Fill, let it move everything, and give the rate; nothing may be left behind."""
        arrive = ARRIVED if self.between_hubs_queues else TARGET
        leave = stand.hub_queues() if self.between_hubs_queues else [SOURCE]
        stand.purge(arrive, *leave)
        wanted = round(count * self.share)
        (self.fill or (Stand.fill_hub if self.between_hubs_queues else Stand.fill_source))(
            stand, wanted
        )
        with self.run(stand) as moving:
            watched = {**moving.processes, **stand.broker_pids}
            rate = meter.rate(arrive, wanted, lambda: watched, moving.check)
        if left := meter.depth(*leave):
            raise RuntimeError(f"{self.name} left {left} messages unacknowledged")
        stand.purge(arrive)
        return rate


@contextmanager
def by_hub(stand: Stand) -> Iterator[Moving]:
    """Run the hub: the process that a city runs."""
    with stand.hub() as workers:
        pids = {name: child.pid for name, child in workers.items()}
        yield Moving(pids, lambda: _all_alive(workers.values()))


@contextmanager
def by_pika(stand: Stand) -> Iterator[Moving]:
    """Run the bare client between the hub's own queues."""
    asked = stand.place().asked(
        queues=stand.hub_queues(), exchange=OUT_EXCHANGE, key=RECEIVER, prefetch=PREFETCH
    )
    with running(["bench.parts.mover"], stand.folder / "mover.log", asked) as child:
        yield Moving({"pika": child.pid}, child.check)


@contextmanager
def by_faststream(stand: Stand) -> Iterator[Moving]:
    """Run FastStream's subscriber and publisher between the plain queues."""
    asked = stand.place().asked(source=SOURCE, target=TARGET, prefetch=PREFETCH)
    with running(["bench.parts.faststream_mover"], stand.folder / "faststream.log", asked) as child:
        yield Moving({"FastStream": child.pid}, child.check)


@contextmanager
def by_shovel(stand: Stand) -> Iterator[Moving]:
    """Let RabbitMQ's own shovel move them: no process, no network, no other language."""
    uri = stand.place().url
    value = {
        "src-protocol": "amqp091",
        "src-uri": uri,
        "src-queue": SOURCE,
        "src-prefetch-count": PREFETCH,
        "dest-protocol": "amqp091",
        "dest-uri": uri,
        "dest-queue": TARGET,
        "ack-mode": "on-confirm",
        "reconnect-delay": 1,
    }
    stand.management.put("parameters", "shovel", stand.vhost, "bench", body={"value": value})
    yield Moving({}, lambda: None)
    stand.management.delete("parameters", "shovel", stand.vhost, "bench")


def _all_alive(children: Collection[object]) -> None:
    for child in children:
        child.check()  # type: ignore[attr-defined]


HUB = Way("hub", by_hub, between_hubs_queues=True)
REFERENCES = {
    "hub_vs_pika": (Way("pika", by_pika, between_hubs_queues=True), 0.8),
    "hub_vs_faststream": (
        Way("FastStream", by_faststream, between_hubs_queues=False, share=0.3),
        4,
    ),
    "hub_vs_shovel": (Way("shovel", by_shovel, between_hubs_queues=False), 0.3),
}


def middle(rates: Collection[Rate]) -> Rate:
    """Give the one in the middle."""
    return sorted(rates, key=lambda rate: rate.a_second)[len(rates) // 2]


def measures(
    stand: Stand, wanted: Collection[str], count: int, rounds: int, say: Say
) -> Iterator[Measure]:
    """Take the hub's rate beside the bare moves of the same rounds."""
    ways = [HUB, *(REFERENCES[name][0] for name in REFERENCES if name in wanted)]
    taken: dict[str, list[Rate]] = {way.name: [] for way in ways}
    with Meter(stand.place()) as meter:
        for number in range(1, rounds + 1):
            for way in ways:
                rate = way.move(stand, meter, count)
                taken[way.name].append(rate)
                say(f"round {number}, {way.name}: {rate.a_second:,.0f}/s; {rate.said()}")
    hub = middle(taken[HUB.name])
    for name, (way, ratio) in REFERENCES.items():
        if name not in wanted:
            continue
        bare = middle(taken[way.name])
        each = ", ".join(f"{one} {spread(taken[one])}" for one in (HUB.name, way.name))
        yield Measure(
            name,
            hub.a_second,
            "messages/s",
            f"ratio >= {ratio:g}",
            hub.a_second >= ratio * bare.a_second,
            bare.a_second,
            f"the middle of {rounds} rounds ({each}); with the hub {hub.said()}"
            f" ({hub.usage.full()}); with {way.name} {bare.said()}",
        )


def spread(rates: Collection[Rate]) -> str:
    """Say between which rates a way has moved."""
    each = [rate.a_second for rate in rates]
    return f"{min(each):,.0f}-{max(each):,.0f}, spread {_spread(each):.0%}"


def _spread(each: list[float]) -> float:
    return (max(each) - min(each)) / statistics.median(each)
