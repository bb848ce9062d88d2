"""What a backlog of a million messages costs: the hub's rate above it and with hardly any.

With hardly any before the queues are filled and after they are emptied, so that a machine which
gets slower or faster meanwhile is not taken for the backlog.
"""

import shutil
from collections.abc import Iterator

from bench.measure import Measure
from bench.meter import Meter, Rate
from bench.moves import HUB, Say, by_hub, middle, spread
from bench.stand import ARRIVED, Stand

KEPT = 0.9
TIMES = 3
DISK_BYTES_A_MESSAGE = 4096
"""A message of 1 KB stands in the broker's log and in a segment of its queue, and is moved."""


def measures(stand: Stand, backlog: int, part: int, say: Say) -> Iterator[Measure]:
    """Take the rate of parts with nothing behind them, and of the same parts of the backlog.

    Raises:
        RuntimeError: the disk has no room for the backlog.
    """
    room = shutil.disk_usage(stand.folder).free
    if room < backlog * DISK_BYTES_A_MESSAGE:
        raise RuntimeError(f"a backlog of {backlog:,} messages needs more disk: {room:,} bytes")
    with Meter(stand.place()) as meter:
        few = _nearly_empty(stand, meter, part, say)
        say(f"filling the hub's queues with {backlog:,} messages ...")
        stand.fill_hub(backlog)
        above = [_told("above it", _above(stand, meter, part), say) for _ in range(TIMES)]
        many = middle(above)
        left = meter.depth(*stand.hub_queues())
        stand.purge(*stand.hub_queues())
        few += _nearly_empty(stand, meter, part, say)
    before = middle(few)
    yield Measure(
        "backlog_1m_vs_empty",
        many.a_second,
        "messages/s",
        f"ratio >= {KEPT:g}",
        many.a_second >= KEPT * before.a_second,
        before.a_second,
        f"{TIMES} times the first {part:,} of {backlog:,} messages ({spread(above)}), {left:,} were"
        f" left at the end;"
        f" {many.said()} ({many.usage.full()}); nearly empty,"
        f" {TIMES} times before and {TIMES} after ({spread(few)}): {before.said()}",
    )


def _nearly_empty(stand: Stand, meter: Meter, part: int, say: Say) -> list[Rate]:
    return [_told("nearly empty", HUB.move(stand, meter, part), say) for _ in range(TIMES)]


def _above(stand: Stand, meter: Meter, part: int) -> Rate:
    """Let the hub work for a while on a backlog that stays."""
    stand.purge(ARRIVED)
    with by_hub(stand) as moving:
        watched = {**moving.processes, **stand.broker_pids}
        rate = meter.rate(ARRIVED, part, lambda: watched, moving.check)
    stand.purge(ARRIVED)
    return rate


def _told(what: str, rate: Rate, say: Say) -> Rate:
    say(f"{what}: {rate.a_second:,.0f}/s; {rate.said()}")
    return rate
