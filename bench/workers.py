"""Two hub workers against one: the same partitions, one ledger on PostgreSQL, one broker.

Workers share the partitions out among themselves, which takes some seconds. So they are linked
first and held (SIGSTOP) while their queues are filled, in less time than a heartbeat allows.
"""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from bench.children import Child
from bench.measure import Measure
from bench.meter import Meter, Rate
from bench.moves import Say, middle
from bench.stand import ARRIVED, Stand

RATIO = 1.6
PARTITIONS = 4
MOST = 30_000
"""What can be filled before the broker takes those who are held for dead."""
SHARE_SECONDS = 60.0
LOOK_SECONDS = 0.5

MakeStand = Callable[[int], AbstractContextManager[Stand]]
"""Makes a stand whose site has so many workers."""


def measures(
    make: MakeStand, database: int, count: int, rounds: int, say: Say
) -> Iterator[Measure]:
    """Take the rate of one and of two by turns, each with a site of its own on one broker.

    ``database`` is the process of the PostgreSQL server.
    """
    taken: dict[int, list[Rate]] = {1: [], 2: []}
    count = min(count, MOST)
    for number in range(1, rounds + 1):
        for workers in (1, 2):
            with make(workers) as stand:
                rate = _rate(stand, workers, database, count)
            taken[workers].append(rate)
            say(f"round {number}, {workers}: {rate.a_second:,.0f}/s; {rate.said()}")
    alone, both = middle(taken[1]), middle(taken[2])
    reached = both.a_second >= RATIO * alone.a_second
    full = both.usage.full()
    yield Measure(
        "workers_2_vs_1",
        both.a_second,
        "messages/s",
        f"ratio >= {RATIO:g}, or something is full",
        reached or full.startswith("full:"),
        alone.a_second,
        f"{PARTITIONS} partitions, ledger on PostgreSQL; two workers: {both.said()} ({full});"
        f" one worker: {alone.said()} ({alone.usage.full()}); what that leaves of the machine has"
        f" room for a ratio of {1 / alone.usage.busy:.2f}",
    )


def _rate(stand: Stand, workers: int, database: int, count: int) -> Rate:
    with stand.hub() as hub, Meter(stand.place()) as meter:
        _wait_until_shared(stand, workers)
        with _held(hub.values()):
            stand.fill_hub(count)
        watched = {name: child.pid for name, child in hub.items()}
        watched |= {**stand.broker_pids, "PostgreSQL": database}

        def check() -> None:
            for child in hub.values():
                child.check()

        return meter.rate(ARRIVED, count, lambda: watched, check)


def _wait_until_shared(stand: Stand, workers: int) -> None:
    """Wait until every partition has an active consumer, and each worker one at least."""
    partitions = set(stand.hub_queues())
    until = time.monotonic() + SHARE_SECONDS
    while time.monotonic() < until:
        active = {
            one["queue"]["name"]: one["channel_details"]["connection_name"]
            for one in stand.management.get("consumers", stand.vhost)
            if one["active"] and one["queue"]["name"] in partitions
        }
        if active.keys() == partitions and len(set(active.values())) == workers:
            return
        time.sleep(LOOK_SECONDS)
    raise RuntimeError(f"{workers} workers did not share out {len(partitions)} partitions")


@contextmanager
def _held(children: Iterable[Child]) -> Iterator[None]:
    pids = [child.pid for child in children]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
