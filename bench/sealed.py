"""The hub with every 個人番号 encrypted, beside the same hub that takes them in clear.

Both move the same events with a number in each, in turns: one site, one ledger, one vhost. What
is encrypted is opened by the hub, and encrypted anew for the receiver.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from bench.measure import Measure
from bench.meter import Meter, Rate
from bench.moves import Say, Way, by_hub, middle, spread
from bench.site import sealed_twin
from bench.stand import Stand

NAME = "encrypted_vs_plain"
RATIO = 0.85


def measures(stand: Stand, count: int, rounds: int, say: Say) -> Iterator[Measure]:
    """Take the rate with encryption beside that without, of the same rounds."""
    sealed = replace(stand, site=sealed_twin(stand.site))
    keys = str(sealed.site.with_name("pki"))
    ways = {
        "sealed": (sealed, _way("sealed", keys)),
        "in clear": (stand, _way("in clear", "")),
    }
    taken: dict[str, list[Rate]] = {name: [] for name in ways}
    with Meter(stand.place()) as meter:
        for number in range(1, rounds + 1):
            # Each is the first as often as the other: the ledger grows.
            for name in sorted(ways, reverse=bool(number % 2)):
                place, way = ways[name]
                rate = way.move(place, meter, count)
                taken[name].append(rate)
                say(f"round {number}, {name}: {rate.a_second:,.0f}/s; {rate.said()}")
    one, other = middle(taken["sealed"]), middle(taken["in clear"])
    each = ", ".join(f"{name} {spread(taken[name])}" for name in ways)
    yield Measure(
        NAME,
        one.a_second,
        "messages/s",
        f"ratio >= {RATIO:g}",
        one.a_second >= RATIO * other.a_second,
        other.a_second,
        f"the middle of {rounds} rounds ({each}); sealed {one.said()} ({one.usage.full()});"
        f" in clear {other.said()}",
    )


def _way(name: str, keys: str) -> Way:
    fill = partial(Stand.fill_numbered, keys=keys)
    return Way(name, by_hub, between_hubs_queues=True, fill=fill)
